"""The ways a complaint goes, encoded once, with gaps for what differs from case to case: ids, dates, sealed boxes."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from random import Random
from typing import Any, Final, NamedTuple
from uuid import UUID

from domain import access, notice, review
from domain.complaint import Accepted, Registered, Revisited
from domain.complaint.ending import Withdrawn
from domain.complaint.intake import Channel
from domain.complaint.replying import Decision
from domain.complaint.state import Finding, Respondent
from domain.decider import THE_SYSTEM, Event, Metadata
from domain.grade import Grade
from domain.handling import Proof
from domain.sealed import Sealed, TextFacts
from projections.codec import encode
from service.demo.year import CODES, GRADES
from tests import controls, hall, visits

STORY_DAY: Final = controls.REGISTERED.at.date()
A_DAY: Final = 86_400
AN_HOUR: Final = 3600
LENGTHS: Final[Mapping[str, tuple[int, int]]] = {
    "name": (2, 4), "phone": (11, 11), "subject": (6, 30), "narrative": (60, 500), "facts": (100, 600),
    "reasons": (100, 600), "legal_basis": (20, 80),
}  # fmt: skip
"""Lengths of sealed texts in characters, from and to; of any other, a note."""
A_NOTE: Final = (15, 120)
PLAIN: Final = frozenset({"phone"})
TAG: Final = 16
"""Bytes by which a box is longer than the text in it."""
POOL_BYTES: Final = 1 << 20
POOL: Final = base64.urlsafe_b64encode(Random(POOL_BYTES).randbytes(POOL_BYTES)).decode()
"""What boxes and nonces are cut from: as little to be compressed as ciphertext."""

CASE: Final = "case"
ACCESS: Final = "access"
NOTICE: Final = "notice"
TOLD: Final = 3
"""The version at which a case is accepted, of which a notice tells."""
KEY: Final = "key"
COMPLAINANT: Final = "complainant"
IDS: Final[Mapping[str, UUID]] = {
    CASE: hall.key("case"), KEY: hall.key("key"), COMPLAINANT: hall.COMPLAINANT,
    "evidence": controls.EVIDENCE, "rectification": controls.RECTIFICATION, "reply": controls.REPLY,
}  # fmt: skip
VISIT: Final = "visit"
RATING: Final = "rating"
STREAMS: Final[Mapping[str, UUID]] = {VISIT: visits.VISIT, RATING: visits.RATING}
MARKS: Final[Mapping[str, UUID]] = {"device": hall.key("device"), "invitation": hall.key("invitation")}
LINKS: Final[Mapping[str, str]] = {"token": visits.TOKEN, "own_link": visits.OWN_LINK}
GAP: Final = "\0"
"""Around the name of a gap; no JSON holds it."""
SEALED: Final = re.compile(r'(?<="value_id":")[^"]+(","key_id":"[^"]+","nonce":")[^"]+(","box":")([^"]+)')
MOMENT: Final = re.compile(r'(?<="e":\{"at":")([-0-9]+T\d\d:)\d\d:\d\d')
WINDOW: Final = re.compile(r'(?<="window":")W0[34](?=")')
DAY: Final = re.compile(r'(?<=")2026-\d\d-\d\d(?=[T"])')


class Step(NamedTuple):
    """An event of a course: on the stream of the case or on one beside it, and its place in its command."""

    event: Event
    stream: str = CASE
    seq: int = 0


def courses() -> tuple[tuple[int, tuple[Step, ...]], ...]:
    """Give the ways a complaint goes, each with how many of a hundred go it; about eleven events on the average."""
    first = (Step(controls.REGISTERED), Step(controls.ACKNOWLEDGED, seq=1), Step(controls.ACCEPTED))
    opened = access.Opened(
        at=hall.later(controls.CONTACTED.at, hours=-1),
        by=hall.HANDLER,
        case=IDS[CASE],
        purpose=access.Purpose.HANDLING,
        fields=("name", "phone"),
    )
    begun = (*first, *map(Step, (controls.ASSIGNED, controls.SIGNED)), Step(opened, ACCESS), Step(controls.CONTACTED))
    unfounded = replace(
        controls.FOUND, finding=Finding.UNSUBSTANTIATED, responsibility=(), evidence=(), rectification_required=False
    )
    rejected = replace(
        controls.SUBMITTED, decision=Decision.NOT_UPHELD, remedy=None, points=controls.SUBMITTED.points[:1]
    )
    last = (
        *map(Step, (controls.APPROVED, controls.REPLIED)),
        Step(controls.ATTEMPTED),
        Step(controls.REVISITED, seq=1),
        Step(controls.CLOSED),
    )
    withdrawn = Withdrawn(
        at=hall.local("02-14", "16:00"),
        by=hall.CITIZEN,
        reason=hall.sealed("reason"),
        proof=Proof.QUERY_CODE,
        confirmed_by=None,
    )
    told = notice.Queued(
        at=hall.local("02-14", "10:00"),
        by=THE_SYSTEM,
        case=IDS[CASE],
        version=TOLD,
        about="complaint.accepted",
        medium=notice.Carriage.STATUS_PAGE,
        reply=None,
    )
    queued = (Step(told, NOTICE), Step(notice.Delivered(at=hall.local("02-14", "11:00"), by=THE_SYSTEM), NOTICE))
    shown = (
        controls.EVIDENCED, controls.FOUND, controls.PLANNED, controls.RECTIFIED, controls.VERIFIED, controls.SUBMITTED,
    )  # fmt: skip
    return (
        (50, (*begun, *map(Step, (unfounded, rejected)), *last)),
        (15, (*begun, *map(Step, shown), *last)),
        (20, (*first, *queued, Step(withdrawn))),
        (15, (*first, Step(withdrawn))),
    )


@dataclass(frozen=True, slots=True)
class Template:
    """An event of a course, encoded, in pieces; gaps among them are filled by name, with an id of its own, or a box."""

    name: str
    stream: str
    seq: int
    second: int
    """When it happens, in seconds (UTC) from the beginning of the day of the registration, with the clock's to add."""
    pieces: tuple[str, ...]
    named: tuple[tuple[int, str], ...]
    fresh: tuple[int, ...]
    boxes: tuple[tuple[int, int], ...]

    def filled(self, values: Mapping[str, str], chance: Random) -> bytes:
        """Give the bytes of this event in a case."""
        pieces = list(self.pieces)
        for place, name in self.named:
            pieces[place] = values[name]
        for place in self.fresh:
            pieces[place] = written(chance.getrandbits(128))
        for place, length in self.boxes:
            start = int(chance.random() * POOL_BYTES)
            pieces[place] = POOL[start : start + length]
        return "".join(pieces).encode()


