"""Two standards that count in opposite directions both give back what they were told, and guess at nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.grade import Grade
from domain.review import ReviewChannel
from service import adoption
from service.adapters import gbt39046, national
from service.adapters.coded import Rating, Table, Unmapped
from service.adapters.national import AssessNumber, Dialect, SixAndSeven

SET: Final = adoption.code_set().code_set()
ONE: Final = Dialect(six_and_seven=SixAndSeven.PHONE_SMS, assess_number=AssessNumber.ORDER)
ANOTHER: Final = Dialect(six_and_seven=SixAndSeven.SMS_DEFAULT, assess_number=AssessNumber.SERVICE)
RATING: Final = Rating(
    project_no="37GXQ2026000123",
    service_number=3,
    follow_up=False,
    grade=Grade.DISSATISFIED,
    codes=("213", "214"),
    channel=ReviewChannel.TABLET,
    rated_at=datetime(2026, 2, 13, 16, 30, 15, tzinfo=UTC),
)
MESSAGE: Final = {
    "projectNo": "37GXQ2026000123",
    "serviceNumber": "3",
    "assessNumber": "1",
    "satisfaction": "2",
    "evalDetail": "213,214",
    "pf": "4",
    "assessTime": "2026-02-14 00:30:15",
}
ROW: Final = {
    "办件编号": "37GXQ2026000123",
    "评价渠道": "平板电脑",
    "评价时间": "20260214T003015",
    "评价次数": "1",
    "满意度": "不满意",
    "满意度代码": "4",
}
# From the two sources, each on its own: domain.md F1.
FIVE_TO_ONE: Final = ("very_satisfied", "satisfied", "basically_satisfied", "dissatisfied", "very_dissatisfied")
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - given its zone here
    lambda moment: moment.replace(tzinfo=UTC, microsecond=0)
)


@st.composite
def ratings(draw: st.DrawFn) -> Rating:
    """Draw a rating with codes of its grade."""
    grade = draw(st.sampled_from(list(Grade)))
    own = [one.code for one in SET.codes if one.grade is grade]
    return Rating(
        project_no=draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,49}", fullmatch=True)),
        service_number=draw(st.integers(1, 9999)),
        follow_up=draw(st.booleans()),
        grade=grade,
        codes=tuple(draw(st.lists(st.sampled_from(own), unique=True))),
        channel=draw(st.sampled_from(list(ReviewChannel))),
        rated_at=draw(moments),
    )


def test_the_two_standards_count_in_opposite_directions() -> None:
    """5 to 1 in the interface, 1 to 5 in the standard: the codes of a grade always add up to six."""
    assert [national.SATISFACTION.meaning(code) for code in "54321"] == list(FIVE_TO_ONE)
    assert [gbt39046.SATISFACTION.meaning(code) for code in "12345"] == list(FIVE_TO_ONE)
    for grade in Grade:
        assert int(national.SATISFACTION.code(grade)) + int(gbt39046.SATISFACTION.code(grade)) == 6
        assert grade.bad == (int(national.SATISFACTION.code(grade)) < 3)


@pytest.mark.parametrize("table", [national.SATISFACTION, gbt39046.SATISFACTION, gbt39046.NAMES])
def test_every_grade_comes_back(table: Table[Grade]) -> None:
    """In both polarities, and by name."""
    assert [table.meaning(table.code(grade)) for grade in Grade] == list(Grade)


def test_a_rating_is_written_as_each_standard_writes_it() -> None:
    """Local time, the own polarity; and read back it is the same rating."""
    assert national.write(RATING, ONE, SET) == MESSAGE
    assert national.read(MESSAGE, ONE, SET) == RATING
    assert gbt39046.write(RATING) == ROW
    assert gbt39046.read(ROW, service_number=3) == replace(RATING, codes=())
    assert gbt39046.read(ROW).service_number == 1


@given(ratings(), st.sampled_from(list(SixAndSeven)), st.sampled_from(list(AssessNumber)))
def test_whatever_the_interface_can_be_told_comes_back(rating: Rating, pf: SixAndSeven, order: AssessNumber) -> None:
    """In every dialect; what it cannot be told is refused, and is a channel without a code or a second rating."""
    dialect = Dialect(six_and_seven=pf, assess_number=order)
    no_second = rating.follow_up and order is AssessNumber.SERVICE
    if no_second or rating.channel not in national.CHANNELS[pf].codes:
        with pytest.raises(Unmapped, match="assessNumber is" if no_second else "pf is"):
            national.write(rating, dialect, SET)
    else:
        assert national.read(national.write(rating, dialect, SET), dialect, SET) == rating


@given(ratings())
def test_whatever_the_standard_is_told_comes_back(rating: Rating) -> None:
    """But for the codes and the service number, for which its table has no column."""
    assert gbt39046.read(gbt39046.write(rating), service_number=rating.service_number) == replace(rating, codes=())


@given(ratings())
def test_from_one_standard_to_the_other_a_grade_stays(rating: Rating) -> None:
    """By our words between them; numbers are never handed on."""
    there = gbt39046.write(replace(rating, channel=ReviewChannel.QR, follow_up=False))
    back = national.write(gbt39046.read(there), ONE, SET)
    assert national.read(back, ONE, SET).grade is rating.grade


def test_six_and_seven_are_what_the_province_says() -> None:
    """Telephone and text message, or text message and nobody's rating (domain.md F7)."""
    phone, sms = ReviewChannel.PHONE, ReviewChannel.SMS
    for dialect, channel, code in ((ONE, phone, "6"), (ONE, sms, "7"), (ANOTHER, sms, "6")):
        table = national.CHANNELS[dialect.six_and_seven]
        assert (table.code(channel), table.meaning(code)) == (code, channel)
    with pytest.raises(Unmapped, match="pf is '7'; write one of 1, 2, 3, 4, 5, 6"):
        national.CHANNELS[SixAndSeven.SMS_DEFAULT].meaning("7")
    for dialect, missing in ((ONE, "paper"), (ONE, "other"), (ANOTHER, "phone")):
        with pytest.raises(Unmapped, match="there is a code only for computer, mobile"):
            national.write(replace(RATING, channel=ReviewChannel(missing)), dialect, SET)
    agreed = ("computer", "mobile", "qr", "tablet", "terminal")
    for table in national.CHANNELS.values():
        assert [table.meaning(code) for code in "12345"] == list(agreed)


