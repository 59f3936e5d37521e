"""What becomes of notices to complainants, in sentences."""

from __future__ import annotations

from domain import notice
from domain.decider import Event
from projections.telling.teller import Teller


def told(t: Teller, event: Event) -> tuple[str, str] | None:
    """Give the sentence of what happens to a notice."""
    match event:
        case notice.Queued(medium=medium):
            how = t.code(medium, "medium_")
            return f"待告知投诉人（{how}）", f"has something to tell the complainant ({how})"
        case notice.Sent(attempt_no=attempt):
            return f"第{attempt}次发送告知", f"sent the notice (attempt {attempt})"
        case notice.SendingFailed(attempt_no=attempt, cause=cause, retry_at=retry_at):
            why = t.code(cause, "failure_")
            then = ("；不再重试", "; it is not tried again")
            if retry_at is not None:
                then = (f"；{t.moment(retry_at)} 重试", f"; it is tried again at {t.moment(retry_at)}")
            return f"第{attempt}次发送未成（{why}）{then[0]}", f"could not send it (attempt {attempt}: {why}){then[1]}"
        case notice.Delivered():
            return "告知已送达", "the notice arrived"
        case _:
            return None
