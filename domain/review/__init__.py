"""The life of a review: given once, added to once; a bad one is handled until it is closed, or excluded by two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never, get_args

from domain.decider import Code, Decider, For
from domain.decider import Event as AnyEvent
from domain.handling import Facts
from domain.review import adding, appealing, flagging, objecting, proposals, revisiting, settling, verifying, watching
from domain.review.adding import Append, Corroborate
from domain.review.state import Review, Stage, started
from domain.review.submitting import (
    DETAILS,
    Accepted,
    Appended,
    Attribution,
    Corroborated,
    Evidence,
    Opinion,
    Rated,
    ReviewChannel,
    Submitted,
)

__all__ = [
    "DETAILS",
    "NEXT_STEPS",
    "REVIEW",
    "Accepted",
    "Append",
    "Appended",
    "Attribution",
    "Corroborate",
    "Corroborated",
    "Evidence",
    "Opinion",
    "Rated",
    "Review",
    "ReviewChannel",
    "ReviewCommand",
    "ReviewEvent",
    "Stage",
    "Submitted",
    "decide",
    "evolve",
]

ReviewEvent: TypeAlias = (
    Submitted
    | Accepted
    | adding.AddingEvent
    | verifying.VerifyingEvent
    | appealing.AppealingEvent
    | objecting.ObjectingEvent
    | proposals.ProposalEvent
    | settling.SettlingEvent
    | revisiting.RevisitingEvent
    | watching.WatchingEvent
    | flagging.FlaggingEvent
)
ReviewCommand: TypeAlias = (
    adding.AddingCommand
    | verifying.VerifyingCommand
    | appealing.AppealingCommand
    | objecting.ObjectingCommand
    | proposals.ProposalCommand
    | settling.SettlingCommand
    | revisiting.RevisitingCommand
    | watching.WatchingCommand
    | flagging.FlaggingCommand
)


def decide(review: Review | None, command: ReviewCommand, facts: Facts) -> Sequence[AnyEvent | For]:
    """Answer a command with the events it causes; raises a Refused that says why not."""
    if isinstance(command, adding.AddingCommand):
        return adding.decide(review, command, facts)
    if isinstance(command, verifying.VerifyingCommand):
        return verifying.decide(review, command, facts)
    if isinstance(command, appealing.AppealingCommand):
        return appealing.decide(review, command, facts)
    if isinstance(command, objecting.ObjectingCommand):
        return objecting.decide(review, command, facts)
    if isinstance(command, proposals.ProposalCommand):
        return proposals.decide(review, command, facts)
    if isinstance(command, settling.SettlingCommand):
        return settling.decide(review, command, facts)
    if isinstance(command, revisiting.RevisitingCommand):
        return revisiting.decide(review, command, facts)
    if isinstance(command, watching.WatchingCommand):
        return watching.decide(review, command, facts)
    if isinstance(command, flagging.FlaggingCommand):
        return flagging.decide(review, command, facts)
    assert_never(command)


def evolve(review: Review | None, event: ReviewEvent) -> Review | None:
    """Take one event in; never refuses."""
    if isinstance(event, Submitted):
        return Review(submitted=event, corroborated=event.corroborated)
    if review is None:
        return None
    if isinstance(event, Accepted):
        return started(replace(review, accepted=event), event.at, contact=event.contact_due, verify=event.verify_due)
    if isinstance(event, adding.AddingEvent):
        return adding.evolve(review, event)
    if isinstance(event, verifying.VerifyingEvent):
        return verifying.evolve(review, event)
    if isinstance(event, appealing.AppealingEvent):
        return appealing.evolve(review, event)
    if isinstance(event, objecting.ObjectingEvent):
        return objecting.evolve(review, event)
    if isinstance(event, proposals.ProposalEvent):
        return proposals.evolve(review, event)
    if isinstance(event, settling.SettlingEvent):
        return settling.evolve(review, event)
    if isinstance(event, revisiting.RevisitingEvent):
        return revisiting.evolve(review, event)
    if isinstance(event, watching.WatchingEvent):
        return watching.evolve(review, event)
    if isinstance(event, flagging.FlaggingEvent):
        return flagging.evolve(review, event)
    assert_never(event)


REVIEW: Final[Decider[Review | None, ReviewCommand, ReviewEvent, Facts]] = Decider(
    "review", None, decide, evolve, get_args(ReviewEvent)
)

TURNS: Final[Mapping[Code, frozenset[Stage]]] = MappingProxyType(
    {
        **verifying.TURNS,
        **settling.TURNS,
        **revisiting.TURNS,
        **appealing.TURNS,
        **proposals.TURNS,
        **objecting.TURNS,
        **adding.TURNS,
        **watching.TURNS,
        **flagging.TURNS,
    }
)
NEXT_STEPS: Final[Mapping[Stage, tuple[Code, ...]]] = MappingProxyType(
    {stage: tuple(name for name, stages in TURNS.items() if stage in stages) for stage in Stage}
)
"""Which commands are in turn at each stage, those that carry the work on first; the rules say who may."""
