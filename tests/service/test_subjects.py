"""The same person is known again by marks that tell nothing, and the same story told twice is found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from psycopg_pool import ConnectionPool

from service.keys import Vault
from service.master import LocalMaster
from service.subjects import SECRETS, STORE_SKETCH_SQL, Subjects, normal_id, normal_phone
from tests.service.vaults import KeyService, open_vault, until_somebody_waits

postgres = pytest.mark.postgres

STORY = "本人于十一月三日上午到不动产登记窗口办理过户，窗口人员说系统故障让我回去等，等了两周仍无答复，电话也无人接听。"
RETOLD = "我十一月三日上午到不动产登记窗口办理过户，窗口人员说系统故障让我回去等，等了两周仍无答复，打电话也无人接听！"
ANOTHER = "社区食堂油烟直接排到居民楼窗下，夏天不敢开窗，向物业反映三次都说下周处理，请有关部门到现场检测。"


@pytest.fixture
def subjects(pool: ConnectionPool, log_id: UUID, tmp_path: Path) -> Subjects:
    """Matching in one process."""
    return Subjects(open_vault(pool, log_id, tmp_path))


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("13800138000", "13800138000"),
        (" 138 0013-8000 ", "13800138000"),
        ("+86 138 0013 8000", "13800138000"),
        ("0086-13800138000", "13800138000"),
        ("8613800138000", "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("＋８６１３８００１３８０００", "13800138000"),
        ("010-6552 1234", "01065521234"),
        ("(010)65521234", "01065521234"),
        ("+86 10 65521234", "01065521234"),
        ("+86 (0)10 65521234", "01065521234"),
        ("+852 2345 6789", "+85223456789"),
        ("00852 23456789", "+85223456789"),
        ("23456789", "23456789"),
        ("12345", "12345"),
        ("", None),
        (None, None),
        ("无", None),
        ("110", None),
        ("00000000000", None),
        ("13800138000 / 13900139000", None),
    ],
)
def test_a_phone_has_one_spelling(written: str | None, normal: str | None) -> None:
    """However it is written; what is written for want of a number is none."""
    assert normal_phone(written) == normal


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("11010519491231002x", "11010519491231002X"),
        (" 110105 19491231 002Ｘ ", "11010519491231002X"),
        ("H0012345(6)", "H00123456"),
        ("000000000000000000", None),
        ("无", None),
        (None, None),
    ],
)
def test_an_identity_number_has_one_spelling(written: str | None, normal: str | None) -> None:
    """Capitals, no spaces, no brackets; what is written for want of a number is none."""
    assert normal_id(written) == normal


@postgres
def test_the_same_phone_is_the_same_subject(
    subjects: Subjects, pool: ConnectionPool, log_id: UUID, tmp_path: Path
) -> None:
    """In every process, and however the number is written; nobody's phone is a new subject each time."""
    subject = subjects.subject_for("13800138000", None)
    again = Subjects(open_vault(pool, log_id, tmp_path))
    assert again.subject_for("+86 138-0013-8000", None) == subject
    assert again.subject_for("13800138001", None) != subject
    assert again.subject_for(None, None) != again.subject_for(None, None)
    assert again.subject_for("无", "") != again.subject_for("无", "")


@postgres
def test_an_identity_number_joins_phones_and_parts_people(subjects: Subjects) -> None:
    """One person with two phones is one subject; two people with one phone are two."""
    first = subjects.subject_for("13800138000", None)
    assert subjects.subject_for("13800138000", "11010519491231002X") == first  # now we know whose phone it is
    assert subjects.subject_for("13900139000", "11010519491231002X") == first
    assert subjects.subject_for("13900139000", None) == first
    partner = subjects.subject_for("13800138000", "110105194912310038")
    assert partner != first
    assert subjects.subject_for(None, "110105194912310038") == partner
    assert subjects.subject_for("13800138000", None) == first
    assert subjects.subject_for("13900139000", "110105194912310038") == partner


@postgres
def test_a_phone_is_not_taken_for_an_identity_number(subjects: Subjects) -> None:
    """The same digits in another field are another mark."""
    assert subjects.subject_for("13800138000", None) != subjects.subject_for(None, "13800138000")
    assert len({*subjects._marks("13800138000", "13800138000").values()}) == 2


@postgres
def test_first_complaints_from_one_phone_at_once_meet_one_subject(subjects: Subjects, pool: ConnectionPool) -> None:
    """Who comes second, here with an identity number too, waits for the first and joins its subject."""
    phone, first = subjects._marks("13800138000", None)["phone"], uuid4()
    with ThreadPoolExecutor(1) as thread, pool.connection() as connection:
        with connection.transaction():
            connection.execute("select vault.subject_for(null, %s, %s)", (phone, first))
            second = thread.submit(subjects.subject_for, "13800138000", "11010519491231002X")
            until_somebody_waits(pool)
        assert second.result(30) == first
    assert subjects.subject_for(None, "11010519491231002X") == first


