"""Visits and ratings in the object-centric event log: objects of their own, and nothing of them passes for a case."""

from __future__ import annotations

import io
import json
from typing import Any

import psycopg
import pytest

from service.exports.ocel import export_ocel
from tests.service.web.house import Hall
from tests.service.web.rating import BAD, GOOD, KNOWN, V1, listed, rated, served

pytestmark = pytest.mark.postgres


def exported(hall: Hall) -> dict[str, Any]:
    """Export the log, and read it as anybody would."""
    file = io.StringIO()
    with psycopg.connect(hall.parts.dsn) as connection:
        export_ocel(connection, file)
    told: dict[str, Any] = json.loads(file.getvalue())
    return told


def test_a_rating_is_an_object_of_its_own(hall: Hall) -> None:
    """With its visit, whoever served and whoever rated; an opening of its text is about it, and no case appears."""
    hall.complain()
    rated(hall, served(hall, **KNOWN), **BAD)
    rated(hall, **GOOD)
    (bad,) = [one for one in listed(hall, "LI") if one["grade"] == "dissatisfied"]
    opened = hall.as_("ZHOU").post(f"{V1}/reviews/{bad['id']}/open", json={"fields": ["text"]})
    assert opened.status_code == 200, opened.text
    told = exported(hall)
    there = {one["id"]: one["type"] for one in told["objects"]}
    rating = f"rating:{bad['id']}"
    assert (there[rating], sorted(there.values()).count("occasion"), sorted(there.values()).count("case")) == (
        "rating", 2, 1,
    )  # fmt: skip
    relations = [
        (one["type"], it["objectId"], it["qualifier"]) for one in told["events"] for it in one["relationships"]
    ]
    assert {to for _, to, _ in relations} <= there.keys()
    about = {kind for kind, to, _ in relations if to == rating}
    assert about == {"occasion.reviewed", "review.submitted", "review.accepted", "access.opened"}
    served_by = {(kind, why) for kind, to, why in relations if to == "department:SJ" and kind.startswith("re")}
    assert {("review.submitted", "served_by"), ("review.accepted", "handled_by")} <= served_by
    assert BAD["text"] not in json.dumps(told, ensure_ascii=False)
