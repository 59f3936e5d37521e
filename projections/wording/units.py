"""The words for what departments do with a case, and for cases that are merged and split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    # steps
    "merged": ("已并案", "merged"),
    # why a unit returns a case
    "not_our_duty": ("不属本单位职责", "it is not our duty"),
    "another_unit_leads": ("应由其他单位主办", "another unit should lead"),
    "another_level": ("应由上级或者下级办理", "another level should handle it"),
    "duplicate_of_ours": ("本单位正在办理同一事项", "we have the same matter in hand"),
    # why a case is handed over
    "handover_left": ("离岗", "somebody left"),
    "handover_leave": ("请假", "leave"),
    "handover_workload": ("工作量调整", "workload"),
    "handover_recusal": ("回避", "recusal"),
    "handover_reorganised": ("机构调整", "reorganisation"),
    "handover_other": ("其他", "another reason"),
    # what an entry of the register is of
    "entry_site": ("场所", "site"),
    "entry_department": ("部门", "department"),
    "entry_window": ("窗口", "window"),
    "entry_item": ("事项", "item"),
    "entry_post": ("岗位", "post"),
    # why cases belong together
    "duplicate": ("重复投诉", "the same complaint again"),
    "joint": ("多人投诉同一事项", "several people complain of one matter"),
    # what is sealed, by the name of its field
    "field_question": ("协办事项", "question"),
    "field_answer": ("协办答复", "answer of the department"),
    # commands
    "command_call-in": ("请其他单位协办", "call in a department"),
    "command_answer-call": ("协办回复", "answer a call"),
    "command_request-return": ("申请退回", "ask to return the case"),
    "command_decide-return": ("退回审核", "decide on a return"),
    "command_hand-over": ("移交", "hand the case over"),
    "command_merge": ("并案", "merge the case into another"),
    "command_propose-unmerge": ("提议撤销并案", "propose to take the cases apart"),
    "command_confirm-unmerge": ("确认撤销并案", "confirm that the cases are taken apart"),
    "command_reply-linked": ("并案答复", "tell whoever joined the answer"),
    "command_revisit-linked": ("并案回访", "revisit whoever joined"),
    "command_split": ("拆分", "split the case"),
    # why an attempt was refused that goes on record
    "refusal_own-return": ("申请人不得自行审核退回", "nobody decides on a return they asked for"),
}
"""Code to (Chinese, English)."""
