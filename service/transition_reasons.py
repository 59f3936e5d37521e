"""Why the transitions differ from the table of the specification, and why there are commands that it does not list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ENDED: Final = ("closed", "merged", "refused", "terminated", "transferred_out", "withdrawn")
LATER: Final = ("closed", "replied", "reply_approved", "reply_pending_approval")
IN_HAND: Final = ("accepted", "assigned", "reply_approved", "reply_pending_approval")
UNANSWERED: Final = (
    "accepted",
    "assigned",
    "awaiting_supplement",
    "in_progress",
    "registered",
    "reply_approved",
    "reply_pending_approval",
    "under_review",
)
MOVED: Final = (("DeadlineRecomputed",), "A limit that moves is an event of its own (architecture.md §2).")

ADDED: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "replace-query-code": (
        ("citizen", "intake"),
        "Who lost the code gets a new one, and the old one dies (architecture.md §5).",
    ),
    "recompute-deadlines": (
        ("system",),
        "A calendar adopted later moves limits, on record and never to an earlier day (§14 case 4).",
    ),
    "decline-proposal": (
        ("dispatcher", "privacy_officer", "supervisor"),
        "Whoever could confirm may decline: the other half of a two-person act (architecture.md §2).",
    ),
    "expire-proposal": (
        ("system",),
        "A proposal that nobody confirms ends by itself and stops no clock (architecture.md §2).",
    ),
    "call-in": (
        ("dispatcher", "handler"),
        "Several departments: one leads, the others answer, each with its own clock.",
    ),
    "answer-call": (("handler", "unit_head"), "The answer of a department that was called in."),
    "hand-over": (
        ("dispatcher", "unit_head"),
        "Cases of somebody who leaves, is away or recused go to somebody else; no promise begins anew.",
    ),
    "reply-linked": (
        ("dispatcher", "system"),
        "Whoever was merged into another case gets an answer of their own (domain.md §4.3).",
    ),
    "revisit-linked": (("revisit_officer",), "And a revisit of their own (domain.md §4.3)."),
    "remind": (("supervisor", "system"), "The reminder before a limit (domain.md §5, escalate.remind)."),
    "correct-record": (
        ("dispatcher", "handler", "intake"),
        "A wrong category, respondent or contact; the old value stays on record.",
    ),
    "invite-statement": (("handler",), "The other side is heard, in words that do not tell who complained."),
    "make-statement": (("respondent",), "What the other side says (RESPONDENT in domain.md §6.2: statement, appeal)."),
    "record-notice": (
        ("dispatcher", "handler", "intake", "system"),
        "That a notice arrived: what was not delivered does not count as told.",
    ),
    "propose-disclose": (("supervisor",), "Disclosing who complained is a two-person act (architecture.md §2)."),
    "confirm-disclose": (("privacy_officer",), "The second person of a disclosure."),
    "request-erasure": (
        ("citizen", "intake", "privacy_officer"),
        "The complainant's right (domain.md §11.1; PIPL art. 47).",
    ),
    "decide-erasure": (
        ("privacy_officer",),
        "It is decided with a legal basis; what must be kept is restricted (domain.md §11.2).",
    ),
    "witness-erasure": (("privacy_officer", "supervisor"), "Keys are destroyed before a witness (domain.md §11.1)."),
    "erase": (
        ("privacy_officer",),
        "The keys are destroyed, and it is said when they are gone from backups (architecture.md §5).",
    ),
    "lift-restriction": (("privacy_officer",), "A restriction whose ground has gone."),
}
"""Commands that the specification does not list, each with who may give it, and why it is there."""

DIFFERS: Final[Mapping[tuple[str, str], tuple[tuple[str, ...], str]]] = {
    ("register", "role"): (
        ("dispatcher",),
        "Nothing may block registering (事事有受理): the desk may write one down too.",
    ),
    ("provide-supplement", "role"): (
        ("dispatcher", "intake"),
        "What the complainant brings to a counter is written down by whoever stands there.",
    ),
    ("provide-supplement", "event"): MOVED,
    ("expire-supplement", "event"): (("ClockResumed", "DeadlineRecomputed"), "The clock runs on when nothing came."),
    ("merge", "event"): (
        ("DeadlineRecomputed",),
        "The primary takes the earliest limit of the group (domain.md §4.3).",
    ),
    ("merge", "no step"): (("under_review",), "What others are looking at is decided before it is joined to anything."),
    ("confirm-unmerge", "event"): (
        ("DeadlineRecomputed", "DuplicateUnlinked"),
        "The primary knows that a case left it, and both have their own limits.",
    ),
    ("decide-return", "event"): MOVED,
    ("request-recusal", "role"): (
        ("dispatcher", "intake", "reviewer", "revisit_officer", "supervisor", "unit_head"),
        "Whoever has an interest declares it, in whatever post (Civil Servants Law arts 76-77).",
    ),
    ("decide-recusal", "role"): (
        ("reviewer", "supervisor"),
        "The unit head or upper: who is above where the head is concerned.",
    ),
    ("decide-recusal", "event"): (("HandedOver",), "Whoever takes over gets the case at once."),
    ("resume-clock", "step"): (IN_HAND, "A pause outlasts a change of the step; the clock must be able to run on."),
    ("resume-clock", "role"): (("system",), "A pause ends at its maximum by itself (domain.md §4.3)."),
    ("resume-clock", "event"): MOVED,
    ("decide-extension", "step"): (IN_HAND, "A request made in time is decided wherever the case stands meanwhile."),
    ("decide-extension", "event"): MOVED,
    ("decide-extension", "no event"): (
        ("ComplainantNotified",),
        "The outbox tells the complainant, and the event follows when the notice arrived.",
    ),
    ("plan-rectification", "step"): (LATER, "The reply need not wait for all actions (LGSCO 6.6)."),
    ("rectify", "step"): (LATER, "The reply need not wait for all actions (LGSCO 6.6)."),
    ("verify-rectification", "step"): (LATER, "The reply need not wait for all actions (LGSCO 6.6)."),
    ("decide-review", "event"): (
        ("DeadlineRecomputed", "Reopened"),
        "A new round is an event of its own, with limits of its own.",
    ),
    ("reopen", "step"): (("withdrawn",), "A supervisor may continue a withdrawn case ex officio."),
    ("answer-supervision", "role"): (
        ("dispatcher", "handler", "unit_head"),
        "The unit answers that has the case; the desk where none has it, or it has answered. §6.3 names nobody.",
    ),
    ("lift-supervision", "role"): (("supervisor",), "Who may issue an order may lift it. §6.3 names nobody."),
    ("answer-supervision", "step"): (ENDED, "An order outlives the end of the case it was about."),
    ("lift-supervision", "step"): (ENDED, "An order outlives the end of the case it was about."),
    ("propose-publish", "no step"): (UNANSWERED, "Only what was answered or has ended can be published."),
    ("confirm-publish", "no step"): (UNANSWERED, "Only what was answered or has ended can be published."),
    ("unpublish", "role"): (("privacy_officer",), "What must not be public is taken down at once, by one person."),
    ("unpublish", "no role"): (("dispatcher",), "What must not be public is taken down at once, by one person."),
}
"""How rows of the specification are built otherwise, by command and kind: what, and why."""
