"""The number people see says hall, day and count, and notices slips of the pen."""

from __future__ import annotations

from datetime import date

import pytest

from domain.complaint.intake import check_character, complaint_no
from tests.hall import NUMBER


def test_the_check_character_is_the_one_of_the_standard() -> None:
    """The example published with the Global Release Identifier, which uses ISO 7064 MOD 37,36, ends in M."""
    assert check_character("A1-2425G-ABC1234002") == "M"
    assert check_character("a1-2425g-abc1234002") == "M"


def test_a_number_says_hall_day_and_count() -> None:
    """Hall, local day, running number of the day, check character."""
    assert complaint_no("GXQ", date(2026, 2, 13), 1) == NUMBER
    assert complaint_no("GXQ", date(2026, 2, 13), 12_345)[:-1] == "TS-GXQ-20260213-12345-"


ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NUMBERS = [complaint_no(hall, date(2026, 1, 1), n) for hall in ("GXQ", "A1", "MQ-2") for n in (1, 90, 12_345, 99_999)]


def fits(number: str) -> bool:
    """Say whether a number and its check character belong together."""
    return check_character(number[:-1]) == number[-1]


@pytest.mark.parametrize("number", NUMBERS)
def test_one_wrong_character_is_noticed(number: str) -> None:
    """Every substitution of one letter or digit by another, the check character included."""
    assert fits(number)
    for place, right in enumerate(number):
        if right in ALPHABET:
            wrong = [number[:place] + other + number[place + 1 :] for other in ALPHABET if other != right]
            assert not any(map(fits, wrong))


def test_hardly_any_pair_of_neighbours_escapes() -> None:
    """Of the 630 pairs at each place exactly one can be changed about unnoticed."""
    for stem in ("", "TS", "GXQ20260101"):
        missed = [
            (one, other)
            for one in ALPHABET
            for other in ALPHABET
            if one < other and check_character(stem + one + other) == check_character(stem + other + one)
        ]
        assert len(missed) == 1


def test_digits_of_a_day_that_changed_places_are_noticed() -> None:
    """Among the first thousand numbers of a day, fewer than one slip in a hundred is missed."""
    slips, missed = 0, 0
    for number in (complaint_no("GXQ", date(2026, 2, 13), n) for n in range(1, 1000)):
        for place in range(len(number) - 1):
            left, right = number[place], number[place + 1]
            if left != right and {left, right} <= set(ALPHABET):
                slips += 1
                missed += fits(number[:place] + right + left + number[place + 2 :])
    assert slips > 10_000
    assert missed < slips / 100
