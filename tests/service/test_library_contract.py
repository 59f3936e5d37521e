"""What the event-sourcing library asks of any recorder, in its own words, holds for ours.

Two of its tests are left out: `test_performance` asserts nothing, `test_concurrent_no_conflicts` asserts less than
test_log_races.py does, with 10,000 events.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

import eventsourcing.cryptography
import pytest
from eventsourcing.persistence import Notification, StoredEvent
from psycopg_pool import ConnectionPool

from service.eventstore import Recorder

pytestmark = pytest.mark.postgres


class WithCommands(Recorder):
    """Our recorder for callers that know no commands and count versions from nought too."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: object) -> Sequence[int]:
        """Give every event a command of its own, and a version our table takes."""
        return super().insert_events(
            [StoredEvent(e.originator_id, e.originator_version + 1, e.topic, e.state) for e in stored_events],
            command_ids=[uuid4() for _ in stored_events],
        )

    def select_events(self, *arguments: Any, **named: Any) -> Sequence[StoredEvent]:  # noqa: ANN401  # passed on
        """Give the versions as they came in."""
        found = super().select_events(*arguments, **named)
        return [StoredEvent(e.originator_id, e.originator_version - 1, e.topic, e.state) for e in found]

    def select_notifications(self, *arguments: Any, **named: Any) -> Sequence[Notification]:  # noqa: ANN401  # passed on
        """Give the versions as they came in."""
        found = super().select_notifications(*arguments, **named)
        return [Notification(e.originator_id, e.originator_version - 1, e.topic, e.state, id=e.id) for e in found]


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The library's tests; they ask for a cipher no recorder uses, from a package we have no need of."""
    monkeypatch.setitem(sys.modules, "eventsourcing.cipher", eventsourcing.cryptography)
    return importlib.import_module("eventsourcing.tests.persistence")


@pytest.mark.parametrize(
    ("case", "claim"),
    [
        ("ApplicationRecorderTestCase", "test_insert_select"),
        ("ApplicationRecorderTestCase", "test_concurrent_throughput"),
        ("ApplicationRecorderTestCase", "optional_test_insert_subscribe"),
        ("NonInterleavingNotificationIDsBaseCase", "test"),
    ],
)
def test_the_contract_of_the_library_is_kept(
    theirs: ModuleType, pool: ConnectionPool, log_id: UUID, case: str, claim: str
) -> None:
    """Inserting, selecting, paging, following, and long appends that do not interleave."""

    def create_recorder(_: object) -> WithCommands:
        return WithCommands(pool, log_id)

    test = type("Contract", (getattr(theirs, case),), {"create_recorder": create_recorder})(claim)
    getattr(test, claim)()
