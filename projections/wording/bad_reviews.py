"""The words of bad, contested and flagged reviews."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    # stages
    "counted": ("已计入", "counted"),
    "bad_open": ("差评待联系", "to be looked into"),
    "bad_contacted": ("已联系评价人", "contacted"),
    "bad_verified": ("已核实", "verified"),
    "rectifying": ("整改中", "being put right"),
    "rectified": ("已整改或解释", "settled"),
    "revisited": ("已回访", "revisited"),
    "bad_closed": ("差评已办结", "closed"),
    "under_appeal": ("申诉复核中", "under appeal"),
    "excluded": ("已排除", "excluded"),
    # verdicts
    "verdict_valid_clear": ("属实，情况清楚", "valid and clear"),
    "verdict_valid_complex": ("属实，情况复杂", "valid and complex"),
    "verdict_no_legal_basis": ("诉求缺乏法定依据", "what is wanted has no basis in law"),
    "verdict_mistaken": ("疑为误评，提交复核", "perhaps a mistake; two outside deciders decide"),
    "verdict_malicious": ("疑为恶意差评，提交复核", "perhaps malicious; two outside deciders decide"),
    "verdict_unverifiable": ("无法核实", "cannot be verified"),
    # why it should not count, or does not
    "appeal_mistaken_target": ("评价对象有误", "it is about somebody else"),
    "appeal_mistaken_grade": ("误选等级", "the grade was a mistake"),
    "appeal_fabricated": ("虚假评价", "it is made up"),
    "appeal_duplicate": ("重复评价", "it was given twice"),
    "appeal_not_service_recipient": ("非服务对象", "not given by who was served"),
    "appeal_malicious": ("恶意差评", "it is malicious"),
    "appeal_malicious_proven": ("经查实的恶意差评", "proven to be malicious"),
    "appeal_mistaken": ("核实为疑似误评", "the verification took it for a mistake"),
    "appealed_rejected": ("申诉不成立，评价有效", "turned down; the rating stays"),
    "appealed_exclude": ("排除该评价", "take the rating out of the figures"),
    "objected_reinstate": ("恢复该评价", "let the rating count again"),
    "objected_uphold": ("维持排除", "the exclusion stands"),
    # results
    "content_yes": ("满意", "content"),
    "content_no": ("不满意", "not content"),
    "content_declined": ("不愿评价", "would not say"),
    "settled_rectified": ("已整改", "put right"),
    "settled_explained": ("已解释说明", "explained"),
    "genuine_yes": ("本人自愿评价", "theirs, given freely"),
    "genuine_not_mine": ("非本人评价", "not theirs"),
    "genuine_coerced": ("被要求或被代替评价", "made to give it, or given for them"),
    "genuine_declined": ("不愿回答", "would not say"),
    # limits
    "due_contact": ("联系评价人", "contact who rated"),
    "due_verify": ("核实", "verify"),
    "due_appeal": ("复核申诉", "decide on the appeal"),
    "due_tell": ("告知评价人", "tell who rated"),
    "due_objection": ("处理异议", "decide on the objection"),
    "due_rectify": ("整改或解释", "put right or explain"),
    "due_reply": ("答复", "reply"),
    "due_revisit": ("回访", "revisit"),
    "due_check": ("核验", "check"),
    # detectors
    "detector_too_soon": ("评价早于服务结束", "rated before the service was over"),
    "detector_too_fast": ("填写时间过短", "the form was open for too short a time"),
    "detector_clock_ahead": ("终端时间超前", "the terminal's clock runs ahead"),
    "detector_outside_opening": ("非开放时间评价", "rated on site while the hall was closed"),
    "detector_staff_terminal": ("工作人员终端评价", "rated where staff were logged in"),
    "detector_burst": ("同一设备短时间多次评价", "many ratings from one device in a short time"),
    "detector_run": ("同一窗口连续相同评价", "a run of identical ratings at one window"),
    "detector_alike": ("文字雷同", "words alike"),
    "detector_check": ("核验时评价人否认", "denied at a check"),
    # what is sealed, by the name of its field
    "field_ground": ("异议理由", "ground"),
    "field_reason_told": ("告知的理由", "reason that was told"),
    # refusals that go on record
    "refusal_own-rating": ("涉及对本人或本人窗口的评价", "the rating is about them or their window"),
    "refusal_own-record": ("不得办理本人代录的评价", "nobody handles a rating they wrote down"),
    "refusal_own-work-decided": ("不得裁决本人参与的评价", "nobody decides on what they had a part in"),
    "refusal_unit-rated": ("被评价单位人员不得裁决", "nobody of the unit that was rated decides"),
    "refusal_panel-used": ("原裁决人员不得处理异议", "who excluded it does not decide on the objection"),
    # lists
    "codes_appeal_ground": ("申诉理由", "grounds of appeal"),
    "codes_exclude_reason": ("排除理由", "reasons for an exclusion"),
    "codes_complaint_offer": ("可转投诉的评价详情", "codes with which a complaint is offered"),
    "codes_detector": ("核查提示", "detectors"),
}
