"""The words for intake contacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "contact_complaint": ("投诉", "a complaint"),
    "contact_enquiry": ("咨询", "an enquiry"),
    "contact_praise": ("表扬", "praise"),
    "contact_suggestion": ("建议", "a suggestion"),
    "contact_other": ("其他", "something else"),
    "settled_answered": ("已解答", "it was answered"),
    "settled_guided": ("已引导到办事窗口", "they were shown to the right window"),
    "settled_noted": ("已记录", "it was noted"),
    "settled_passed_on": ("已转交有关部门", "it was passed on"),
    "settled_left": ("来访人离开", "they left"),
    "command_reclassify": ("改变来访类别", "say that a contact is something else"),
    "command_link": ("关联投诉件", "name the case of a contact"),
    "command_settle": ("来访办结", "settle a contact"),
    "refusal_own-contact-reclassified": ("不得将本人登记的投诉改为其他", "nobody unmakes a complaint they took down"),
}
