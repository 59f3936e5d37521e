"""How cases are merged, taken apart and split, in sentences."""

from __future__ import annotations

from domain.complaint import linking, splitting
from domain.decider import Event
from projections.telling.teller import Teller


def told(t: Teller, event: Event) -> tuple[str, str] | None:
    """Give the sentence of cases that are joined or parted, in Chinese and English."""
    match event:
        case linking.Merged() as e:
            why = t.code(e.link)
            late = t.late(e.late) if e.late else ""
            return f"并入另一件办理{late}（{why}）", f"joined it to another case{late} ({why})"
        case linking.DuplicateLinked() as e:
            why = t.code(e.link)
            return f"另一件并入本件（{why}）", f"another case was joined to this one ({why})"
        case linking.UnmergeProposed() as e:
            due = t.due(e.until)
            return (
                f"提议撤销并案，待他人确认，期限 {due}",
                f"proposed to take the cases apart; to be confirmed by somebody else by {due}",
            )
        case linking.Unmerged():
            return "撤销并案，恢复单独办理", "took the cases apart; this one stands by itself again"
        case linking.DuplicateUnlinked():
            return "并入的一件恢复单独办理", "a case that was joined to this one stands by itself again"
        case splitting.Split() as e:
            numbers = [one.complaint_no for one in e.children]
            return (
                f"拆分出 {'、'.join(numbers)}，本件保留{len(e.kept)}项",
                f"split off {', '.join(numbers)}; {len(e.kept)} of its points stay",
            )
        case _:
            return None
