"""The hall of the controls with everybody who has a part beside the loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from domain.decider import THE_SYSTEM, Actor, Code, PersonKey, Role
from domain.register import REGISTER, Post, PostAdded, PostTaken
from tests.hall import (
    CHEN,
    CHU,
    COMPLAINANT,
    ENTERED,
    FACTS,
    FENG,
    HOLDERS,
    JIANG,
    LI,
    POSTS,
    QIAN,
    STRANGER,
    SUN,
    WANG,
    WEI,
    WU,
    ZHAO,
    ZHENG,
    ZHOU,
    person,
)

HE: Final = person("HE")  # a second one at the complaint desk
MA: Final = person("MA")  # looks after personal data
LU: Final = person("LU")  # reviews, in the upper unit
YANG: Final = person("YANG")  # reviews as well
MORE_POSTS: Final = (
    Post(code="review", name_zh="复核岗", name_en="Review", role=Role.REVIEWER, site="GXQ"),
    Post(code="privacy", name_zh="个人信息保护岗", name_en="Privacy", role=Role.PRIVACY_OFFICER, site="GXQ"),
    Post(code="audit", name_zh="审计", name_en="Audit", role=Role.AUDITOR, site="GXQ"),
)
MORE_HOLDERS: Final = (
    (HE, "desk"), (MA, "privacy"), (LU, "review"), (YANG, "review"), (WU, "privacy"), (WEI, "review"), (ZHOU, "audit"),
)  # fmt: skip
OFFICES: Final[Mapping[str, Post]] = MappingProxyType({**POSTS, **{post.code: post for post in MORE_POSTS}})
HELD: Final = (*HOLDERS, *MORE_HOLDERS)
MORE_EVENTS: Final[tuple[PostAdded | PostTaken, ...]] = (
    *(PostAdded(at=ENTERED, by=THE_SYSTEM, entry=post) for post in MORE_POSTS),
    *(PostTaken(at=ENTERED, by=THE_SYSTEM, post=post, person=who, since=ENTERED) for who, post in MORE_HOLDERS),
)
BEFORE: Final = replace(FACTS, register=REGISTER.fold(MORE_EVENTS, FACTS.register))

PEOPLE: Final = (
    LI, WANG, ZHAO, QIAN, SUN, ZHOU, WU, ZHENG, FENG, CHEN, CHU, WEI, JIANG, HE, MA, LU, YANG, COMPLAINANT, STRANGER,
)  # fmt: skip


def acting(who: PersonKey, post: Code, role: Role | None = None) -> Actor:
    """Give somebody acting in a post, in the role it carries or as the other side."""
    return Actor(person=who, post=post, role=role or OFFICES[post].role)


ANYBODY: Final = (
    *(acting(who, post) for who, post in HELD),
    *(Actor(person=who, role=Role.CITIZEN) for who in (COMPLAINANT, STRANGER, LI)),
    *(acting(who, post, Role.RESPONDENT) for who, post in ((FENG, "window-3"), (ZHAO, "approval-head"))),
    THE_SYSTEM,
)
