"""The desk under load, under erasure, and while the key service is away."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from domain import complaint
from service.casebook import Asked
from service.desk import Receipt
from service.forms.intake import RegisterForm
from service.master import LocalMaster, MasterUnavailable
from service.parts import Parts, open_parts
from service.settings import Settings

pytestmark = pytest.mark.postgres


@pytest.fixture
def parts(database: str, tmp_path: Path) -> Iterator[Parts]:
    """A program over an empty log."""
    with open_parts(Settings(home=tmp_path), database) as opened:
        yield opened


def asked(key: UUID | None = None, moment: datetime | None = None) -> Asked:
    """How a test asks."""
    return Asked(command_id=key or uuid4(), source="test", name="register", moment=moment)


def told(narrative: str = "3号窗口两次让我回去补材料。", phone: str | None = None) -> RegisterForm:
    """A complaint as somebody tells it."""
    return RegisterForm(hall="GXQ", narrative=narrative, phone=phone)


def test_numbers_have_no_gap_whoever_registers_at_once(database: str, tmp_path: Path) -> None:
    """Two programs with four threads each number the day's complaints from 1 on, each once."""
    with ExitStack() as stack, ThreadPoolExecutor(8) as threads:
        programs = [stack.enter_context(open_parts(Settings(home=tmp_path), database)) for _ in range(2)]
        moment = datetime(2026, 6, 1, 3, tzinfo=UTC)
        made: list[Receipt] = list(
            threads.map(lambda n: programs[n % 2].desk.register(told(), None, asked(moment=moment)), range(80))
        )
    numbers = sorted(int(receipt.complaint_no.split("-")[3]) for receipt in made)
    assert numbers == list(range(1, 81))
    assert all(receipt.complaint_no.startswith("TS-GXQ-20260601-") for receipt in made)


def test_the_day_of_a_number_is_the_halls(parts: Parts) -> None:
    """A complaint at 16:30 UTC is numbered on the next day, which has begun in the hall."""
    before = parts.desk.register(told(), None, asked(moment=datetime(2026, 6, 1, 15, 59, tzinfo=UTC)))
    after = parts.desk.register(told(), None, asked(moment=datetime(2026, 6, 1, 16, 30, tzinfo=UTC)))
    assert before.complaint_no.startswith("TS-GXQ-20260601-00001-")
    assert after.complaint_no.startswith("TS-GXQ-20260602-00001-")


def test_registering_needs_no_policy_and_no_key_service(database: str, tmp_path: Path) -> None:
    """Keys made ahead seal while the key service is away; the due date stays unknown."""

    class Away(LocalMaster):
        """A key service that can be cut off."""

        cut = False

        def wrap(self, key: bytes) -> tuple[str, bytes]:
            """Wrap, while it answers."""
            if self.cut:
                raise MasterUnavailable
            return super().wrap(key)

        def unwrap(self, master_id: str, wrapped: bytes) -> bytes:
            """Unwrap, while it answers."""
            if self.cut:
                raise MasterUnavailable
            return super().unwrap(master_id, wrapped)

    master = Away(tmp_path)
    with open_parts(Settings(home=tmp_path), database, master=master) as parts:
        master.cut = True
        with pytest.raises(MasterUnavailable):
            parts.vault.secret("never asked for before")
        receipt = parts.desk.register(told(phone="13800000000"), None, asked())
        again = parts.desk.register(told("另一件事，完全不同。", phone="13800000000"), None, asked())
        master.cut = False
        registered = receipt.done.events[0]
        assert isinstance(registered, complaint.Registered)
        assert registered.accept_due is None
        assert registered.narrative is not None
        assert parts.vault.open("narrative", registered.narrative) == "3号窗口两次让我回去补材料。"
        second = again.done.events[0]
        assert isinstance(second, complaint.Registered)
        assert second.complainant == registered.complainant


def test_a_repeated_request_shows_the_same_code_and_takes_no_key(parts: Parts) -> None:
    """A lost answer is given again, code and all; what was sealed for nothing goes back."""
    key = uuid4()
    first = parts.desk.register(told(), None, asked(key))
    held = _held(parts)
    again = parts.desk.register(told(), None, asked(key))
    assert (again.complaint_no, again.query_code, again.done.position) == (
        first.complaint_no,
        first.query_code,
        first.done.position,
    )
    assert again.done.repeated
    assert _held(parts) == held


def test_the_same_story_told_again_is_noticed(parts: Parts) -> None:
    """The second complaint of one phone names the first; a stranger's does not."""
    story = "3号窗口两次让我回去补材料，每次说的都不一样，我请了三次假。"
    first = parts.desk.register(told(story, "13800000000"), None, asked())
    again = parts.desk.register(told(story + "至今没有答复。", "138 0000 0000"), None, asked()).done.events[0]
    stranger = parts.desk.register(told(story, "13900000000"), None, asked()).done.events[0]
    assert isinstance(again, complaint.Registered)
    assert isinstance(stranger, complaint.Registered)
    assert [one.case for one in again.similar] == [first.case]
    assert stranger.similar == ()


def test_a_key_erased_under_us_is_replaced(parts: Parts) -> None:
    """When all keys held ahead are destroyed meanwhile, the complaint is sealed anew and registered."""
    with psycopg.connect(parts.dsn, autocommit=True) as connection:
        connection.execute(
            "update vault.keys set wrapped = null, destroyed_at = now(), reserved_by = null, reserved_at = null"
        )
    receipt = parts.desk.register(told(), None, asked())
    registered = receipt.done.events[0]
    assert isinstance(registered, complaint.Registered)
    assert registered.narrative is not None
    assert parts.vault.open("narrative", registered.narrative) == "3号窗口两次让我回去补材料。"


def _held(parts: Parts) -> int:
    with psycopg.connect(parts.dsn, autocommit=True) as connection:
        row = connection.execute("select count(*) from vault.keys where assigned_at is not null").fetchone()
    return 0 if row is None else row[0]
