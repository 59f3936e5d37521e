"""One row per visit, the same however often it is built; and who may know what was said of it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime
from itertools import product
from typing import Final
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from domain import occasion
from domain.decider import THE_SYSTEM, Actor, Event, Role
from domain.grade import Grade
from domain.register import REGISTER, PostLeft, PostTaken, Register, RegisterEvent, Site, SiteAdded, SiteLevel
from domain.review import Stage
from domain.review.appealing import Appealed
from projections.reviews import (
    REVIEWS,
    ReviewRow,
    ReviewsWanted,
    VisitState,
    VisitsWanted,
    expiring,
    fold,
    key,
    may_see_review,
    may_see_visit,
    reviews,
    visits,
)
from projections.runner import Entry, rebuild
from projections.sight import viewer
from tests import hall
from tests.hall import CHEN, DESK, ENTERED, FENG, HEAD, LI, REVISITOR, SUPERVISOR, WANG, WEI, actor, later, local
from tests.projections.town import Town, carrying, dump, entries
from tests.visits import (
    APPENDED,
    BADLY,
    CORROBORATED,
    EXPIRED,
    INVITED,
    LAST,
    OF_LEDGER,
    OPENED,
    RATING,
    REVIEWED,
    SERVED,
    SUBMITTED,
    TOLD,
    VISIT,
    WORK_ORDER,
)

postgres = pytest.mark.postgres
NOW: Final = local("02-20")
CHANGED: Final[tuple[Event, ...]] = (OPENED, INVITED, REVIEWED)


def placed(visit: tuple[Event, ...], review: tuple[Event, ...] = (), name: str | None = None) -> list[Entry]:
    """Put the events of a visit, and then those of its review, in their places."""
    stream = VISIT if name is None else hall.key(name)
    of_visit = entries(*visit, case=stream)
    return [*of_visit, *entries(*review, case=occasion.review_of(stream), after=len(of_visit))]


def row_of(visit: tuple[Event, ...], review: tuple[Event, ...] = (), name: str | None = None) -> ReviewRow:
    """Give the row of a visit."""
    row = fold(placed(visit, review, name))
    assert row is not None
    return row


def test_a_visit_nobody_rated_has_a_row_without_a_grade() -> None:
    """Open, invited, over: it says who served and until when, and nothing of a rating."""
    row = row_of((OPENED,))
    assert (row.review, row.occasion, row.state) == (RATING, VISIT, VisitState.OPEN)
    assert (row.department, row.window, row.item, row.staff) == ("approval", "W03", "licence", FENG)
    assert (row.review_until, row.review_until_provisional) == (LAST, False)
    assert row_of((OPENED, INVITED, INVITED)).invitations == 2
    over = row_of((OPENED, INVITED, EXPIRED))
    assert (over.state, over.grade, over.rated_at, over.rated_position) == (VisitState.EXPIRED, None, None, None)
    assert replace(over, state=VisitState.OPEN, position=2) == row_of((OPENED, INVITED))


def test_the_first_rating_stays_beside_the_follow_up() -> None:
    """Grade and codes of each stand for themselves; the work order names its department and the limit of the call."""
    row = row_of(CHANGED, (BADLY, WORK_ORDER, APPENDED))
    assert (row.grade, row.codes, row.has_text) == (Grade.VERY_DISSATISFIED, ("115",), True)
    assert (row.follow_up_grade, row.follow_up_codes, row.follow_up_has_text) == (Grade.SATISFIED, ("413",), False)
    assert (row.lead, row.contact_due, row.accepted_at) == ("approval", hall.until("02-24").at, WORK_ORDER.at)
    assert (row.state, row.rated_position, row.opened_position, row.position) == (VisitState.REVIEWED, 4, 1, 6)
    assert (row.rated_at, row.followed_up_at) == (BADLY.at, APPENDED.at)


def test_what_staff_wrote_down_is_marked_until_it_is_confirmed() -> None:
    """From the confirmation on it is corroborated, and since when."""
    told = row_of(CHANGED, (TOLD,))
    assert (told.corroborated, told.corroborated_at) == (False, None)
    confirmed = row_of(CHANGED, (TOLD, CORROBORATED))
    assert (confirmed.corroborated, confirmed.corroborated_at) == (True, CORROBORATED.at)


def test_a_ledgers_visit_may_know_nearly_nothing() -> None:
    """Neither who served, nor when, nor until when it may be rated."""
    row = row_of((OF_LEDGER,))
    assert (row.department, row.served_at, row.review_until, row.profile) == (None, None, None, "ledger")


def test_no_field_of_a_row_says_who_was_served() -> None:
    """Of all keys in the events only that of who served is in the row, which no list shows."""
    row = row_of(CHANGED, (BADLY, WORK_ORDER, APPENDED))
    values = {str(getattr(row, field.name)) for field in fields(ReviewRow)}
    about = {OPENED.applicant, BADLY.reviewer, BADLY.by.person, BADLY.token, BADLY.own_link, OPENED.project_no}
    assert not {str(one) for one in about} & values
    assert {str(FENG)} <= values


def test_events_of_other_things_touch_no_row() -> None:
    """Only visits and reviews have rows here; what begins in the middle has none."""
    (one,) = entries(hall.REGISTER_EVENTS[0])
    assert key(one) is None
    assert fold(entries(BADLY, case=RATING)) is None
    keys = {key(entry) for entry in placed(CHANGED, (BADLY, WORK_ORDER, APPENDED))}
    assert keys == {RATING}


@postgres
def test_it_comes_from_the_table_as_it_was_folded_and_is_rebuilt_the_same(
    town: Town, connection: psycopg.Connection, database: str
) -> None:
    """Pages of any size give the rows of one fold, and building them anew gives the same bytes."""
    town.append(VISIT, OPENED, INVITED, REVIEWED)
    town.append(RATING, BADLY, WORK_ORDER)
    town.append(hall.key("another"), OPENED, INVITED)
    end = town.append(RATING, APPENDED)
    runner = carrying(connection, REVIEWS)
    while runner.step(2):
        pass
    runner.release()
    found = {row.review: row for row in REVIEWS.select(connection, sql.SQL(""))}
    assert set(found) == {RATING, occasion.review_of(hall.key("another"))}
    folded = row_of(CHANGED, (BADLY, WORK_ORDER, APPENDED))
    assert replace(found[RATING], position=folded.position) == folded
    before = dump(connection, REVIEWS)
    with psycopg.connect(database, autocommit=True) as other:
        assert rebuild(other, REVIEWS) == (end, 0)
    assert dump(connection, REVIEWS) == before


@postgres
def test_only_what_is_over_is_proposed_to_the_clock(town: Town, connection: psycopg.Connection) -> None:
    """Unrated, past its last instant, of a policy with timers; those over the longest first, what is not sure last."""
    earlier = replace(OPENED, review_until=hall.until("02-14"))
    unsure = replace(OPENED, review_until=replace(hall.until("02-14"), provisional=True))
    for name, story in {
        "late": (OPENED, INVITED),
        "later": (earlier,),
        "unsure": (unsure,),
        "over": (OPENED, EXPIRED),
        "ledger": (OF_LEDGER,),
    }.items():
        town.append(hall.key(name), *story)
    town.append(VISIT, *CHANGED)
    town.append(RATING, SUBMITTED)
    carrying(connection, REVIEWS).catch_up()
    late, first, unsure_one = hall.key("late"), hall.key("later"), hall.key("unsure")

    def proposed(profile: str, at: datetime, most: int) -> list[UUID]:
        return [row.occasion for row in expiring(connection, [profile], at, most)]

    assert proposed("hall", LAST, 10) == [first, unsure_one]
    assert proposed("hall", later(LAST, microseconds=1), 10) == [first, late, unsure_one]
    assert proposed("hall", later(LAST, microseconds=1), 1) == [first]
    assert proposed("ledger", later(LAST, days=99), 10) == []


# Who may know: said a second time in plain Python, without a look at the SQL.

APPEALED: Final = Appealed(
    at=local("02-16"),
    by=HEAD,
    appeal=hall.key("appeal"),
    ground="fabricated",
    explanation=hall.sealed("why"),
    explanation_measured=hall.MEASURED,
    evidence=(),
    decide_due=hall.until("02-28"),
    basis=hall.BASIS,
)
OUTSIDERS: Final = ((LI, "desk"), (hall.CHU, "tax-handler"), (WEI, "approval-head"), (hall.ZHOU, "revisits"))
BESIDE: Final = Site(code="BQ", name_zh="别区", name_en="Beside", level=SiteLevel.DISTRICT)
TENURE_ENDS: Final = local("02-13", "10:00")
HALLS: Final = ("GXQ", "BQ", "LOST")


def register() -> Register:
    """Give the hall of the examples with another beside it; at ten on the 13th one left window 3 and one came."""
    events: list[RegisterEvent] = [
        SiteAdded(at=ENTERED, by=THE_SYSTEM, entry=BESIDE),
        PostLeft(at=TENURE_ENDS, by=THE_SYSTEM, post="window-3", person=CHEN, until=TENURE_ENDS),
        PostTaken(at=TENURE_ENDS, by=THE_SYSTEM, post="window-3", person=LI, since=TENURE_ENDS),
    ]
    return REGISTER.fold(events, hall.FACTS.register)


def may(entered: Register, by: Actor, row: ReviewRow) -> bool:
    """Say whether somebody may know what was said of a visit."""
    if row.grade is None or by.post is None:
        return False
    # As far as the visit knows, and as the rules take it: no service is later than its rating.
    moments = {row.served_at or row.opened_at, min(row.served_at or BADLY.at, BADLY.at)}
    at_window = [t for t in entered.tenures if entered.posts[t.post].window == row.window]
    serving = {t.person for t in at_window if any(t.covers(at) for at in moments)}
    if row.window is not None and by.persons & serving:
        return False
    if row.staff in by.persons:
        return False
    post = entered.posts[by.post]
    # The examples' own hall has nobody above it, so what is in no hall at all is looked after there.
    here = row.hall != "BQ"
    own = {entered.posts[t.post].department for t in entered.tenures if t.person in by.persons and t.covers(NOW)}
    match by.role:
        case Role.HANDLER | Role.UNIT_HEAD:
            return post.department in {row.department, row.lead}
        case Role.DISPATCHER | Role.SUPERVISOR | Role.AUDITOR | Role.SYSTEM:
            return here
        case Role.REVISIT_OFFICER:
            return here and (row.department is None or row.department not in own)
        case Role.VERIFIER:
            ours = here if post.department is None else post.department in {row.department, row.lead}
            return row.accepted_at is not None and ours
        case Role.PANEL:
            return here and row.stage is Stage.UNDER_APPEAL and not own & ({row.department, row.lead} - {None})
        case _:
            return False


def stories() -> list[ReviewRow]:
    """Give visits of every kind: who served, known or not, where, when, rated or not, and who handles it."""
    made: list[ReviewRow] = []
    served = (None, TENURE_ENDS, later(TENURE_ENDS, minutes=-1), local("02-01"))
    for number, (where, staff, window, department, at, lead) in enumerate(
        product(HALLS, (None, FENG, WANG), ("W03", "W04", None), ("approval", "tax", None), served, (None, "tax"))
    ):
        attribution = None if department is None else replace(SERVED, department=department, window=window, staff=staff)
        opened = replace(OPENED, hall=where, attribution=attribution, served_at=at)
        said: tuple[Event, ...] = (BADLY,) if lead is None else (BADLY, replace(WORK_ORDER, lead=lead))
        if lead is not None and number % 3:
            said = (*said, APPEALED)
        rated = number % 7 != 0
        made.append(row_of((opened, REVIEWED) if rated else (opened,), said if rated else (), f"visit-{number}"))
    return made


@postgres
def test_the_list_and_the_look_say_what_the_rule_says(connection: psycopg.Connection) -> None:
    """Everybody in every post, at visits of every kind: the same reviews are listed, counted and found."""
    entered, rows = register(), stories()
    by_review = {row.review: row for row in rows}
    page = [one for row in rows for one in entries(OPENED, case=row.occasion)]
    with connection.transaction():
        replace(REVIEWS, evolve=lambda _, entry: by_review[occasion.review_of(entry.stream)]).apply(connection, page)
    people = [actor(who, post) for who, post in hall.HOLDERS]
    people += [replace(actor(WEI, "desk"), role=role) for role in (Role.AUDITOR, Role.SYSTEM, Role.PRIVACY_OFFICER)]
    outside = [replace(actor(who, post), role=role) for role in (Role.VERIFIER, Role.PANEL) for who, post in OUTSIDERS]
    people += [replace(one, role=Role.PANEL) for one in people[:6]] + outside
    people += [actor(SUPERVISOR.person, "supervisor", on_behalf_of=FENG)]
    seen = 0
    for by in people:
        looking = viewer(entered, by, NOW)
        expected = {row.review for row in rows if may(entered, by, row)}
        found = reviews(connection, looking, ReviewsWanted(limit=1000))
        assert {row.review for row in found.rows} == expected, by
        assert found.total == len(expected)
        for row in rows[::17]:
            assert may_see_review(connection, looking, row) is (row.review in expected), (by, row)
        seen += len(expected)
    assert seen > 1000


@postgres
def test_visits_are_known_where_they_are_recorded_and_watched(connection: psycopg.Connection) -> None:
    """Who records and who looks over it see the visits of their hall; a unit sees none, nor a citizen."""
    rows = [row_of((replace(OPENED, hall=where),), name=f"at-{where}") for where in HALLS]
    by_review = {row.review: row for row in rows}
    page = [one for row in rows for one in entries(OPENED, case=row.occasion)]
    with connection.transaction():
        replace(REVIEWS, evolve=lambda _, entry: by_review[occasion.review_of(entry.stream)]).apply(connection, page)
    entered = register()
    for by, sees in (
        (hall.COUNTER, {"GXQ", "LOST"}), (DESK, {"GXQ", "LOST"}), (SUPERVISOR, {"GXQ", "LOST"}), (HEAD, set()),
        (hall.HANDLER, set()), (REVISITOR, set()), (hall.CITIZEN, set()),
    ):  # fmt: skip
        looking = viewer(entered, by, NOW)
        found = visits(connection, looking, VisitsWanted())
        assert {row.hall for row in found.rows} == sees, by
        assert {row.hall for row in rows if may_see_visit(connection, looking, row)} == sees
    looking = viewer(entered, DESK, NOW)
    assert visits(connection, looking, VisitsWanted(hall="GXQ", window="W03", department="approval")).total == 1
    assert visits(connection, looking, VisitsWanted(state=VisitState.EXPIRED)).total == 0
