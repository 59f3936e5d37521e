"""A unit takes the complaint up: the right one, by one handler who is not concerned and leaves a trace of each step."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.complaint import Assign, Command, Event, RecordContact, RecordEvidence, RecordFinding, SignFor
from domain.complaint.correcting import RecordCorrected
from domain.complaint.inquiry import EvidenceKind, Responsibility, ResponsibilityKind
from domain.complaint.state import Finding, Respondent, Step
from domain.decider import THE_SYSTEM, Actor, PersonKey, Role
from domain.errors import (
    AlreadyThere,
    NoPolicy,
    NotYourCase,
    NotYourRole,
    OutOfTurn,
    OwnCause,
    OwnComplaint,
    Refused,
    UnitConcerned,
    UnknownReference,
)
from domain.handling import ContactResult, Facts, Method
from domain.rulebook import RULEBOOK, Policy, PolicyAdopted
from tests.controls import (
    ACCEPTED,
    ASSIGNED,
    CONTACTED,
    EVIDENCE,
    EVIDENCED,
    FOUND,
    LOOP,
    REGISTERED,
    SIGNED,
    case,
    upto,
)
from tests.hall import (
    CHEN,
    CHU,
    COMPLAINANT,
    DESK,
    ENTERED,
    FACTS,
    FENG,
    HALL,
    HANDLER,
    HEAD,
    JIANG,
    LI,
    MEASURED,
    QIAN,
    STRANGER,
    WANG,
    WEI,
    WU,
    ZHAO,
    actor,
    key,
    later,
    leaving,
    local,
    sealed,
    until,
)

ASSIGN = Assign(at=ASSIGNED.at, by=DESK, department="approval", assist=("tax",), handler=WANG)
SIGN = SignFor(at=SIGNED.at, by=HANDLER)
CONTACT = RecordContact(
    at=CONTACTED.at, by=HANDLER, method=Method.PHONE, result=ContactResult.REACHED, note=sealed("note")
)
EVIDENT = RecordEvidence(
    at=EVIDENCED.at,
    by=HANDLER,
    evidence=EVIDENCE,
    kind=EvidenceKind.RECORDING,
    description=sealed("description"),
    sha256="ab" * 32,
    size=40_960,
)
FIND = RecordFinding(
    at=FOUND.at,
    by=HANDLER,
    finding=Finding.SUBSTANTIATED,
    facts=sealed("facts"),
    facts_measured=MEASURED,
    responsibility=FOUND.responsibility,
    evidence=(EVIDENCE,),
)
OPEN_TO_ALL = replace(ASSIGNED, handler=None)

# Assigning


def test_a_complaint_is_assigned_and_the_clocks_of_the_unit_run() -> None:
    """Four working hours to sign, one working day to call, and the handling limit as it was promised."""
    case(*upto(ACCEPTED)).when(ASSIGN).then([ASSIGNED])


def test_no_handler_need_be_named() -> None:
    """Then the conflict check is of the unit's heads alone."""
    event = case(*upto(ACCEPTED)).when(replace(ASSIGN, handler=None, assist=())).event
    assert event.handler is None
    assert set(event.conflict_check.checked) == {ZHAO, QIAN, WEI}


def test_assigning_is_late_after_half_a_working_day() -> None:
    """Accepted on Saturday at nine, so until 14:30."""
    on_time = replace(ASSIGN, at=local("02-14", "14:30"))
    assert case(*upto(ACCEPTED)).when(on_time).event.late is False
    late = replace(ASSIGN, at=local("02-14", "14:30:00.000001"))
    assert case(*upto(ACCEPTED)).when(late).event.late is True


def test_who_is_assigned_late_has_no_less_time() -> None:
    """The unit's clocks start when it gets the case; the citizen's does not move."""
    event = case(*upto(ACCEPTED)).when(replace(ASSIGN, at=local("02-26", "17:00"))).event
    assert event.sign_due == until("02-27", "11:30")  # one hour until six, three from half past eight
    assert event.contact_due == until("02-27")
    assert event.unit_due == until("02-28")


def test_limits_stay_unknown_where_no_calendar_is() -> None:
    """Assigning goes on; nothing is promised."""
    unknown = replace(FACTS, rulebook=RULEBOOK.fold(FACTS.rulebook.policies))
    event = case(*upto(replace(ACCEPTED)), facts=unknown).when(ASSIGN).event
    assert (event.sign_due, event.contact_due) == (None, None)


def under(policy: Policy) -> Facts:
    """Give the facts under a second policy."""
    day = later(ENTERED, days=1)
    adopted = PolicyAdopted(at=day, by=THE_SYSTEM, policy=replace(policy, version=2), in_force_from=day)
    return replace(FACTS, rulebook=RULEBOOK.evolve(FACTS.rulebook, adopted), rulebook_version=5)


