"""Nobody picks which ratings are checked: announced before, opened after, drawn once published; and drawn again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

import psycopg
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from domain import rulebook
from domain.decider import THE_SYSTEM, Event, Recorded
from domain.errors import DateInPast, SeedMismatch, TooEarly
from domain.review import Submitted, drawing
from domain.review.drawing import DRAW, Announce, Draw, DrawAnnounced, Drawn, OpenSeed, SeedOpened, chosen, commitment
from domain.review.flagging import Flagged
from domain.rulebook import AdoptPolicy, Number
from projections import PROJECTIONS
from projections.drawable import members
from projections.draws import DRAWS, DrawRow, draw_of
from projections.histories import read_stream
from projections.runner import Runner
from service.adoption import adopt_first, load_register, policy
from service.asking import Asked
from service.cli import audit
from service.draw_check import Checked, _lowest, check
from service.draws import SEEDS, Draws, next_month, seed_of
from service.forms.reviews import OccasionForm, ReviewForm
from service.parts import Parts, open_parts
from service.reviewing import Origin
from service.sealer import Signed, seal
from service.settings import Settings
from tests.hall import HALL
from tests.projections.town import METADATA
from tests.service.loop import excluded
from tests.service.web.house import REGISTER, Hall
from tests.service.web.rating import V1, rated

pytestmark = pytest.mark.postgres

LONG_AGO: Final = datetime(2026, 2, 2, 2, tzinfo=UTC)
FEBRUARY: Final = datetime(2026, 2, 10, 2, tzinfo=UTC)
MARCH: Final = datetime(2026, 2, 28, 16, tzinfo=UTC)  # midnight in Shanghai
APRIL: Final = datetime(2026, 3, 31, 16, tzinfo=UTC)
TICK: Final = timedelta(microseconds=1)
HALF: Final = 500
GOOD: Final[dict[str, Any]] = {"grade": "very_satisfied", "codes": ("517",)}


def adopt(parts: Parts, at: datetime, version: int = 2, **numbers: int) -> None:
    """Put a policy in force with other shares."""
    first = policy("hall")
    changed = {key.replace("_", ".", 1): value for key, value in numbers.items()}
    kept = [one for one in first.numbers if one.key not in changed]
    more = [Number(key=key, value=value, source="D") for key, value in changed.items()]
    command = AdoptPolicy(at=at, by=THE_SYSTEM, policy=replace(first, version=version, numbers=(*kept, *more)))
    asked = Asked(command_id=uuid4(), source="test", name="adopt", moment=at)
    parts.book.transact(rulebook.RULEBOOK, rulebook.STREAM, command, asked)


@dataclass
class House:
    """A hall whose clock is moved by hand, with drawing that can be stopped after any act."""

    parts: Parts
    connection: psycopg.Connection

    def project(self) -> None:
        """Bring what people read, and the tree, to the end of the log."""
        runner = Runner(self.connection, PROJECTIONS)
        runner.take()
        runner.catch_up()
        runner.release()

    def round(self, at: datetime, stopping: Callable[[], bool] = lambda: False) -> int:
        """Let whoever draws look, at a moment; give how many acts came of it."""
        self.project()
        acts = Draws(self.parts, stopping).round(self.connection, self.parts.book.facts(), at, at)
        self.project()
        return acts

    def rate(self, at: datetime, **form: Any) -> UUID:  # noqa: ANN401 - a field of the form
        """Record a visit and what somebody says of it at a moment; give the review."""
        asked = [Asked(command_id=uuid4(), source="test", name="act", moment=at) for _ in range(2)]
        who = {"phone": "13800138000", "name": "欧阳"}
        visit = OccasionForm(hall="GXQ", project_no=f"P-{uuid4().hex[:9]}", window="W03", department="SJ", **who)
        opened, _ = self.parts.reviews.open_occasion(visit, THE_SYSTEM, asked[0])
        said = ReviewForm(occasion=opened, **(GOOD | form))
        return self.parts.reviews.write_down(opened, said, THE_SYSTEM, asked[1], Origin()).review

    def seal(self) -> Signed:
        """Sign how far the log is."""
        self.project()
        signed = seal(self.connection, self.parts.signer, self.parts.settings.home)
        assert signed is not None
        return signed

    def march(self) -> DrawRow:
        """Give the draw of March."""
        row = draw_of(self.connection, drawing.stream("GXQ", MARCH))
        assert row is not None
        return row

    def checked(self) -> Checked:
        """Draw March again, the second way."""
        (found,) = check(self.connection, drawing.stream("GXQ", MARCH))
        return found

    def pretend(self, *events: Event, stream: UUID | None = None) -> None:
        """Write into the log what no rule let in."""
        where = stream or drawing.stream("GXQ", MARCH)
        for event in events:
            version = len(read_stream(self.connection, where)) + 1
            recorded = Recorded(stream=where, version=version, event=event, metadata=METADATA)
            self.parts.book.log.save(recorded, command_ids=[uuid4()])
        self.project()

    def opened(self) -> None:
        """Bring March to the moment at which its seed is told and published; nothing is drawn yet."""
        assert self.round(APRIL) >= 1
        self.seal()


@pytest.fixture
def house(database: str, tmp_path: Path) -> Iterator[House]:
    """A hall in February 2026, that draws every second rating and all praise that was flagged."""
    with (
        open_parts(Settings(home=tmp_path), database) as parts,
        psycopg.connect(parts.dsn, autocommit=True) as connection,
    ):
        adopt_first(parts.book, LONG_AGO)
        adopt(parts, LONG_AGO + timedelta(hours=1), draw_all_permille=HALF, draw_flagged_permille=1000)
        load_register(parts.book, "hall.toml", REGISTER, LONG_AGO)
        yield House(parts, connection)


@pytest.fixture
def march(house: House) -> House:
    """The same, with March announced and six ratings by name in it, one of them flagged; others beside it."""
    house.round(FEBRUARY)
    house.rate(MARCH - TICK)
    for moment in (MARCH, MARCH + timedelta(days=9), MARCH + timedelta(days=20), APRIL - TICK):
        house.rate(moment)
    house.rate(MARCH + timedelta(days=3), grade="satisfied", codes=())
    hasty = house.rate(MARCH + timedelta(days=5), input_ms=1)
    house.rate(MARCH + timedelta(days=4), anonymous=True)
    house.rate(APRIL)
    house.project()
    flag = uuid5(hasty, "flag")
    with house.parts.pool.connection() as connection:
        (submitted, *_) = read_stream(connection, hasty)
    assert isinstance(submitted.event, Submitted)
    house.pretend(
        Flagged(at=APRIL - TICK, by=THE_SYSTEM, flag=flag, detector="too_fast", score=99, features=(), model=1),
        stream=hasty,
    )
    return house


def test_a_draw_is_announced_opened_published_drawn_and_owed(march: House) -> None:
    """Each step in its time, once; the second way finds the same, and everybody drawn is to be asked."""
    assert march.checked().state == "announced"
    assert march.round(APRIL - TICK) == 1  # April is announced, and March is still secret
    assert march.march().seed is None
    assert march.round(APRIL) == 2
    row = march.march()
    assert commitment(row.seed or "") == row.commitment
    assert (row.seed_at, row.drawn_at, march.checked().state) == (APRIL, None, "opened")
    # Nothing is drawn before what was told is published.
    assert march.round(APRIL + timedelta(hours=1)) == 0
    signed = march.seal()
    later = APRIL + timedelta(hours=2)
    assert march.round(later) == 1
    row = march.march()
    assert (row.members, row.flagged) == (6, 1)
    assert row.checkpoint == signed.checkpoint.size >= (row.seed_position or 0) == row.before
    assert 3 <= len(row.drawn) <= 4  # half of six, and the flagged one
    assert march.round(later) == len(row.drawn)
    assert march.round(later) == 0
    row = march.march()
    assert (set(row.owed), row.left, row.settled) == (set(row.drawn), (), True)
    checked = march.checked()
    assert (checked.wrong, checked.members, checked.drawn, checked.waiting) == ((), 6, len(row.drawn), 0)


def test_a_month_without_ratings_draws_nothing_and_is_done(house: House) -> None:
    """The draw is empty, and right; a site where nobody is served has none at all."""
    house.round(FEBRUARY)
    house.opened()
    house.round(APRIL)
    row = house.march()
    assert (row.members, row.drawn, row.settled) == (0, (), True)
    assert all(not one.wrong for one in check(house.connection))
    assert draw_of(house.connection, drawing.stream("JD", MARCH)) is None


def test_a_seed_is_nobodys_choice(house: House) -> None:
    """Not told early, not exchanged, and not announced for a time that has begun: the rules refuse it to anybody."""
    house.round(FEBRUARY)
    draw, seed = drawing.stream("GXQ", MARCH), seed_of(house.parts.secret(SEEDS), drawing.stream("GXQ", MARCH))

    def give(command: Any, at: datetime, of: UUID = draw) -> None:  # noqa: ANN401 - a command
        house.parts.book.transact(DRAW, of, command, Asked(command_id=uuid4(), source="test", name="x", moment=at))

    with pytest.raises(TooEarly):
        give(OpenSeed(at=APRIL - TICK, by=THE_SYSTEM, seed=seed), APRIL - TICK)
    with pytest.raises(SeedMismatch):
        give(OpenSeed(at=APRIL, by=THE_SYSTEM, seed="ab" * 32), APRIL)
    begun = Announce(at=MARCH + TICK, by=THE_SYSTEM, hall="JD", begins=MARCH, ends=APRIL, commitment="ab" * 32)
    with pytest.raises(DateInPast):
        give(begun, MARCH + TICK, drawing.stream("NEW", MARCH))
    give(OpenSeed(at=APRIL, by=THE_SYSTEM, seed=seed), APRIL)
    early = Draw(at=APRIL, by=THE_SYSTEM, opened=90, before=90, checkpoint=89, members=(), flagged=())
    with pytest.raises(SeedMismatch):
        give(early, APRIL)
    # Of one installation the seeds of all draws differ; of another one they are others.
    other = drawing.stream("GXQ", APRIL)
    assert len({seed, seed_of(house.parts.secret(SEEDS), other), seed_of(b"another", draw)}) == 3


def test_what_comes_late_is_no_member(march: House) -> None:
    """A rating of March that is recorded once the seed is known cannot be put in, nor a flag raised or cleared then."""
    march.opened()
    for _ in range(3):
        march.rate(APRIL - TICK)
    row = march.march()
    assert row.drawn_at is None
    march.seal()
    march.round(APRIL + timedelta(hours=1))
    assert march.march().members == 6
    assert march.checked().wrong == ()


def test_killed_in_between_it_goes_on(march: House) -> None:
    """Stopped after every act, begun anew each time, it comes to the same draw, and every check is owed once."""
    march.opened()
    acts = 0
    for _ in range(40):
        steps = iter([False, False])
        acts += march.round(APRIL + timedelta(hours=1), lambda steps=steps: next(steps, True))  # type: ignore[misc]  # bound here
    row = march.march()
    assert row.settled
    assert sorted(row.owed) == sorted(row.drawn)
    assert march.checked().wrong == ()
    names = march.connection.execute("select count(*) from events where name = 'review.check-owed.1'").fetchone()
    assert names == (len(row.drawn),)
    # Where it is lost what was owed already, nothing is owed twice.
    forget = sql.SQL("update {} set owed = '{{}}', settled = false").format(sql.Identifier(DRAWS.table))
    march.connection.execute(forget)
    acts = march.round(APRIL + timedelta(hours=1))
    assert (
        march.connection.execute("select count(*) from events where name = 'review.check-owed.1'").fetchone() == names
    )


@pytest.mark.parametrize(
    ("said", "finding"),
    [
        ({"members": 5}, "the log has 6 members, the draw tells of 5"),
        ({"members_digest": "ab" * 32}, "the log has other members than the draw"),
        ({"flagged": 0}, "the log has 1 flagged members, the draw tells of 0"),
        ({"drawn": ()}, "the seed gives other reviews: "),
        ({"drawn": (UUID(int=7),)}, "1 were put in"),
        ({"before": 3}, "it took what was recorded before position 3"),
        ({"checkpoint": 2}, "there is no checkpoint of 2 leaves"),
    ],
)
def test_whoever_draws_otherwise_is_found_out(march: House, said: dict[str, Any], finding: str) -> None:
    """A member left out, another one put in, or a checkpoint that published nothing: the second way says what."""
    march.opened()
    march.round(APRIL + timedelta(hours=1), lambda: True)
    row = march.march()
    assert row.seed is not None
    before = row.seed_position or 0
    with march.connection.transaction():
        right = Drawn(
            at=APRIL,
            by=THE_SYSTEM,
            before=before,
            checkpoint=march.seal().checkpoint.size,
            members=6,
            members_digest="",
            flagged=1,
            flagged_digest="",
            drawn=(),
        )
    found = list(members(march.connection, row, before))
    everybody, noticed = [one for one, _ in found], [one for one, flagged in found if flagged]
    right = replace(
        right,
        members_digest=drawing.digest_of_members(everybody),
        flagged_digest=drawing.digest_of_members(noticed),
        drawn=tuple(dict.fromkeys((*chosen(row.seed, everybody, HALF), *chosen(row.seed, noticed, 1000)))),
    )
    march.pretend(replace(right, **said))
    wrong = march.checked().wrong
    assert any(finding in one for one in wrong), wrong


def test_a_member_left_out_by_the_program_itself_is_found_out(march: House) -> None:
    """A draw that is right in itself, but for a member: by count and digest, whatever was drawn."""
    march.opened()
    row = march.march()
    found = [one for one, _ in members(march.connection, row, row.seed_position or 0)]
    command = Draw(
        at=APRIL,
        by=THE_SYSTEM,
        opened=row.seed_position or 0,
        before=row.seed_position or 0,
        checkpoint=march.seal().checkpoint.size,
        members=tuple(found[1:]),
        flagged=(),
    )
    asked = Asked(command_id=uuid4(), source="test", name="draw", moment=APRIL)
    march.parts.book.transact(DRAW, row.draw, command, asked)
    wrong = march.checked().wrong
    assert wrong[0] == "the log has 6 members, the draw tells of 5"
    assert any("flagged" in one for one in wrong)


def test_a_seed_that_does_not_fit_is_found_out(house: House) -> None:
    """Announced late, told early, another one than was committed to, or never: each by its own words."""
    seed = "ab" * 32
    announced = DrawAnnounced(
        at=MARCH + TICK, by=THE_SYSTEM, hall="GXQ", profile=HALL.profile, begins=MARCH, ends=APRIL, all_permille=10,  # type: ignore[arg-type]  # hall
        flagged_permille=0, commitment="cd" * 32, basis=house.parts.book.facts().basis(HALL.profile, APRIL),
    )  # fmt: skip
    house.pretend(announced, SeedOpened(at=APRIL - TICK, by=THE_SYSTEM, seed=seed))
    house.pretend(SeedOpened(at=APRIL, by=THE_SYSTEM, seed=seed))
    wrong = house.checked().wrong
    assert wrong[1:] == (
        "it was announced when the time it covers had begun",
        "the seed is not the one that was committed to",
        "the seed was told before the time was over",
    )
    assert wrong[0].endswith("it was done twice")


def test_a_draw_that_was_put_in_afterwards_is_found_out(house: House) -> None:
    """Dated back, it still stands behind the ratings that it decides on: the log tells what came first."""
    house.rate(MARCH + timedelta(days=1))
    seed, basis = "ab" * 32, house.parts.book.facts().basis(HALL.profile, FEBRUARY)
    announced = DrawAnnounced(
        at=FEBRUARY, by=THE_SYSTEM, hall="GXQ", profile=HALL.profile, begins=MARCH, ends=APRIL, all_permille=1000,  # type: ignore[arg-type]  # hall
        flagged_permille=0, commitment=commitment(seed), basis=basis,
    )  # fmt: skip
    house.pretend(announced, SeedOpened(at=APRIL, by=THE_SYSTEM, seed=seed))
    house.seal()
    house.round(APRIL)
    assert house.checked().wrong == ("1 members stand in the log before it was announced",)


def test_a_policy_that_draws_nothing_announces_nothing(house: House) -> None:
    """Without shares there is no draw, and before any policy there is none either."""
    assert house.round(LONG_AGO - timedelta(days=1)) == 0
    adopt(house.parts, FEBRUARY, version=3, draw_all_permille=0, draw_flagged_permille=0)
    assert house.round(FEBRUARY + TICK) == 0
    assert list(check(house.connection)) == []


def typed(house: House, *words: object) -> Result:
    """Type a command of the audit."""
    app = typer.Typer(pretty_exceptions_enable=False)
    audit.register(app)
    environment = {"DATABASE_URL": house.parts.dsn, "BIHUAN_HOME": str(house.parts.settings.home)}
    with capture_logs():
        return CliRunner(env=environment).invoke(app, ["audit", "draw", *map(str, words)])


def test_anybody_draws_again_on_the_command_line(march: House) -> None:
    """Right is 0, wrong is 1, none is 2."""
    march.opened()
    march.round(APRIL)
    right = typed(march)
    assert right.exit_code == 0, right.output
    lines = right.output.splitlines()
    assert any(line.startswith(f"right {drawing.stream('GXQ', MARCH)} · GXQ") and " of 6, " in line for line in lines)
    assert "3 checks are still to be owed" in right.output or "4 checks are still to be owed" in right.output
    assert typed(march, uuid4()).exit_code == 2
    march.pretend(SeedOpened(at=APRIL, by=THE_SYSTEM, seed="ab" * 32))
    wrong = typed(march, drawing.stream("GXQ", MARCH))
    assert (wrong.exit_code, "WRONG" in wrong.output) == (1, True)


def test_an_excluded_review_is_not_asked_for_again_and_again(hall: Hall) -> None:
    """Drawn and then excluded: no check is owed, nothing waits, and the next look asks no more."""
    with psycopg.connect(hall.parts.dsn, autocommit=True) as connection:
        house = House(hall.parts, connection)
        _, now = hall.parts.book.register_now()
        begins, ends = now - timedelta(days=2), now + timedelta(days=2)
        draw = drawing.stream("GXQ", begins)
        seed = "ab" * 32
        basis = hall.parts.book.facts().basis(HALL.profile, now)
        announced = DrawAnnounced(
            at=begins - TICK, by=THE_SYSTEM, hall="GXQ", profile=HALL.profile, begins=begins, ends=ends,  # type: ignore[arg-type]  # hall
            all_permille=1000, flagged_permille=0, commitment=commitment(seed), basis=basis,
        )  # fmt: skip
        house.pretend(announced, stream=draw)
        rating = rated(hall, grade="dissatisfied", codes=["214"])
        house.pretend(SeedOpened(at=ends, by=THE_SYSTEM, seed=seed), stream=draw)
        house.seal()
        draws = Draws(hall.parts)
        facts = hall.parts.book.facts()
        assert draws.round(connection, facts, ends) >= 1
        excluded(hall, rating)
        house.project()
        assert [draws.round(connection, facts, ends) for _ in range(2)] == [0, 0]
        (checked,) = check(connection, draw)
        assert (checked.wrong, checked.drawn, checked.waiting) == ((), 1, 0)


def test_numbers_are_public_and_reviews_are_not(hall: Hall) -> None:
    """Everybody reads seed, count and digest; which reviews were drawn, only who watches over that hall."""
    rating = rated(hall, grade="satisfied")
    with psycopg.connect(hall.parts.dsn, autocommit=True) as connection:
        house = House(hall.parts, connection)
        _, now = hall.parts.book.register_now()
        draw = drawing.stream("GXQ", now)
        basis = hall.parts.book.facts().basis(HALL.profile, now)
        house.pretend(
            DrawAnnounced(
                at=now, by=THE_SYSTEM, hall="GXQ", profile=HALL.profile, begins=now, ends=now + TICK, all_permille=10,  # type: ignore[arg-type]  # hall
                flagged_permille=50, commitment=commitment("ab" * 32), basis=basis,
            ),
            SeedOpened(at=now, by=THE_SYSTEM, seed="ab" * 32),
            Drawn(
                at=now, by=THE_SYSTEM, before=3, checkpoint=3, members=1, members_digest="cd" * 32, flagged=0,
                flagged_digest="cd" * 32, drawn=(UUID(rating.id),),
            ),
            stream=draw,
        )  # fmt: skip
    for client in (hall.client(), hall.as_("LI"), hall.as_("CHEN"), hall.as_("SUN")):
        shown = client.get(f"{V1}/audit/draws/{draw}")
        assert (shown.status_code, shown.json()["seed"], shown.json()["drawn"]) == (200, "ab" * 32, 1)
        assert rating.id not in shown.text
        (listed,) = client.get(f"{V1}/audit/draws").json()["items"]
        assert listed == shown.json()
    for name in ("WU", "ZHOU"):
        assert hall.as_(name).get(f"{V1}/audit/draws/{draw}").json()["reviews"] == [rating.id]
    missing = hall.client().get(f"{V1}/audit/draws/{uuid4()}")
    assert (missing.status_code, missing.json()["code"]) == (404, "not-found")
    assert hall.client().get(f"{V1}/audit/draws", params={"limit": 0}).status_code == 422
    page = hall.client().get(f"{V1}/audit/draws", params={"limit": 1}).json()
    assert hall.client().get(f"{V1}/audit/draws", params={"before": page["next"]}).json()["items"] == []


def test_the_month_after_is_that_of_the_hall() -> None:
    """By the clock on the wall there, also at the turn of the year."""
    assert next_month(HALL, MARCH - TICK) == (MARCH, APRIL)
    assert next_month(HALL, MARCH)[0] == APRIL
    december = datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert next_month(HALL, december) == (datetime(2026, 12, 31, 16, tzinfo=UTC), datetime(2027, 1, 31, 16, tzinfo=UTC))


@given(st.binary(min_size=32, max_size=32), st.sets(st.uuids(), max_size=30), st.integers(0, 1000), st.randoms())
def test_both_ways_choose_the_same_in_whatever_order(seed: bytes, ids: set[UUID], permille: int, random: Any) -> None:  # noqa: ANN401 - of hypothesis
    """The rules and the check were written apart, and agree."""
    shuffled = sorted(ids)
    random.shuffle(shuffled)
    first = [str(one) for one in chosen(seed.hex(), sorted(ids), permille)]
    assert first == [str(one) for one in chosen(seed.hex(), shuffled, permille)]
    assert first == _lowest(seed.hex(), shuffled, permille)
