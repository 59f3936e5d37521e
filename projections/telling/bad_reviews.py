"""How a bad review is handled, contested and checked, in sentences."""

from __future__ import annotations

from domain.deadlines import Due
from domain.decider import Event
from domain.review import appealing, drawing, flagging, objecting, proposals, revisiting, settling, verifying, watching
from domain.review.adding import MistakeConfirmed
from domain.review.linking import ComplaintLinked
from projections.telling.teller import Teller

Sentences = tuple[str, str]


def told(t: Teller, event: Event) -> Sentences | None:
    """Give the sentence of what happens to a bad, a contested or a flagged review, in Chinese and English."""
    for phase in (_work, _contest, _watch, _check):
        if (sentences := phase(t, event)) is not None:
            return sentences
    return None


def _by(t: Teller, due: Due | None, chinese: str, english: str) -> Sentences:
    """Give what stands behind a sentence for a limit: nothing where none was set."""
    return ("", "") if due is None else (f"；{chinese}期限 {t.due(due)}", f"; {english} {t.due(due)}")


def _work(t: Teller, event: Event) -> Sentences | None:
    match event:
        case verifying.Contacted() as e:
            how, result = t.code(e.method), t.code(e.result)
            return (
                f"第{e.attempt_no}次联系评价人（{how}）：{result}",
                f"contact attempt {e.attempt_no} ({how}): {result}",
            )
        case verifying.EvidenceRecorded() as e:
            what = t.code(e.kind)
            return f"记录证据：{what}", f"recorded evidence: {what}"
        case verifying.Verified() as e:
            verdict, until = t.code(e.verdict, "verdict_"), _by(t, e.rectify_due, "整改或解释", "to be settled by")
            return f"核实结果：{verdict}{until[0]}", f"verified: {verdict}{until[1]}"
        case settling.RectificationPlanned() as e:
            return f"列入整改台账，期限 {t.due(e.due)}", f"put on the list, to be put right by {t.due(e.due)}"
        case settling.Rectified() as e:
            until = _by(t, e.reply_due, "答复", "to be replied to by")
            return f"整改完成{until[0]}", f"put right{until[1]}"
        case settling.ExplanationGiven() as e:
            until = _by(t, e.reply_due, "答复", "to be replied to by")
            return f"解释说明{until[0]}", f"explained{until[1]}"
        case settling.Replied(method=method):
            how = t.code(method)
            return f"答复评价人（{how}）", f"replied to who rated ({how})"
        case revisiting.RevisitAttempted() as e:
            how, result = t.code(e.method), t.code(e.result)
            return f"第{e.attempt_no}次回访（{how}）：{result}", f"revisit attempt {e.attempt_no} ({how}): {result}"
        case revisiting.Revisited(satisfied=satisfied):
            said = t.code(satisfied, "content_")
            return f"回访结果：{said}", f"revisited: {said}"
        case revisiting.ReworkOrdered() as e:
            until = _by(t, e.rectify_due, "整改", "to be put right by")
            return (
                f"评价人不满意，发回重新整改{until[0]}",
                f"who rated is not content: it goes back to the unit{until[1]}",
            )
        case revisiting.Closed() as e:
            kind, status = t.code(e.kind, "settled_"), t.code(e.revisit_status, "revisit_")
            return f"差评办结：{kind}（{status}）", f"closed the bad review: {kind} ({status})"
        case _:
            return None


