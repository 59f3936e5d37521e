"""Who may act on a case: in a role really held, and with no part on its other side (domain.md §6.4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from domain.complaint.state import Case, Respondent
from domain.decider import Actor, Code, Command, PersonKey, Role
from domain.errors import (
    DepartmentGone,
    NotYourCase,
    OwnCause,
    OwnComplaint,
    OwnWorkApproved,
    OwnWorkRevisited,
    OwnWorkVerified,
    RecusalPending,
    Recused,
    UnitConcerned,
    Unknown,
    UnknownReference,
)
from domain.handling import Facts, keep_apart, permit, post_of
from domain.rulebook import Policy


def concerned(respondent: Respondent, persons: Iterable[PersonKey], moments: Iterable[datetime], facts: Facts) -> bool:
    """Say whether one of them is complained of, or served at that window at one of these moments (UTC)."""
    return any(
        person == respondent.staff
        or (respondent.window is not None and facts.register.serves(person, respondent.window, moment))
        for person in persons
        for moment in moments
    )


def not_respondent(case: Case, by: Actor, at: datetime, facts: Facts) -> None:
    """Refuse whoever the complaint is about, who worked there, spoke for them, or is named by the finding.

    Raises OwnCause.
    """
    parties = case.responsible | case.stated
    about = (case.respondent, *case.also_about)
    if by.persons & parties or any(concerned(one, by.persons, (*case.noticed, at), facts) for one in about):
        raise OwnCause


def kept_out(case: Case, by: Actor, *, preserving: bool = False) -> None:
    """Refuse whoever keeps out of the case, and until it is decided whoever is said to have an interest in it.

    `preserving`: evidence that would be lost may still be secured meanwhile (domain.md §6.3, DecideRecusal).
    Raises Recused, RecusalPending.
    """
    said = [one for one in case.recusals.values() if one.target in by.persons]
    if any(one.granted for one in said):
        raise Recused
    if not preserving and any(one.granted is None for one in said):
        raise RecusalPending


def not_concerned(case: Case, by: Actor, at: datetime, facts: Facts, *, preserving: bool = False) -> None:
    """Refuse whoever the complaint is about, works at that window, made it, or keeps out of it (domain.md §6.4).

    Raises OwnCause, OwnComplaint, Recused, RecusalPending.
    """
    not_respondent(case, by, at, facts)
    keep_apart(by, case.made_by | case.joined_by, OwnComplaint)
    kept_out(case, by, preserving=preserving)


def admit(case: Case, command: Command, name: Code, facts: Facts, *, preserving: bool = False) -> Policy:
    """Let somebody give a command whom the policy lets, in a post really held, and who is not concerned in the case.

    Gives the policy. Whoever may act in their own cause too comes in by `permit` alone.
    Raises NoPolicy, NotYourRole, OwnCause, OwnComplaint, Recused, RecusalPending.
    """
    policy = permit(command.by, case.profile, name, command.at, facts)
    not_concerned(case, command.by, command.at, facts, preserving=preserving)
    return policy


def the_complainant(case: Case, by: Actor) -> None:
    """Refuse whoever did not make this complaint, as if there were none; raises Unknown."""
    if not by.persons & case.made_by:
        raise Unknown


def no_judge(case: Case, by: Actor) -> None:
    """Refuse whoever judged the work, or had somebody judge it: domain.md §6.4 holds whichever side came first.

    Raises OwnWorkApproved, OwnWorkVerified, OwnWorkRevisited.
    """
    keep_apart(by, case.approvers, OwnWorkApproved)
    keep_apart(by, case.verifiers, OwnWorkVerified)
    keep_apart(by, case.revisitors, OwnWorkRevisited)


def by_the_handler(case: Case, command: Command, name: Code, facts: Facts) -> Policy:
    """Let only the one who signed for the case, in the unit it is assigned to, handle it; or a machine, where it may.

    Whoever judged the work takes no part in it afterwards.
    Raises NoPolicy, NotYourRole, NotYourCase, OwnCause, OwnComplaint, Recused, RecusalPending, OwnWorkApproved,
    OwnWorkVerified, OwnWorkRevisited.
    """
    at, by = command.at, command.by
    policy = admit(case, command, name, facts, preserving=name == "record-evidence")
    no_judge(case, by)
    if by.role is Role.SYSTEM:
        # A machine that the policy lets do this holds no post and no case.
        return policy
    if post_of(by, at, facts).department != case.department or case.handler not in by.persons:
        raise NotYourCase(department=case.department)
    return policy


def unit_may_take(case: Case, department: Code, at: datetime, facts: Facts) -> None:
    """Refuse a department that is none, is none any more, or whose head the complaint is or was about.

    Raises UnknownReference, DepartmentGone, UnitConcerned.
    """
    if department not in facts.register.departments:
        raise UnknownReference(kind="department", value=department)
    if (into := facts.register.successor(department, at)) != department:
        raise DepartmentGone(department=department, into=into)
    heads = facts.register.heads(department, at)
    if any(one.staff in heads for one in (case.respondent, *case.also_about)):
        raise UnitConcerned(department=department)


def may_take(case: Case, handler: PersonKey, department: Code | None, at: datetime, facts: Facts) -> None:
    """Refuse a handler who could not handle the case in this unit: they act later in their own name.

    Concerned in it, or having judged the work, or holding no post there that signs for cases: then it would lie.
    Raises UnknownReference, OwnCause, OwnComplaint, Recused, RecusalPending, OwnWorkApproved,
    OwnWorkVerified, OwnWorkRevisited.
    """
    policy = facts.rulebook.policy(case.profile, at)
    named = Actor(person=handler, role=Role.HANDLER)
    not_concerned(case, named, at, facts)
    no_judge(case, named)
    posts = (post for post in facts.register.held_by(handler, at) if post.department == department)
    if not any(policy is not None and policy.allows("sign-for", post.role) for post in posts):
        raise UnknownReference(kind="handler", value=handler)


def by_the_head(case: Case, command: Command, name: Code, facts: Facts) -> Policy:
    """Let only the head of the unit that has the case decide, or a timer where it may; gives the policy.

    Raises NoPolicy, NotYourRole, NotYourCase, OwnCause, OwnComplaint.
    """
    at, by = command.at, command.by
    policy = admit(case, command, name, facts)
    if by.role is not Role.SYSTEM and post_of(by, at, facts).department != case.department:
        raise NotYourCase(department=case.department)
    return policy


def of_the_work(case: Case) -> frozenset[PersonKey]:
    """Give who handles the case or ever did, and whoever has it now without having done anything yet."""
    return case.handlers if case.handler is None else case.handlers | {case.handler}
