"""What happens to the log itself, in sentences."""

from __future__ import annotations

from domain import log
from domain.decider import Event
from projections.telling.teller import Teller


def told(t: Teller, event: Event) -> tuple[str, str] | None:
    """Give the sentence of what happens to the log, in Chinese and English."""
    match event:
        case log.Restored() as e:
            made = "" if e.taken_at is None else t.moment(e.taken_at)
            backup = (f"（备份时间 {made}）", f" by the backup of {made}") if made else ("", "")
            gone = ("原先其后的条目已不存在", "what had come after it is gone")
            return (
                f"日志恢复到第{e.kept}条{backup[0]}，{gone[0]}；第{e.epoch}纪元开始",
                f"took the log back to position {e.kept}{backup[1]}; {gone[1]}; epoch {e.epoch} begins",
            )
        case _:
            return None
