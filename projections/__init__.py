"""What people read: pure folds over the log, and their tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from projections.contacts import CONTACTS
from projections.docket import DOCKET
from projections.outbox import OUTBOX
from projections.published import PUBLISHED
from projections.runner import Projection
from projections.statements import STATEMENTS

PROJECTIONS: Final[Sequence[Projection[Any]]] = (DOCKET, OUTBOX, CONTACTS, PUBLISHED, STATEMENTS)
"""Every projection, under the number this version was built for."""
