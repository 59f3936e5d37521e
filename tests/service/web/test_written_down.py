"""What staff write down of a rating: its link is for whoever was served, and leaves the house only on record."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from domain.decider import beside
from tests.service.web.house import Hall
from tests.service.web.rating import BAD, V1, Rating, rated, with_slip, written_down
from tests.service.web.test_reviews import client_in, own, raw

pytestmark = pytest.mark.postgres


def openings(hall: Hall, rating: Rating) -> list[dict[str, Any]]:
    """Give who opened what of a review, as it is stored."""
    with hall.parts.pool.connection() as connection:
        rows = connection.execute(
            "select convert_from(state, 'UTF8')::jsonb -> 'e' from events where stream_id = %s order by version",
            (beside(UUID(rating.id), "access"),),
        ).fetchall()
    return [event for (event,) in rows]


def test_a_slip_is_on_record_before_it_is_out(hall: Hall) -> None:
    """Who was given the link is told to supervisors; the link is the same again, and stands in no event."""
    rating = written_down(hall)
    assert openings(hall, rating) == []
    first, again = with_slip(hall, rating), with_slip(hall, rating)
    assert first == again
    (opened,) = openings(hall, rating)
    assert (opened["by"]["person"], opened["by"]["role"]) == (str(hall.people["QIAN"]), "intake")
    assert (opened["purpose"], opened["fields"], opened["case"]) == ("handling", ["own_link"], rating.id)
    assert first.own_link not in raw(hall)
    told = hall.as_("ZHOU").get(f"{rating.path}/history", params={"language": "en"}).json()["history"]
    assert "link of a review" in told[-1]["said"]
    assert own(hall, first)["corroborated"] is False


def test_a_slip_that_cannot_be_put_on_record_is_not_out(hall: Hall) -> None:
    """Where nothing more can be written, the link stays where it is."""
    rating = written_down(hall)
    with hall.parts.pool.connection() as connection:
        connection.execute("alter table events add constraint full_up check (name <> 'access.opened.1') not valid")
    with TestClient(hall.app, raise_server_exceptions=False, headers=dict(hall.as_("QIAN").headers)) as client:
        answer = client.post(f"{rating.path}/slip")
    assert answer.status_code == 500
    assert "own_link" not in answer.text


def test_a_slip_is_for_what_was_written_down_and_not_yet_confirmed(hall: Hall) -> None:
    """A rating with an invitation has none, nor has one that is confirmed, nor a visit nobody rated."""
    given = rated(hall, **BAD)
    told = with_slip(hall, written_down(hall))
    assert hall.client().post(f"{V1}/own/review/corroborate", json={"own_link": told.own_link}).status_code == 200
    position = hall.last_position()
    for rating in (given, told):
        refused = hall.as_("QIAN").post(f"{rating.path}/slip")
        assert (refused.status_code, refused.json()["code"]) == (409, "slip-not-owed")
    for nothing in (uuid4(), given.visit):
        nowhere = hall.as_("QIAN").post(f"{V1}/reviews/{nothing}/slip")
        assert (nowhere.status_code, nowhere.json()["code"]) == (404, "not-found")
    assert hall.last_position() == position


def test_who_was_rated_is_given_no_slip(hall: Hall) -> None:
    """Whoever served at the window is refused in whatever post, and nothing is opened."""
    rating = written_down(hall, **BAD)
    refused = client_in(hall, "CHEN", "INTAKE").post(f"{rating.path}/slip")
    assert (refused.status_code, refused.json()["code"]) == (403, "own-rating")
    assert openings(hall, rating) == []


def test_from_where_a_rating_was_confirmed_is_kept_as_a_mark(hall: Hall) -> None:
    """Whoever looks from outside is told whether it came from where it was written down; the unit is not."""
    here, there = (with_slip(hall, written_down(hall, **BAD)) for _ in range(2))
    for rating, address in ((here, "testclient"), (there, "198.51.100.7")):
        client = TestClient(hall.app, client=(address, 50000))
        link = {"own_link": rating.own_link}
        assert client.post(f"{V1}/own/review/corroborate", json=link).status_code == 200
    hall.project()
    found = [hall.as_("ZHOU").get(one.path).json()["corroborated_where_written"] for one in (here, there)]
    assert found == [True, False]
    assert "corroborated_where_written" not in hall.as_("LI").get(here.path).json()
