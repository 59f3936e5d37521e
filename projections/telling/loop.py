"""What happens to a complaint on its way round the loop, and beside it, in sentences."""

from __future__ import annotations

from domain import access, complaint, rulebook
from domain.decider import Event
from domain.handling import Basis
from projections.telling.teller import Teller


def of_a_ledger(basis: Basis) -> bool:
    """Say whether something happened in another house: nothing was due there, and what is unknown is not spoken of."""
    return basis.policy is not None and basis.policy.profile == rulebook.Profile.LEDGER


def told(t: Teller, event: Event) -> tuple[str, str] | None:
    """Give the sentence of a step of the loop, or of what stands beside a case, in Chinese and English."""
    match event:
        case complaint.Registered() as e:
            channel = t.code(e.channel)
            people = ("", "") if e.people is None else (f"，{e.people}人共同提出", f", {e.people} people together")
            chinese = f"登记投诉 {e.complaint_no}（来源：{channel}{people[0]}）"
            english = f"registered complaint {e.complaint_no} (by {channel}{people[1]})"
            if e.profile is rulebook.Profile.LEDGER:
                return chinese, english
            due = t.due(e.accept_due)
            return f"{chinese}；受理期限 {due}", f"{english}; to be accepted by {due}"
        case complaint.AcknowledgementIssued() as e:
            return f"出具回执 {e.receipt_no}", f"gave the receipt {e.receipt_no}"
        case complaint.QueryCodeReplaced():
            return "更换查询码，旧码作废", "gave a new query code; the old one is dead"
        case complaint.Accepted() as e if of_a_ledger(e.basis):
            return "受理", "accepted"
        case complaint.Accepted() as e:
            due, late = t.due(e.handle_due), t.late(e.late)
            return (
                f"受理{late}（{t.code(e.severity)}、{t.code(e.complexity)}）；办理期限 {due}",
                f"accepted{late} ({t.code(e.severity)}, {t.code(e.complexity)}); to be answered by {due}",
            )
        case complaint.Assigned() as e:
            unit = t.department(e.department)
            if of_a_ledger(e.basis):
                return f"交办给{unit}", f"assigned to {unit}"
            return (
                f"交办给{unit}；签收期限 {t.due(e.sign_due)}",
                f"assigned to {unit}; to be signed for by {t.due(e.sign_due)}",
            )
        case complaint.AssignmentAccepted() as e:
            return f"签收{t.late(e.late)}", f"signed for it{t.late(e.late)}"
        case complaint.ComplainantContacted() as e:
            how, result, late = t.code(e.method), t.code(e.result), t.late(e.late)
            return (
                f"第{e.attempt_no}次联系投诉人{late}（{how}）：{result}",
                f"contact attempt {e.attempt_no}{late} ({how}): {result}",
            )
        case complaint.EvidenceRecorded() as e:
            return f"记录证据（{t.code(e.kind)}）", f"recorded evidence ({t.code(e.kind)})"
        case complaint.FindingRecorded() as e:
            more = ("；须整改", "; a rectification is owed") if e.rectification_required else ("", "")
            return f"调查结论：{t.code(e.finding)}{more[0]}", f"found it {t.code(e.finding)}{more[1]}"
        case complaint.RectificationPlanned() as e:
            anew = ("", "") if e.replaces is None else ("重新", " anew")
            return (
                f"{anew[0]}制定整改措施，期限 {t.due(e.due)}",
                f"planned a rectification{anew[1]}, due {t.due(e.due)}",
            )
        case complaint.Rectified() as e:
            return f"完成整改{t.late(e.late)}", f"rectified{t.late(e.late)}"
        case complaint.RectificationVerified() as e:
            said = ("通过", "passed") if e.passed else ("未通过", "did not pass")
            return f"核验整改：{said[0]}", f"verified the rectification: {said[1]}"
        case complaint.ReplySubmitted() as e:
            return f"提交答复送审（{t.code(e.decision)}）", f"submitted a reply for approval ({t.code(e.decision)})"
        case complaint.ReplyApproved():
            return "审核通过答复", "approved the reply"
        case complaint.ReworkOrdered() as e:
            return f"第{e.rework_no}次发回重办", f"sent it back for rework (no. {e.rework_no})"
        case complaint.Replied() as e:
            late, how, due = t.late(e.late), t.code(e.method), t.due(e.revisit_due)
            ways = ("", "") if e.method is None else (f"（{how}）", f" ({how})")
            then = ("", "") if e.revisit_due is None else (f"；回访期限 {due}", f"; to be revisited by {due}")
            return f"答复投诉人{late}{ways[0]}{then[0]}", f"replied{late}{ways[1]}{then[1]}"
        case complaint.ReplyDeliveryFailed() as e:
            return (
                f"第{e.attempt_no}次送达答复未成（{t.code(e.cause, 'failure_')}）",
                f"delivery attempt {e.attempt_no} failed ({t.code(e.cause, 'failure_')})",
            )
        case complaint.RevisitAttempted() as e:
            how, result = t.code(e.method), t.code(e.result)
            return f"第{e.attempt_no}次回访（{how}）：{result}", f"revisit attempt {e.attempt_no} ({how}): {result}"
        case complaint.Revisited() as e:
            grade, resolved, late = t.code(e.result_satisfaction), t.code(e.resolved, "resolved_"), t.late(e.late)
            return f"回访{late}：{resolved}，对结果{grade}", f"revisited{late}: {resolved}; with the result {grade}"
        case complaint.Closed(outcome=None):
            return "办结", "closed"
        case complaint.Closed() as e:
            outcome, revisit = t.code(e.outcome, "outcome_"), t.code(e.revisit_status, "revisit_")
            return f"办结（{outcome}，{revisit}）", f"closed ({outcome}; {revisit})"
        case access.Opened() as e:
            fields, purpose = t.codes(e.fields, "field_"), t.code(e.purpose, "purpose_")
            why = purpose if e.warrant is None else f"{purpose} {e.warrant}"
            return f"查看封存内容（{fields}），用途：{why}", f"opened sealed values ({fields}), purpose: {why}"
        case access.AttemptRefused() as e:
            what, why = t.codes([e.command], "command_"), t.codes([e.code], "refusal_")
            return f"试图{what}，被拒绝：{why}", f"tried to {what} and was refused: {why}"
        case _:
            return None