def written(number: int) -> str:
    """Write a number as the id it is."""
    told = f"{number:032x}"
    return f"{told[:8]}-{told[8:12]}-{told[12:16]}-{told[16:20]}-{told[20:]}"


def template(step: Step) -> Template:
    """Encode an event and find its gaps."""
    name, state = encode(
        step.event,
        Metadata(
            command=type(step.event).__name__.lower(),
            source="api",
            register=len(hall.REGISTER_EVENTS),
            rulebook=len(hall.RULEBOOK_EVENTS),
        ),
    )
    text = SEALED.sub(_gaps_of_a_value, state.decode())
    text = MOMENT.sub(rf"\1{GAP}clock{GAP}", text)
    text = DAY.sub(lambda found: f"{GAP}{(date.fromisoformat(found[0]) - STORY_DAY).days:+}{GAP}", text)
    text = WINDOW.sub(f"{GAP}window{GAP}", text)
    named = {"number": hall.NUMBER, "project": visits.PROJECT, **LINKS}
    named |= {gap: str(identity) for known in (IDS, STREAMS, MARKS) for gap, identity in known.items()}
    for gap, told in named.items():
        text = text.replace(told, f"{GAP}{gap}{GAP}")
    pieces = text.split(GAP)
    gaps = [(place, pieces[place]) for place in range(1, len(pieces), 2)]
    happened = step.event.at
    return Template(
        name=name,
        stream=step.stream,
        seq=step.seq,
        second=(happened.date() - STORY_DAY).days * A_DAY + happened.hour * AN_HOUR,
        pieces=tuple(pieces),
        named=tuple((place, gap) for place, gap in gaps if gap != "fresh" and not gap.startswith("box")),
        fresh=tuple(place for place, gap in gaps if gap == "fresh"),
        boxes=tuple((place, int(gap[3:])) for place, gap in gaps if gap.startswith("box")),
    )


def _gaps_of_a_value(found: re.Match[str]) -> str:
    # The last character of unpadded base64 may stand for less than six bits: then not every one is possible.
    length = len(found[3])
    whole, last = (length, "") if length % 4 == 0 else (length - 1, "A")
    return f"{GAP}fresh{GAP}{found[1]}{GAP}box16{GAP}{found[2]}{GAP}box{whole}{GAP}{last}"


def varied(steps: Sequence[Step], chance: Random) -> Iterator[Step]:
    """Let other people complain of other things elsewhere, in texts of other lengths."""
    category = chance.choice(hall.CATEGORIES).code
    bad = any(isinstance(step.event, review.Accepted) for step in steps)
    offered = {grade: weight for grade, weight in GRADES.items() if grade.bad is bad}
    (said,) = chance.choices(list(offered), list(offered.values()))
    changes: dict[type[Event], dict[str, Any]] = {
        Registered: {
            "channel": chance.choice(list(Channel)),
            "category": category,
            "respondent": Respondent(department="approval", window=chance.choice(("W03", "W04"))),
        },
        Accepted: {"category": category},
        review.Submitted: {"grade": said, "codes": (chance.choice(CODES[said]),)},
        review.Accepted: {"grade": said},
        Revisited: {
            "attitude_satisfaction": chance.choice(list(Grade)),
            "result_satisfaction": chance.choice(list(Grade)),
        },
    }
    for step in steps:
        event = replace(step.event, **changes.get(type(step.event), {}))
        yield step._replace(event=replace(event, **dict(_texts(event, chance))))


def _texts(event: Event, chance: Random) -> Iterator[tuple[str, Any]]:
    chars = 0
    for one in fields(event):
        value = getattr(event, one.name)
        if isinstance(value, Sealed):
            longer = _sealed(value, one.name, chance)
            chars = longer.chars
            yield one.name, longer
        elif isinstance(value, tuple) and value and isinstance(value[0], Sealed):
            yield one.name, tuple(_sealed(part, one.name, chance) for part in value)
        elif isinstance(value, TextFacts):
            yield one.name, replace(value, chars=chars)  # of the text in front of it


def _sealed(value: Sealed, kind: str, chance: Random) -> Sealed:
    chars = chance.randint(*LENGTHS.get(kind, A_NOTE))
    size = chars * (1 if kind in PLAIN else 3) + TAG
    return replace(value, chars=chars, nonce="A" * 16, box="A" * ((size * 4 + 2) // 3))