@postgres
def test_the_table_holds_nothing_that_could_be_guessed(subjects: Subjects, pool: ConnectionPool) -> None:
    """Neither number nor a plain hash of it: eleven digits are counted through in minutes."""
    subject = subjects.subject_for("13800138000", "11010519491231002X")
    with pool.connection() as connection:
        rows = connection.execute("select kind, mac, subject_key from vault.subjects order by kind").fetchall()
    assert [(kind, len(mac), key) for kind, mac, key in rows] == [("identity", 32, subject), ("phone", 32, subject)]
    guesses = [sha256(before + b"13800138000").digest() for before in (b"", b"phone", b"phone\0", b"phone:")]
    assert not [mac for _, mac, _ in rows if mac in guesses or b"138001" in mac or b"110105" in mac]


@postgres
def test_somebody_erased_is_a_stranger(subjects: Subjects, pool: ConnectionPool) -> None:
    """Marks and sketches go; the next complaint from the phone has a new subject."""
    subject, other = subjects.subject_for("13800138000", None), subjects.subject_for("13900139000", None)
    told(subjects, pool, subject, STORY)
    kept = told(subjects, pool, other, STORY)
    subjects.erase_subject(subject)
    assert subjects.subject_for("13800138000", None) != subject
    assert subjects.subject_for("13900139000", None) == other
    assert subjects.similar(subject, STORY) == ()
    assert [found.case for found in subjects.similar(other, STORY)] == [kept]
    subjects.erase_case(kept)
    assert subjects.similar(other, STORY) == ()


@postgres
def test_a_story_told_again_is_found(subjects: Subjects, pool: ConnectionPool) -> None:
    """The likest first; another story, and the same one from somebody else, are not alike."""
    me, you = uuid4(), uuid4()
    told(subjects, pool, me, ANOTHER)
    told(subjects, pool, you, STORY)
    case, retold = told(subjects, pool, me, STORY), told(subjects, pool, me, RETOLD)
    found = subjects.similar(me, STORY)
    assert [one.case for one in found] == [case, retold]
    assert found[0].score == 100
    assert 60 <= found[1].score < 100
    assert {one.method for one in found} == {"minhash-bigram.1"}


@postgres
def test_punctuation_case_and_width_do_not_hide_a_story(subjects: Subjects, pool: ConnectionPool) -> None:
    """Only letters, digits and characters count."""
    me = uuid4()
    case = told(subjects, pool, me, "Window 3 was closed at 10:30, again!")
    assert [(one.case, one.score) for one in subjects.similar(me, "ＷＩＮＤＯＷ 3 was closed—at １０３０ again")] == [
        (case, 100)
    ]
    for nothing in ("", "。", "无", " \n", "?!\ud800"):
        assert subjects.sketch(nothing) is None
        assert subjects.similar(me, nothing) == ()


@postgres
def test_only_the_last_half_year_is_looked_at(subjects: Subjects, pool: ConnectionPool) -> None:
    """Counted back from the moment asked about, so an import sees what was earlier then."""
    me, day = uuid4(), datetime(2026, 6, 30, 9, 0, tzinfo=UTC)
    told(subjects, pool, me, STORY, day - timedelta(days=180))
    inside = told(subjects, pool, me, STORY, day - timedelta(days=179, hours=23))
    told(subjects, pool, me, STORY, day + timedelta(minutes=1))
    assert [one.case for one in subjects.similar(me, STORY, at=day)] == [inside]
    assert [one.case for one in subjects.similar(me, STORY, 10, at=day)] == []


@postgres
def test_a_sketch_tells_nothing_without_the_key(subjects: Subjects, pool: ConnectionPool, tmp_path: Path) -> None:
    """Under another secret the same story shares nothing with ours; a sketch has 128 bytes however long the text."""
    with pool.connection() as connection:
        connection.execute("delete from vault.secrets")
    before = subjects.sketch(STORY)
    other = Subjects(Vault(pool, LocalMaster(tmp_path, {}), uuid4()))
    assert other.sketch(STORY) == before  # one hall, one secret
    with pool.connection() as connection:
        connection.execute("delete from vault.secrets")
    stranger = Subjects(Vault(pool, LocalMaster(tmp_path, {}), uuid4())).sketch(STORY)
    assert before is not None
    assert stranger is not None
    assert not {before[i : i + 4] for i in range(0, 128, 4)} & {stranger[i : i + 4] for i in range(0, 128, 4)}
    long = subjects.sketch("".join(chr(0x4E00 + i * 7 % 20000) for i in range(100_000)))
    assert (len(before), len(long or b"")) == (128, 128)


@postgres
def test_matching_goes_on_without_the_key_service(pool: ConnectionPool, log_id: UUID, tmp_path: Path) -> None:
    """Once the secrets were asked for at the start."""
    service = KeyService(LocalMaster(tmp_path, {}))
    vault = Vault(pool, service, log_id)
    for name in SECRETS:
        vault.secret(name)
    service.away = True
    subjects = Subjects(vault)
    assert subjects.subject_for("13800138000", None) == subjects.subject_for("13800138000", None)
    assert subjects.sketch(STORY) is not None


def told(subjects: Subjects, pool: ConnectionPool, subject: UUID, story: str, at: datetime | None = None) -> UUID:
    """Register a complaint's sketch, as an append does; gives the case."""
    case = uuid4()
    with pool.connection() as connection, connection.transaction():
        connection.execute(STORE_SKETCH_SQL, (case, subject, subjects.sketch(story), at))
    return case
