"""Reviews on the command line: listed, shown, told and handled with a token."""

from __future__ import annotations

import pytest
from typer.testing import Result

from domain.errors import NotYourRole, Unknown
from service.cli import cases, reviews
from tests.service.typed import typed
from tests.service.web.handling import bad, carry, contested
from tests.service.web.house import HOLDERS, Hall

pytestmark = pytest.mark.postgres


def run(hall: Hall, who: str | None, *words: str) -> Result:
    """Type a command, as the holder of a token or as nobody."""
    token = None if who is None else hall.tokens[who, HOLDERS[who][0]]
    return typed(hall.parts, (cases, reviews), token, *words)


def test_a_bad_review_is_handled_from_the_command_line(hall: Hall) -> None:
    """Listed with what is due, shown with what may be done and why not the rest, and acted on once under a key."""
    rating = bad(hall)
    told = run(hall, "HE", "review", "list", "--due", "--stage", "bad_open", "--language", "en").output.splitlines()
    assert (told[0].split()[0], told[-1]) == (rating.id, "1 / 1")
    shown = run(hall, "HE", "review", "show", rating.id).output.splitlines()
    assert "+ contact" in shown
    assert any(line.startswith("- rectify: ") for line in shown)
    form = '{"method": "phone", "result": "reached"}'
    first = run(hall, "HE", "review", "do", "contact", rating.id, form, "--key", "once")
    assert first.output.splitlines()[1:] == ["Contacted"], first.output
    assert run(hall, "HE", "review", "do", "contact", rating.id, form, "--key", "once").output == first.output
    carry(hall, rating, "reply", "verify")
    lines = run(hall, "LI", "history", rating.id, "--language", "en").output.splitlines()
    assert rating.id in lines[0]
    assert lines[1:] == run(hall, "LI", "review", "history", rating.id, "--language", "en").output.splitlines()[1:]
    assert len(lines) == 1 + 3 + 6


def test_what_waits_for_a_second_decider_is_named(hall: Hall) -> None:
    """With the id that the confirmation names; what was made is printed by name."""
    rating = bad(hall)
    _, appeal = contested(hall, rating)
    form = f'{{"appeal": "{appeal}", "result": "rejected", "reasons": "有受理记录。"}}'
    made = run(hall, "GUO", "review", "do", "propose-decide-appeal", rating.id, form).output.splitlines()[-1]
    kind, name, proposal = made.split()
    assert (kind, name) == ("AppealDecisionProposed", "proposal")
    assert f"proposals: {proposal} (confirm-decide-appeal)" in run(hall, "MA", "review", "show", rating.id).output


def test_who_may_not_know_of_a_review_is_told_of_none(hall: Hall) -> None:
    """Nor does anybody act without a token, by a command there is not, or with a wrong form; nothing changes."""
    rating = bad(hall)
    position = hall.last_position()
    for words in (("review", "show"), ("history",), ("review", "history")):
        assert isinstance(run(hall, "CHEN", *words, rating.id).exception, Unknown)
    assert isinstance(run(hall, "TAN", "review", "do", "remind", rating.id, '{"clock": "verify"}').exception, Unknown)
    assert isinstance(
        run(hall, "LI", "review", "do", "remind", rating.id, '{"clock": "verify"}').exception, NotYourRole
    )
    assert "BIHUAN_TOKEN" in run(hall, None, "review", "show", rating.id).output
    assert "choose one of contact" in run(hall, "HE", "review", "do", "close", rating.id).output
    assert "choose one of counted" in run(hall, "HE", "review", "list", "--stage", "open").output
    assert "verdict: " in run(hall, "HE", "review", "do", "verify", rating.id, '{"verdict": "odd"}').output
    assert run(hall, "CHEN", "review", "list").output.splitlines() == ["0 / 0"]
    # Whoever reaches the data folder reads all of it.
    assert rating.id in run(hall, None, "history", rating.id).output
    assert hall.last_position() == position
