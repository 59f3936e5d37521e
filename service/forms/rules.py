"""Forms of the rulebook: a policy, a year's calendar, categories, names of steps, sets of codes, as adopted."""

from __future__ import annotations

from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from domain.code_sets import CodeSet, DetailCode
from domain.complaint.state import Step
from domain.deadlines import CalendarDay, CalendarYear, DayKind, Layer
from domain.decider import Code, PublicName
from domain.grade import Grade
from domain.review import DETAILS
from domain.rulebook import Category, CodeList, Permission, Policy, Profile, Stage
from service import profiles
from service.forms.form import Day

HIGHEST_VERSION: Final = 1_000_000
LONGEST_AMOUNT: Final = 10_000
"""The longest limit in its unit; beyond it a due date could not be computed, and nobody means it."""


def _hall_as_example(schema: dict[str, JsonValue]) -> None:
    schema["examples"] = [profiles.document("hall").model_dump(mode="json", exclude_none=True)]


class PolicyForm(profiles.Document):
    """A policy, written as the profile files are; its version is the next one of its profile."""

    model_config = ConfigDict(json_schema_extra=_hall_as_example)

    @field_validator("id")
    @classmethod
    def _runs_cases(cls, profile: str) -> str:
        if profile not in set(Profile):
            raise ValueError(f"no case runs under this profile; choose {' or '.join(Profile)}")
        return profile

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if long := sorted(key for key, limit in self.terms.items() if limit.amount > LONGEST_AMOUNT):
            raise ValueError(f"{', '.join(long)}: amount is more than {LONGEST_AMOUNT}; write a shorter limit")
        if self.version > HIGHEST_VERSION:
            raise ValueError("version is too high; write the next one")
        return self


def policy_of(document: profiles.Document) -> Policy:
    """Give the policy a profile describes; what the rules do not read yet stays in the file."""
    return Policy(
        profile=document.id,
        version=document.version,
        zone=document.zone,
        office_hours=document.office_hours.hours(),
        terms=tuple(limit.term(key) for key, limit in document.terms.items()),
        permissions=tuple(Permission(command=command, roles=tuple(roles)) for command, roles in document.may.items()),
        lists=tuple(CodeList(name=name, codes=tuple(codes)) for name, codes in document.lists.items()),
        timers=document.timers,
        attempts_required=document.attempts_required,
        attempt_days_required=document.attempt_days_required,
        extensions_per_round=0 if document.extension is None else document.extension.per_round,
        approve_after_request=document.extension is not None and document.extension.approve_after_request_ok,
        escalation=None if document.escalation is None else document.escalation.escalation(),
        numbers=document.thresholds(),
    )


class DayForm(BaseModel):
    """One day that a notice names."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    day: Day
    kind: DayKind


class CalendarForm(BaseModel):
    """What one notice says about a year: only the days it names, among them days of the December before."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "jurisdiction": "CN-15",
                    "layer": "region",
                    "year": 2026,
                    "version": 1,
                    "published_at": "2026-01-05",
                    "source": "NMG-2026-1",
                    "days": [{"day": "2026-07-24", "kind": "holiday"}],
                }
            ]
        },
    )
    jurisdiction: Code
    layer: Layer
    year: int = Field(ge=2000, le=2200)
    version: int = Field(ge=1, le=HIGHEST_VERSION)
    published_at: Day | None = None
    source: Code
    days: tuple[DayForm, ...] = Field(max_length=400)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        # The domain's own check, so that a day outside the year is told here and not when it is adopted.
        self.calendar()
        return self

    def calendar(self) -> CalendarYear:
        """Give the calendar."""
        return CalendarYear(
            jurisdiction=self.jurisdiction,
            layer=self.layer,
            year=self.year,
            version=self.version,
            published_at=self.published_at,
            source=self.source,
            days=tuple(CalendarDay(day=one.day, kind=one.kind) for one in self.days),
        )


