"""The hall, built once for each server, copied for each test."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.web import house
from tests.service.web.house import Hall, Template


@pytest.fixture(scope="session")
def hall_template(server: str) -> Iterator[Template]:
    """A built hall to copy."""
    with tempfile.TemporaryDirectory(prefix="bihuan-hall-") as home:
        template = house.build(server, Path(home))
        yield template
        house.drop(template)


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
