"""The row a complaint has on the docket, and how its dates follow from the limits that run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from domain import complaint
from domain.complaint.intake import Channel, Confidentiality, Severity
from domain.complaint.state import Clock, Finding, IdentityMode, Step
from domain.deadlines import Due
from domain.decider import Role
from projections.limits import limit_of
from projections.limits import with_limits as set_limits
from projections.restriction import Erasure
from projections.tables import Entry


@dataclass(frozen=True, kw_only=True)
class DocketRow:
    """A complaint on the worklist; times are UTC.

    `due` belongs to the present step and `due_clock` says whose limit it is: until when it is to be accepted, assigned,
    signed for, the complainant first contacted, answered, revisited, reviewed; while the clock stands still it is until
    when that may last. `handle_due` is the promise to the complainant. None is a limit nobody can know.
    What belongs together stands at the same place of columns side by side: the limits that run (`clocks`), the running
    pauses, what waits for somebody's decision and who asked for it, open calls, open supervision orders and recusals.
    `made_by`, `named_staff` and `named_windows` are everybody who ever complained, or was complained of, in this case
    or one that was merged into it, and `noticed` is when. A merged case was told the reply `answered_with`.
    What is told of reply, revisit and closing is that of the present round.
    """

    case: UUID
    position: int
    version: int
    complaint_no: str
    profile: str
    hall: str
    step: Step
    before: Step | None
    round: int
    channel: Channel
    category: str | None
    identity_mode: IdentityMode
    confidentiality: Confidentiality
    complainant: UUID
    made_by: tuple[UUID, ...]
    happened_at: datetime | None
    noticed: tuple[datetime, ...]
    registered_at: datetime
    registered_by: UUID
    registered_as: Role
    changed_at: datetime
    intake_window: str | None
    respondent_department: str | None
    respondent_window: str | None
    respondent_staff: UUID | None
    named_windows: tuple[str, ...]
    named_staff: tuple[UUID, ...]
    by_respondent: bool
    severity: Severity | None
    department: str | None
    departments: tuple[str, ...]
    handler: UUID | None
    called: tuple[str, ...]
    calls: tuple[UUID, ...]
    calls_to: tuple[str, ...]
    finding: Finding | None
    responsible: tuple[UUID, ...]
    recused: tuple[UUID, ...]
    recusals: tuple[UUID, ...]
    recusing: tuple[UUID, ...]
    clocks: tuple[Clock, ...]
    clock_dues: tuple[datetime, ...]
    clocks_provisional: tuple[bool, ...]
    due: datetime | None
    due_clock: Clock | None
    due_provisional: bool
    handle_due: datetime | None
    handle_due_provisional: bool
    contact_due: datetime | None
    contact_due_provisional: bool
    paused: bool
    paused_until: datetime | None
    pauses: tuple[UUID, ...]
    pauses_until: tuple[datetime | None, ...]
    pauses_provisional: tuple[bool, ...]
    waiting: tuple[UUID, ...]
    waiting_for: tuple[str, ...]
    waiting_by: tuple[UUID, ...]
    supervision_level: int
    supervised: tuple[UUID, ...]
    supervised_levels: tuple[int, ...]
    accepted_at: datetime | None
    accepted_late: bool | None
    contacted_at: datetime | None
    contacted_late: bool | None
    replied_at: datetime | None
    replied_late: bool | None
    revisited_at: datetime | None
    revisited_late: bool | None
    closed_at: datetime | None
    ended_at: datetime | None
    ended_as: Step | None
    reworks: int
    review_level: int
    primary: UUID | None
    answered_with: UUID | None
    linked: int
    split_from: UUID | None
    published: bool
    erasure: Erasure | None
    erasure_request: UUID | None
    restricted: bool
    restricted_until: date | None

    def limit(self, clock: Clock) -> tuple[datetime | None, bool]:
        """Give until when there is time by one of the clocks (UTC), and whether that may still move."""
        return limit_of((self.clocks, self.clock_dues, self.clocks_provisional), clock)

    def but(self, changes: Mapping[str, Any]) -> DocketRow:
        """Give the row with some columns changed; raises TypeError where it has no such column.

        All columns are copied at once, which is why there are no slots: `dataclasses.replace` sets each of so many
        again, and that was most of what folding the log cost.
        """
        columns = {**self.__dict__, **changes}
        if len(columns) > len(self.__dict__):
            raise TypeError(f"no columns of the docket: {', '.join(sorted(changes.keys() - self.__dict__.keys()))}")
        row = object.__new__(DocketRow)
        row.__dict__.update(columns)
        return row


def with_limits(row: DocketRow, limits: Mapping[Clock, Due | None]) -> dict[str, Any]:
    """Give the columns of the limits after some were set; one that nobody knows any more is gone."""
    columns = set_limits((row.clocks, row.clock_dues, row.clocks_provisional), limits)
    return dict(zip(("clocks", "clock_dues", "clocks_provisional"), columns, strict=True))


OWED: Final[Mapping[Step, tuple[Clock, ...]]] = {
    Step.REGISTERED: (Clock.ACCEPT,),
    Step.AWAITING_SUPPLEMENT: (Clock.ACCEPT,),
    Step.ACCEPTED: (Clock.ASSIGN, Clock.HANDLE),
    Step.ASSIGNED: (Clock.SIGN, Clock.HANDLE),
    Step.IN_PROGRESS: (Clock.CONTACT, Clock.HANDLE),
    Step.REPLY_PENDING_APPROVAL: (Clock.HANDLE,),
    Step.REPLY_APPROVED: (Clock.HANDLE,),
    Step.REPLIED: (Clock.REVISIT,),
    Step.UNDER_REVIEW: (Clock.REVIEW,),
}
"""What is due first at each step; where nobody knows the limit of that, the promise to the complainant is."""

DERIVING: Final = frozenset({"step", "clocks", "pauses", "contacted_at"})
"""What the dates of a row follow from."""


def dates(row: DocketRow, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Give the dates of a row that changes, as they follow from the limits that run and from what stands still."""

    def now(name: str) -> Any:  # noqa: ANN401 - a column of any kind
        return changes.get(name, getattr(row, name))

    limits = now("clocks"), now("clock_dues"), now("clocks_provisional")
    # Nobody needs to call who left no name.
    called = now("contacted_at") is not None or row.identity_mode is IdentityMode.ANONYMOUS
    owed = [clock for clock in OWED.get(now("step"), ()) if clock in limits[0]]
    first = next((clock for clock in owed if clock is not Clock.CONTACT or not called), None)
    due, provisional = (None, False) if first is None else limit_of(limits, first)
    ends: tuple[datetime | None, ...] = now("pauses_until")
    known = [until for until in ends if until is not None]
    paused_until = max(known) if known and len(known) == len(ends) else None
    if paused_until is not None and now("step") in OWED:
        due, provisional = paused_until, any(now("pauses_provisional"))
    handle, handle_provisional = limit_of(limits, Clock.HANDLE)
    contact, contact_provisional = limit_of(limits, Clock.CONTACT)
    return {
        "due": due,
        "due_clock": first,
        "due_provisional": provisional,
        "handle_due": handle,
        "handle_due_provisional": handle_provisional,
        "contact_due": contact,
        "contact_due_provisional": contact_provisional,
        "paused": bool(ends),
        "paused_until": paused_until,
    }


