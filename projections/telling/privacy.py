"""The sentences of erasure and restriction."""

from __future__ import annotations

from datetime import date

from domain import complaint
from domain.decider import Event
from projections.telling.teller import Teller


def told(t: Teller, event: Event) -> tuple[str, str] | None:
    """Give the sentence of what became of personal data, in Chinese and English."""
    match event:
        case complaint.ErasureRequested(ground=ground):
            why = t.code(ground, "erasure_")
            return f"申请删除个人信息（{why}）", f"asked to have personal data erased ({why})"
        case complaint.ErasureDecided() as e:
            result, kept, until = t.code(e.result, "erasure_"), t.code(e.retention, "retention_"), e.retention_until
            term = ("", "") if until is None else (f"；{kept}保存至 {until}", f"; {kept} are kept until {until}")
            return f"对删除申请作出决定：{result}{term[0]}", f"decided on the erasure: {result}{term[1]}"
        case complaint.ProcessingRestricted(restricted_until=until):
            return f"限制处理个人信息{_day('至', until)}", f"restricted the processing{_day('until', until)}"
        case complaint.RestrictionLifted(reason=reason):
            why = t.code(reason, "lifted_")
            return f"解除限制处理（{why}）", f"lifted the restriction ({why})"
        case complaint.ErasureWitnessed():
            return "见证删除个人信息", "witnessed the erasure"
        case complaint.Erased() as e:
            how, by = t.code(e.method, "method_"), e.gone_from_backups_by
            rest = ("；本人其他投诉所需的密钥保留", "; a key that other cases of the person need is kept")
            more = rest if e.person_kept else ("", "")
            return (
                f"已删除个人信息（{how}），最迟 {by} 从备份中消失{more[0]}",
                f"erased the personal data {how}; gone from backups by {by}{more[1]}",
            )
        case _:
            return None


def _day(before: str, day: date | None) -> str:
    return "" if day is None else f" {before} {day}"
