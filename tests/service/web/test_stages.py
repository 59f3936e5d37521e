"""The loop under other names: what a place calls its steps is data, and the events stay the same."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from uuid import UUID

import pytest

from domain.complaint.state import Step
from projections.histories import read_stream
from service import profiles
from tests.service.web.house import PASSWORD, Case, Hall

pytestmark = pytest.mark.postgres

FIVE = tomllib.loads(files(profiles).joinpath("stages.toml").read_text(encoding="utf-8"))
STAGES = "/api/v1/rulebook/stages"


def names(hall: Hall, case: Case) -> list[str]:
    """The events of a case by their stored names."""
    with hall.parts.pool.connection() as connection:
        return [one.name for one in read_stream(connection, UUID(case.id))]


def test_the_five_names_cover_the_loop_once() -> None:
    """Collecting, weighing, carrying out, following up, closing with feedback: each step of the loop in one of them."""
    assert [stage["name_zh"] for stage in FIVE["stages"]] == [
        "收集整理",
        "研判论证",
        "交办落实",
        "跟踪督导",
        "办结反馈",
    ]
    held = [step for stage in FIVE["stages"] for step in stage["steps"]]
    assert len(held) == len(set(held))
    assert set(held) <= set(Step)


def test_a_step_is_shown_as_the_place_calls_it_and_the_events_stay(hall: Hall) -> None:
    """On the docket, on the case, to the complainant; adopted by an event, and taken back by another."""
    plain = hall.carry(hall.complain("QIAN"), "accept")
    assert hall.client().get("/api/v1/register").json()["stages"] == []
    assert hall.as_("ADMIN").post(STAGES, json=FIVE).json()["events"] == ["StagesAdopted"]
    named = hall.carry(hall.complain("QIAN"), "accept")
    assert names(hall, plain) == names(hall, named)

    stage = hall.as_("ZHAO").get(named.path).json()["stage"]
    assert (stage["code"], stage["name_zh"], stage["name_en"]) == ("WEIGH", "研判论证", "Weighing")
    asked = {"complaint_no": named.complaint_no, "query_code": named.query_code}
    told = hall.client().post("/api/v1/status", json=asked).json()
    assert (told["step"], told["stage"]["name_zh"]) == ("accepted", "研判论证")
    hall.project()
    page = hall.client()
    # A page of the work names it too.
    page.post("/login", data={"login": "zhao", "password": PASSWORD}, headers={"Origin": "http://testserver"})
    asked_page = page.post("/status", data=asked, headers={"Origin": "http://testserver"})
    assert "研判论证" in asked_page.text

    back = hall.as_("ADMIN").post(STAGES, json={"version": 2, "stages": []})
    assert back.status_code == 200
    assert hall.as_("ZHAO").get(named.path).json()["stage"] is None


def test_names_that_cannot_be_are_not_adopted(still_hall: Hall) -> None:
    """One step in two stages, a step that is none, a version that jumps, a role that may not."""
    position = still_hall.last_position()
    stage = {"code": "A", "name_zh": "一", "name_en": "a", "steps": ["registered"]}
    twice = {"version": 1, "stages": [stage, {**stage, "code": "B"}]}
    assert still_hall.as_("ADMIN").post(STAGES, json=twice).json()["code"] == "already-there"
    for form in ({"version": 1, "stages": [{**stage, "steps": ["nothing"]}]}, {"version": 0, "stages": []}):
        assert still_hall.as_("ADMIN").post(STAGES, json=form).status_code == 422
    assert still_hall.as_("ADMIN").post(STAGES, json={"version": 2, "stages": [stage]}).json()["code"] == "out-of-turn"
    assert still_hall.as_("ZHAO").post(STAGES, json=FIVE).status_code == 403
    assert still_hall.last_position() == position
