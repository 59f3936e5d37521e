"""What departments do with a case, in sentences."""

from __future__ import annotations

from domain.complaint import returning, units
from domain.decider import Event
from projections.telling.teller import Teller


def told(t: Teller, event: Event) -> tuple[str, str] | None:
    """Give the sentence of a call-in, a return or a hand-over, in Chinese and English."""
    match event:
        case units.UnitCalledIn() as e:
            unit, due = t.department(e.department), t.due(e.due)
            return f"请{unit}协办，答复期限 {due}", f"called in {unit}, to answer by {due}"
        case units.UnitAnswered() as e:
            return f"协办单位答复{t.late(e.late)}", f"answered for the department called in{t.late(e.late)}"
        case returning.AssignmentReturnRequested() as e:
            why = t.codes([e.reason], "")
            unit = t.department(e.suggested_unit)
            whose = ("", "") if e.suggested_unit is None else (f"；建议转{unit}", f"; it may belong to {unit}")
            return f"申请退回（{why}）{whose[0]}", f"asked to return it: {why}{whose[1]}"
        case returning.AssignmentReturnApproved() as e:
            due = t.due(e.assign_due)
            return f"同意退回；重新交办期限 {due}", f"agreed to the return; to be assigned again by {due}"
        case returning.AssignmentReturnRejected() as e:
            kept = ("，由该单位办理，不得再退回", "; the unit keeps it for good") if e.final else ("", "")
            return f"不同意退回{kept[0]}", f"did not agree to the return{kept[1]}"
        case units.HandedOver() as e:
            return _handed_over(t, e)
        case _:
            return None


def _handed_over(t: Teller, e: units.HandedOver) -> tuple[str, str]:
    unit, why = t.department(e.department), t.code(e.reason, "handover_")
    reason = ("", "") if e.reason is None else (f"（{why}）", f" ({why})")
    due = t.due(e.sign_due)
    then = ("", "") if e.sign_due is None else (f"；签收期限 {due}", f"; to be signed for by {due}")
    if e.department == e.from_department:
        return f"在{unit}内移交{reason[0]}{then[0]}", f"handed it over within {unit}{reason[1]}{then[1]}"
    return f"移交给{unit}{reason[0]}{then[0]}", f"handed it over to {unit}{reason[1]}{then[1]}"