def first_row(event: complaint.Registered, entry: Entry) -> DocketRow:
    """Give the row of a complaint that was just registered."""
    due, respondent = event.accept_due, event.respondent
    # A clerk only writes down what somebody else says; who complains as a citizen for another has a part in it.
    agents = event.by.persons if event.by.role is Role.CITIZEN else frozenset()
    # A part of another case was received with it.
    received = None if event.split_from is None else event.received_at
    staff = () if event.complainant_staff is None else (event.complainant_staff,)
    return DocketRow(
        case=entry.stream,
        position=entry.position,
        version=entry.version,
        complaint_no=event.complaint_no,
        profile=event.profile,
        hall=event.hall,
        step=Step.REGISTERED,
        before=None,
        round=1,
        channel=event.channel,
        category=event.category,
        identity_mode=event.identity_mode,
        confidentiality=event.confidentiality,
        complainant=event.complainant,
        made_by=tuple(dict.fromkeys((event.complainant, *staff, *sorted(agents), *event.also_by))),
        happened_at=event.happened_at,
        noticed=tuple(
            dict.fromkeys(moment for moment in (event.happened_at, event.at, received) if moment is not None)
        ),
        registered_at=event.at,
        registered_by=event.by.person,
        registered_as=event.by.role,
        changed_at=event.at,
        intake_window=event.window,
        respondent_department=respondent.department,
        respondent_window=respondent.window,
        respondent_staff=respondent.staff,
        named_windows=() if respondent.window is None else (respondent.window,),
        named_staff=() if respondent.staff is None else (respondent.staff,),
        by_respondent=event.by_respondent,
        severity=None,
        department=None,
        departments=(),
        handler=None,
        called=(),
        calls=(),
        calls_to=(),
        finding=None,
        responsible=(),
        recused=(),
        recusals=(),
        recusing=(),
        clocks=() if due is None else (Clock.ACCEPT,),
        clock_dues=() if due is None else (due.at,),
        clocks_provisional=() if due is None else (due.provisional,),
        due=None if due is None else due.at,
        due_clock=None if due is None else Clock.ACCEPT,
        due_provisional=due is not None and due.provisional,
        handle_due=None,
        handle_due_provisional=False,
        contact_due=None,
        contact_due_provisional=False,
        paused=False,
        paused_until=None,
        pauses=(),
        pauses_until=(),
        pauses_provisional=(),
        waiting=(),
        waiting_for=(),
        waiting_by=(),
        supervision_level=0,
        supervised=(),
        supervised_levels=(),
        accepted_at=None,
        accepted_late=None,
        contacted_at=None,
        contacted_late=None,
        replied_at=None,
        replied_late=None,
        revisited_at=None,
        revisited_late=None,
        closed_at=None,
        ended_at=None,
        ended_as=None,
        reworks=0,
        review_level=0,
        primary=None,
        answered_with=None,
        linked=0,
        split_from=event.split_from,
        published=False,
        erasure=None,
        erasure_request=None,
        restricted=False,
        restricted_until=None,
    )
