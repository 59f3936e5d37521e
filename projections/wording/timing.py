"""The words of clocks, extensions and supplements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "pause_awaiting_complainant_material": ("等待投诉人补充材料", "waiting for the complainant's material"),
    "pause_expert_or_hearing": ("鉴定或听证", "expert opinion or hearing"),
    "pause_parallel_legal_procedure": ("另有法定程序在进行", "another legal procedure is under way"),
    "pause_complainant_request": ("投诉人要求", "at the complainant's wish"),
    "pause_force_majeure": ("不可抗力", "force majeure"),
    "limit_accept": ("受理", "to accept"),
    "limit_assign": ("交办", "to assign"),
    "limit_sign": ("签收", "to sign for it"),
    "limit_contact": ("联系投诉人", "to contact the complainant"),
    "limit_return": ("退回", "to return it"),
    "limit_handle": ("办理", "to answer"),
    "limit_revisit": ("回访", "to revisit"),
    "limit_review": ("复核", "to decide the review"),
    "moved_resumed": ("恢复计时", "the clock runs on"),
    "moved_extended": ("延期", "extended"),
    "moved_merged": ("并案，取最早期限", "merged; the earliest limit holds"),
    "moved_unmerged": ("撤销并案", "unmerged"),
    "moved_calendar": ("工作日历变更", "the calendar changed"),
    "moved_reviewed": ("复核后继续办理", "it goes on after the review"),
    "moved_returned": ("退回扣除", "the time of the return does not count"),
    "field_items": ("须补正的材料", "what is missing"),
    "command_request-supplement": ("告知补正材料", "ask for what is missing"),
    "command_provide-supplement": ("补正材料", "bring what was missing"),
    "command_expire-supplement": ("记录逾期未补正", "note that nothing came"),
    "command_pause-clock": ("暂停计时", "stop the clock"),
    "command_resume-clock": ("恢复计时", "let the clock run on"),
    "command_request-extension": ("申请延期", "ask for an extension"),
    "command_decide-extension": ("审批延期", "decide on an extension"),
    "command_recompute-deadlines": ("重新计算期限", "compute the limits anew"),
    "refusal_own-clock": ("不得暂停或延长本人经办事项的期限", "nobody stops or lengthens the clock of their own case"),
    "awaiting_supplement": ("待补正", "awaiting a supplement"),
    # why a day counts or not
    "why_begins": ("当日不计", "the day of the event, not counted"),
    "why_counts": ("计入", "counts"),
    "why_extension": ("计入（延期）", "counts, by the extension"),
    "why_rest": ("休息日", "rest day"),
    "why_holiday": ("法定节假日", "holiday"),
    "why_paused": ("暂停计时", "the clock stood"),
    "why_closed": ("非办公时间", "outside office hours"),
    "why_unknown": ("日历未公布", "the calendar is not known yet"),
    "why_moved": ("末日顺延", "moved past a day off"),
    "why_promised": ("按已告知日期", "kept, because it had been told"),
}
"""Code to (Chinese, English)."""
