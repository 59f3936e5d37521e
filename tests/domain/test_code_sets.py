"""Every code of domain.md §7.3 is there, may be ticked with its grade only, and no longer where it was retired."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import pytest

from domain.code_sets import CodeSet, CodeSetRef
from domain.decider import THE_SYSTEM
from domain.errors import AlreadyThere, CodeNotOfGrade, NotYourRole, OutOfTurn, UnknownReference
from domain.grade import Grade
from domain.occasion import Submit
from domain.review import Submitted
from domain.rulebook import RULEBOOK, AdoptCodeSet, CodeSetAdopted, Rulebook
from tests.hall import DESK, ENTERED
from tests.specification import given
from tests.visits import FACTS, FIVE, GOOD, INVITED, OF_LEDGER, OPENED, SUBMIT, WORDS, visit

# Transcribed from domain.md §7.3: first digit 5 is very satisfied, 1 very dissatisfied.
GRADES: Final = {
    "5": Grade.VERY_SATISFIED,
    "4": Grade.SATISFIED,
    "3": Grade.BASICALLY_SATISFIED,
    "2": Grade.DISSATISFIED,
    "1": Grade.VERY_DISSATISFIED,
}
SPECIFIED: Final = """
510 一窗受理一次办结 511 可以先受理后补材料 512 不用提交证明 513 可以全程网上办理 514 可以使用手机办理 515 可以就近办理
516 无需材料直接办理 517 服务热情效率高
406 填写一张表单就可完成申报 407 在线提交材料窗口核验 408 一张清单告知全部申报材料 409 用告知承诺减免申报材料
410 可以在线预约办理 411 跑大厅一次办完 412 可以使用自助机办理 413 服务态度较好
307 一次性告知需要补正的材料 308 提供申报材料样本 309 在承诺的时间内办结 310 办事指南指引准确
311 按办事指南要求的材料即可办理 312 可以快递送达 313 跑动次数与承诺的一致 314 服务态度一般
207 没有提供材料样本 208 没有提供材料清单 209 未在承诺时间内办结 210 同样内容的证明材料被要求多次提交
211 承诺网办但无法在线办理 212 在线预约办理后到实体大厅重复取号排队 213 窗口人员业务不熟练 214 服务态度生硬
108 在办事指南之外增加新的审批条件 109 需提供办事指南之外的申报材料 110 无理由超过法定办理时间 111 办事指南提供样本有错
112 承诺在线收取申报材料实际无法收取 113 多头跑窗口和部门 114 跑动次数与承诺的不一致 115 服务态度差效率低
"""
IN_USE: Final[dict[str, str]] = dict(re.findall(r"(\d{3}) (\S+)", SPECIFIED))
RETIRED: Final = {
    str(code)
    for first, last in ((501, 509), (401, 405), (301, 306), (201, 206), (101, 107))
    for code in range(first, last + 1)
} - {"403"}
SHOWN: Final = {"510", "511", "512", "406", "407", "408", "307", "308", "309", "207", "208", "209", "108", "109", "110"}


def test_the_set_is_that_of_the_specification() -> None:
    """Forty in use with their words, thirty-two retired, fifteen shown at once; the first digit is the grade."""
    assert {one.code: one.name_zh for one in FIVE.codes if one.in_use} == IN_USE
    assert len(IN_USE) == 40
    assert {one.code for one in FIVE.codes if not one.in_use} == RETIRED
    assert {one.code for one in FIVE.codes if one.shown} == SHOWN
    assert {one.code: one.grade for one in FIVE.codes} == {one.code: GRADES[one.code[0]] for one in FIVE.codes}
    assert len({one.name_en for one in FIVE.codes}) == len({one.name_zh for one in FIVE.codes}) == len(FIVE.codes)
    assert all(one.name_en.isascii() for one in FIVE.codes)
    assert FIVE.ref == CodeSetRef(name="eval-detail", version=1)


@pytest.mark.parametrize("code", sorted(IN_USE))
def test_a_code_is_ticked_with_its_grade_and_no_other(code: str) -> None:
    """Each of the forty with each of the five."""
    for grade in Grade:
        asked = visit(OPENED, INVITED).when(replace(SUBMIT, opinion=replace(GOOD, grade=grade, codes=(code,))))
        if grade is GRADES[code[0]]:
            assert len(asked.events) == 2 + grade.bad
        else:
            asked.then_refused(CodeNotOfGrade, codes=code)


@pytest.mark.parametrize("code", sorted(RETIRED))
def test_a_retired_code_is_kept_in_what_a_ledger_tells(code: str) -> None:
    """It was in use when that was rated; one of another grade, or that nobody knows, is refused there too."""

    def told(grade: Grade, ticked: str) -> Submit:
        opinion = replace(GOOD, grade=grade, codes=(ticked,))
        return replace(SUBMIT, by=THE_SYSTEM, token=None, opinion=opinion)

    own = GRADES[code[0]]
    _, submitted = visit(OF_LEDGER).when(told(own, code)).events
    assert isinstance(submitted, Submitted)
    assert submitted.codes == (code,)
    for grade in set(Grade) - {own}:
        visit(OF_LEDGER).when(told(grade, code)).then_refused(CodeNotOfGrade, codes=code)
    visit(OF_LEDGER).when(told(own, "999")).then_refused(UnknownReference, value="999")


@pytest.mark.parametrize("code", sorted(RETIRED))
def test_a_retired_code_is_ticked_with_no_grade(code: str) -> None:
    """It is known, so that old ratings can be read, and refused like an unknown one."""
    assert FIVE.code(code) is not None
    for grade in Grade:
        opinion = replace(GOOD, grade=grade, codes=(code,), **WORDS)
        visit(OPENED, INVITED).when(replace(SUBMIT, opinion=opinion)).then_refused(UnknownReference, value=code)


@pytest.mark.parametrize("code", ["403", "518", "116", "1", "5100", "0", "510 "])
def test_an_unknown_code_is_refused_and_never_coerced(code: str) -> None:
    """Also one that is almost right."""
    assert FIVE.code(code) is None
    opinion = replace(GOOD, codes=(code,))
    visit(OPENED, INVITED).when(replace(SUBMIT, opinion=opinion)).then_refused(UnknownReference, value=code)


# Adopted.

NOW: Final = ENTERED
ADOPT: Final = AdoptCodeSet(at=NOW, by=THE_SYSTEM, code_set=FIVE)
ADOPTED: Final = CodeSetAdopted(at=NOW, by=THE_SYSTEM, code_set=FIVE)
SECOND: Final[CodeSet] = replace(FIVE, version=2, codes=FIVE.codes[1:])


def test_a_set_is_adopted_version_by_version() -> None:
    """The same again is nothing new; no number is given twice, and none is left out."""
    book = given(RULEBOOK, ADOPTED, facts=None)
    given(RULEBOOK, facts=None).when(ADOPT).then([ADOPTED])
    book.when(ADOPT).then_nothing()
    book.when(replace(ADOPT, code_set=SECOND)).then([replace(ADOPTED, code_set=SECOND)])
    book.when(replace(ADOPT, code_set=replace(SECOND, version=1))).then_refused(AlreadyThere, version=1, last=1)
    book.when(replace(ADOPT, code_set=replace(SECOND, version=3))).then_refused(OutOfTurn, version=3, last=1)
    book.when(replace(ADOPT, by=DESK)).then_refused(NotYourRole)
    other = replace(FIVE, name="another")
    book.when(replace(ADOPT, code_set=other)).then([replace(ADOPTED, code_set=other)])


def test_a_set_holds_each_code_once() -> None:
    """Or nobody could say which grade it belongs to."""
    twice = replace(FIVE, codes=(*FIVE.codes, replace(FIVE.codes[0], grade=Grade.DISSATISFIED)))
    given(RULEBOOK, facts=None).when(replace(ADOPT, code_set=twice)).then_refused(AlreadyThere, value="510")


def test_the_newest_set_is_in_force_and_ratings_keep_theirs() -> None:
    """A code that is not in it any more is refused from then on."""
    rules: Rulebook = RULEBOOK.evolve(FACTS.rulebook, replace(ADOPTED, code_set=SECOND))
    facts = replace(FACTS, rulebook=rules)
    visit(OPENED, INVITED, facts=facts).when(SUBMIT).then_refused(UnknownReference, value="510")
    allowed = visit(OPENED, INVITED, facts=facts).when(replace(SUBMIT, opinion=replace(GOOD, codes=("517",))))
    assert [getattr(event, "code_set", None) for event in allowed.events] == [None, SECOND.ref]
