"""The words for keeping out of a case, reminders, supervision, corrections and statements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    # why somebody keeps out
    "ground_own_interest": ("与本人有利害关系", "an interest of their own"),
    "ground_relative": ("与近亲属有利害关系", "an interest of a relative"),
    "ground_other_circumstance": ("其他可能影响公正的情形", "another circumstance that may affect fairness"),
    "ground_witness": ("曾为本案证人", "they were a witness"),
    # limits
    "clock_accept": ("受理", "acceptance"),
    "clock_assign": ("交办", "assignment"),
    "clock_sign": ("签收", "signing for it"),
    "clock_contact": ("首次联系", "first contact"),
    "clock_return": ("退回", "return"),
    "clock_handle": ("办理", "reply"),
    "clock_revisit": ("回访", "revisit"),
    "clock_review": ("复核", "review"),
    # what an order of supervision rests on
    "rule_escalate.l1": ("已逾期", "it is overdue"),
    "rule_escalate.l2": ("催办后仍逾期", "it stayed overdue after a reminder"),
    "rule_escalate.l3.reworks": ("多次发回重办未解决", "sent back again and again without a solution"),
    "rule_escalate.l3.forwards": ("多次转办无承办单位", "sent on again and again with nobody in the lead"),
    "rule_escalate.l3.category": ("涉及打击报复", "a matter as grave as retaliation"),
    "rule_leadership_instruction": ("领导批示", "instruction of the leadership"),
    "rule_inspection": ("督查发现", "found at an inspection"),
    "rule_overdue": ("逾期", "overdue"),
    "rule_stuck": ("久拖不决", "stuck"),
    "rule_retaliation": ("打击报复", "retaliation"),
    "rule_other": ("其他", "another reason"),
    # fields
    "field_category": ("投诉类别", "category"),
    "field_respondent": ("被投诉方", "respondent"),
    "field_email": ("电子邮箱", "e-mail"),
    "field_guardian": ("监护人", "guardian"),
    "field_explanation": ("说明", "explanation"),
    "field_question": ("询问内容", "question"),
    "field_answer": ("反馈内容", "answer"),
    "purpose_statement": ("陈述申辩", "a statement of the other side"),
    # commands
    "command_request-recusal": ("申请回避", "ask that somebody keep out"),
    "command_decide-recusal": ("决定是否回避", "decide who keeps out"),
    "command_remind": ("催办", "remind the unit"),
    "command_issue-supervision": ("督办", "issue a supervision order"),
    "command_answer-supervision": ("反馈督办事项", "answer a supervision order"),
    "command_lift-supervision": ("解除督办", "lift a supervision order"),
    "command_correct-record": ("更正登记内容", "correct what was recorded"),
    "command_invite-statement": ("请被投诉方陈述申辩", "ask the other side for a statement"),
    "command_make-statement": ("陈述申辩", "make a statement for the other side"),
    "command_record-notice": ("记录已告知投诉人", "record that the complainant was told"),
    # refusals that go on record
    "refusal_recusal-pending": ("回避申请尚未决定", "whether they keep out is not decided yet"),
    "refusal_recused": ("应当回避", "they keep out of this case"),
    "refusal_own-recusal": ("不得决定本人或本人申请的回避", "nobody decides on their own keeping out"),
    "refusal_own-answer-lifted": ("不得解除本人反馈或经办的督办", "nobody lifts an order they answered or worked on"),
}
