"""The clock ledger: for any case and limit, every day from its beginning to its end, counted or not, and why.

Computed from the log when somebody asks, by the rules and calendars that stood in the rulebook when the limit was set
or last moved; no table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from domain import complaint
from domain.clock_ledger import LedgerDay, days
from domain.complaint.clocks import STOPPED, computed, in_hand, stops_of
from domain.complaint.extending import ExtensionApproved
from domain.complaint.state import Case, Clock, Running
from domain.complaint.timing import Cause, DeadlineRecomputed
from domain.deadlines import Due, Pause, Term
from domain.decider import Code
from domain.handling import Basis, Facts
from domain.rulebook import RULEBOOK, Policy
from projections.tables import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A change of a limit: when it was recorded (UTC), from what to what, why, and what it follows from."""

    at: datetime
    old: Due | None
    new: Due | None
    cause: Cause
    reference: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A pause as far as it counts for a limit (UTC); it still lasts where `end` is None, until `until` at most."""

    pause: UUID
    reason: Code
    start: datetime
    end: datetime | None
    until: Due | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit that ran, or runs, with every day of it; a limit set anew, in a new round say, is another one.

    `told` is the date as it was set, `due` as it was last moved. `projected` is the date if the clock ran on now, where
    it stands still, or stood when the case ended. `in_hand` says that it is still to be kept. `rulebook` is the version
    of the rulebook by which its days are told. There are no days where nobody knew the rules.
    """

    clock: Clock
    round: int
    set_at: datetime
    since: datetime
    term: Term | None
    extra: int
    told: Due | None
    due: Due | None
    projected: Due | None
    in_hand: bool
    rulebook: int
    moves: tuple[Move, ...]
    pauses: tuple[Standing, ...]
    days: tuple[LedgerDay, ...]


@dataclass(slots=True)
class _Run:
    """A limit while the history is read: the case as it was when the limit was last in hand."""

    clock: Clock
    told: Due | None
    rulebook: int
    case: Case
    in_hand: bool = True
    brought_by: UUID | None = None
    moves: list[Move] = field(default_factory=list)


def clock_ledger(entries: Sequence[Entry], rules: Sequence[Entry], now: datetime) -> tuple[Limit, ...]:
    """Give every limit of a complaint in the order they were set, from its stream and that of the rulebook.

    `now` (UTC) is when it is asked: a pause that lasts counts as far as that.
    """
    runs: list[_Run] = []
    newest: dict[Clock, _Run] = {}
    case: Case | None = None
    for entry in entries:
        before, case = case, complaint.COMPLAINT.evolve(case, entry.event)  # type: ignore[arg-type]  # of one complaint
        if case is None:
            continue
        for clock, running in case.clocks.items():
            if before is None or running != before.clocks.get(clock):
                _note(runs, newest, clock, case, entry)
        live = in_hand(case)
        for clock, run in newest.items():
            if clock in live:
                run.case = case
            elif run.in_hand:
                # It was met, or the case came to an end, and with it a pause that still lasted.
                run.case = replace(run.case, stops=case.stops)
            run.in_hand = clock in live
    known = _Known(rules)
    return tuple(_limit(run, known, now) for run in runs)


def _note(runs: list[_Run], newest: dict[Clock, _Run], clock: Clock, case: Case, entry: Entry) -> None:
    event, run = entry.event, newest.get(clock)
    basis = getattr(event, "basis", None)
    version = basis.rulebook if isinstance(basis, Basis) else None
    if run is None or not isinstance(event, DeadlineRecomputed | ExtensionApproved):
        if run is not None:
            run.in_hand = False
        before = 0 if run is None else run.rulebook
        newest[clock] = _Run(clock=clock, told=case.due(clock), rulebook=version or before, case=case)
        runs.append(newest[clock])
        return
    run.case, run.rulebook = case, version or run.rulebook
    if isinstance(event, DeadlineRecomputed):
        run.brought_by = run.brought_by if event.taken_over is None else event.reference
        run.moves.append(Move(at=event.at, old=event.old, new=event.new, cause=event.cause, reference=event.reference))


class _Known:
    """The facts at any version of the rulebook, each folded once."""

    def __init__(self, rules: Sequence[Entry]) -> None:
        self._rules = rules
        self._facts: dict[int, Facts] = {}

    def at(self, version: int) -> Facts:
        if version not in self._facts:
            adopted = [entry.event for entry in self._rules if entry.version <= version]
            rulebook = RULEBOOK.fold(adopted)  # type: ignore[arg-type]  # the stream holds the events of its decider
            self._facts[version] = Facts(rulebook=rulebook, rulebook_version=version)
        return self._facts[version]


def _limit(run: _Run, known: _Known, now: datetime) -> Limit:
    case, facts = run.case, known.at(run.rulebook)
    running = case.clocks[run.clock]
    policy = facts.rulebook.policy(case.profile, running.set_at)
    term = None if policy is None else policy.term(running.term)
    stands = run.in_hand and case.paused and run.clock in STOPPED
    stops = stops_of(case, run.clock, now if stands else None)
    reached = computed(case, run.clock, facts, now if stands else None) if stops else None
    projected = reached if stands or reached != running.due else None
    # What a merged case brought, or the wait for a decision on a return, is named by that case or return.
    brought = [(run.brought_by, pause) for pause in running.pauses if run.brought_by is not None]
    return Limit(
        clock=run.clock,
        round=case.round,
        set_at=running.set_at,
        since=running.since,
        term=term,
        extra=running.extra,
        told=run.told,
        due=running.due,
        projected=projected,
        in_hand=run.in_hand,
        rulebook=run.rulebook,
        moves=tuple(run.moves),
        pauses=tuple(
            Standing(pause=stop.pause, reason=stop.reason, start=pause.start, end=stop.end, until=stop.until)
            for stop, pause in stops
        ),
        days=_days(
            running, policy, term, projected, [*brought, *((stop.pause, pause) for stop, pause in stops)], facts
        ),
    )


def _days(
    running: Running,
    policy: Policy | None,
    term: Term | None,
    projected: Due | None,
    pauses: list[tuple[UUID, Pause]],
    facts: Facts,
) -> tuple[LedgerDay, ...]:
    end = projected or running.due
    if policy is None or term is None or end is None:
        return ()
    return days(
        term,
        running.since,
        end,
        facts.rulebook.calendar,
        policy.zone_info(),
        office_hours=policy.office_hours,
        pauses=pauses,
        extra=running.extra,
    )
