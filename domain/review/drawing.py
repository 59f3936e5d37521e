"""A draw of reviews to check: a seed nobody can choose afterwards, or know before, and a choice anybody can repeat.

Three steps, each before the next can be known: announced with a commitment to the seed before the time it covers
begins; opened with the seed after that time, which a checkpoint must have published; drawn from all that were rated
then. Source: domain.md §9.3; the steps are our design.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Final, TypeAlias, assert_never, get_args
from uuid import UUID, uuid5

from domain.decider import NAMESPACE, Code, Command, Decider, Digest, Event, For, Instant
from domain.errors import AlreadyThere, DateInPast, OutOfTurn, SeedMismatch, TooEarly, Unknown, UnknownReference
from domain.handling import Basis, Facts, permit
from domain.rulebook import Profile

PERMILLE: Final = 1000
ALL: Final[Code] = "draw.all_permille"
NOTICED: Final[Code] = "draw.flagged_permille"
"""The numbers of the policy that say how many of a thousand are drawn: of all, and of the praise that is flagged."""


def stream(hall: Code, begins: datetime) -> UUID:
    """Give the stream of the draw of a hall over a time that begins then (UTC)."""
    return uuid5(NAMESPACE, f"draw:{hall}:{begins.isoformat()}")


def commitment(seed: Digest) -> Digest:
    """Give what commits to a seed of 32 bytes (hexadecimal) without telling it."""
    return sha256(b"bihuan-draw-1\n" + bytes.fromhex(seed)).hexdigest()


def chosen(seed: Digest, members: Sequence[UUID], permille: int) -> tuple[UUID, ...]:
    """Draw so many of a thousand, at least one of any: those whose ids give the lowest hashes with the seed.

    In the order of those hashes; the same whatever the order of `members`, and the same for anybody.
    """
    count = -(-len(set(members)) * permille // PERMILLE)
    ranked = sorted(set(members), key=lambda one: (sha256(bytes.fromhex(seed) + one.bytes).digest(), one.bytes))
    return tuple(ranked[:count])


def digest_of_members(members: Sequence[UUID]) -> Digest:
    """Give the hash of a set of reviews, so that anybody can compare theirs."""
    return sha256(b"".join(one.bytes for one in sorted(set(members)))).hexdigest()


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawAnnounced(Event):
    """A draw over what is rated from `begins` until before `ends` was announced, with a commitment to its seed."""

    hall: Code
    profile: Profile
    begins: Instant
    ends: Instant
    all_permille: int
    flagged_permille: int
    commitment: Digest
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedOpened(Event):
    """The seed was told, after the time the draw covers."""

    seed: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn(Event):
    """Reviews were drawn with the seed, after a checkpoint of `checkpoint` leaves had published it.

    Members are all reviews of the hall rated in that time by whoever gave a name, as far as they were recorded before
    position `before`, that of the seed; `members` of them, whose ids hash to `members_digest`; `flagged` of them are
    praise that was flagged then.
    """

    before: int
    checkpoint: int
    members: int
    members_digest: Digest
    flagged: int
    flagged_digest: Digest
    drawn: tuple[UUID, ...]


DrawEvent: TypeAlias = DrawAnnounced | SeedOpened | Drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce(Command):
    """Announce a draw over what is rated from `begins` until before `ends` (both UTC)."""

    hall: Code
    begins: datetime
    ends: datetime
    commitment: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSeed(Command):
    """Tell the seed; its position is `position` once it is recorded."""

    seed: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw(Command):
    """Draw from these reviews; `opened` is the position at which the seed was recorded, as the log tells it."""

    opened: int
    before: int
    checkpoint: int
    members: tuple[UUID, ...]
    flagged: tuple[UUID, ...]


DrawCommand: TypeAlias = Announce | OpenSeed | Draw


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A draw as its rules see it."""

    announced: DrawAnnounced
    seed: Digest | None = None
    drawn: tuple[UUID, ...] | None = None


