"""What becomes of visits and of what people say of them, in sentences."""

from __future__ import annotations

from domain import occasion, review
from domain.code_sets import CodeSetRef
from domain.decider import Code, Event
from projections.telling.teller import Teller


def told(t: Teller, event: Event) -> tuple[str, str] | None:
    """Give the sentence of what happens to a visit or a review, in Chinese and English."""
    match event:
        case occasion.Opened() as e:
            until = t.due(e.review_until)
            if e.review_until is None:
                return "记录一次服务", "a visit was recorded"
            return f"记录一次服务；评价截止 {until}", f"a visit was recorded; it may be rated until {until}"
        case occasion.Invited(medium=medium):
            how = t.code(medium, "invited_")
            return f"邀请评价（{how}）", f"invited to rate it ({how})"
        case occasion.Reviewed():
            return "本次服务已评价", "the visit was rated"
        case occasion.Expired():
            return "评价期限届满，未评价", "the time to rate it is over; nobody did"
        case review.Submitted() as e:
            grade, aside = (
                t.code(e.grade),
                ("", "") if e.corroborated else ("，待本人确认", ", to be confirmed by them"),
            )
            ticked = _ticked(t, e.codes, e.code_set)
            return f"评价：{grade}{ticked[0]}{aside[0]}", f"rated it: {grade}{ticked[1]}{aside[1]}"
        case review.Appended() as e:
            grade = "" if e.grade is None else t.code(e.grade)
            ticked = _ticked(t, e.codes, e.code_set)
            return (
                f"追加评价：{grade}{ticked[0]}".rstrip("："),
                f"added to the rating: {grade}{ticked[1]}".rstrip(": "),
            )
        case review.Corroborated():
            return "本人确认评价属实", "confirmed that the rating is theirs"
        case review.Accepted() as e:
            lead = t.department(e.lead)
            until = t.due(e.contact_due)
            contact = ("", "") if e.contact_due is None else (f"；联系期限 {until}", f"; to be contacted by {until}")
            return f"差评受理，转{lead}办理{contact[0]}", f"accepted the bad review for {lead}{contact[1]}"
        case _:
            return None


def _ticked(t: Teller, codes: tuple[Code, ...], ref: CodeSetRef | None) -> tuple[str, str]:
    """Give what was ticked, in brackets; names of things to tick hold commas of their own, so semicolons part them."""
    named = t.ticked(codes, ref)
    return (f"（{'；'.join(named)}）", f" ({'; '.join(named)})") if named else ("", "")
