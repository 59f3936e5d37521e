"""How a case ends otherwise than by its answer, and what becomes of proposals, in sentences."""

from __future__ import annotations

from domain.complaint import archiving, ending, proposals
from domain.decider import Event
from projections.telling.teller import Teller


def told(t: Teller, event: Event) -> tuple[str, str] | None:
    """Give the sentence of an end, or of a proposal, in Chinese and English."""
    match event:
        case ending.RefusalProposed() as e:
            why, where, due = t.codes([e.reason], ""), t.codes([e.proper_channel], ""), t.due(e.until)
            return (
                f"提议不予受理（{why}；应向{where}提出），待他人确认，期限 {due}",
                f"proposed not to accept it: {why}; it belongs to {where}; to be confirmed by somebody else by {due}",
            )
        case ending.Refused() as e:
            why, where, late = t.codes([e.reason], ""), t.codes([e.proper_channel], ""), t.late(e.late)
            due = t.due(e.review_request_until)
            return (
                f"不予受理{late}（{why}；应向{where}提出）；申请复核的期限 {due}",
                f"did not accept it{late}: {why}; it belongs to {where}; a review may be asked for until {due}",
            )
        case ending.TransferredOut() as e:
            where, late = t.code(e.to), t.late(e.late)
            closed = ("；内容封存", "; who may know of it is a closed circle") if e.sealed else ("", "")
            return f"转送{where}{late}{closed[0]}", f"sent it to {where}{late}{closed[1]}"
        case ending.Withdrawn() as e:
            how = t.code(e.proof)
            seen = ("", "") if e.confirmed_by is None else ("，窗口核实自愿", "; a clerk saw it was of free will")
            return f"撤回投诉（{how}）{seen[0]}", f"withdrew the complaint ({how}){seen[1]}"
        case ending.TerminationProposed() as e:
            why, due = t.codes([e.reason], ""), t.due(e.until)
            return (
                f"提议终止办理（{why}），待他人确认，期限 {due}",
                f"proposed to end the handling: {why}; to be confirmed by somebody else by {due}",
            )
        case ending.Terminated() as e:
            why = t.codes([e.reason], "")
            return f"终止办理（{why}）", f"ended the handling: {why}"
        case proposals.ProposalDeclined():
            return "不同意所提议的事项", "declined what was proposed"
        case proposals.ProposalExpired():
            return "提议未在期限内确认，失效", "nobody confirmed what was proposed in time"
        case archiving.Archived() as e:
            kept = t.codes([e.retention_class], "retention_")
            until = "" if e.retention_until is None else f" {e.retention_until.day}"
            term = (f"，{kept}保存至{until}", f"; {kept} are kept until{until}") if until else ("", "")
            return f"归档，档号 {e.archive_no}{term[0]}", f"archived as {e.archive_no}{term[1]}"
        case _:
            return None
