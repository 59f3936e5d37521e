"""The national interface of 好差评 (domain.md §13.1): 5 is very satisfied; provinces differ in two fields, by setting.

Only the fields that carry codes, with what identifies the rating. The codes were read in working code of provinces (N1,
N2, N3), not in a published standard; encryption and sending belong to whoever connects a hall.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.code_sets import CodeSet
from domain.decider import Code
from domain.grade import Grade
from domain.review import ReviewChannel
from service.adapters.coded import Rating, Table, Unmapped, case_number, local, number, told, utc

SATISFACTION: Final = Table(
    "satisfaction",
    {
        Grade.VERY_SATISFIED: "5",
        Grade.SATISFIED: "4",
        Grade.BASICALLY_SATISFIED: "3",
        Grade.DISSATISFIED: "2",
        Grade.VERY_DISSATISFIED: "1",
    },
)
TIME: Final = "%Y-%m-%d %H:%M:%S"
MOST_SERVICES: Final = 9999
FIRST, FOLLOW_UP = "1", "2"
_AGREED: Final = {
    ReviewChannel.COMPUTER: "1",
    ReviewChannel.MOBILE: "2",
    ReviewChannel.QR: "3",
    ReviewChannel.TABLET: "4",
    ReviewChannel.TERMINAL: "5",
}


class SixAndSeven(StrEnum):
    """What `pf` 6 and 7 are: telephone and text message, or text message and the platform's default (domain.md F7)."""

    PHONE_SMS = "phone_sms"
    SMS_DEFAULT = "sms_default"


class AssessNumber(StrEnum):
    """What `assessNumber` is: 1 for the first rating, 2 for the follow-up; or `serviceNumber` again (§14 case 23)."""

    ORDER = "order"
    SERVICE = "service"


CHANNELS: Final[Mapping[SixAndSeven, Table[ReviewChannel]]] = {
    SixAndSeven.PHONE_SMS: Table("pf", {**_AGREED, ReviewChannel.PHONE: "6", ReviewChannel.SMS: "7"}),
    # 7 stands for nobody's rating there, so it has no meaning of ours.
    SixAndSeven.SMS_DEFAULT: Table("pf", {**_AGREED, ReviewChannel.SMS: "6"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one province writes; none of it has a default, because no two sources agree."""

    six_and_seven: SixAndSeven
    assess_number: AssessNumber


def write(rating: Rating, dialect: Dialect, code_set: CodeSet) -> dict[str, str]:
    """Give the fields of a rating. Raises Unmapped for what this province cannot be told."""
    order = FOLLOW_UP if rating.follow_up else FIRST
    if dialect.assess_number is AssessNumber.SERVICE:
        # The follow-up would bear the number of the first rating, and be turned away as a repetition of it.
        if rating.follow_up:
            raise Unmapped("assessNumber", FOLLOW_UP, "this platform takes one rating of a visit, and no follow-up")
        order = str(rating.service_number)
    number("serviceNumber", str(rating.service_number), most=MOST_SERVICES)
    _checked(rating.codes, rating.grade, code_set)
    return {
        "projectNo": case_number("projectNo", rating.project_no),
        "serviceNumber": str(rating.service_number),
        "assessNumber": order,
        "satisfaction": SATISFACTION.code(rating.grade),
        "evalDetail": ",".join(rating.codes),
        "pf": CHANNELS[dialect.six_and_seven].code(rating.channel),
        "assessTime": local(rating.rated_at, TIME),
    }


def read(fields: Mapping[str, str], dialect: Dialect, code_set: CodeSet) -> Rating:
    """Give the rating that fields tell of; others than those of `write` are left alone, except `isdefault`.

    Raises Unmapped for every code that is unknown here, and for a default rating: nobody gave it (domain.md F2).
    """
    if fields.get("isdefault", "0") != "0":
        raise Unmapped("isdefault", fields["isdefault"], "a default rating is nobody's and is not taken over")
    grade = SATISFACTION.meaning(told(fields, "satisfaction"))
    service_number = number("serviceNumber", told(fields, "serviceNumber"), most=MOST_SERVICES)
    detail = told(fields, "evalDetail")
    codes = tuple(detail.split(",")) if detail else ()
    _checked(codes, grade, code_set)
    return Rating(
        project_no=case_number("projectNo", told(fields, "projectNo")),
        service_number=service_number,
        follow_up=_follows_up(told(fields, "assessNumber"), service_number, dialect),
        grade=grade,
        codes=codes,
        channel=CHANNELS[dialect.six_and_seven].meaning(told(fields, "pf")),
        rated_at=utc("assessTime", told(fields, "assessTime"), TIME),
    )


def _follows_up(order: str, service_number: int, dialect: Dialect) -> bool:
    if dialect.assess_number is AssessNumber.ORDER:
        if order not in {FIRST, FOLLOW_UP}:
            raise Unmapped("assessNumber", order, f"write {FIRST} for the first rating, {FOLLOW_UP} for the follow-up")
        return order == FOLLOW_UP
    if order != str(service_number):
        raise Unmapped("assessNumber", order, f"write {service_number}, as in serviceNumber")
    return False


def _checked(codes: tuple[Code, ...], grade: Grade, code_set: CodeSet) -> None:
    """Refuse a code that the set does not hold for this grade; whether it may still be ticked, the rules say."""
    for code in codes:
        found = code_set.code(code)
        if found is None or found.grade is not grade:
            raise Unmapped("evalDetail", code, f"{code_set.name} {code_set.version} has no such code for {grade}")