def test_an_assess_number_counts_what_the_province_says() -> None:
    """First and follow-up, or the number of the service (domain.md §14 case 23)."""
    second = replace(RATING, follow_up=True)
    assert national.write(second, ONE, SET)["assessNumber"] == "2"
    assert national.read({**MESSAGE, "assessNumber": "2"}, ONE, SET) == second
    assert national.write(RATING, ANOTHER, SET)["assessNumber"] == "3"
    assert national.read({**MESSAGE, "assessNumber": "3"}, ANOTHER, SET) == RATING
    with pytest.raises(Unmapped, match="no follow-up"):
        national.write(second, ANOTHER, SET)
    for dialect, wrong in (
        (ONE, "3"),
        (ONE, "0"),
        (ONE, ""),
        (ANOTHER, "1"),
        (ANOTHER, "2"),
    ):
        with pytest.raises(Unmapped, match="assessNumber is"):
            national.read({**MESSAGE, "assessNumber": wrong}, dialect, SET)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("satisfaction", ["0", "6", "", "2.0", "02", " 2", "2 ", "very_satisfied", "二", "２"]),
        ("pf", ["0", "8", "", "04", "4 ", "pc"]),
        ("serviceNumber", ["0", "", "-1", "03", "3.0", "10000", "٣", "3\n"]),
        ("assessNumber", ["", "0", "3", "01"]),
        ("evalDetail", ["999", "213;214", "213, 214", "213,", ",213", ",", "510", "213,510", "115", "213\n"]),
        ("assessTime", ["", "2026-02-14", "2026-2-14 00:30:15", "2026-02-30 00:30:15", "2026-02-14T00:30:15"]),
        ("projectNo", ["", "x" * 51, "37 1", "37，1", "37\n", "-37"]),
        ("isdefault", ["1", "", "true", "no"]),
    ],
)
def test_what_the_interface_does_not_know_is_refused(field: str, wrong: list[str]) -> None:
    """To the letter: nothing is trimmed, rounded or cut off; a default rating is nobody's (domain.md F2, F7)."""
    for text in wrong:
        with pytest.raises(Unmapped) as refused:
            national.read({**MESSAGE, field: text}, ONE, SET)
        assert refused.value.field == field
        assert str(refused.value).startswith(f"{field} is {text!r}") or field == "evalDetail"
    assert national.read({**MESSAGE, "isdefault": "0"}, ONE, SET) == RATING


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("满意度代码", ["0", "6", "", "4.0", "不满意"]),
        ("满意度", ["", "很不满意", "满意 ", "非常不满意", "满意"]),
        ("评价渠道", ["", "4", "平板", "平板电脑 "]),
        ("评价时间", ["", "20260214003015", "20260230T003015", "2026-02-14T00:30:15", "20260214T00301"]),
        ("评价次数", ["0", "3", "", "01"]),
        ("办件编号", ["", "x" * 51, "办件"]),
    ],
)
def test_what_the_standard_does_not_know_is_refused(field: str, wrong: list[str]) -> None:
    """And so is a row whose name and code of the grade are of two polarities."""
    for text in wrong:
        with pytest.raises(Unmapped) as refused:
            gbt39046.read({**ROW, field: text})
        assert refused.value.field == field


