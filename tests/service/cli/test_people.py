"""Accounts, tokens, posts, register, rulebook and keys on the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import typer
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from domain.complaint import Registered
from domain.decider import PersonKey, Role
from domain.errors import Refused
from domain.register import Register
from projections.codec import decode
from service.casebook import Asked
from service.cli import offices, people, rules
from service.forms.intake import RegisterForm
from service.master import FILE_NAME
from service.parts import Parts, open_parts
from service.settings import Settings
from tests.service.web.house import REGISTER

pytestmark = pytest.mark.postgres

PASSPHRASE = "eleven quiet lanterns"


@dataclass
class Machine:
    """A machine with an installation: what is typed, and what the installation then holds."""

    dsn: str
    home: Path

    def run(self, *words: str, typed: str | None = None) -> Result:
        """Type a command; `typed` is what is typed after it."""
        app = typer.Typer(pretty_exceptions_enable=False)
        people.register(app)
        offices.register(app)
        rules.register(app)
        environment = {"DATABASE_URL": self.dsn, "BIHUAN_HOME": str(self.home)}
        with capture_logs():  # where they go is the business of the program's entrance
            return CliRunner(env=environment).invoke(app, list(words), input=typed)

    def does(self, *words: str, typed: str | None = None) -> str:
        """Type a command that succeeds; give what it prints."""
        found = self.run(*words, typed=typed)
        assert found.exit_code == 0, (found.output, found.exception)
        return found.stdout

    def fails(self, *words: str, typed: str | None = None) -> str:
        """Type a command that fails; give the line that says why, as the program prints it."""
        found = self.run(*words, typed=typed)
        assert found.exit_code == 1
        if isinstance(found.exception, Refused):
            return found.exception.code
        assert isinstance(found.exception, SystemExit), repr(found.exception)
        return found.stderr

    def register_file(self, text: str = REGISTER) -> str:
        """Write a register file; give its name."""
        file = self.home / "hall.toml"
        file.write_text(text, encoding="utf-8")
        return str(file)


@pytest.fixture
def machine(database: str, tmp_path: Path) -> Machine:
    """A machine with an empty installation."""
    return Machine(database, tmp_path)


@pytest.fixture
def parts(machine: Machine) -> Iterator[Parts]:
    """The installation, looked at while the command line changes it."""
    with open_parts(Settings(home=machine.home), machine.dsn) as opened:
        yield opened


def registered(parts: Parts) -> Register:
    """The register as it is now."""
    return parts.book.facts().register


def shown(text: str, name: str) -> str:
    """The value printed beside a name."""
    return next(line.removeprefix(name).strip() for line in text.splitlines() if line.startswith(name))


def roles(parts: Parts, person: PersonKey) -> set[Role]:
    """The roles a person may act in now."""
    register, now = parts.book.register_now()
    return {post.role for post in register.held_by(person, now)}


def test_the_first_administrator_is_made_on_an_empty_log(machine: Machine, parts: Parts) -> None:
    """Site, post, account and one-time password come with one command; the password opens a session."""
    said = machine.does("user", "add", "gao", "--name", "高·𬭎", "--administrator")
    (site,) = registered(parts).sites.values()
    assert (site.code, site.parent) == ("HALL", None)
    session = parts.accounts.log_in("gao", shown(said, "one-time password"), "local")
    assert session.must_change
    assert str(session.person) == shown(said, "person")
    assert roles(parts, session.person) == {Role.ADMINISTRATOR}
    assert parts.accounts.name_of(session.person) == "高·𬭎"


def test_a_second_administrator_takes_the_same_post(machine: Machine, parts: Parts) -> None:
    """Site and post are entered once; both hold it."""
    for login in ("gao", "he"):
        machine.does("user", "add", login, "--name", login, "--administrator", "--site", "GXQ")
    assert list(registered(parts).sites) == ["GXQ"]
    assert list(registered(parts).posts) == ["ADMIN"]
    assert len(registered(parts).tenures) == 2


def test_an_administrator_belongs_to_the_site_that_is_there(machine: Machine, parts: Parts) -> None:
    """A register that was loaded keeps its sites; an unknown one is refused, and no account is made."""
    machine.does("register", "load", machine.register_file())
    before = registered(parts).sites
    assert machine.fails("user", "add", "gao", "--name", "Gao", "--administrator", "--site", "MOON") == (
        "unknown-reference"
    )
    assert machine.does("user", "list") == ""
    said = machine.does("user", "add", "he", "--name", "He", "--administrator", "--post", "DESK")
    person = parts.accounts.log_in("he", shown(said, "one-time password"), "local").person
    assert roles(parts, person) == {Role.ADMINISTRATOR, Role.DISPATCHER}
    assert registered(parts).sites == before


def test_an_account_for_a_post_that_is_not_there_is_not_made(machine: Machine, parts: Parts) -> None:
    """The post is looked for first, so nothing is left half done."""
    assert "NO-SUCH" in machine.fails("user", "add", "gao", "--name", "Gao", "--post", "NO-SUCH")
    assert machine.does("user", "list") == ""
    assert registered(parts).posts == {}


def test_a_log_in_is_given_once(machine: Machine) -> None:
    """Small and capital letters are the same."""
    machine.does("user", "add", "gao", "--name", "Gao")
    assert machine.fails("user", "add", "GAO", "--name", "Another") == "log-in-taken"
    assert machine.fails("user", "add", "two words", "--name", "Another") == "malformed-account"


def test_accounts_are_closed_opened_and_listed(machine: Machine, parts: Parts) -> None:
    """The list says what an account is at this moment."""

    def state() -> tuple[str, ...]:
        (line,) = machine.does("user", "list").splitlines()
        login, name, how, posts, _ = line.split("\t")
        return login, name, how, posts

    said = machine.does("user", "add", "gao", "--name", "高·𬭎", "--administrator")
    assert state() == ("gao", "高·𬭎", "one-time password", "ADMIN")
    person = parts.accounts.log_in("gao", shown(said, "one-time password"), "local").person
    parts.accounts.change_password(person, shown(said, "one-time password"), "kettle of quiet rivers")
    assert state() == ("gao", "高·𬭎", "open", "ADMIN")
    assert "1 sessions ended" not in machine.does("user", "disable", "GAO")
    assert state() == ("gao", "高·𬭎", "disabled", "ADMIN")
    assert machine.fails("user", "disable", "gao") == "unknown-account"
    assert machine.fails("user", "reset-password", "gao") == "unknown-account"
    machine.does("user", "enable", "gao")
    password = shown(machine.does("user", "reset-password", "gao"), "one-time password")
    assert parts.accounts.log_in("gao", password, "local").person == person


def test_a_token_is_made_listed_and_revoked(machine: Machine, parts: Parts) -> None:
    """It is printed alone, so that a script can take it, and never again."""
    machine.does("user", "add", "gao", "--name", "Gao", "--administrator")
    token = machine.does("token", "add", "gao", "ADMIN", "--label", "backup", "--days", "7").strip()
    assert parts.accounts.token(token)
    listed = machine.does("token", "list")
    assert token not in listed
    ident, login, post, label, _, state = listed.strip().split("\t")
    assert (login, post, label, state) == ("gao", "ADMIN", "backup", "works")
    assert machine.does("token", "list", "gao") == listed
    machine.does("token", "revoke", ident)
    assert machine.does("token", "list").strip().endswith("revoked")
    assert "bihuan token list" in machine.fails("token", "revoke", ident)


def test_a_token_needs_a_post_that_is_held(machine: Machine) -> None:
    """Nobody gets a role by a token."""
    machine.does("register", "load", machine.register_file())
    machine.does("user", "add", "gao", "--name", "Gao")
    assert machine.fails("token", "add", "gao", "DESK") == "post-not-held"
    assert machine.fails("token", "add", "nobody", "DESK") == "unknown-account"
    assert machine.does("token", "list") == ""


def test_posts_are_taken_and_left(machine: Machine, parts: Parts) -> None:
    """From then on; twice is once, and what is not held cannot be left."""
    machine.does("register", "load", machine.register_file())
    person = parts.accounts.add("gao", "Gao", password=None).person
    assert machine.does("post", "take", "DESK", "gao") == "Taken.\n"
    assert machine.does("post", "take", "DESK", "GAO") == "It was held already.\n"
    assert roles(parts, person) == {Role.DISPATCHER}
    assert "dispatcher\tgao" in machine.does("register", "show")
    assert machine.does("post", "leave", "DESK", "gao") == "Left.\n"
    assert roles(parts, person) == set()
    assert machine.fails("post", "leave", "DESK", "gao") == "post-not-held"
    assert machine.fails("post", "take", "NO-SUCH", "gao") == "unknown-reference"
    assert machine.fails("post", "take", "DESK", "nobody") == "unknown-account"


def test_a_register_is_loaded_once(machine: Machine, parts: Parts) -> None:
    """Again enters nothing; what is shown is what was loaded."""
    file = machine.register_file()
    assert machine.does("register", "load", file) == "25 entered, 0 were there already.\n"
    position = parts.recorder.max_notification_id()
    assert machine.does("register", "load", file) == "0 entered, 25 were there already.\n"
    assert parts.recorder.max_notification_id() == position
    listed = machine.does("register", "show").splitlines()
    assert len(listed) == 25
    assert "window\tW03\t三号窗口\tWindow 3\tGXQ\tSJ\tservice" in listed


@pytest.mark.parametrize("content", [b"\xff\xfe", b"sites = [", b"[[doors]]\ncode = 'A'"])
def test_a_file_that_is_no_register_is_told_so(machine: Machine, parts: Parts, content: bytes) -> None:
    """One line names the file; nothing is entered."""
    file = machine.home / "bad.toml"
    file.write_bytes(content)
    assert "bad.toml" in machine.fails("register", "load", str(file))
    assert "bad.toml" in machine.fails("register", "load", str(machine.home / "no" / "bad.toml"))
    assert parts.recorder.max_notification_id() is None


def test_the_first_rules_are_adopted_once(machine: Machine, parts: Parts) -> None:
    """Policies, calendars, categories and codes; again changes nothing."""
    assert machine.does("rulebook", "adopt-defaults") == "27 adopted.\n"
    assert machine.does("rulebook", "adopt-defaults") == "Everything was adopted already.\n"
    listed = machine.does("rulebook", "show")
    assert "limit\thall\tcomplaint.handle.simple\t5 working_day\tR2-50" in listed
    assert "calendar\tnational\tCN\t2026\t1\tchinesecalendar:" in listed
    assert "category\tARREARS\t拖欠账款\tArrears\tBROKEN_PROMISE" in listed
    assert "code set\teval-detail\t1\tN2" in listed
    assert "code\teval-detail\t510\tvery_satisfied\t一窗受理一次办结\t" in listed
    assert "code\teval-detail\t501\tvery_satisfied\t已停用指标501\tRetired code 501\tretired" in listed
    assert parts.book.facts().rulebook.categories_version == 1


def test_a_set_of_codes_is_adopted_by_itself(machine: Machine, parts: Parts) -> None:
    """That of the program, then one of the place; again changes nothing, and a slip adopts nothing."""
    assert machine.does("rulebook", "adopt-codes") == "Adopted version 1.\n"
    assert machine.does("rulebook", "adopt-codes") == "These codes were adopted already.\n"
    own = machine.home / "codes.toml"
    code = 'code = "1", grade = "dissatisfied", name_zh = "慢", name_en = "Slow", in_use = true, shown = true'
    text = f'name = "eval-detail"\nversion = 2\nsource = "D"\ncodes = [{{ {code} }}]'
    own.write_text(text, encoding="utf-8")
    assert machine.does("rulebook", "adopt-codes", str(own)) == "Adopted version 2.\n"
    assert machine.does("rulebook", "adopt-codes", str(own)) == "These codes were adopted already.\n"
    assert [one.name_zh for one in parts.book.facts().rulebook.code_sets["eval-detail"].codes] == ["慢"]
    position = parts.recorder.max_notification_id()
    for content, told in (
        (text.replace("version = 2", "version = 4"), "out-of-turn"),
        (text.replace('name = "eval-detail"', 'name = "detail"'), "write eval-detail"),
        ("codes = [", "codes.toml cannot be read"),
    ):
        own.write_text(content, encoding="utf-8")
        assert told in machine.fails("rulebook", "adopt-codes", str(own))
    assert "cannot be read" in machine.fails("rulebook", "adopt-codes", str(machine.home / "none.toml"))
    assert parts.recorder.max_notification_id() == position


NARRATIVE = "欧阳·𬭎说了三遍。"


def complain(parts: Parts) -> None:
    """Register a complaint, so that there is something sealed."""
    asked = Asked(command_id=uuid4(), source="test", name="register")
    parts.desk.register(RegisterForm(hall="GXQ", narrative=NARRATIVE), None, asked)


def narratives(machine: Machine) -> list[str | None]:
    """Open every narrative of the installation, as a process that starts now."""
    with open_parts(Settings(home=machine.home), machine.dsn) as parts:
        events = [decode(one.topic, one.state)[0] for one in parts.recorder.select_notifications(1, 100)]
        sealed = [
            ("narrative", event.narrative) for event in events if isinstance(event, Registered) and event.narrative
        ]
        return parts.vault.open_many(sealed)


def test_keys_are_carried_out_and_back_after_a_loss(machine: Machine) -> None:
    """With the master key gone nothing opens, not even the program; the export brings everything back."""
    with open_parts(Settings(home=machine.home), machine.dsn) as parts:
        complain(parts)
    escrow = str(machine.home / "keys.json")
    said = machine.does("keys", "export", escrow, typed=f"{PASSPHRASE}\n{PASSPHRASE}\n")
    assert "1 master keys" in said
    assert PASSPHRASE not in said
    (machine.home / FILE_NAME).unlink()
    found = machine.run("user", "list")
    assert found.exit_code == 1
    assert "bihuan keys import" in str(found.exception)
    assert "passphrase is wrong" in machine.fails("keys", "import", escrow, typed="another one entirely\n")
    assert "1 master keys" in machine.does("keys", "import", escrow, typed=f"{PASSPHRASE}\n")
    assert narratives(machine) == [NARRATIVE]
    assert "0 master keys, 0 keys" in machine.does("keys", "import", escrow, typed=f"{PASSPHRASE}\n")


def test_a_passphrase_comes_from_a_file_or_is_typed_twice(machine: Machine) -> None:
    """Never from the command line, which everybody on the machine can read; short or unequal ones are refused."""
    file, escrow = machine.home / "passphrase", str(machine.home / "keys.json")
    file.write_text(f"{PASSPHRASE}\n", encoding="utf-8")
    machine.does("keys", "export", escrow, "--passphrase-file", str(file))
    machine.does("keys", "import", escrow, typed=f"{PASSPHRASE}\n")
    file.write_text("short\n", encoding="utf-8")
    assert "too short" in machine.fails("keys", "export", escrow, "--passphrase-file", str(file))
    assert "cannot be read" in machine.fails("keys", "export", escrow, "--passphrase-file", str(machine.home / "no"))
    assert machine.run("keys", "export", escrow, typed=f"{PASSPHRASE}\nanother one entirely\n").exit_code == 1
    machine.does("keys", "import", escrow, typed=f"{PASSPHRASE}\n")
    assert machine.run("keys", "export", escrow, "--passphrase", PASSPHRASE).exit_code == 2
    assert "No such file" in machine.fails(
        "keys", "export", str(machine.home / "no" / "keys.json"), typed=f"{PASSPHRASE}\n{PASSPHRASE}\n"
    )


def test_after_a_rotation_everything_opens_under_the_new_key(machine: Machine) -> None:
    """The id of the master key has changed, the narrative has not."""
    with open_parts(Settings(home=machine.home), machine.dsn) as parts:
        complain(parts)
        before = parts.vault.master.ident
    said = machine.does("keys", "rotate")
    assert before not in said
    assert narratives(machine) == [NARRATIVE]


def started(machine: Machine, *words: str) -> subprocess.CompletedProcess[str]:
    """Start the program itself."""
    return subprocess.run(
        [sys.executable, "-c", "from service.cli import main; main()", *words],
        env={**os.environ, "DATABASE_URL": machine.dsn, "BIHUAN_HOME": str(machine.home)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.acceptance
def test_what_is_refused_is_one_line(machine: Machine) -> None:
    """The program says what to do next, without a traceback and without what was typed."""
    run = started(machine, "user", "disable", "secret.login")
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert "unknown-account" in run.stderr
    assert "administrator can add" in run.stderr
    assert "secret.login" not in run.stderr


@pytest.mark.acceptance
def test_what_is_printed_can_be_taken_by_a_script(machine: Machine) -> None:
    """Lines about what was done go to the other output, if anywhere, and name nobody."""
    run = started(machine, "user", "add", "secret.login", "--name", "欧阳·𬭎", "--administrator")
    assert [line.split()[0] for line in run.stdout.splitlines()] == ["person", "one-time", "post"]
    assert "secret.login" not in run.stderr
    assert "欧阳" not in run.stderr
    token = started(machine, "token", "add", "secret.login", "ADMIN")
    assert token.stdout.startswith("bh_")
    assert token.stdout.count("\n") == 1