def _contest(t: Teller, event: Event) -> Sentences | None:
    match event:
        case MistakeConfirmed():
            return "评价人确认误选等级", "who rated says the grade was a mistake"
        case appealing.Appealed() as e:
            why, until = t.codes([e.ground], "appeal_"), _by(t, e.decide_due, "复核", "to be decided by")
            return f"申诉（{why}）{until[0]}", f"appealed against it ({why}){until[1]}"
        case appealing.AppealDecisionProposed() as e:
            result, until = t.code(e.result, "appealed_"), _by(t, e.until, "确认", "to be confirmed by")
            return f"提出复核意见：{result}{until[0]}", f"proposed a decision on the appeal: {result}{until[1]}"
        case appealing.AppealDecided() as e:
            result = t.code(e.result, "appealed_")
            return f"复核决定：{result}", f"decided on the appeal: {result}"
        case appealing.Excluded() as e:
            why = t.codes([e.reason], "appeal_")
            return f"评价排除（{why}），评价人可提出异议", f"took it out of the figures ({why}); who rated may object"
        case appealing.Told() as e:
            how, result = t.code(e.method), t.code(e.result)
            until = _by(t, e.objection_until, "异议", "they may object until")
            return (
                f"第{e.attempt_no}次告知评价人排除结果（{how}）：{result}{until[0]}",
                f"attempt {e.attempt_no} to tell who rated that it was taken out ({how}): {result}{until[1]}",
            )
        case objecting.ExclusionObjected() as e:
            until = _by(t, e.decide_due, "处理", "to be decided by")
            return f"评价人对排除提出异议{until[0]}", f"who rated objected{until[1]}"
        case objecting.ObjectionDecisionProposed() as e:
            result, until = t.code(e.result, "objected_"), _by(t, e.until, "确认", "to be confirmed by")
            return f"提出异议处理意见：{result}{until[0]}", f"proposed a decision on the objection: {result}{until[1]}"
        case objecting.ObjectionDecided(result=result):
            what = t.code(result, "objected_")
            return f"异议处理决定：{what}", f"decided on the objection: {what}"
        case objecting.Reinstated():
            return "评价恢复计入，计入原评价月份", "it counts again, in its own month"
        case proposals.ProposalDeclined():
            return "未同意提出的意见", "did not confirm what was proposed"
        case proposals.ProposalExpired():
            return "提出的意见逾期未确认，失效", "what was proposed was not confirmed in time"
        case _:
            return None


def _watch(t: Teller, event: Event) -> Sentences | None:
    match event:
        case watching.Reminded() as e:
            what, about = t.code(e.clock, "due_"), t.due(e.about)
            return f"催办：{what}，期限 {about}", f"reminded: {what} by {about}"
        case watching.SupervisionIssued() as e:
            why, until = t.codes([e.rule_no], "rule_"), _by(t, e.due, "反馈", "to be answered by")
            return (
                f"督办（{e.level}级，{why}），编号{e.supervision_no}{until[0]}",
                f"issued supervision order {e.supervision_no}, level {e.level} ({why}){until[1]}",
            )
        case watching.SupervisionAnswered():
            return "反馈督办事项", "answered the supervision order"
        case watching.SupervisionLifted():
            return "解除督办", "lifted the supervision order"
        case watching.DeadlineRecomputed() as e:
            what, old, new = t.code(e.clock, "due_"), t.due(e.old), t.due(e.new)
            return (
                f"{what}期限按新日历由 {old} 改为 {new}",
                f"by the new calendar the limit for this moved from {old} to {new}: {what}",
            )
        case ComplaintLinked():
            return "评价人就此提出投诉，已关联", "who rated made a complaint of it, which is linked"
        case _:
            return None


def _check(t: Teller, event: Event) -> Sentences | None:
    match event:
        case flagging.Flagged() as e:
            what = t.codes([e.detector], "detector_")
            return f"系统提示核查：{what}（{e.score}分）", f"noticed for a human to look at: {what} (score {e.score})"
        case flagging.FlagCleared():
            return "人工核查无异常", "a human found nothing wrong"
        case flagging.CheckOwed() as e:
            until = _by(t, e.check_due, "核验", "to be asked by")
            return f"抽中核验{until[0]}", f"drawn for a check{until[1]}"
        case flagging.Checked() as e:
            said = t.code(e.result) if e.genuine is None else t.code(e.genuine, "genuine_")
            return f"第{e.attempt_no}次核验：{said}", f"check attempt {e.attempt_no}: {said}"
        case drawing.DrawAnnounced() as e:
            begins, ends = t.moment(e.begins), t.moment(e.ends)
            return (
                f"公布抽查：{begins} 至 {ends}，种子已承诺",
                f"announced a draw over {begins} to {ends}; its seed is committed to",
            )
        case drawing.SeedOpened():
            return "公开抽查种子", "told the seed of the draw"
        case drawing.Drawn() as e:
            return f"抽取{len(e.drawn)}件（共{e.members}件）", f"drew {len(e.drawn)} of {e.members}"
        case _:
            return None
