"""Reviews, new rounds, publication and disclosure, in sentences."""

from __future__ import annotations

from domain.complaint import publishing, reviewing
from domain.decider import Event
from projections.telling.teller import Teller


def told(t: Teller, event: Event) -> tuple[str, str] | None:
    """Give the sentence of a review, a new round or something that became known outside, in Chinese and English."""
    match event:
        case reviewing.ReviewRequested() as e:
            due = t.due(e.due)
            return (
                f"申请第{e.level}级复核；期限 {due}",
                f"asked for a review of level {e.level}; to be decided by {due}",
            )
        case reviewing.ReviewDecided() as e:
            result, late = t.code(e.result, "review_"), t.late(e.late)
            last = ("，终局", "; that is final") if e.final else ("", "")
            until = ("", "")
            if e.review_request_until is not None:
                due = t.due(e.review_request_until)
                until = (f"；申请下一级复核的期限 {due}", f"; the next level may be asked for until {due}")
            return (
                f"第{e.level}级复核决定{late}：{result}{last[0]}{until[0]}",
                f"decided the review of level {e.level}{late}: {result}{last[1]}{until[1]}",
            )
        case reviewing.Reopened() as e:
            why, due = t.code(e.cause), t.due(e.handle_due)
            term = ("", "") if e.handle_due is None else (f"；办理期限 {due}", f"; to be answered by {due}")
            return f"重新办理（第{e.round}轮，{why}）{term[0]}", f"reopened it for round {e.round} ({why}){term[1]}"
        case publishing.PublicationProposed() as e:
            due = t.due(e.until)
            return (
                f"提议公示，待他人确认，期限 {due}",
                f"proposed to publish it; to be confirmed by somebody else by {due}",
            )
        case publishing.Published():
            return "公示脱敏后的内容", "published it, redacted"
        case publishing.Unpublished():
            return "撤下公示", "took it out of publication"
        case publishing.DisclosureProposed() as e:
            fields, whom, due = t.codes(e.fields, "field_"), t.codes([e.recipient], ""), t.due(e.until)
            return (
                f"提议向{whom}披露投诉人{fields}，待他人确认，期限 {due}",
                f"proposed to disclose the complainant's {fields} to {whom}; to be confirmed by somebody else by {due}",
            )
        case publishing.IdentityDisclosed() as e:
            fields, whom = t.codes(e.fields, "field_"), t.codes([e.recipient], "")
            return f"向{whom}披露投诉人{fields}", f"disclosed the complainant's {fields} to {whom}"
        case _:
            return None