def test_limits_stay_unknown_where_the_policy_names_none() -> None:
    """A hall need not promise how fast a unit signs."""
    terms = tuple(term for term in HALL.terms if term.key != "complaint.sign_for")
    event = case(*upto(ACCEPTED), facts=under(replace(HALL, terms=terms))).when(ASSIGN).event
    assert (event.sign_due, event.contact_due) == (None, until("02-24"))


def test_days_are_counted_in_the_zone_of_the_policy() -> None:
    """Half past midnight in the hall is the evening before in London."""
    call = replace(CONTACT, at=local("02-25", "00:30"))
    assert case(*upto(SIGNED), facts=under(replace(HALL, zone="Europe/London"))).when(call).event.day == date(
        2026, 2, 24
    )


@pytest.mark.parametrize(
    ("change", "value"),
    [({"department": "nobody"}, "nobody"), ({"assist": ("tax", "no-one")}, "no-one")],
)
def test_only_departments_that_exist_are_given_work(change: dict[str, Any], value: str) -> None:
    """The lead and each that assists."""
    case(*upto(ACCEPTED)).when(replace(ASSIGN, **change)).then_refused(UnknownReference, kind="department", value=value)


def test_a_unit_does_not_assist_itself() -> None:
    """Lead and assistants are different units."""
    case(*upto(ACCEPTED)).when(replace(ASSIGN, assist=("approval",))).then_refused(
        UnknownReference, kind="assist", value="approval"
    )


@pytest.mark.parametrize("head", [ZHAO, QIAN])
def test_a_unit_does_not_lead_where_its_head_is_concerned(head: PersonKey) -> None:
    """Every head of it counts; another unit may lead (domain.md §6.3)."""
    about_head = replace(REGISTERED, respondent=Respondent(staff=head))
    case(about_head, ACCEPTED).when(ASSIGN).then_refused(UnitConcerned, department="approval")


@pytest.mark.parametrize("head", [ZHAO, QIAN])
def test_a_unit_does_not_lead_where_its_head_was_complained_of_before_a_correction(head: PersonKey) -> None:
    """A correction takes nobody out of the matter; and a unit that only assists is held to the same."""
    about_head = replace(REGISTERED, respondent=Respondent(staff=head))
    corrected = RecordCorrected(
        at=REGISTERED.at,
        by=DESK,
        category=None,
        respondent=Respondent(window="W04"),
        name=None,
        phone=None,
        email=None,
        reason=sealed("reason"),
        sealed=False,
    )
    case(about_head, corrected, ACCEPTED).when(ASSIGN).then_refused(UnitConcerned, department="approval")
    assisting = replace(ASSIGN, department="tax", assist=("approval",), handler=None)
    case(about_head, ACCEPTED).when(assisting).then_refused(UnitConcerned, department="approval")
    elsewhere = replace(ASSIGN, department="tax", assist=(), handler=CHU)
    assert case(about_head, ACCEPTED).when(elsewhere).event.department == "tax"


def test_a_head_who_left_is_no_head() -> None:
    """The check is of who heads the unit that day."""
    about_head = replace(REGISTERED, respondent=Respondent(staff=ZHAO))
    left = leaving(ZHAO, "approval-head", local("02-14", "09:30"))
    assert case(about_head, ACCEPTED, facts=left).when(ASSIGN).event.department == "approval"


def test_the_handler_named_is_not_concerned() -> None:
    """Neither complained of, nor serving at the window, nor the one who complains."""
    about_wang = replace(REGISTERED, respondent=Respondent(staff=WANG))
    case(about_wang, ACCEPTED).when(ASSIGN).then_refused(OwnCause)
    about_window = replace(REGISTERED, respondent=Respondent(window="W03"))
    case(about_window, ACCEPTED).when(replace(ASSIGN, handler=CHEN)).then_refused(OwnCause)
    by_wang = replace(REGISTERED, complainant=WANG)
    case(by_wang, ACCEPTED).when(ASSIGN).then_refused(OwnComplaint)


@pytest.mark.parametrize("handler", [CHU, STRANGER, LI])
def test_the_handler_named_belongs_to_the_unit(handler: PersonKey) -> None:
    """Somebody of another department, or of none, cannot be named."""
    command = replace(ASSIGN, handler=handler)
    case(*upto(ACCEPTED)).when(command).then_refused(UnknownReference, kind="handler", value=handler)