class CategoryForm(BaseModel):
    """One kind of complaint; a subtype names its parent."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    code: Code
    parent: Code | None = None
    name_zh: PublicName = Field(min_length=1)
    name_en: PublicName = Field(min_length=1)


class CategoriesForm(BaseModel):
    """The whole list of categories; it replaces the one before, so codes in use should stay in it."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "version": 2,
                    "categories": [
                        {"code": "BROKEN_PROMISE", "name_zh": "不守信不践诺", "name_en": "Broken promise"},
                        {
                            "code": "ARREARS",
                            "parent": "BROKEN_PROMISE",
                            "name_zh": "拖欠账款",
                            "name_en": "Arrears",
                        },
                    ],
                }
            ]
        },
    )
    version: int = Field(ge=1, le=HIGHEST_VERSION)
    categories: tuple[CategoryForm, ...] = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _one_tree(self) -> Self:
        """Refuse a code that stands twice, and a subtype of what is not a category itself."""
        codes = [one.code for one in self.categories]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"{', '.join(twice)}: stands twice in the list; write it once")
        tops = {one.code for one in self.categories if one.parent is None}
        if orphans := sorted(one.code for one in self.categories if one.parent not in {None, *tops}):
            raise ValueError(f"{', '.join(orphans)}: the parent is no category of the list; name one without a parent")
        return self

    def entries(self) -> tuple[Category, ...]:
        """Give the categories, in their order."""
        return tuple(
            Category(code=one.code, parent=one.parent, name_zh=one.name_zh, name_en=one.name_en)
            for one in self.categories
        )


class StageForm(BaseModel):
    """One stage: its name, and the steps of a case that go by it."""

    model_config = ConfigDict(extra="forbid")
    code: Code
    name_zh: PublicName
    name_en: PublicName
    steps: tuple[Step, ...] = Field(min_length=1, max_length=len(Step))


class StagesForm(BaseModel):
    """The whole list of stages; it replaces the one before, and an empty one brings our own names back."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "version": 1,
                    "stages": [
                        {"code": "COLLECT", "name_zh": "收集整理", "name_en": "Collecting", "steps": ["registered"]},
                    ],
                }
            ]
        },
    )
    version: int = Field(ge=1, le=HIGHEST_VERSION)
    stages: tuple[StageForm, ...] = Field(max_length=len(Step))

    def entries(self) -> tuple[Stage, ...]:
        """Give the stages, in their order."""
        return tuple(
            Stage(code=one.code, name_zh=one.name_zh, name_en=one.name_en, steps=tuple(map(str, one.steps)))
            for one in self.stages
        )


class DetailCodeForm(BaseModel):
    """One thing a reviewer may tick, with its grade; a code out of use stays in the set and is offered to nobody."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    code: Code
    grade: Grade
    name_zh: PublicName = Field(min_length=1)
    name_en: PublicName = Field(min_length=1)
    in_use: bool
    shown: bool


class CodeSetForm(BaseModel):
    """A whole set of codes; it replaces the one before, so codes that were ever ticked should stay in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Code
    version: int = Field(ge=1, le=HIGHEST_VERSION)
    source: Code
    codes: tuple[DetailCodeForm, ...] = Field(min_length=1, max_length=500)

    @field_validator("name")
    @classmethod
    def _is_read(cls, name: str) -> str:
        if name != DETAILS:
            raise ValueError(f"no rule reads this set; write {DETAILS}")
        return name

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        """Refuse a code that stands twice, and one that is shown though nobody may tick it."""
        codes = [one.code for one in self.codes]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"{', '.join(twice)}: stands twice in the set; write it once")
        if dead := sorted(one.code for one in self.codes if one.shown and not one.in_use):
            raise ValueError(f"{', '.join(dead)}: is shown but not in use; write shown = false")
        return self

    def code_set(self) -> CodeSet:
        """Give the set, its codes in their order."""
        return CodeSet(
            name=self.name,
            version=self.version,
            source=self.source,
            codes=tuple(
                DetailCode(
                    code=one.code,
                    grade=one.grade,
                    name_zh=one.name_zh,
                    name_en=one.name_en,
                    in_use=one.in_use,
                    shown=one.shown,
                )
                for one in self.codes
            ),
        )
