"""What the sample is told in: one scene for each command, under an id that is the same in every telling."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from domain.decider import Code
from service.demo.people import DEMO
from service.forms.form import Form
from service.forms.intake import RegisterForm


class StoryBroken(Exception):
    """The rules did not let happen what the sample tells, so the sample is wrong; what was loaded before stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One command of the story: of which complaint, which step of it, when (UTC), in which post, with what form.

    Without a post it is the complainant who acts. `refused`: the rules will not let it happen, which is the point.
    """

    number: int
    step: str
    moment: datetime
    post: Code | None
    form: RegisterForm | Form
    refused: bool = False

    @property
    def command_id(self) -> UUID:
        """The id of the command, the same in every telling."""
        return command_id(self.number, self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a complaint came in: the registration, what it really is about, and the unit that will lead."""

    number: int
    moment: datetime
    post: Code | None
    form: RegisterForm
    category: Code
    department: Code

    @property
    def scene(self) -> Scene:
        """The registration as the first scene."""
        return Scene(number=self.number, step="register", moment=self.moment, post=self.post, form=self.form)


def command_id(number: int, step: str) -> UUID:
    """Give the id of a step of a complaint."""
    return uuid5(DEMO, f"{number}:{step}")


def made(number: int, step: str) -> UUID:
    """Give the id of what a step creates (`Making.new_id`)."""
    return uuid5(command_id(number, step), "made")