def decide(draw: Drawing | None, command: DrawCommand, facts: Facts) -> Sequence[Event | For]:
    """Answer what is asked of a draw; the same again changes nothing.

    Raises NoPolicy, NotYourRole, Unknown, OutOfTurn, AlreadyThere, DateInPast, TooEarly, SeedMismatch,
    UnknownReference.
    """
    match command:
        case Announce():
            return _announce(draw, command, facts)
        case OpenSeed():
            return _open(draw, command, facts)
        case Draw():
            return _draw(draw, command, facts)
        case _:
            assert_never(command)


def _announce(draw: Drawing | None, command: Announce, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    policy = permit(by, Profile.HALL, "review/draw", at, facts)
    if draw is not None:
        there = draw.announced
        told = (there.hall, there.begins, there.ends, there.commitment)
        if told == (command.hall, command.begins, command.ends, command.commitment):
            return []
        raise AlreadyThere(hall=command.hall)
    # Or the seed could be chosen to suit what was rated already.
    if command.begins < at or command.ends <= command.begins:
        raise DateInPast(begins=command.begins)
    return [
        DrawAnnounced(
            at=at,
            by=by,
            hall=command.hall,
            profile=Profile.HALL,
            begins=command.begins,
            ends=command.ends,
            all_permille=policy.number(ALL) or 0,
            flagged_permille=policy.number(NOTICED) or 0,
            commitment=command.commitment,
            basis=facts.basis(Profile.HALL, at),
        )
    ]


def _open(draw: Drawing | None, command: OpenSeed, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    permit(by, Profile.HALL, "review/draw", at, facts)
    if draw is None:
        raise Unknown
    if commitment(command.seed) != draw.announced.commitment:
        raise SeedMismatch
    if draw.seed is not None:
        return []
    if at < draw.announced.ends:
        raise TooEarly(until=draw.announced.ends)
    return [SeedOpened(at=at, by=by, seed=command.seed)]


def _draw(draw: Drawing | None, command: Draw, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    permit(by, Profile.HALL, "review/draw", at, facts)
    if draw is None:
        raise Unknown
    if draw.drawn is not None:
        return []
    if draw.seed is None:
        raise OutOfTurn
    # Leaves are counted from position 1: a checkpoint of as many leaves has published the seed.
    if command.checkpoint < command.opened:
        raise SeedMismatch(checkpoint=command.checkpoint, opened=command.opened)
    # Whoever knows the seed must not choose up to where there is something to draw from.
    if command.before != command.opened:
        raise SeedMismatch(before=command.before, opened=command.opened)
    if strays := set(command.flagged).difference(command.members):
        raise UnknownReference(kind="review", value=sorted(map(str, strays)))
    there = draw.announced
    picked = chosen(draw.seed, command.members, there.all_permille)
    noticed = chosen(draw.seed, command.flagged, there.flagged_permille)
    return [
        Drawn(
            at=at,
            by=by,
            before=command.before,
            checkpoint=command.checkpoint,
            members=len(set(command.members)),
            members_digest=digest_of_members(command.members),
            flagged=len(set(command.flagged)),
            flagged_digest=digest_of_members(command.flagged),
            drawn=tuple(dict.fromkeys((*picked, *noticed))),
        )
    ]


def evolve(draw: Drawing | None, event: DrawEvent) -> Drawing | None:
    """Take one event in; never refuses."""
    if isinstance(event, DrawAnnounced):
        return Drawing(announced=event)
    if draw is None:
        return None
    match event:
        case SeedOpened(seed=seed):
            return replace(draw, seed=seed)
        case Drawn(drawn=drawn):
            return replace(draw, drawn=drawn)
        case _:
            assert_never(event)


DRAW: Final[Decider[Drawing | None, DrawCommand, DrawEvent, Facts]] = Decider(
    "draw", None, decide, evolve, get_args(DrawEvent)
)
