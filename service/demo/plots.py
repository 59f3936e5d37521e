"""What can happen to a complaint besides the straight way, so that a demo holds every step and every side of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from domain.complaint.state import Step


class Twist(StrEnum):
    """What sets one complaint apart."""

    PLAIN = "plain"
    ACCEPTED_LATE = "accepted_late"
    ASSIGNED_LATE = "assigned_late"
    SIGNED_LATE = "signed_late"
    CONTACTED_LATE = "contacted_late"
    REPLIED_LATE = "replied_late"
    REVISITED_LATE = "revisited_late"
    UNREACHABLE = "unreachable"
    WRONG_NUMBER = "wrong_number"
    CALL_DECLINED = "call_declined"
    ANONYMOUS = "anonymous"
    REWORK = "rework"
    REWORK_TWICE = "rework_twice"
    DELIVERY_FAILED = "delivery_failed"
    RECTIFIED_LATE = "rectified_late"
    RECTIFICATION_FAILED = "rectification_failed"
    RECTIFICATION_TRACKED = "rectification_tracked"
    REVISIT_UNREACHABLE = "revisit_unreachable"
    REVISIT_DECLINED = "revisit_declined"
    OWN_WORK = "own_work"  # somebody with two posts tries to revisit her own work, and is refused
    TOLD_AGAIN = "told_again"
    ABOUT_SOMEBODY = "about_somebody"
    SEALED = "sealed"
    BY_RESPONDENT = "by_respondent"
    NEW_CODE = "new_code"
    COMPLEX = "complex"
    POLICY_OBSTACLE = "policy_obstacle"
    URGENT = "urgent"
    ASSISTED = "assisted"
    LIES_REGISTERED = "lies_registered"
    LIES_ACCEPTED = "lies_accepted"
    LIES_ASSIGNED = "lies_assigned"
    LIES_IN_PROGRESS = "lies_in_progress"
    LIES_PENDING = "lies_pending"
    LIES_APPROVED = "lies_approved"
    LIES_REPLIED = "lies_replied"


LIES: Final[Mapping[Twist, Step]] = MappingProxyType(
    {
        Twist.LIES_REGISTERED: Step.REGISTERED,
        Twist.LIES_ACCEPTED: Step.ACCEPTED,
        Twist.LIES_ASSIGNED: Step.ASSIGNED,
        Twist.LIES_IN_PROGRESS: Step.IN_PROGRESS,
        Twist.LIES_PENDING: Step.REPLY_PENDING_APPROVAL,
        Twist.LIES_APPROVED: Step.REPLY_APPROVED,
        Twist.LIES_REPLIED: Step.REPLIED,
    }
)
"""At which step a complaint is left lying."""

LYING: Final = 130
"""Only the last so many complaints lie, so that each kind does; older ones were found at the last inspection."""

STRIDE: Final = 12
"""Has no factor in common with the number of twists, so that each has its turn and neighbours differ."""
_SIDES: Final = tuple(twist for twist in Twist if twist is not Twist.PLAIN)


def twist_of(number: int, after: int) -> Twist:
    """Give what happens to a complaint, by its number: three of five are plain, and each other thing comes in turn.

    `after` is how many complaints come after it.
    """
    place, turn = number % 5, number // 5 * 2
    if place not in {1, 3}:
        return Twist.PLAIN
    twist = _SIDES[(turn + place // 2) * STRIDE % len(_SIDES)]
    return Twist.PLAIN if twist in LIES and after >= LYING else twist
