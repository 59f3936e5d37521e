"""What becomes of intake contacts, in sentences."""

from __future__ import annotations

from domain import intake_contact
from domain.decider import Event
from domain.intake_contact import ContactKind
from projections.telling.teller import Teller


def told(t: Teller, event: Event) -> tuple[str, str] | None:
    """Give the sentence of what happens to a contact, in Chinese and English."""
    match event:
        case intake_contact.ContactRecorded() as e:
            what, how = t.code(e.kind, "contact_"), t.code(e.channel)
            until = _until(t, e)
            return f"登记来访（{what}，{how}）{until[0]}", f"somebody came with {what} ({how}){until[1]}"
        case intake_contact.ContactReclassified() as e:
            what, until = t.code(e.kind, "contact_"), _until(t, e)
            return f"改为{what}{until[0]}", f"it turned out to be {what}{until[1]}"
        case intake_contact.ContactRegistered(late=late):
            return f"已登记为投诉件{t.late(late)}", f"the complaint was registered{t.late(late)}"
        case intake_contact.ContactSettled(settlement=settlement):
            how = t.code(settlement, "settled_")
            return f"来访办结（{how}）", f"it came to its end: {how}"
        case _:
            return None


def _until(t: Teller, event: intake_contact.ContactRecorded | intake_contact.ContactReclassified) -> tuple[str, str]:
    if event.kind is not ContactKind.COMPLAINT:
        return "", ""
    due = t.due(event.register_due)
    return f"；登记期限 {due}", f"; to be registered by {due}"
