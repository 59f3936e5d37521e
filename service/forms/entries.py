"""Forms of the register: one entry of each kind, as the API takes it and as a register file holds it."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from domain.decider import Code, PersonKey, PublicName, Role
from domain.register import Department, Item, Post, Site, SiteLevel, Window, WindowKind
from service.forms.form import HallCode, Moment

OF_NOBODY: Final = frozenset({Role.CITIZEN, Role.PUBLIC, Role.SYSTEM})
"""Roles that no post carries: who acts in them is not staff."""


def _of_a_post(role: Role) -> Role:
    if role in OF_NOBODY:
        raise ValueError(f"nobody holds a post as {role}; choose a role of staff")
    return role


class EntryForm(BaseModel):
    """What every entry has: a code that never changes its meaning, and public names in two languages."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    code: Code
    name_zh: PublicName = Field(min_length=1)
    name_en: PublicName = Field(min_length=1)


class SiteForm(EntryForm):
    """A service site; a village is a community."""

    kind: Literal["site"] = "site"
    code: HallCode
    level: SiteLevel
    parent: Code | None = None

    def entry(self) -> Site:
        """Give the entry."""
        return Site(code=self.code, name_zh=self.name_zh, name_en=self.name_en, level=self.level, parent=self.parent)


class DepartmentForm(EntryForm):
    """A department at a site; `upper` is the unit above it."""

    kind: Literal["department"] = "department"
    site: Code
    upper: Code | None = None

    def entry(self) -> Department:
        """Give the entry."""
        return Department(code=self.code, name_zh=self.name_zh, name_en=self.name_en, site=self.site, upper=self.upper)


class WindowForm(EntryForm):
    """A service counter."""

    kind: Literal["window"] = "window"
    site: Code
    department: Code | None = None
    window_kind: WindowKind = WindowKind.SERVICE

    def entry(self) -> Window:
        """Give the entry."""
        return Window(
            code=self.code,
            name_zh=self.name_zh,
            name_en=self.name_en,
            site=self.site,
            department=self.department,
            kind=self.window_kind,
        )


class ItemForm(EntryForm):
    """A service item; its promised time is in working days."""

    kind: Literal["item"] = "item"
    department: Code
    promised_working_days: int | None = Field(default=None, ge=0, le=3660)

    def entry(self) -> Item:
        """Give the entry."""
        return Item(
            code=self.code,
            name_zh=self.name_zh,
            name_en=self.name_en,
            department=self.department,
            promised_working_days=self.promised_working_days,
        )


class PostForm(EntryForm):
    """A post: a role at a site, perhaps in a department or at a window. Who holds it is said by `take`."""

    kind: Literal["post"] = "post"
    role: Annotated[Role, AfterValidator(_of_a_post)]
    site: Code
    department: Code | None = None
    window: Code | None = None

    def entry(self) -> Post:
        """Give the entry."""
        return Post(
            code=self.code,
            name_zh=self.name_zh,
            name_en=self.name_en,
            role=self.role,
            site=self.site,
            department=self.department,
            window=self.window,
        )


AnyEntryForm: TypeAlias = SiteForm | DepartmentForm | WindowForm | ItemForm | PostForm
"""One entry of any kind."""


ABSENT: Final = "5b0ab2ae-9d0a-5b35-8f3e-1f7f9f2f3d11"
DEPUTY: Final = "7c1dcb4f-0e3b-5f6a-9c62-30a1c1e05d42"
"""Persons of the examples."""


class _Change(BaseModel):
    """What every change of the register has: nothing unknown may stand in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EndDeputyForm(_Change):
    """Who stood in for whom, and does so no longer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"absent": ABSENT, "deputy": DEPUTY}]})
    absent: PersonKey
    deputy: PersonKey


class DeputyForm(EndDeputyForm):
    """Who stands in for whom, and when: from now on, and without an end, unless something else is said."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"absent": ABSENT, "deputy": DEPUTY, "until": "2099-01-04T18:00:00+08:00"}]}
    )
    since: Moment | None = None
    until: Moment | None = None


class RenameForm(_Change):
    """The names of an entry from now on."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name_zh": "行政审批和政务服务局", "name_en": "Approval and Services Bureau"}]}
    )
    name_zh: PublicName = Field(min_length=1)
    name_en: PublicName = Field(min_length=1)


class MergeDepartmentForm(_Change):
    """The department that has the duties of another one from now on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"into": "SJ"}]})
    into: Code
