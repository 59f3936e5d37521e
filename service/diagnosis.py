"""What was done to a log, told from the first position at which its copies differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from projections.leaf import Leaf


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A position at which not all hashes are alike: computed from the row, stored beside it, in the tree, outside.

    `computed` is None where there is no row; `sealed` and `outside` are None where they do not reach so far.
    """

    position: int
    computed: bytes | None
    stored: bytes | None
    sealed: bytes | None
    outside: bytes | None

    @property
    def reference(self) -> bytes | None:
        """What the event's hash was: what is held outside tells better than our own tree."""
        return self.sealed if self.outside is None else self.outside


class Look(Protocol):
    """Where a diagnosis looks again."""

    def leaf(self, position: int) -> Leaf | None:
        """Give what a row holds."""

    def reference(self, position: int) -> bytes | None:
        """Give what the hash of an event was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How the comparison went: where rows differ (the first of them), how many do, where the log ends now and ended.

    `signed` says whether the rows give the root of the next checkpoint; None where there is none to tell.
    """

    differing: Sequence[int]
    count: int
    end: int
    ended: int
    signed: bool | None


@dataclass(frozen=True, slots=True)
class Told:
    """A diagnosis in words; `moved` says that all behind stands in other places than before."""

    words: str
    moved: bool = False


def told(first: Difference, course: Course, look: Look) -> Told:
    """Tell what was done at the first position that differs."""
    if first.computed is None:
        return _hole(first.position, course)
    reference = first.reference
    if first.outside is None and first.computed == first.sealed and course.signed is False:
        return Told("the row and the tree were changed together: the hash stored with the row is that of another event")
    if first.computed in {reference, first.outside} or (course.signed and first.computed != reference):
        return Told(_row_is_right(first, signed=bool(course.signed)))
    if reference is None:
        return Told("the row does not give the hash that is stored with it: it was changed, or put in past the program")
    if moved := _moved(first.position, course, look):
        return moved
    return Told(_altered(first) + _behind(first, course))


def _hole(position: int, course: Course) -> Told:
    last = position
    for missing in course.differing:
        if missing == last + 1:
            last = missing
    return Told(f"{_events(position, last)} taken out: nothing stands in that place")


def _row_is_right(first: Difference, *, signed: bool) -> str:
    by = "the signed checkpoint" if signed else "all other copies"
    if first.outside not in {None, first.computed}:
        return f"the copy outside is damaged: its hash is another one, while the row fits {by}"
    if first.sealed not in {None, first.computed}:
        return f"the tree was changed: it has another hash here, while the row fits {by}"
    return f"the hash stored with the row was changed (leaf_hash), while the row fits {by}"


def _altered(first: Difference) -> str:
    if first.stored == first.reference:
        return "the row was changed after it was stored: it no longer gives its hash"
    if first.computed != first.stored:
        return "the row was changed after it was stored, and its hash was changed to one that is not its own"
    if first.sealed == first.computed:
        return "row, hash and tree were rewritten together: the copy outside has another event here"
    return "the row and its hash were changed together: the tree has the hash of another event"


def _behind(first: Difference, course: Course) -> str:
    return "" if course.count == 1 else f"; {course.count} positions differ, from {first.position} on"


def _moved(position: int, course: Course, look: Look) -> Told | None:
    """Look for the event in other places, and for where the one that stands here came from."""
    here = look.leaf(position)
    wanted = look.reference(position)
    if here is None or wanted is None:
        return None
    # What moved stands where something differs, or behind the end of what there was.
    most = len(course.differing)
    places = [one for one in course.differing if one > position]
    places += range(max(position, course.ended) + 1, min(course.end, course.ended + most) + 1)
    beyond = range(course.end + 1, min(course.ended, course.end + most) + 1)
    from_ = _find((*places, *beyond), partial(_was, here=here, look=look))
    to = _find(places, partial(_stands, here=here, wanted=wanted, look=look))
    if from_ is not None and from_ == to:
        return Told(f"the events of positions {position} and {to} were exchanged")
    if from_ is not None and to is not None:
        return Told(
            f"the order was changed: the event of position {from_} stands here, the one of {position} stands at {to}",
            moved=True,
        )
    if from_ is not None:
        following = look.leaf(position + 1)
        if from_ == course.ended if following is None else _was(from_ + 1, here=following, look=look):
            return Told(f"{_events(position, from_ - 1)} taken out, and those behind moved up", moved=True)
        return Told(f"the event of position {from_} was put in the place of this one")
    if to is not None:
        following, wanted = look.leaf(to + 1), look.reference(position + 1)
        if following is None or (wanted is not None and _gives(following, following, position + 1, wanted)):
            count = to - position
            what = "an event was" if count == 1 else f"{count} events were"
            return Told(f"{what} put in here, and those behind moved down", moved=True)
        return Told(f"another event was put in the place of this one, which stands at {to} now")
    return None


def _find(places: Sequence[int], fits: Callable[[int], bool]) -> int | None:
    return next((one for one in places if fits(one)), None)


def _stands(position: int, *, here: Leaf, wanted: bytes, look: Look) -> bool:
    """Say whether a row holds the event that had the place of this one."""
    found = look.leaf(position)
    return found is not None and _gives(found, here, here.position, wanted)


def _was(position: int, *, here: Leaf, look: Look) -> bool:
    """Say whether what a row holds is the event that had this position."""
    wanted = look.reference(position)
    return wanted is not None and _gives(here, look.leaf(position) or here, position, wanted)


def _gives(event: Leaf, there: Leaf, position: int, wanted: bytes) -> bool:
    """Say whether an event in another place gives a hash: with its time, or with the time that stands there."""
    return any(
        replace(event, position=position, recorded_at=moment).digest() == wanted
        for moment in {event.recorded_at, there.recorded_at}
    )


def _events(first: int, last: int) -> str:
    return f"event {first} was" if first == last else f"events {first} to {last} were"
