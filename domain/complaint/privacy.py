"""A wish to have personal data erased: asked for, decided, witnessed, carried out; restricted while they must be kept.

Source: Personal Information Protection Law art. 45 to 50; domain.md §11.1 to §11.3. The events stand on the stream of
the case, because the rules rely on where the case stands (docs/decisions/0014-erasure.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.complaint.acting import admit, not_respondent, the_complainant
from domain.complaint.retention import Retention, ended, retained_until, retention_of
from domain.complaint.state import TERMINAL, Case, ErasureResult, Step
from domain.decider import Code, Command, Event, For, PersonKey, Role
from domain.errors import (
    DataErased,
    ErasureUnderWay,
    OutOfTurn,
    OwnErasure,
    OwnWorkErased,
    RetentionRuns,
    RetentionUnknown,
    StillInHandling,
    Superseded,
    WitnessMissing,
)
from domain.handling import Basis, Facts, keep_apart, permit
from domain.sealed import Sealed


class ErasureGround(StrEnum):
    """Why somebody asks for it (PIPL art. 47)."""

    PURPOSE_FULFILLED = "purpose_fulfilled"
    RETENTION_OVER = "retention_over"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    UNLAWFUL_PROCESSING = "unlawful_processing"
    OTHER_LAW = "other_law"


class Lifting(StrEnum):
    """Why a restriction ended."""

    REQUEST_WITHDRAWN = "request_withdrawn"
    REQUEST_REFUSED = "request_refused"
    LAW_REQUIRES = "law_requires"
    MISTAKE = "mistake"


class ErasureMethod(StrEnum):
    """How personal data were erased."""

    KEYS_DESTROYED = "keys_destroyed"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRequested(Event):
    """The complainant asked to have their data erased, or somebody wrote it down for them."""

    erasure_request: UUID
    ground: ErasureGround


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureDecided(Event):
    """The privacy officer decided on a request.

    `retention_until` is the last local day on which the case must be kept; None while it is in hand.
    `legal_basis` names the rule, as L3-47; the reasons are sealed, and owed where it is refused.
    """

    erasure_request: UUID
    result: ErasureResult
    legal_basis: Code
    reasons: Sealed | None
    retention: Retention | None
    retention_until: date | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingRestricted(Event):
    """Nothing but storage goes on with the data (PIPL art. 47), until this local day or, at first, until it is decided.

    A case that is in hand is still handled: that is a statutory duty.
    """

    erasure_request: UUID
    restricted_until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictionLifted(Event):
    """The data may be used as before."""

    erasure_request: UUID
    reason: Lifting


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureWitnessed(Event):
    """Another person looked at the request and the decision, and saw that this is the case to erase."""

    erasure_request: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased(Event):
    """The keys were destroyed, so the data are gone for ever; complete once the backups of the key table have aged out.

    `gone_from_backups_by` is a local day. With `person_kept` a key of the person lives on, because other cases of the
    same person need it; what it sealed in this case is shown to nobody any more.
    """

    erasure_request: UUID
    key_ids: tuple[UUID, ...]
    method: ErasureMethod
    witnesses: tuple[PersonKey, ...]
    gone_from_backups_by: date
    person_kept: bool


PrivacyEvent: TypeAlias = (
    ErasureRequested | ErasureDecided | ProcessingRestricted | RestrictionLifted | ErasureWitnessed | Erased
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestErasure(Command):
    """Ask to have the personal data of a case erased."""

    erasure_request: UUID
    ground: ErasureGround


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideErasure(Command):
    """Decide on a request, once more when the retention has run out; ValueError for a refusal without reasons."""

    erasure_request: UUID
    result: ErasureResult
    legal_basis: Code
    reasons: Sealed | None

    def __post_init__(self) -> None:
        """Refuse what the law does not know (PIPL art. 50)."""
        if self.result is ErasureResult.REFUSED and self.reasons is None:
            raise ValueError("a request is refused with reasons; write them")


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessErasure(Command):
    """Witness that this request was granted and this case is to be erased."""

    erasure_request: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftRestriction(Command):
    """End a restriction."""

    reason: Lifting


@dataclass(frozen=True, slots=True, kw_only=True)
class Destruction:
    """What was really destroyed; as the event that tells it."""

    key_ids: tuple[UUID, ...]
    gone_from_backups_by: date
    person_kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase(Command):
    """Put on record what was destroyed; without a destruction it is only asked whether the keys may be destroyed."""

    erasure_request: UUID
    destroyed: Destruction | None = None


PrivacyCommand: TypeAlias = RequestErasure | DecideErasure | WitnessErasure | LiftRestriction | Erase

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "request-erasure": frozenset(Step),
        "decide-erasure": frozenset(Step),
        "lift-restriction": frozenset(Step),
        "witness-erasure": TERMINAL | {Step.REPLIED},  # a ledger case ends with its reply
        "erase": TERMINAL | {Step.REPLIED},
    }
)
"""At which steps each command is in turn."""


def not_frozen(case: Case) -> None:
    """Refuse anything on a case whose data are erased, or about to be. Raises DataErased, ErasureUnderWay."""
    if case.keeping.erased:
        raise DataErased
    if case.keeping.result is ErasureResult.GRANTED:
        raise ErasureUnderWay


def decide(case: Case | None, command: PrivacyCommand, facts: Facts) -> list[Event | For]:
    """Answer what is asked about the personal data of a case.

    Raises OutOfTurn, NoPolicy, NotYourRole, Unknown, OwnCause, OwnComplaint, OwnErasure, OwnWorkErased, Superseded,
    StillInHandling, RetentionRuns, RetentionUnknown, WitnessMissing, DataErased, ErasureUnderWay.
    """
    if case is None:
        raise OutOfTurn
    at, by, keeping = command.at, command.by, case.keeping
    match command:
        case RequestErasure(erasure_request=request, ground=ground):
            permit(by, case.profile, "request-erasure", at, facts)
            not_respondent(case, by, at, facts)
            if by.role is Role.CITIZEN:
                the_complainant(case, by)
            if keeping.erased:
                raise DataErased
            if keeping.request is not None:
                return []
            return [ErasureRequested(at=at, by=by, erasure_request=request, ground=ground)]
        case DecideErasure():
            return _decide(case, command, facts)
        case WitnessErasure(erasure_request=request):
            _officiates(case, command, "witness-erasure", keeping.asked_by | keeping.decided_by, facts)
            _current(case, request)
            if keeping.erased or by.person in keeping.witnesses:
                return []
            if keeping.result is not ErasureResult.GRANTED:
                raise OutOfTurn(result=keeping.result, allowed=[ErasureResult.GRANTED])
            return [ErasureWitnessed(at=at, by=by, erasure_request=request)]
        case LiftRestriction(reason=reason):
            _officiates(case, command, "lift-restriction", frozenset(), facts)
            not_frozen(case)
            if not keeping.restricted or keeping.request is None:
                return []
            return [RestrictionLifted(at=at, by=by, erasure_request=keeping.request, reason=reason)]
        case Erase():
            return _erase(case, command, facts)
        case _:
            assert_never(command)


def _officiates(case: Case, command: Command, name: Code, others: frozenset[PersonKey], facts: Facts) -> None:
    """Let only those act who took no part: in the matter, in its handling, on the other side of this wish."""
    admit(case, command, name, facts)
    keep_apart(command.by, others, OwnErasure)
    keep_apart(command.by, case.handlers | case.approvers | case.reviewers, OwnWorkErased)


def _current(case: Case, request: UUID) -> None:
    if case.keeping.request != request:
        raise Superseded(erasure_request=case.keeping.request)


def _decide(case: Case, command: DecideErasure, facts: Facts) -> list[Event | For]:
    at, by, keeping = command.at, command.by, case.keeping
    _officiates(case, command, "decide-erasure", keeping.asked_by, facts)
    _current(case, command.erasure_request)
    if keeping.erased:
        raise DataErased
    if keeping.witnesses:
        raise ErasureUnderWay
    until = retained_until(case, at, facts)
    if command.result is ErasureResult.GRANTED:
        _may_be_granted(case, until, facts.day(case.profile, at))
    again = command.result is keeping.result
    if again and (command.result is ErasureResult.GRANTED or until == keeping.restricted_until):
        return []
    decided = ErasureDecided(
        at=at,
        by=by,
        erasure_request=command.erasure_request,
        result=command.result,
        legal_basis=command.legal_basis,
        reasons=command.reasons,
        retention=retention_of(case) if ended(case) else None,
        retention_until=until,
        basis=facts.basis(case.profile, at),
    )
    if command.result is ErasureResult.RESTRICTED:
        return [
            decided,
            ProcessingRestricted(at=at, by=by, erasure_request=command.erasure_request, restricted_until=until),
        ]
    if command.result is ErasureResult.REFUSED and keeping.restricted:
        return [
            decided,
            RestrictionLifted(at=at, by=by, erasure_request=command.erasure_request, reason=Lifting.REQUEST_REFUSED),
        ]
    return [decided]


def _may_be_granted(case: Case, until: date | None, today: date) -> None:
    if not ended(case):
        raise StillInHandling(step=case.step)
    if until is None:
        raise RetentionUnknown(retention=retention_of(case))
    if today <= until:
        raise RetentionRuns(until=until)


def _erase(case: Case, command: Erase, facts: Facts) -> list[Event | For]:
    keeping = case.keeping
    _officiates(case, command, "erase", keeping.witnesses, facts)
    _current(case, command.erasure_request)
    if keeping.erased:
        return []
    if keeping.result is not ErasureResult.GRANTED:
        raise OutOfTurn(result=keeping.result, allowed=[ErasureResult.GRANTED])
    if not keeping.witnesses:
        raise WitnessMissing
    if command.destroyed is None:
        return []
    return [
        Erased(
            at=command.at,
            by=command.by,
            erasure_request=command.erasure_request,
            key_ids=command.destroyed.key_ids,
            method=ErasureMethod.KEYS_DESTROYED,
            witnesses=tuple(sorted(keeping.witnesses)),
            gone_from_backups_by=command.destroyed.gone_from_backups_by,
            person_kept=command.destroyed.person_kept,
        )
    ]


def evolve(case: Case, event: PrivacyEvent) -> Case:
    """Take one event in; never refuses."""
    keeping = case.keeping
    match event:
        case ErasureRequested(by=by, erasure_request=request):
            clerk = by.persons if by.role is not Role.CITIZEN else frozenset[PersonKey]()
            keeping = replace(keeping, request=request, result=None, asked_by=clerk, decided_by=frozenset())
        case ErasureDecided(by=by, result=result):
            still = None if result is ErasureResult.REFUSED else keeping.request
            keeping = replace(keeping, request=still, result=result, decided_by=keeping.decided_by | by.persons)
        case ProcessingRestricted(restricted_until=until):
            keeping = replace(keeping, restricted=True, restricted_until=until)
        case RestrictionLifted():
            keeping = replace(keeping, request=None, result=None, restricted=False, restricted_until=None)
        case ErasureWitnessed(by=by):
            keeping = replace(keeping, witnesses=keeping.witnesses | by.persons)
        case Erased():
            keeping = replace(keeping, erased=True, restricted=False, restricted_until=None)
        case _:
            assert_never(event)
    return replace(case, keeping=keeping)
