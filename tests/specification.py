"""A test of a rule is a sentence: given what happened, when somebody asks, then this follows or is refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest

from domain.decider import Command, Decider, Event, For, Metadata
from domain.errors import Refused
from projections.codec import decode, encode

S = TypeVar("S")
C = TypeVar("C", bound=Command)
E = TypeVar("E", bound=Event)
F = TypeVar("F")

METADATA = Metadata(command="example", source="test")


@dataclass(frozen=True, slots=True)
class Given(Generic[S, C, E, F]):
    """What has happened, and what is known besides."""

    decider: Decider[S, C, E, F]
    history: tuple[E, ...]
    facts: F

    @property
    def state(self) -> S:
        """What the rules remember of it."""
        return self.decider.fold(self.history)

    def when(self, command: C) -> When[S, C, E, F]:
        """Ask for something."""
        return When(self, command)


@dataclass(frozen=True, slots=True)
class When(Generic[S, C, E, F]):
    """What was asked, not yet answered."""

    given: Given[S, C, E, F]
    command: C

    @property
    def events(self) -> list[Event]:
        """What follows, each checked to come back from its bytes as it went in."""
        decided = self.given.decider.decide(self.given.state, self.command, self.given.facts)
        events = [one.event if isinstance(one, For) else one for one in decided]
        for event in events:
            name, state = encode(event, METADATA)
            assert decode(name, state) == (event, METADATA)
        return events

    @property
    def event(self) -> Any:  # noqa: ANN401 - whichever it is, the test names its fields
        """The only event that follows."""
        (event,) = self.events
        return event

    def then(self, expected: Iterable[Event]) -> None:
        """Say what happens."""
        assert self.events == list(expected)

    def then_nothing(self) -> None:
        """Say that it is so already."""
        assert self.events == []

    def then_refused(self, refusal: type[Refused], **facts: object) -> None:
        """Say why it is refused: by this very rule, with at least these facts."""
        with pytest.raises(Refused) as refused:
            _ = self.events
        assert type(refused.value) is refusal
        assert refused.value.facts.items() >= facts.items()


def given(decider: Decider[S, C, E, F], *history: E, facts: F) -> Given[S, C, E, F]:
    """Begin a sentence."""
    return Given(decider, history, facts)
