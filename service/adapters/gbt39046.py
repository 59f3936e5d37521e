"""The evaluation table of GB/T 39046-2020 (table 9): here 1 is very satisfied and 5 very dissatisfied (table A.8).

The standard has no codes for the channel: it is told by its name, and so is the grade beside its code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.grade import Grade
from domain.review import ReviewChannel
from service.adapters.coded import Rating, Table, Unmapped, case_number, local, told, utc

CODE, NAME, CHANNEL = "满意度代码", "满意度", "评价渠道"
PROJECT_NO, WHEN, TIMES = "办件编号", "评价时间", "评价次数"
SATISFACTION: Final = Table(
    CODE,
    {
        Grade.VERY_SATISFIED: "1",
        Grade.SATISFIED: "2",
        Grade.BASICALLY_SATISFIED: "3",
        Grade.DISSATISFIED: "4",
        Grade.VERY_DISSATISFIED: "5",
    },
)
NAMES: Final = Table(
    NAME,
    {
        Grade.VERY_SATISFIED: "非常满意",
        Grade.SATISFIED: "满意",
        Grade.BASICALLY_SATISFIED: "基本满意",
        Grade.DISSATISFIED: "不满意",
        Grade.VERY_DISSATISFIED: "非常不满意",
    },
)
# Names of our own.
CHANNELS: Final = Table(
    CHANNEL,
    {
        ReviewChannel.COMPUTER: "电脑端",
        ReviewChannel.MOBILE: "移动端",
        ReviewChannel.QR: "二维码",
        ReviewChannel.TABLET: "平板电脑",
        ReviewChannel.TERMINAL: "其他终端",
        ReviewChannel.PHONE: "电话",
        ReviewChannel.SMS: "短信",
        ReviewChannel.PAPER: "纸质",
        ReviewChannel.OTHER: "其他",
    },
)
TIME: Final = "%Y%m%dT%H%M%S"
FIRST, FOLLOW_UP = "1", "2"


def write(rating: Rating) -> dict[str, str]:
    """Give the coded columns of a rating, under their names in the table; it has none for details and service number.

    Raises Unmapped for a case number that is too long: nothing is cut off.
    """
    return {
        PROJECT_NO: case_number(PROJECT_NO, rating.project_no),
        CHANNEL: CHANNELS.code(rating.channel),
        WHEN: local(rating.rated_at, TIME),
        TIMES: FOLLOW_UP if rating.follow_up else FIRST,
        NAME: NAMES.code(rating.grade),
        CODE: SATISFACTION.code(rating.grade),
    }


def read(fields: Mapping[str, str], *, service_number: int = 1) -> Rating:
    """Give the rating that a row tells of. Raises Unmapped, also where name and code of the grade do not agree."""
    grade = SATISFACTION.meaning(told(fields, CODE))
    if NAMES.meaning(told(fields, NAME)) is not grade:
        # The two sources count in opposite directions: a row that mixes them is not guessed at (domain.md F1).
        raise Unmapped(NAME, fields[NAME], f"code {fields[CODE]} is {NAMES.code(grade)}; name and code must agree")
    times = told(fields, TIMES)
    if times not in {FIRST, FOLLOW_UP}:
        raise Unmapped(TIMES, times, f"write {FIRST} for the first rating, {FOLLOW_UP} for the follow-up")
    return Rating(
        project_no=case_number(PROJECT_NO, told(fields, PROJECT_NO)),
        service_number=service_number,
        follow_up=times == FOLLOW_UP,
        grade=grade,
        codes=(),
        channel=CHANNELS.meaning(told(fields, CHANNEL)),
        rated_at=utc(WHEN, told(fields, WHEN), TIME),
    )