def test_the_handler_named_can_sign_for_it() -> None:
    """A head who handles nothing, or a clerk of the unit, would leave the case lying where nobody can take it up."""
    for nobody in (ZHAO, FENG):
        about_nobody = replace(REGISTERED, respondent=Respondent())
        command = replace(ASSIGN, handler=nobody)
        case(about_nobody, ACCEPTED).when(command).then_refused(UnknownReference, kind="handler", value=nobody)


def test_who_assigns_is_not_concerned_and_sits_at_the_desk() -> None:
    """The dispatcher of the policy, held apart from both sides, also through a mandator."""
    accepted = upto(ACCEPTED)
    case(*accepted).when(replace(ASSIGN, by=HEAD)).then_refused(NotYourRole)
    case(*accepted).when(replace(ASSIGN, by=replace(DESK, on_behalf_of=FENG))).then_refused(OwnCause)
    case(*accepted).when(replace(ASSIGN, by=replace(DESK, on_behalf_of=COMPLAINANT))).then_refused(OwnComplaint)
    case(*accepted, facts=replace(FACTS, rulebook=RULEBOOK.initial)).when(ASSIGN).then_refused(NoPolicy)


# Signing


def test_the_unit_signs_and_the_work_begins() -> None:
    """The last instant of the limit is on time; who signs is the handler from then on."""
    case(*upto(ASSIGNED)).when(SIGN).then([SIGNED])
    assert case(*upto(ASSIGNED)).when(replace(SIGN, at=local("02-14", "15:30:00.000001"))).event.late is True
    state = case(*upto(SIGNED)).state
    assert state is not None
    assert (state.handler, state.handlers) == (WANG, frozenset({WANG}))


def test_any_handler_of_the_unit_signs_where_none_was_named() -> None:
    """Of this unit, not of another, and not its head."""
    opened = (*upto(ACCEPTED), OPEN_TO_ALL)
    for who in (WANG, QIAN, WU):
        state = case(*opened, case(*opened).when(replace(SIGN, by=actor(who, "approval-handler"))).event).state
        assert state is not None
        assert state.handler == who
    case(*opened).when(replace(SIGN, by=actor(CHU, "tax-handler"))).then_refused(NotYourCase, department="approval")
    case(*opened).when(replace(SIGN, by=actor(WEI, "tax-handler"))).then_refused(NotYourCase, department="approval")
    case(*opened).when(replace(SIGN, by=HEAD)).then_refused(NotYourRole)


def test_nobody_signs_for_what_was_given_to_somebody_else() -> None:
    """The handler named is the handler."""
    case(*upto(ASSIGNED)).when(replace(SIGN, by=actor(WU, "approval-handler"))).then_refused(NotYourCase)


def test_who_is_concerned_does_not_sign() -> None:
    """Chen serves at the window complained of and holds a handler's post as well."""
    opened = (*upto(ACCEPTED), OPEN_TO_ALL)
    case(*opened).when(replace(SIGN, by=actor(CHEN, "approval-handler"))).then_refused(OwnCause)
    behind = replace(HANDLER, on_behalf_of=FENG)
    case(*opened).when(replace(SIGN, by=behind)).then_refused(OwnCause)
    case(*opened).when(replace(SIGN, by=replace(HANDLER, on_behalf_of=COMPLAINANT))).then_refused(OwnComplaint)


# Contact, evidence, finding


def test_the_complainant_is_called_in_time() -> None:
    """The first attempt counts, reached or not; the second is never late."""
    case(*upto(SIGNED)).when(CONTACT).then([CONTACTED])
    missed = replace(CONTACT, result=ContactResult.NO_ANSWER, at=local("02-25", "00:00"), note=None)
    event = case(*upto(SIGNED)).when(missed).event
    assert (event.late, event.attempt_no, event.day) == (True, 1, date(2026, 2, 25))
    second = case(*upto(SIGNED), event).when(replace(CONTACT, at=local("02-26"))).event
    assert (second.late, second.attempt_no, second.day) == (None, 2, date(2026, 2, 26))


def test_the_day_of_a_call_is_the_hall_s_day() -> None:
    """Half past midnight on the 25th is still the 24th in UTC."""
    assert case(*upto(SIGNED)).when(replace(CONTACT, at=local("02-25", "00:30"))).event.day == date(2026, 2, 25)


def test_evidence_is_recorded_with_the_digest_of_what_was_sealed() -> None:
    """A description is enough; a file adds its digest and size."""
    case(*upto(CONTACTED)).when(EVIDENT).then([EVIDENCED])
    told = replace(EVIDENT, sha256=None, size=None, kind=EvidenceKind.STATEMENT)
    assert case(*upto(CONTACTED)).when(told).event.sha256 is None


