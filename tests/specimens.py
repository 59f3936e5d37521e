"""Named example data: a complaint to register, with boxes that look sealed and open nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from domain.complaint import Register
from domain.complaint.intake import Channel, Confidentiality, ReceiptMedium
from domain.complaint.state import IdentityMode, Respondent
from domain.decider import SYSTEM, THE_SYSTEM, PersonKey
from domain.rulebook import Profile
from domain.sealed import Sealed, measure

SOME_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""A command needs a time; the casebook sets the real one."""
NARRATIVE: Final = "窗口工作人员让我跑了三趟, 每次要的材料都不一样。"


def sealed(name: str, chars: int = len(NARRATIVE)) -> Sealed:
    """Give a value of the size a sealed text of `chars` Chinese characters has; the same name gives the same ids."""
    box = "A" * ((chars * 3 + 16) * 4 // 3)
    return Sealed(
        v=1,
        value_id=uuid5(NAMESPACE_URL, f"value:{name}"),
        key_id=uuid5(NAMESPACE_URL, "key"),
        nonce="A" * 16,
        box=box,
        chars=chars,
    )


def registration(hall: str, ref: str, *, receipt: bool = True) -> Register:
    """A complaint made on the web; `ref` is its external reference. With a receipt it makes two events."""
    return Register(
        at=SOME_TIME,
        by=THE_SYSTEM,
        hall=hall,
        profile=Profile.HALL,
        channel=Channel.WEB,
        window=None,
        complainant=PersonKey(UUID(int=SYSTEM.int ^ 1)),
        identity_mode=IdentityMode.ANONYMOUS,
        confidentiality=Confidentiality.NORMAL,
        category=None,
        respondent=Respondent(),
        item=None,
        project_no=None,
        external_ref=ref,
        name=None,
        phone=None,
        subject=None,
        narrative=sealed(ref),
        narrative_facts=measure(NARRATIVE),
        desired_outcome=None,
        vulnerable=(),
        written=True,
        points=1,
        happened_at=None,
        claimed_at=None,
        medium=ReceiptMedium.SCREEN if receipt else None,
    )
