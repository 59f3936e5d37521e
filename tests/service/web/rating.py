"""Visits at a running hall, and what people say of them: recorded, invited to rate, rated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid4

from httpx2 import Response

from tests.service.web.house import Hall

V1: Final = "/api/v1"
BAD: Final[dict[str, Any]] = {"grade": "dissatisfied", "codes": ["214"], "text": "窗口人员态度生硬。"}
GOOD: Final[dict[str, Any]] = {"grade": "very_satisfied", "codes": ["517"]}
KNOWN: Final[dict[str, str]] = {"name": "欧阳·𬭎", "phone": "13800138000"}


@dataclass(frozen=True, slots=True)
class Rating:
    """A rating as a test knows it: the visit, what it was given with, and what whoever rated took home."""

    visit: str
    token: str
    id: str
    own_link: str

    @property
    def path(self) -> str:
        """Where the review is."""
        return f"{V1}/reviews/{self.id}"


def served(hall: Hall, by: str = "QIAN", **more: object) -> str:
    """Record a visit at window 3; give its id."""
    form = {"project_no": f"P-{uuid4().hex[:12]}", "window": "W03", **more}
    answer = hall.as_(by).post(f"{V1}/occasions", json=form)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def invited(hall: Hall, visit: str, by: str = "QIAN") -> str:
    """Invite to rate a visit; give the token."""
    answer = hall.as_(by).post(f"{V1}/occasions/{visit}/invite", json={"medium": "qr"})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def rate(hall: Hall, token: str, **form: object) -> Response:
    """Rate with a token, from a device where nobody is logged in."""
    return hall.client().post(f"{V1}/reviews", json={"token": token, **(form or GOOD)})


def rated(hall: Hall, visit: str | None = None, **form: object) -> Rating:
    """Bring a visit to a rating, and what people read to the end of the log."""
    visit = visit or served(hall, **KNOWN)
    token = invited(hall, visit)
    answer = rate(hall, token, **form)
    assert answer.status_code == 201, answer.text
    hall.project()
    return Rating(visit, token, answer.json()["id"], answer.json()["own_link"])


def listed(hall: Hall, name: str, post: str | None = None, /, **asked: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a filter
    """Give the reviews that somebody's list shows."""
    answer = hall.as_(name, post).get(f"{V1}/reviews", params=asked)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def written_down(hall: Hall, **form: object) -> Rating:
    """Let a clerk write down what somebody says of a visit."""
    visit = served(hall, **KNOWN)
    answer = hall.as_("QIAN").post(f"{V1}/reviews", json={"occasion": visit, **(form or GOOD)})
    assert answer.status_code == 201, answer.text
    assert answer.json()["own_link"] is None
    hall.project()
    return Rating(visit, "", answer.json()["id"], "")


def with_slip(hall: Hall, rating: Rating) -> Rating:
    """Let a clerk print the link of a rating that was written down."""
    answer = hall.as_("QIAN").post(f"{rating.path}/slip")
    assert answer.status_code == 200, answer.text
    return replace(rating, own_link=answer.json()["own_link"])
