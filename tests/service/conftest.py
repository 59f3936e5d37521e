"""The hall, built once for each server, copied for each test."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from tests.service.web import house
from tests.service.web.house import Hall, Template


@pytest.fixture(scope="session")
def hall_templates(servers: object) -> Iterator[Callable[[str], Template]]:  # noqa: ARG001  # ends before they do
    """Gives a built hall to copy; each server gets one when first asked for, and once."""
    with ExitStack() as stack:

        @cache
        def built(server: str) -> Template:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bihuan-hall-")))
            template = house.build(server, home)
            stack.callback(house.drop, template)
            return template

        yield built


@pytest.fixture(scope="session")
def hall_template(server: str, hall_templates: Callable[[str], Template]) -> Template:
    """A built hall to copy."""
    return hall_templates(server)


@pytest.fixture
def hall(hall_template: Template) -> Iterator[Hall]:
    """A running hall: named people in posts, `as_` gives a client with somebody's token."""
    with house.copy(hall_template) as copied:
        yield copied


@pytest.fixture(scope="module")
def still_hall(hall_template: Template) -> Iterator[Hall]:
    """A running hall that stays as it was built, shared by the tests of a file: for what is refused or only read."""
    with house.copy(hall_template) as copied:
        built = copied.last_position()
        yield copied
        assert copied.last_position() == built
