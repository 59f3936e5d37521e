"""What people read: pure folds over the log, and their tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from projections.contacts import CONTACTS
from projections.docket import DOCKET
from projections.draws import DRAWS
from projections.flags import FLAGS
from projections.outbox import OUTBOX
from projections.published import PUBLISHED
from projections.reviews import REVIEWS
from projections.seals import SEALS
from projections.signals import SIGNALS
from projections.statements import STATEMENTS
from projections.tables import Carried

PROJECTIONS: Final[Sequence[Carried]] = (
    DOCKET,
    OUTBOX,
    CONTACTS,
    PUBLISHED,
    STATEMENTS,
    REVIEWS,
    FLAGS,
    SIGNALS,
    DRAWS,
    SEALS,
)
"""Every projection, under the number this version was built for."""
