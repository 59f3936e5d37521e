"""Bad ratings at a running hall, and what staff do about them: each command by whose duty it is."""

from __future__ import annotations

from typing import Any, Final

from httpx2 import Response

from tests.service.web.house import Hall
from tests.service.web.rating import BAD, KNOWN, V1, Rating, rated, served

REACHED: Final[dict[str, Any]] = {"method": "phone", "result": "reached"}
WAY: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("contact", "HE", REACHED),
    ("verify", "HE", {"verdict": "valid_clear", "facts": "监控显示态度生硬，属实。"}),
    ("rectify", "LI", {"actions": "已批评教育并当面致歉。"}),
    ("reply", "LI", {"text": "已整改，感谢监督。", "method": "phone"}),
    ("revisit", "SUN", {**REACHED, "answers": {"satisfied": "yes"}}),
)
"""The shortest way of a bad rating by somebody known: each command, who gives it, and its form."""
PROOF: Final[dict[str, Any]] = {"kind": "system_record", "description": "叫号系统：当日三号窗口没有此号。"}


def bad(hall: Hall, *, anonymous: bool = False, **form: object) -> Rating:
    """Bring a visit to a bad rating, with a name or without."""
    visit = served(hall, **({} if anonymous else KNOWN))
    return rated(hall, visit, **{**BAD, **form})


def do(hall: Hall, rating: Rating, command: str, name: str, post: str | None = None, /, **form: object) -> Response:
    """Let somebody give a command on a review."""
    return hall.as_(name, post).post(f"{rating.path}/{command}", json=form)


def done(
    hall: Hall, rating: Rating, command: str, name: str, post: str | None = None, /, **form: object
) -> dict[str, Any]:
    """Let somebody give a command that is not refused; give the answer."""
    answer = do(hall, rating, command, name, post, **form)
    assert answer.status_code == 200, (command, answer.text)
    told: dict[str, Any] = answer.json()
    return told


def carry(hall: Hall, rating: Rating, until: str = "revisit", begin: str = "contact") -> None:
    """Carry a bad rating along its way, from one command up to and with another."""
    names = [command for command, _, _ in WAY]
    for command, name, form in WAY[names.index(begin) : names.index(until) + 1]:
        done(hall, rating, command, name, **form)


def shown(hall: Hall, rating: Rating, name: str = "ZHOU") -> dict[str, Any]:
    """Give a review as somebody sees it."""
    answer = hall.as_(name).get(rating.path)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def stage(hall: Hall, rating: Rating) -> str:
    """Say where a review stands."""
    return str(shown(hall, rating)["stage"])


def contested(hall: Hall, rating: Rating, **form: object) -> tuple[str, str]:
    """Let the head of the unit appeal with a piece of evidence; give the evidence and the appeal."""
    evidence = str(done(hall, rating, "record-evidence", "WANG", **PROOF)["evidence"])
    told = {"ground": "mistaken_target", "explanation": "当日三号窗口没有此号。", "evidence": [evidence], **form}
    return evidence, str(done(hall, rating, "appeal", "WANG", **told)["appeal"])


def excluded(hall: Hall, rating: Rating) -> None:
    """Let two outside deciders take a review out of the figures."""
    evidence, appeal = contested(hall, rating)
    propose = {"appeal": appeal, "result": "exclude", "reason": "mistaken_target", "reasons": "无此办件。"}
    proposal = done(hall, rating, "propose-decide-appeal", "GUO", **propose, evidence=[evidence])["proposal"]
    done(hall, rating, "confirm-decide-appeal", "MA", proposal=proposal)


def objected(hall: Hall, rating: Rating) -> str:
    """Let whoever rated object; give the objection."""
    form = {"own_link": rating.own_link, "ground": "我确实在三号窗口办的。"}
    answer = hall.client().post(f"{V1}/own/review/object", json=form)
    assert answer.status_code == 200, answer.text
    return str(shown(hall, rating)["current"]["objection"])
