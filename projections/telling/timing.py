"""What happens to the clock of a case, and to what is missing, in sentences."""

from __future__ import annotations

from domain.complaint import extending, supplementing, timing
from domain.decider import Event
from projections.telling.teller import Teller


def told(t: Teller, event: Event) -> tuple[str, str] | None:
    """Give the sentence of a pause, an extension, a moved limit or a supplement, in Chinese and English."""
    match event:
        case supplementing.SupplementRequested() as e:
            number, due = len(e.items), t.due(e.due)
            return (
                f"一次性告知须补正的材料（{number}项），期限 {due}",
                f"asked for what is missing ({number} in all), by {due}",
            )
        case supplementing.SupplementProvided():
            return "收到补正材料", "received what was missing"
        case supplementing.SupplementExpired():
            return "逾期未补正，按现有材料处理", "nothing came in time; it goes on with what there is"
        case timing.ClockPaused() as e:
            why, last = t.codes([e.reason], "pause_"), t.due(e.until)
            latest = ("", "") if e.until is None else (f"，最迟 {last} 恢复", f", until {last} at the latest")
            return f"暂停计时（{why}）{latest[0]}", f"stopped the clock ({why}){latest[1]}"
        case timing.ClockResumed() as e:
            days = ("", "") if e.excluded_days is None else (
                f"，扣除{e.excluded_days}天", f"; days that do not count: {e.excluded_days}"
            )  # fmt: skip
            return f"恢复计时{days[0]}", f"let the clock run on{days[1]}"
        case extending.ExtensionRequested() as e:
            due = t.due(e.decide_due)
            return (
                f"申请延期{e.days}天，审批期限 {due}",
                f"asked for {e.days} more days, to be decided by {due}",
            )
        case extending.ExtensionApproved() as e:
            return f"同意延期{e.days}天", f"granted {e.days} more days"
        case extending.ExtensionRejected():
            return "不同意延期", "did not grant more days"
        case timing.DeadlineRecomputed() as e:
            return _recomputed(t, e)
        case _:
            return None


def _recomputed(t: Teller, e: timing.DeadlineRecomputed) -> tuple[str, str]:
    clock, why, new = t.code(e.clock, "limit_"), t.code(e.cause, "moved_"), t.due(e.new)
    if e.old is not None and e.new is not None and e.old.at == e.new.at:
        return f"{clock}期限确定为 {new}（{why}）", f"the limit {clock} is now certain: {new} ({why})"
    old = t.due(e.old)
    return (
        f"{clock}期限由 {old} 改为 {new}（{why}）",
        f"the limit {clock} moved from {old} to {new} ({why})",
    )