def test_evidence_is_not_exchanged_under_its_name() -> None:
    """A piece that is there stays what it is; another gets an id of its own."""
    case(*upto(EVIDENCED)).when(replace(EVIDENT, sha256="cd" * 32)).then_refused(AlreadyThere)
    assert case(*upto(EVIDENCED)).when(replace(EVIDENT, evidence=key("another"))).event.evidence == key("another")


def test_a_finding_is_recorded_and_says_whether_something_must_be_put_right() -> None:
    """Borne out wholly or partly asks for a rectification, the other two do not."""
    case(*upto(EVIDENCED)).when(FIND).then([FOUND])
    for finding in Finding:
        event = case(*upto(EVIDENCED)).when(replace(FIND, finding=finding)).event
        assert event.rectification_required is (finding in {Finding.SUBSTANTIATED, Finding.PARTLY})


def test_a_finding_rests_on_evidence_that_is_there() -> None:
    """None is fine; one that nobody recorded is not."""
    assert case(*upto(EVIDENCED)).when(replace(FIND, evidence=())).event.evidence == ()
    case(*upto(CONTACTED)).when(FIND).then_refused(UnknownReference, kind="evidence", value=[str(EVIDENCE)])


@pytest.mark.parametrize(
    ("department", "window", "kind"),
    [("nobody", None, "department"), ("approval", "W99", "window"), ("nobody", "W99", "department")],
)
def test_who_answers_for_it_exists(department: str, window: str | None, kind: str) -> None:
    """Departments and windows of the register; nobody need answer at all."""
    part = Responsibility(department=department, window=window, kind=ResponsibilityKind.SUPERVISORY)
    case(*upto(EVIDENCED)).when(replace(FIND, responsibility=(part,))).then_refused(UnknownReference, kind=kind)
    assert case(*upto(EVIDENCED)).when(replace(FIND, responsibility=())).event.responsibility == ()


HANDLING: list[Command] = [CONTACT, replace(EVIDENT, evidence=key("another")), FIND]


@pytest.mark.parametrize("command", HANDLING, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        (actor(WU, "approval-handler"), NotYourCase),
        (actor(CHU, "tax-handler"), NotYourCase),
        (actor(CHEN, "approval-handler"), OwnCause),
        (replace(HANDLER, on_behalf_of=FENG), OwnCause),
        (replace(HANDLER, on_behalf_of=COMPLAINANT), OwnComplaint),
        (HEAD, NotYourRole),
        (DESK, NotYourRole),
        (Actor(person=WANG, role=Role.HANDLER), NotYourRole),
        (Actor(person=WANG, post="tax-handler", role=Role.HANDLER), NotYourRole),
        (Actor(person=COMPLAINANT, role=Role.CITIZEN), NotYourRole),
        (THE_SYSTEM, NotYourRole),
    ],
)
def test_only_the_handler_handles(command: Command, by: Actor, refusal: type[Refused]) -> None:
    """Not a colleague of the same unit, nor another unit, nor anybody concerned, nor any other role."""
    case(*upto(EVIDENCED)).when(replace(command, by=by)).then_refused(refusal)


@pytest.mark.parametrize("command", HANDLING, ids=lambda one: type(one).__name__)
def test_a_handler_who_left_the_unit_handles_no_more(command: Command) -> None:
    """Having signed once is not enough."""
    left = leaving(WANG, "approval-handler", local("02-24", "09:00"))
    case(*upto(EVIDENCED), facts=left).when(command).then_refused(NotYourRole)


ALL: list[Command] = [ASSIGN, SIGN, *HANDLING]
TURNS: dict[type[Command], Step] = {Assign: Step.ACCEPTED, SignFor: Step.ASSIGNED}


@pytest.mark.parametrize("command", ALL, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("last", [None, *LOOP], ids=lambda event: type(event).__name__)
def test_each_step_has_its_turn(command: Command, last: Event | None) -> None:
    """Assigning follows acceptance, signing follows assigning, and the rest lies between signing and the reply."""
    given = case(*(() if last is None else upto(last)))
    step = None if given.state is None else given.state.step
    turn = TURNS.get(type(command), Step.IN_PROGRESS)
    if step is not turn:
        given.when(replace(command, at=local("03-10"))).then_refused(OutOfTurn, allowed=[turn])


def test_an_unwritten_note_stays_unwritten() -> None:
    """A call need not leave a text; nobody invents one."""
    assert case(*upto(SIGNED)).when(replace(CONTACT, note=None)).event.note is None


def test_a_unit_found_at_fault_by_its_own_handler_is_on_record() -> None:
    """Who answers for it stands in the event, person by person."""
    part = Responsibility(department="tax", staff=JIANG, kind=ResponsibilityKind.DIRECT)
    assert case(*upto(EVIDENCED)).when(replace(FIND, responsibility=(part,))).event.responsibility == (part,)
