"""Named example data: one hall in early 2026, its people, its posts, and the rules it works by."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from domain.deadlines import Due
from domain.decider import THE_SYSTEM, Actor, PersonKey, Role
from domain.handling import Basis, Facts
from domain.register import (
    REGISTER,
    Department,
    DepartmentAdded,
    Item,
    ItemAdded,
    Post,
    PostAdded,
    PostLeft,
    PostTaken,
    RegisterEvent,
    Site,
    SiteAdded,
    SiteLevel,
    Window,
    WindowAdded,
    WindowKind,
)
from domain.rulebook import (
    RULEBOOK,
    CalendarAdopted,
    CategoriesAdopted,
    Category,
    CodeList,
    Permission,
    Policy,
    PolicyAdopted,
    PolicyRef,
    Profile,
    RulebookEvent,
)
from domain.sealed import Sealed, TextFacts
from service import profiles

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
ROOT: Final = UUID("0a1b2c3d-0000-5000-8000-00000000cafe")


def local(day: str, clock: str = "09:00") -> datetime:
    """Give a local time of 2026, as `02-13` and `18:30`, in UTC."""
    return datetime.fromisoformat(f"2026-{day}T{clock}").replace(tzinfo=SHANGHAI).astimezone(UTC)


def until(day: str, clock: str = "23:59:59.999999", *, provisional: bool = False) -> Due:
    """Give a deadline at a local time of 2026, by default the last instant of the day."""
    return Due(at=local(day, clock), day=date.fromisoformat(f"2026-{day}"), provisional=provisional)


def key(name: str) -> UUID:
    """Give the same id for the same name."""
    return uuid5(ROOT, name)


def person(name: str) -> PersonKey:
    """Give the key of somebody in these stories."""
    return PersonKey(key(f"person:{name}"))


def sealed(name: str, chars: int = 12) -> Sealed:
    """Give a value that looks sealed and opens nothing; the same name gives the same value."""
    return Sealed(
        v=1,
        value_id=key(f"value:{name}"),
        key_id=key("key"),
        nonce="bm9uY2Utbm9uY2Ut",
        box="Ym94LWJveC1ib3g",
        chars=chars,
    )


# People. Who holds two posts is there to be refused.
LI: Final = person("LI")  # complaint desk
WANG: Final = person("WANG")  # handles in the approval department
ZHAO: Final = person("ZHAO")  # heads the approval department
QIAN: Final = person("QIAN")  # deputy head there, and handler there
SUN: Final = person("SUN")  # supervises
ZHOU: Final = person("ZHOU")  # revisits, belongs to no department
WU: Final = person("WU")  # handles in the approval department, and revisits, and supervises
ZHENG: Final = person("ZHENG")  # takes complaints at the integrity window
FENG: Final = person("FENG")  # serves at window 3: the one complained of
CHEN: Final = person("CHEN")  # serves at window 3, and handles in the approval department
CHU: Final = person("CHU")  # handles in the tax department, and revisits
WEI: Final = person("WEI")  # holds every post there is
JIANG: Final = person("JIANG")  # heads the tax department
COMPLAINANT: Final = person("COMPLAINANT")
STRANGER: Final = person("STRANGER")

POSTS: Final[dict[str, Post]] = {
    post.code: post
    for post in (
        Post(code="desk", name_zh="投诉受理台", name_en="Complaint desk", role=Role.DISPATCHER, site="GXQ"),
        Post(
            code="counter", name_zh="诚信窗口", name_en="Integrity window", role=Role.INTAKE, site="GXQ", window="W00"
        ),
        Post(
            code="window-3", name_zh="三号窗口", name_en="Window 3", role=Role.INTAKE, site="GXQ",
            department="approval", window="W03",
        ),
        Post(
            code="approval-handler", name_zh="审批局承办", name_en="Handler, Approval", role=Role.HANDLER, site="GXQ",
            department="approval",
        ),
        Post(
            code="approval-head", name_zh="审批局负责人", name_en="Head, Approval", role=Role.UNIT_HEAD, site="GXQ",
            department="approval",
        ),
        Post(
            code="tax-handler", name_zh="税务局承办", name_en="Handler, Tax", role=Role.HANDLER, site="GXQ",
            department="tax",
        ),
        Post(
            code="tax-head", name_zh="税务局负责人", name_en="Head, Tax", role=Role.UNIT_HEAD, site="GXQ",
            department="tax",
        ),
        Post(code="supervisor", name_zh="督查", name_en="Supervisor", role=Role.SUPERVISOR, site="GXQ"),
        Post(code="revisits", name_zh="回访", name_en="Revisits", role=Role.REVISIT_OFFICER, site="GXQ"),
    )
}  # fmt: skip
HOLDERS: Final[tuple[tuple[PersonKey, str], ...]] = (
    (LI, "desk"),
    (WANG, "approval-handler"),
    (ZHAO, "approval-head"),
    (QIAN, "approval-head"),
    (QIAN, "approval-handler"),
    (SUN, "supervisor"),
    (ZHOU, "revisits"),
    (WU, "approval-handler"),
    (WU, "revisits"),
    (WU, "supervisor"),
    (ZHENG, "counter"),
    (FENG, "window-3"),
    (CHEN, "window-3"),
    (CHEN, "approval-handler"),
    (CHU, "tax-handler"),
    (CHU, "revisits"),
    (JIANG, "tax-head"),
    *((WEI, code) for code in POSTS if code != "window-3"),
)


def actor(who: PersonKey, post: str, *, on_behalf_of: PersonKey | None = None) -> Actor:
    """Give somebody acting in one of the posts above, in the role it carries."""
    return Actor(person=who, post=post, role=POSTS[post].role, on_behalf_of=on_behalf_of)


DESK: Final = actor(LI, "desk")
COUNTER: Final = actor(ZHENG, "counter")
HANDLER: Final = actor(WANG, "approval-handler")
HEAD: Final = actor(ZHAO, "approval-head")
SUPERVISOR: Final = actor(SUN, "supervisor")
REVISITOR: Final = actor(ZHOU, "revisits")
CITIZEN: Final = Actor(person=COMPLAINANT, role=Role.CITIZEN)

# The hall, entered a month before anything happens.
ENTERED: Final = local("01-05")
REGISTER_EVENTS: Final[tuple[RegisterEvent, ...]] = (
    SiteAdded(
        at=ENTERED, by=THE_SYSTEM,
        entry=Site(code="GXQ", name_zh="高新区政务服务中心", name_en="High-tech Zone Centre", level=SiteLevel.DISTRICT),
    ),
    *(
        DepartmentAdded(at=ENTERED, by=THE_SYSTEM, entry=Department(code=code, name_zh=zh, name_en=en, site="GXQ"))
        for code, zh, en in (
            ("approval", "行政审批局", "Approval"),
            ("tax", "税务局", "Tax"),
            ("office", "管委会办公室", "Committee Office"),
        )
    ),
    *(
        WindowAdded(
            at=ENTERED, by=THE_SYSTEM,
            entry=Window(code=code, name_zh=zh, name_en=en, site="GXQ", department=department, kind=kind),
        )
        for code, zh, en, department, kind in (
            ("W00", "诚信建设投诉窗口", "Integrity window", None, WindowKind.INTEGRITY),
            ("W03", "三号窗口", "Window 3", "approval", WindowKind.SERVICE),
            ("W04", "四号窗口", "Window 4", "approval", WindowKind.SERVICE),
        )
    ),
    ItemAdded(
        at=ENTERED, by=THE_SYSTEM,
        entry=Item(
            code="licence", name_zh="营业执照", name_en="Licence", department="approval", promised_working_days=3
        ),
    ),
    *(PostAdded(at=ENTERED, by=THE_SYSTEM, entry=post) for post in POSTS.values()),
    *(PostTaken(at=ENTERED, by=THE_SYSTEM, post=post, person=who, since=ENTERED) for who, post in HOLDERS),
)  # fmt: skip


def policy(name: Profile, version: int = 1) -> Policy:
    """Give a policy from the profile that comes with the program."""
    read: dict[str, Any] = profiles.read(name)
    escalation = profiles.document(name).escalation
    return Policy(
        profile=name,
        version=version,
        zone=read["zone"],
        office_hours=profiles.office_hours(name),
        terms=profiles.terms(name),
        permissions=tuple(
            Permission(command=command, roles=tuple(map(Role, roles))) for command, roles in read["may"].items()
        ),
        lists=tuple(CodeList(name=listed, codes=tuple(codes)) for listed, codes in read["lists"].items()),
        timers=read["timers"],
        attempts_required=read["attempts_required"],
        attempt_days_required=read["attempt_days_required"],
        extensions_per_round=read.get("extension", {}).get("per_round", 0),
        approve_after_request=read.get("extension", {}).get("approve_after_request_ok", False),
        escalation=None if escalation is None else escalation.escalation(),
        numbers=profiles.document(name).thresholds(),
    )


HALL: Final = policy(Profile.HALL)
LEDGER: Final = policy(Profile.LEDGER)
CALENDAR_2026: Final = profiles.calendar_from_library([2026])[0]
CATEGORIES: Final = (
    Category(code="SHIRK", name_zh="推诿扯皮", name_en="Passing the buck"),
    Category(code="BROKEN_PROMISE", name_zh="不守信不践诺", name_en="Broken promise"),
    Category(code="ARREARS", parent="BROKEN_PROMISE", name_zh="拖欠账款", name_en="Arrears"),
)
RULEBOOK_EVENTS: Final[tuple[RulebookEvent, ...]] = (
    CalendarAdopted(at=ENTERED, by=THE_SYSTEM, calendar=CALENDAR_2026),
    CategoriesAdopted(at=ENTERED, by=THE_SYSTEM, version=1, categories=CATEGORIES),
    PolicyAdopted(at=ENTERED, by=THE_SYSTEM, policy=HALL, in_force_from=ENTERED),
    PolicyAdopted(at=ENTERED, by=THE_SYSTEM, policy=LEDGER, in_force_from=ENTERED),
)
NUMBER: Final = "TS-GXQ-20260213-00001-2"
FACTS: Final = Facts(
    register=REGISTER.fold(REGISTER_EVENTS),
    rulebook=RULEBOOK.fold(RULEBOOK_EVENTS),
    rulebook_version=len(RULEBOOK_EVENTS),
    complaint_no=NUMBER,
)
BASIS: Final = Basis(policy=PolicyRef(profile=Profile.HALL, version=1), rulebook=4)
MEASURED: Final = TextFacts(chars=12, has_text=True)


def later(moment: datetime, **span: float) -> datetime:
    """Give a later moment, as `later(moment, minutes=1)`."""
    return moment + timedelta(**span)


def leaving(who: PersonKey, post: str, at: datetime) -> Facts:
    """Give the facts after somebody left one of the posts."""
    return replace(
        FACTS, register=REGISTER.evolve(FACTS.register, PostLeft(at=at, by=THE_SYSTEM, post=post, person=who, until=at))
    )
