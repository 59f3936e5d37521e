"""Whoever guesses links of ratings is told to wait; whoever has the right one at the same address is let in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.settings import Settings
from tests.service.web.house import Template, copy
from tests.service.web.rating import GOOD, V1, invited, rate, rated, served

pytestmark = pytest.mark.postgres


def test_a_kiosk_is_not_silenced_by_who_guesses_beside_it(hall_template: Template) -> None:
    """From an address that sent too many wrong ones, tokens rate and links open; guesses stay refused."""
    with copy(hall_template, Settings(lookups_per_hour=2)) as hall:
        token, rating = invited(hall, served(hall)), rated(hall)
        guessed = [rate(hall, f"0000-0000-0000-000{n}").status_code for n in range(4)]
        assert guessed == [404, 404, 429, 429]
        assert rate(hall, token, **GOOD).status_code == 201
        own = hall.client().post(f"{V1}/own/review", json={"own_link": rating.own_link})
        assert own.status_code == 200
        # What fitted has bought nobody another guess.
        assert rate(hall, "nothing").status_code == 429
        assert hall.client().post(f"{V1}/own/review", json={"own_link": "nothing"}).status_code == 429


def test_many_who_come_at_once_are_not_taken_for_guesses(hall_template: Template) -> None:
    """Eight right ones at the same moment are let in where a single wrong one is allowed."""
    with copy(hall_template, Settings(lookups_per_hour=1)) as hall:
        rating = rated(hall)
        clients = [hall.client() for _ in range(8)]
        with ThreadPoolExecutor(8) as executor:
            asked = [
                executor.submit(one.post, f"{V1}/own/review", json={"own_link": rating.own_link}) for one in clients
            ]
            assert {one.result(60).status_code for one in asked} == {200}
