"""Registrations that are unlike most: about the desk itself, by many, for a child, by a colleague, under rare names."""

from __future__ import annotations

from typing import Final

import pytest

from service.adoption import load_register
from tests.service.web.house import Hall, take

pytestmark = pytest.mark.postgres

STATION: Final = """
windows = [
    { code = "J00", name_zh = "诚信窗口", name_en = "Integrity window", site = "JD", window_kind = "integrity_window" },
    { code = "J01", name_zh = "一号窗口", name_en = "Window 1", site = "JD", window_kind = "service" },
]
posts = [
    { code = "JD-DESK", name_zh = "投诉处置岗", name_en = "Desk", role = "dispatcher", site = "JD" },
    { code = "JD-INTAKE", name_zh = "投诉登记岗", name_en = "Intake", role = "intake", site = "JD", window = "J00" },
]
"""
NAMES: Final = (
    "欧阳·𬭎",  # a character outside the basic plane, a middle dot
    "阿不都热依木·买买提依明·吐尔逊尼亚孜·艾合买提江·热合曼",
    "ᠪᠠᠶᠠᠷ ᠤᠨ ᠣᠷᠭᠢᠯ",  # Mongolian script
    "乌云其其格•斯琴",  # another kind of dot
    "娜仁‧托娅",
    "𰻝𰻞𠮷" * 12,
)


def station(hall: Hall, person: str) -> None:
    """Enter a station below the hall, and give its desk to somebody."""
    load_register(hall.parts.book, "station.toml", STATION)
    for post in ("JD-DESK", "JD-INTAKE"):
        take(hall.parts, hall.people[person], post)
        token = hall.parts.accounts.add_token(hall.people[person], post, "test", 30).token
        hall.tokens[person, post] = token  # type: ignore[index]  # the hall of this test alone


def test_a_complaint_about_the_desk_goes_to_the_desk_above(hall: Hall) -> None:
    """Nobody of that desk knows of it, not even who would have taken it; the upper desk takes it up."""
    hall.tokens = dict(hall.tokens)
    station(hall, "TAN")
    ordinary = hall.complain(hall="JD", respondent={"window": "J01"})
    about_desk = hall.complain(hall="JD", respondent={"window": "J00"})
    about_person = hall.complain(hall="JD", respondent={"staff": str(hall.people["TAN"])})
    desk, above = hall.as_("TAN", "JD-DESK"), hall.as_("ZHAO")
    assert desk.get(ordinary.path).status_code == 200
    for case in (about_desk, about_person):
        assert desk.get(case.path).status_code == 404
        assert hall.as_("TAN", "JD-INTAKE").get(case.path).status_code == 404
        assert above.get(case.path).json()["confidentiality"] == "sealed"
        assert above.post(f"{case.path}/accept", json={}).status_code == 200


def test_a_group_is_represented_by_five_at_most(hall: Hall) -> None:
    """Six are a slip of the form (信访工作条例 art. 20); a group without representatives is registered all the same."""
    path, story = "/api/v1/complaints", {"hall": "GXQ", "narrative": "八个人都没有办成。"}
    client = hall.client()
    assert client.post(path, json={**story, "people": 8, "representatives": 6}).status_code == 422
    assert client.post(path, json={**story, "people": 3, "representatives": 4}).status_code == 422
    assert client.post(path, json={**story, "representatives": 2}).status_code == 422
    for more in ({"people": 8, "representatives": 5}, {"people": 8}, {"people": 5, "representatives": 5}):
        assert client.post(path, json={**story, **more}).status_code == 201


def test_who_speaks_for_a_child_is_told_to_few(hall: Hall) -> None:
    """The guardian's name is personal like the complainant's; a child without one is registered too."""
    case = hall.complain(vulnerable=["minor"], guardian="乌兰·其其格", name="小𬭎")
    hall.carry(case, until="assign")
    opened = hall.as_("ZHAO").post(f"{case.path}/open", json={"fields": ["guardian"]}).json()["values"]
    assert [one["text"] for one in opened] == ["乌兰·其其格"]
    assert hall.as_("WANG").post(f"{case.path}/open", json={"fields": ["guardian"]}).status_code == 403
    assert hall.complain(vulnerable=["minor"]).complaint_no


def test_a_colleague_who_complains_takes_no_part_in_it(hall: Hall) -> None:
    """The desk's own dispatcher complains: somebody else must accept it."""
    case = hall.complain(complainant_staff=str(hall.people["ZHAO"]))
    refused = hall.as_("ZHAO").post(f"{case.path}/accept", json={})
    assert refused.status_code in {403, 404}
    assert hall.as_("ZHOU").get(case.path).json()["step"] == "registered"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_comes_back_as_it_was_written(hall: Hall, name: str) -> None:
    """Rare characters, dots of every kind, names longer than thirty characters (domain.md §14 case 24)."""
    case = hall.complain(by="QIAN", name=name, narrative=f"我叫{name}。")
    opened = hall.as_("ZHAO").post(f"{case.path}/open", json={"fields": ["name", "narrative"]}).json()["values"]
    assert {one["field"]: one["text"] for one in opened} == {"name": name, "narrative": f"我叫{name}。"}
    assert hall.as_("ZHAO").get(case.path).json()["identity_mode"] == "real_name"
