"""What every refusal has: a code that stays, a sentence, what it lies with, and what the person can do next."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

About: TypeAlias = Literal["person", "case", "content"]
"""What a refusal lies with: who asks, how the case stands, or only what was filled in."""


class Refused(Exception):
    """The command is not allowed."""

    code: ClassVar[str] = "refused"
    about: ClassVar[About] = "case"
    """`content` where the same person may ask for the same thing now in other words: the step itself is allowed."""
    watched: ClassVar[bool] = False
    """True: a supervisor would want to know of the attempt, so it goes on record."""
    then: ClassVar[str] = ""
    """What the person can do next."""

    def __init__(self, **facts: object) -> None:
        self.facts = {name: value for name, value in facts.items() if value is not None}
        super().__init__(self.code)

    @classmethod
    def message(cls) -> str:
        """Give the sentence for the person."""
        return (cls.__doc__ or "").strip().splitlines()[0]
