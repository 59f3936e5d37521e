"""What a writer says of visits: opened, invited to, rated by devices that race, followed up; the same at every try."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

from domain import occasion
from domain.decider import NAMESPACE, THE_SYSTEM, Digest
from domain.errors import AlreadyReviewed, InvitationUsed
from domain.grade import Grade
from domain.occasion import Medium
from service.asking import Asked, Done
from service.forms.reviews import FollowUpForm, OccasionForm, ReviewForm
from service.reviewing import Origin, Rated, Reviews, digest_of

HALL: Final = "ALL"
WINDOW: Final = "W1"
REGISTER: Final = """
sites = [{ code = "ALL", name_zh = "厅", name_en = "Hall", level = "district" }]
departments = [{ code = "D1", name_zh = "局", name_en = "Bureau", site = "ALL" }]
windows = [{ code = "W1", name_zh = "窗口", name_en = "Window", site = "ALL", department = "D1" }]
"""
"""Where everybody is served: somebody has to answer for a bad rating."""
DEVICES: Final = range(4)
"""That race for one visit: two deliver one rating, the third says something else with its token, the fourth has its own
token."""


@dataclass(frozen=True, slots=True)
class Saying:
    """What is said of one visit; the same project and command id give the same words, whoever sends them."""

    project: str
    command_id: UUID
    bad: bool

    @property
    def visit(self) -> UUID:
        """The stream of the visit."""
        return occasion.stream(self.project, 1)

    @property
    def events(self) -> int:
        """How many events the rating makes: a bad one becomes a work order."""
        return 3 if self.bad else 2

    def open(self, reviews: Reviews) -> Done:
        """Record the visit; somebody else may have done so."""
        form = OccasionForm(hall=HALL, project_no=self.project, window=WINDOW, name="欧阳·𬭎", phone="13800138000")
        return reviews.open_occasion(form, THE_SYSTEM, self._asked("open"))[1]

    def invite(self, reviews: Reviews, place: int = 0) -> tuple[str, Done]:
        """Invite to rate it; give the token, which is the same each time."""
        return reviews.invite(self.visit, Medium.QR, THE_SYSTEM, self._asked(f"invite-{place}"))

    def text(self, device: int) -> str | None:
        """What a device writes; good ratings have no words."""
        return f"{self.command_id}: {'第二次还是' if device == 2 else ''}让我白跑一趟。" if self.bad else None

    def rate(self, reviews: Reviews, device: int, token: str) -> Rated:
        """Rate the visit from a device that nobody has seen before."""
        form = ReviewForm(
            token=token,
            grade=Grade.DISSATISFIED if self.bad else Grade.VERY_SATISFIED,
            codes=("214",) if self.bad else ("517",) if device != 2 else ("510",),
            text=self.text(device),
            device=f"phone-{self.command_id}-{0 if device == 1 else device}",
        )
        return reviews.submit(token, form, Origin(address=f"10.1.{device}.{self.command_id.bytes[0]}"), "torture")

    def append(self, reviews: Reviews, own_link: str) -> Done:
        """Add the one follow-up."""
        form = FollowUpForm(own_link=own_link, grade=Grade.SATISFIED, codes=("413",))
        return reviews.append(form, Origin(), "torture")

    def race(self, reviews: Reviews, answered: Callable[[int, str, Rated], None]) -> Rated | None:
        """Let all devices rate the visit at once; give what the faster one did, None where another writer was first."""
        tokens = []
        with contextlib.suppress(AlreadyReviewed):
            self.open(reviews)
            tokens = [self.invite(reviews, place)[0] for place in (0, 1)]
        if not tokens:
            return None

        def one(device: int) -> Rated | None:
            token = tokens[device // 3]
            with contextlib.suppress(AlreadyReviewed, InvitationUsed):
                rated = self.rate(reviews, device, token)
                answered(device, token, rated)
                return rated
            return None

        with ThreadPoolExecutor(len(DEVICES)) as threads:
            return next((rated for rated in threads.map(one, DEVICES) if rated is not None), None)

    def _asked(self, name: str) -> Asked:
        return Asked(command_id=uuid5(self.command_id, name), source="torture", name=name)


def rating_id(token: Digest | None) -> UUID:
    """Give the command id under which a rating with the token of this digest is in the log."""
    return uuid5(NAMESPACE, f"review:{token}")


def follow_up_id(own_link: str) -> UUID:
    """Give the command id under which the follow-up to the rating with this link is in the log."""
    return uuid5(NAMESPACE, f"follow-up:{digest_of(own_link)}")
