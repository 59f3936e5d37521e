"""Log-in, posts and passwords for everybody; accounts and tokens for administrators, who see no case."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from domain.decider import Code, PersonKey, Role
from domain.errors import Refused
from domain.register import Post, Register
from service.accounts import LONGEST_LIFE, LONGEST_LOGIN, LONGEST_NAME
from service.directory import all_tokens, codes, everyone, require_held
from service.parts import Parts
from service.passwords import LONGEST
from service.web.deps import COOKIE, Caller, InParts, InUser, User, acting_as, address_of, same_origin
from service.web.problems import PasswordChangeDue, SessionNeeded, UnknownToken

router = APIRouter()

ONE_TIME: Final = "abcd-efgh-jkmn-pqrs-tuvw"
SOMEBODY: Final = "0b7c1f1e-52c4-4f6e-9a51-6d7a3f0c9e21"
SESSIONS: Final = "session"
ACCOUNTS: Final = "accounts"

Administrator = Annotated[Caller, Depends(acting_as(Role.ADMINISTRATOR))]


def _example(**values: JsonValue) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [values]})


@contextmanager
def _said(action: str, by: PersonKey | None = None) -> Iterator[dict[str, str]]:
    """Write one line about what was done or refused: keys and codes, never a log-in, a name or an address."""
    say = structlog.get_logger("accounts")
    line = {} if by is None else {"by": str(by)}
    try:
        yield line
    except Refused as refused:
        say.info("refused", action=action, code=refused.code, **line)
        raise
    say.info("done", action=action, **line)


# Sessions: for everybody who has an account.


class LogInForm(BaseModel):
    """With what somebody logs in."""

    model_config = _example(login="li.na", password="harbour plum seventeen")  # noqa: S106 - an example
    login: str = Field(min_length=1, max_length=LONGEST_LOGIN, repr=False)
    password: str = Field(min_length=1, max_length=LONGEST, repr=False)


class ChoosePostForm(BaseModel):
    """In which post somebody wants to act."""

    model_config = _example(post="SJ-HANDLER")
    post: Code


class PasswordForm(BaseModel):
    """The present password and the one to come: 12 to 1024 characters, several words do."""

    model_config = _example(old=ONE_TIME, new="kettle of quiet rivers")
    old: str = Field(min_length=1, max_length=LONGEST, repr=False)
    new: str = Field(min_length=1, max_length=LONGEST, repr=False)


class PostHeld(BaseModel):
    """A post somebody holds now."""

    code: Code
    role: Role
    site: Code
    department: Code | None
    window: Code | None
    name_zh: str
    name_en: str


class Me(BaseModel):
    """Who is there; `csrf` belongs into the X-CSRF-Token header of every request that changes something."""

    model_config = _example(
        person=SOMEBODY,
        name="李娜",
        posts=[
            {
                "code": "SJ-HANDLER",
                "role": "handler",
                "site": "GXQ",
                "department": "SJ",
                "window": None,
                "name_zh": "审批局承办岗",
                "name_en": "Handler, Approval",
            }
        ],
        post="SJ-HANDLER",
        csrf="Yl3m0c9Q…",
        must_change=False,
    )
    person: UUID
    name: str | None
    posts: list[PostHeld]
    post: Code | None = Field(description="The post chosen; without one, X-Post says it, or the only one held counts.")
    csrf: str | None
    must_change: bool = Field(description="The password was for one log-in: only a new one opens everything else.")


def _me(parts: Parts, person: PersonKey, posts: tuple[Post, ...], **rest: Any) -> Me:  # noqa: ANN401 - checked by Me
    held = [PostHeld.model_validate(post, from_attributes=True) for post in posts]
    return Me(person=person, name=parts.accounts.name_of(person), posts=held, **rest)


@router.post("/session", tags=[SESSIONS], dependencies=[Depends(same_origin)])
def log_in(request: Request, response: Response, form: LogInForm, parts: InParts) -> Me:
    """Log in: sets the cookie of a new session. Wrong passwords are counted and limited."""
    with _said("log-in") as line:
        begun = parts.accounts.log_in(form.login, form.password, address_of(request))
        line["by"] = str(begun.person)
        if old := request.cookies.get(COOKIE):
            parts.accounts.log_out(old)
        response.set_cookie(
            COOKIE, begun.token, path="/", httponly=True, samesite="lax", secure=parts.settings.secure_cookies
        )
    register, now = parts.book.register_now()
    return _me(
        parts,
        begun.person,
        register.held_by(begun.person, now),
        post=None,
        csrf=begun.csrf,
        must_change=begun.must_change,
    )


@router.get("/session", tags=[SESSIONS])
def who_am_i(who: InUser, parts: InParts) -> Me:
    """Tell who is logged in, or for whom a token acts."""
    return _me(parts, who.person, who.posts, post=who.chosen, csrf=who.csrf, must_change=who.must_change)


def _in_session(who: InUser) -> User:
    if who.session is None:
        raise SessionNeeded
    return who


InSession = Annotated[User, Depends(_in_session)]


@router.delete("/session", tags=[SESSIONS], status_code=204)
def log_out(response: Response, who: InSession, parts: InParts) -> None:
    """Log out: the session is over, here and on every node."""
    with _said("log-out", who.person):
        parts.accounts.log_out(who.session or "")
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=parts.settings.secure_cookies)


@router.post("/session/post", tags=[SESSIONS])
def choose_post(form: ChoosePostForm, who: InSession, parts: InParts) -> Me:
    """Choose the post in which this session acts from now on: one that is held."""
    with _said("choose-post", who.person) as line:
        if who.must_change:
            raise PasswordChangeDue
        require_held(who.register, who.person, form.post, who.now)
        parts.accounts.choose_post(who.session or "", form.post)
        line["post"] = form.post
    return _me(parts, who.person, who.posts, post=form.post, csrf=who.csrf, must_change=False)


class PasswordChanged(BaseModel):
    """What a new password ended."""

    model_config = _example(sessions_ended=1)
    sessions_ended: int


@router.post("/session/password", tags=[SESSIONS])
def change_password(form: PasswordForm, who: InSession, parts: InParts) -> PasswordChanged:
    """Choose a new password; all other sessions of the account end."""
    with _said("change-password", who.person):
        ended = parts.accounts.change_password(who.person, form.old, form.new, keep=who.session)
    return PasswordChanged(sessions_ended=ended)


# Accounts and tokens: for administrators.


class AccountForm(BaseModel):
    """Whom to make an account for."""

    model_config = _example(login="li.na", name="李娜")
    login: str = Field(min_length=1, max_length=LONGEST_LOGIN, repr=False)
    name: str = Field(min_length=1, max_length=LONGEST_NAME, repr=False)


class LoginForm(BaseModel):
    """Which account."""

    model_config = _example(login="li.na")
    login: str = Field(min_length=1, max_length=LONGEST_LOGIN, repr=False)


class AccountMade(BaseModel):
    """A new account; the password is shown once, works for one log-in and lapses after seven days."""

    model_config = _example(person=SOMEBODY, one_time_password=ONE_TIME)
    person: UUID
    one_time_password: str


class PasswordReset(AccountMade):
    """A one-time password, shown once; tokens that still work are for the administrator to revoke."""

    model_config = _example(person=SOMEBODY, one_time_password=ONE_TIME, sessions_ended=2, tokens_left=0)
    sessions_ended: int
    tokens_left: int


class AccountClosed(BaseModel):
    """What ended with an account."""

    model_config = _example(person=SOMEBODY, sessions_ended=1, tokens_revoked=2)
    person: UUID
    sessions_ended: int
    tokens_revoked: int


class AccountOpened(BaseModel):
    """An account that is open again."""

    model_config = _example(person=SOMEBODY)
    person: UUID


class AccountListed(BaseModel):
    """An account with the posts its person holds now."""

    model_config = _example(
        person=SOMEBODY,
        login="li.na",
        name="李娜",
        created_at="2026-11-22T09:00:00Z",
        must_change=False,
        disabled=False,
        posts=["SJ-HANDLER"],
    )
    person: UUID
    login: str
    name: str
    created_at: datetime
    must_change: bool
    disabled: bool
    posts: list[Code]


@router.post("/accounts", tags=[ACCOUNTS], status_code=201)
def add_account(form: AccountForm, who: Administrator, parts: InParts) -> AccountMade:
    """Make an account without any right: rights come with the posts a person is given in the register."""
    with _said("add-account", who.actor.person) as line:
        made = parts.accounts.add(form.login, form.name, password=None)
        line["person"] = str(made.person)
    return AccountMade(person=made.person, one_time_password=made.password or "")


@router.get("/accounts", tags=[ACCOUNTS])
def list_accounts(who: Administrator, parts: InParts) -> list[AccountListed]:
    """List the accounts, those that are disabled too."""
    register: Register = who.user.register
    return [
        AccountListed(
            person=one.person,
            login=one.login,
            name=one.name,
            created_at=one.created_at,
            must_change=one.change_by is not None,
            disabled=one.disabled_at is not None,
            posts=codes(register.held_by(one.person, who.user.now)),
        )
        for one in everyone(parts.pool, parts.vault)
    ]


@router.post("/accounts/reset-password", tags=[ACCOUNTS])
def reset_password(form: LoginForm, who: Administrator, parts: InParts) -> PasswordReset:
    """Replace a forgotten password by a one-time one; the sessions of the account end."""
    with _said("reset-password", who.actor.person) as line:
        reset = parts.accounts.reset_password(form.login)
        line["person"] = str(reset.person)
    return PasswordReset(
        person=reset.person,
        one_time_password=reset.password,
        sessions_ended=reset.sessions_ended,
        tokens_left=reset.tokens_left,
    )


@router.post("/accounts/disable", tags=[ACCOUNTS])
def disable(form: LoginForm, who: Administrator, parts: InParts) -> AccountClosed:
    """Close an account: its sessions end, its tokens are revoked; the posts stay until they are left."""
    with _said("disable-account", who.actor.person) as line:
        ended = parts.accounts.disable(form.login)
        line["person"] = str(ended.person)
    return AccountClosed(person=ended.person, sessions_ended=ended.sessions, tokens_revoked=ended.tokens)


@router.post("/accounts/enable", tags=[ACCOUNTS])
def enable(form: LoginForm, who: Administrator, parts: InParts) -> AccountOpened:
    """Open a closed account again; what ended with it stays ended."""
    with _said("enable-account", who.actor.person) as line:
        person = parts.accounts.enable(form.login)
        line["person"] = str(person)
    return AccountOpened(person=person)


class TokenForm(BaseModel):
    """For whom a machine acts, in which post, and until when."""

    model_config = _example(person=SOMEBODY, post="INTAKE", label="kiosk-3", days=90)
    person: UUID
    post: Code
    label: Code = Field(description="What the machine is called; no name of a person.")
    days: int = Field(ge=1, le=LONGEST_LIFE)


class TokenMade(BaseModel):
    """A new token, shown once."""

    model_config = _example(token_id=SOMEBODY, token="bh_9fJ…")  # noqa: S106 - an example
    token_id: UUID
    token: str


class TokenListed(BaseModel):
    """A token without itself."""

    model_config = ConfigDict(from_attributes=True)
    token_id: UUID
    person: UUID
    post: Code
    label: Code
    created_at: datetime
    ends_at: datetime
    revoked_at: datetime | None


@router.post("/tokens", tags=[ACCOUNTS], status_code=201)
def add_token(form: TokenForm, who: Administrator, parts: InParts) -> TokenMade:
    """Make a token for a machine; the person must hold the post, and what the machine does is theirs."""
    person = PersonKey(form.person)
    with _said("add-token", who.actor.person) as line:
        require_held(who.user.register, person, form.post, who.user.now)
        made = parts.accounts.add_token(person, form.post, form.label, form.days)
        line |= {"person": str(person), "token": str(made.token_id)}
    return TokenMade(token_id=made.token_id, token=made.token)


@router.get("/tokens", tags=[ACCOUNTS])
def list_tokens(
    _: Administrator, parts: InParts, person: Annotated[UUID | None, Query(description="Only theirs.")] = None
) -> list[TokenListed]:
    """List tokens, the oldest first, with those that ended."""
    found = all_tokens(parts.pool) if person is None else parts.accounts.tokens_of(PersonKey(person))
    return [TokenListed.model_validate(token) for token in found]


@router.delete("/tokens/{token_id}", tags=[ACCOUNTS], status_code=204)
def revoke_token(token_id: Annotated[UUID, Path()], who: Administrator, parts: InParts) -> None:
    """Revoke a token: here it ends at once, on other nodes within seconds."""
    with _said("revoke-token", who.actor.person) as line:
        line["token"] = str(token_id)
        if not parts.accounts.revoke_token(token_id):
            raise UnknownToken
