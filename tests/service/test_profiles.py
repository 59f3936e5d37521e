"""The profile files say every limit in full, and a slip in one is refused with the words to write instead."""

from __future__ import annotations

from datetime import date

import pytest

from domain.deadlines import DayKind, Layer, Unit
from service import profiles


def test_every_profile_can_be_read() -> None:
    """Each file passes its own check, and its limits are what the rules can count."""
    for name in profiles.NAMES:
        assert profiles.read(name)["id"] == name
        assert profiles.terms(name)
        assert profiles.office_hours(name).periods


def test_the_hall_has_every_limit_of_a_complaint_and_of_a_review() -> None:
    """The keys of domain.md §5 that concern them, with the amount and unit written there."""
    limits = {term.key.removeprefix("complaint."): (term.amount, term.unit) for term in profiles.terms("hall")}
    natural, working, hour = Unit.NATURAL_DAY, Unit.WORKING_DAY, Unit.WORKING_HOUR
    assert limits == {
        "ack": (0, natural),
        "accept_decision": (1, working),
        "on_spot_target": (0, natural),
        "assign": (4, hour),
        "sign_for": (4, hour),
        "unit_return": (24, Unit.NATURAL_HOUR),
        "first_contact": (1, working),
        "handle.simple": (5, working),
        "handle.complex": (10, working),
        "handle.policy_obstacle.explain": (3, working),
        "handle.policy_obstacle": (7, working),
        "handle.policy_obstacle.very_complex": (1, Unit.MONTH),
        "extension": (5, working),
        "extension_decide": (1, working),
        "business_env": (5, working),
        "business_env.extension": (10, working),
        "pause_max": (10, working),
        "pause_total": (20, working),
        "supplement": (10, working),
        "rectification_report": (2, working),
        "revisit": (4, working),
        "review_request_window": (30, natural),
        "review_decide": (30, natural),
        "proposal": (2, working),
        "call": (3, working),
        "statement": (3, working),
        "supervision_answer": (2, working),
        "intake.register": (1, working),
        "retention.ordinary": (120, Unit.MONTH),
        "retention.major": (360, Unit.MONTH),
        "retention.refused": (36, Unit.MONTH),
        "review.window": (7, natural),
        "review.followup_window": (30, natural),
        "bad.contact": (1, working),
        "bad.rectify.simple": (5, working),
        "bad.rectify.complex": (15, working),
        "bad.appeal_window": (5, working),
        "bad.appeal_decide": (5, working),
        "bad.objection": (5, working),
        "bad.revisit": (5, working),
        "bad.verify": (3, working),
        "bad.tell": (2, working),
        "bad.reply": (2, working),
        "review.check": (10, working),
    }
    office = sum(closes - opens for opens, closes in profiles.office_hours("hall").periods)
    assert office == 8 * 60, "half a working day is written as four working hours"


def test_the_ledger_promises_nothing() -> None:
    """Only registration and reply are required, nothing is due, no timer follows."""
    ledger = profiles.read("ledger")
    assert (ledger["due"], ledger["timers"]) == ("unknown", False)
    required = ledger["required_steps"]
    assert isinstance(required, dict)
    assert [step for step, needed in required.items() if needed] == ["register", "reply"]


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ('id = "hall"', 'id = "hell"', "write id = 'hall'"),
        ('id = "hall"', "id = ", "hall.toml is not TOML"),
        ("timers = true", "timers = true\ncolour = 1", "colour: Extra inputs"),
        ("timers = true", "", "timers: Field required"),
        ('due = "computed"', 'due = "unknown"', "write timers = false"),
        ("Asia/Shanghai", "Asia/Nowhere", "write one such as Asia/Shanghai"),
        ("attempts_required = 3", "attempts_required = 1", "attempt_days_required is more"),
        ('"08:30"', '"8.30"', "office_hours.periods.0.0"),
        ('"12:00"', '"08:00"', "give periods that follow each other"),
        ("close = true\n", "", "required_steps lacks close; write true or false"),
        ("revisit = true", "revisits = true", "required_steps.revisits"),
        ('severity = ["ordinary", "major", "urgent"]\n', "", "lists lacks severity"),
        ('accept = ["dispatcher"]', 'admit = ["dispatcher"]', "may.admit"),
        ('accept = ["dispatcher"]', 'accept = ["boss"]', "may.accept.0"),
        ('unit = "natural_hour"', 'unit = "hour"', "terms.complaint.unit_return.unit: Input should be 'natural_day'"),
        ("amount = 24", 'amount = "24"', "terms.complaint.unit_return.amount"),
        ("amount = 24", "amount = -24", "terms.complaint.unit_return.amount"),
        ("amount = 24, ", "", "terms.complaint.unit_return.amount: Field required"),
        ('"natural_hour", counting = "from_event"', '"natural_hour", counting = "day_after"', "hours need counting"),
        ('starts = "accepted"', 'starts = "sometime"', "terms.complaint.assign.starts"),
        ('source = "R2-52"', 'source = "安阳 52"', "terms.complaint.first_contact.source"),
        ('when = "before_due"', 'when = "early"', "escalation.remind.when"),
        ("per_round = 1", "per_round = 1\nper_year = 2", "extension.per_year"),
    ],
)
def test_a_slip_in_a_profile_is_refused_and_named(right: str, wrong: str, told: str) -> None:
    """One wrong word in the hall's file, and the error says where it stands."""
    text = profiles._text("hall")
    assert right in text
    with pytest.raises(profiles.ProfileError) as refused:
        profiles.parse("hall", text.replace(right, wrong, 1))
    assert told in str(refused.value)


@pytest.mark.parametrize("name", ["halls", "../hall", "", "hall.toml"])
def test_an_unknown_profile_is_refused_with_the_names_there_are(name: str) -> None:
    """Only the four names are files; nothing else is opened."""
    with pytest.raises(profiles.ProfileError, match="choose one of hall, petition, lgsco, ledger"):
        profiles.read(name)


def test_the_library_gives_the_official_days_of_2026() -> None:
    """Holidays and make-up days as domain.md §4.1 has them from the notice, with its date."""
    (year,) = profiles.calendar_from_library([2026])
    assert (year.jurisdiction, year.layer, year.version) == ("CN", Layer.NATIONAL, 1)
    assert year.published_at == date(2025, 11, 4)
    assert [day.day for day in year.days if day.kind is DayKind.WORK] == [
        date(2026, month, day) for month, day in ((1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10))
    ]
    spans = ((1, 1, 3), (2, 15, 23), (4, 4, 6), (5, 1, 5), (6, 19, 21), (9, 25, 27), (10, 1, 7))
    assert [day.day for day in year.days if day.kind is DayKind.HOLIDAY] == [
        date(2026, month, day) for month, first, last in spans for day in range(first, last + 1)
    ]


def test_a_december_day_belongs_to_the_notice_of_the_next_year() -> None:
    """The working Saturday 2011-12-31 stands in the calendar of 2012 and not in that of 2011."""
    earlier, later = profiles.calendar_from_library([2012, 2011])
    assert (earlier.year, later.year) == (2011, 2012)
    assert later.days[0].day == date(2011, 12, 31)
    assert all(day.day.year == 2011 for day in earlier.days)
    assert later.published_at is None, "the library does not tell, and nobody else was asked"


def test_a_year_without_a_notice_is_refused_and_stays_unknown() -> None:
    """Asking for 2027 or 2003 says so, says what there is, and what to do."""
    with pytest.raises(profiles.NotPublished, match="no calendar of 2003, 2027, only 2004 to 2026: leave it unknown"):
        profiles.calendar_from_library([2026, 2027, 2003])
