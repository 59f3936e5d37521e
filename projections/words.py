"""The words for codes, in Chinese and English (domain.md §3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "unknown": ("未知", "unknown"),
    "due_unknown": ("未定", "not known"),
    "provisional": ("（暂定）", " (provisional)"),
    "late": ("（逾期）", ", late"),
    "on_time": ("（按时）", ", in time"),
    # roles
    "system": ("系统", "the system"),
    "citizen": ("投诉人", "the complainant"),
    "intake": ("窗口人员", "window clerk"),
    "dispatcher": ("投诉处置岗", "complaint desk"),
    "handler": ("承办人", "handler"),
    "unit_head": ("承办单位负责人", "head of the unit"),
    "reviewer": ("复核人", "reviewer"),
    "revisit_officer": ("回访员", "revisit officer"),
    "supervisor": ("督查", "supervisor"),
    "privacy_officer": ("个人信息保护岗", "privacy officer"),
    "auditor": ("审计", "auditor"),
    "administrator": ("管理员", "administrator"),
    "respondent": ("被投诉方", "respondent"),
    "verifier": ("核实人", "verifier"),
    "panel": ("复核小组", "panel"),
    "public": ("公众", "the public"),
    # channels and methods
    "window": ("窗口", "window"),
    "web": ("网络", "web"),
    "phone": ("电话", "phone"),
    "letter_box": ("意见箱", "letter box"),
    "visit": ("走访", "visit"),
    "counter": ("当面", "in person"),
    "message": ("短信", "message"),
    "letter": ("信函", "letter"),
    "other": ("其他", "other"),
    # results of contact and delivery
    "reached": ("已联系上", "reached"),
    "no_answer": ("无人接听", "no answer"),
    "wrong_number": ("号码有误", "wrong number"),
    "declined": ("拒绝接受", "declined"),
    "wrong_address": ("地址有误", "wrong address"),
    "refused": ("拒收", "refused"),
    "technical": ("技术故障", "technical failure"),
    # severity, complexity, evidence
    "ordinary": ("一般", "ordinary"),
    "major": ("重大", "major"),
    "urgent": ("紧急", "urgent"),
    "simple": ("简单事项", "simple"),
    "complex": ("复杂事项", "complex"),
    "policy_obstacle": ("政策障碍", "policy obstacle"),
    "document": ("书面材料", "document"),
    "photo": ("照片", "photo"),
    "recording": ("录音录像", "recording"),
    "statement": ("陈述", "statement"),
    "system_record": ("系统记录", "system record"),
    # findings and decisions
    "substantiated": ("属实", "substantiated"),
    "partly": ("部分属实", "partly substantiated"),
    "unsubstantiated": ("不属实", "unsubstantiated"),
    "unverifiable": ("无法核实", "unverifiable"),
    "upheld": ("支持", "upheld"),
    "partly_upheld": ("部分支持", "partly upheld"),
    "not_upheld": ("不予支持", "not upheld"),
    "explained": ("解释说明", "explained"),
    # satisfaction, revisit, outcome
    "very_satisfied": ("非常满意", "very satisfied"),
    "satisfied": ("满意", "satisfied"),
    "basically_satisfied": ("基本满意", "basically satisfied"),
    "dissatisfied": ("不满意", "dissatisfied"),
    "very_dissatisfied": ("非常不满意", "very dissatisfied"),
    "resolved_yes": ("已解决", "resolved"),
    "resolved_partly": ("部分解决", "partly resolved"),
    "resolved_no": ("未解决", "not resolved"),
    "resolved_declined": ("不愿评价", "would not say"),
    "outcome_resolved": ("已解决", "resolved"),
    "outcome_partly_resolved": ("部分解决", "partly resolved"),
    "outcome_explained": ("已解释", "explained"),
    "outcome_unresolved": ("未解决", "unresolved"),
    "purpose_handling": ("办理", "handling"),
    "purpose_revisit": ("回访", "revisit"),
    "purpose_supervision": ("督查", "supervision"),
    "purpose_own_case": ("本人查询", "own case"),
    # steps
    "registered": ("已登记", "registered"),
    "accepted": ("已受理", "accepted"),
    "assigned": ("已交办", "assigned"),
    "in_progress": ("办理中", "in progress"),
    "reply_pending_approval": ("答复待审", "reply pending approval"),
    "reply_approved": ("答复已批", "reply approved"),
    "replied": ("已答复", "replied"),
    "closed": ("已办结", "closed"),
}
"""Code to (Chinese, English)."""


def word(code: str, language: str) -> str:
    """Give the word for a code; a code without a word is shown as it is."""
    chinese, english = WORDS.get(code, (code, code))
    return chinese if language == "zh" else english
