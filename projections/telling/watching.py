"""Who keeps out of a case, what is escalated, corrected and stated by the other side, in sentences."""

from __future__ import annotations

from domain.complaint import correcting, recusal, supervision
from domain.decider import Event
from projections.telling.teller import Teller


def told(t: Teller, event: Event) -> tuple[str, str] | None:
    """Give the sentence of what keeps the handling fair and in time, in Chinese and English."""
    match event:
        case recusal.RecusalRequested() as e:
            why = t.code(e.ground, "ground_")
            if e.declared:
                return f"声明本人应当回避（{why}）", f"declared that they should keep out of it ({why})"
            return f"申请有关人员回避（{why}）", f"asked that somebody keep out of it ({why})"
        case recusal.RecusalDecided(granted=granted):
            if granted:
                return "决定回避", "decided that they keep out of it"
            return "决定不予回避", "decided that they may stay"
        case supervision.Reminded() as e:
            which = t.code(e.clock, "clock_")
            return f"催办（{which}）：期限 {t.due(e.about)}", f"reminded of a limit ({which}), due {t.due(e.about)}"
        case supervision.SupervisionIssued() as e:
            rule, due = t.codes([e.rule_no], "rule_"), t.due(e.due)
            return (
                f"发出{e.level}级督办 {e.supervision_no}（{rule}）；反馈期限 {due}",
                f"issued the supervision order {e.supervision_no} of level {e.level} ({rule}); to be answered by {due}",
            )
        case supervision.SupervisionAnswered(late=late):
            return f"反馈督办事项{t.late(late)}", f"answered the supervision order{t.late(late)}"
        case supervision.SupervisionLifted():
            return "解除督办", "lifted the supervision order"
        case correcting.RecordCorrected() as e:
            fields = ("category", "respondent", "name", "phone", "email")
            what = t.codes([field for field in fields if getattr(e, field) is not None], "field_")
            closed = ("；内容封存", "; who may know of it is a closed circle") if e.sealed else ("", "")
            return (
                f"更正登记内容（{what}），原记录保留{closed[0]}",
                f"corrected what was recorded ({what}); the old entry stays{closed[1]}",
            )
        case correcting.StatementInvited(due=due):
            return (
                f"请被投诉方陈述申辩，期限 {t.due(due)}",
                f"asked the other side for a statement by {t.due(due)}",
            )
        case correcting.RespondentStated(late=late):
            return f"被投诉方作出陈述申辩{t.late(late)}", f"made a statement for the other side{t.late(late)}"
        case correcting.ComplainantNotified(method=method):
            how = t.code(method)
            return f"已告知投诉人（{how}）", f"told the complainant ({how})"
        case _:
            return None