@pytest.mark.parametrize("rows", [(MESSAGE, lambda row: national.read(row, ONE, SET)), (ROW, gbt39046.read)])
def test_a_field_that_is_missing_is_named(rows: tuple[Mapping[str, str], Any]) -> None:
    """Each of them in turn."""
    whole, read = rows
    for field in whole:
        with pytest.raises(Unmapped, match=f"{field} is None; the field is missing"):
            read({name: text for name, text in whole.items() if name != field})


def test_nothing_is_cut_off_on_the_way_out() -> None:
    """A case number too long, a code of another grade or an impossible number is refused, not sent."""
    long = replace(RATING, project_no="x" * 51)
    for field, wrong in (
        ("projectNo", long),
        ("evalDetail", replace(RATING, codes=("510",))),
        ("evalDetail", replace(RATING, codes=("999",))),
        ("serviceNumber", replace(RATING, service_number=0)),
    ):
        with pytest.raises(Unmapped) as refused:
            national.write(wrong, ONE, SET)
        assert refused.value.field == field
    with pytest.raises(Unmapped, match="办件编号"):
        gbt39046.write(long)


@pytest.mark.parametrize("code", [one.code for one in SET.codes])
def test_every_code_travels_with_its_grade_only(code: str) -> None:
    """Also retired ones, which old ratings bear; whether one may still be ticked, the rules say."""
    for grade in Grade:
        rating = replace(RATING, grade=grade, codes=(code,))
        found = SET.code(code)
        if found is not None and found.grade is grade:
            assert national.read(national.write(rating, ONE, SET), ONE, SET) == rating
        else:
            with pytest.raises(Unmapped, match=f"evalDetail is '{code}'"):
                national.write(rating, ONE, SET)


def test_a_table_has_one_meaning_for_each_code() -> None:
    """A table that could not be read back is none."""
    with pytest.raises(ValueError, match="pf: two meanings share a code"):
        Table("pf", {ReviewChannel.SMS: "6", ReviewChannel.PHONE: "6"})
