"""Stories of bad ratings on pages: handled by four people to the end, taken out by two, and brought back by others."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from projections.words import WORDS as WORD
from service.web.texts import catalogue
from tests.acceptance.browsing import Desk, barriers, launched, served
from tests.acceptance.test_pages import soon, take
from tests.acceptance.test_rating import Counter

pytestmark = pytest.mark.acceptance

WORDS: Final = catalogue("pages")
STORY_OF: Final = {"zh-CN": "zh", "en-GB": "en"}
WIDE, PHONE = 1280, 400
TEXT: Final = "窗口人员态度生硬，问一句都不耐烦。\n<b>请管一管。</b>"
PICTURES: Final = "BIHUAN_PICTURES"
"""Names a folder for pictures of the pages, for whoever wants to look at them."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The sample served, and people before their browsers."""
    with launched() as browser, served(tmp_path_factory.mktemp("bad") / "home") as address:
        found = Desk(browser, address)
        yield found
        found.close()


@pytest.fixture(autouse=True)
def no_complaints(desk: Desk) -> Iterator[None]:
    """No page speaks to another host, breaks its own policy, or fails in the browser."""
    desk.complaints.clear()
    yield
    assert desk.complaints == []


@pytest.fixture(scope="module")
def counter(desk: Desk) -> Counter:
    """The counter where visits are recorded."""
    return Counter(desk)


def rated(counter: Counter) -> tuple[str, str]:
    """Bring a visit at window 3 to a bad rating; give the page of the review and the own link."""
    stranger = counter.page.context.browser
    assert stranger is not None
    # Whoever rates is nobody who is logged in.
    phone = stranger.new_context(base_url=re.match(r"https?://[^/]+", counter.page.url)[0])  # type: ignore[index]
    form = {"token": counter.token(), "grade": "dissatisfied", "codes": ["214"], "text": TEXT}
    answer = phone.request.post("/api/v1/reviews", data=form)
    assert answer.ok, answer.text()
    told = answer.json()
    phone.close()
    return f"/reviews/{told['id']}", str(told["own_link"])


def in_inbox(page: Page, review: str, view: str = "todo") -> None:
    """Look into the inbox until a rating is there."""

    def looked() -> None:
        page.goto(f"/reviews?view={view}")
        expect(page.locator(f"table.docket a[href='{review}']")).to_have_count(1, timeout=2000)

    soon(looked)


def looks_right(page: Page, name: str) -> None:
    """Nothing axe objects to and nothing off the side, on a desk and on a phone; taken a picture of on request."""
    for width in (WIDE, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        assert barriers(page) == [], name
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"), name
        if folder := os.environ.get(PICTURES):
            page.screenshot(path=str(Path(folder) / f"{name}-{width}.png"), full_page=True)
    page.set_viewport_size({"width": WIDE, "height": 900})


@pytest.mark.parametrize("language", STORY_OF)
def test_a_bad_rating_goes_round_the_loop_by_four_people(desk: Desk, counter: Counter, language: str) -> None:
    """Called and verified, put right and replied to by the unit, told by its head to take longer, revisited: closed."""
    t = STORY_OF[language]
    review, _ = rated(counter)
    verifier = desk.staff("verifier", language=language)
    in_inbox(verifier, review)
    expect(verifier.locator(f"tr:has(a[href='{review}'])")).to_contain_text(WORDS["reviews.mine"][t])
    looks_right(verifier, f"inbox-{t}")
    verifier.goto(review)
    expect(verifier.locator("#sealed input[value=text]")).to_be_checked()
    verifier.check("#sealed input[value=phone]")
    verifier.click("#sealed button")
    expect(verifier.locator("#opened")).to_contain_text("请管一管")
    expect(verifier.locator("#opened")).to_contain_text("13800138000")
    looks_right(verifier, f"review-{t}")
    take(verifier, review, "contact", method="phone", result="reached", note="说明会核实。")
    take(verifier, review, "record-evidence", kind="recording", description="窗口监控录像。")
    handler = desk.staff("SJ-1", language=language)
    handler.goto(f"{review}/verify")
    expect(handler.locator("#trouble code")).to_have_text("not-your-role")
    verifier.goto(f"{review}/verify")
    looks_right(verifier, f"verify-{t}")
    take(verifier, review, "verify", verdict="valid_complex", facts="监控显示态度生硬，属实。")

    today = handler.evaluate("new Date().toLocaleDateString('sv', {timeZone: 'Asia/Shanghai'})")
    take(
        desk.staff("SJ-head", language=language), review, "plan-rectification",
        actions="增设导办岗位。", reason_told="须调整人员排班。", due=today,
    )  # fmt: skip
    take(handler, review, "rectify", actions="已增设导办，当面致歉。")
    take(handler, review, "reply", text="已整改，感谢监督。", method="phone")
    revisitor = desk.staff("revisit-1", language=language)
    revisitor.goto(f"{review}/revisit")
    looks_right(revisitor, f"revisit-{t}")
    take(revisitor, review, "revisit", method="phone", result="reached", answers__satisfied="yes")
    expect(revisitor.locator("section:has(#summary-title) dl.facts dd").first).to_have_text(
        WORD["bad_closed"][t == "en"]
    )
    looks_right(revisitor, f"closed-{t}")


def appealed(desk: Desk, review: str, language: str) -> None:
    """The clerk who was rated reads no word of it, records what proves it, and appeals."""
    t, clerk = STORY_OF[language], desk.staff("clerk-W03", language=language)
    clerk.goto("/reviews")
    expect(clerk.locator("#trouble code")).to_have_text("not-your-role")
    mine = review.replace("/reviews/", "/reviews/about-me/")
    appeal = clerk.locator(f"a[href='{mine}/appeal']")

    def looked() -> None:
        clerk.goto("/reviews/about-me")
        expect(appeal).to_have_count(1, timeout=2000)

    soon(looked)
    expect(clerk.locator("main")).not_to_contain_text("请管一管")
    looks_right(clerk, f"about-me-{t}")
    take(clerk, mine, "record-evidence", kind="system_record", description="叫号系统：当日三号窗口没有此号。")
    clerk.goto(f"{mine}/appeal")
    clerk.locator("[name=evidence]").first.check()
    clerk.select_option("[name=ground]", "mistaken_target")
    clerk.fill("[name=explanation]", "当日三号窗口没有此号，应为四号窗口。")
    looks_right(clerk, f"appeal-{t}")
    clerk.locator("form[action$='/appeal'] button.main").click()
    expect(clerk.locator(".done")).to_be_visible()
    expect(appeal).to_have_count(0)


def excluded(first: Page, second: Page, review: str, t: str) -> None:
    """One proposes and cannot confirm it; another reads what exactly, and why, and confirms it."""
    in_inbox(first, review)
    first.goto(f"{review}/propose-decide-appeal")
    first.select_option("[name=result]", "exclude")
    first.select_option("[name=reason]", "mistaken_target")
    first.fill("[name=reasons]", "叫号记录显示当日三号窗口没有此号。")
    first.locator("[name=evidence]").first.check()
    looks_right(first, f"propose-{t}")
    first.locator("form[action$='/propose-decide-appeal'] button.main").click()
    expect(first.locator(".done")).to_be_visible()
    first.goto(f"{review}/confirm-decide-appeal")
    expect(first.locator("#trouble code")).to_have_text("own-proposal")
    in_inbox(second, review, "confirm")
    second.goto(f"{review}/confirm-decide-appeal")
    expect(second.locator(".confirmed")).to_contain_text(WORD["appealed_exclude"][t == "en"])
    expect(second.locator(".confirmed")).to_contain_text(WORD["appeal_mistaken_target"][t == "en"])
    expect(second.locator("#sealed input[value=reasons]")).to_be_checked()
    second.click("#sealed button")
    expect(second.locator("#opened")).to_contain_text("没有此号")
    looks_right(second, f"confirm-{t}")
    take(second, review, "confirm-decide-appeal")


@pytest.mark.parametrize("language", STORY_OF)
def test_the_rated_appeal_two_exclude_and_others_bring_it_back(desk: Desk, counter: Counter, language: str) -> None:
    """The clerk appeals, two from outside exclude, the citizen is told and objects, two others reinstate it."""
    t = STORY_OF[language]
    review, own_link = rated(counter)
    appealed(desk, review, language)
    first, second = desk.staff("panel-1", language=language), desk.staff("panel-2", language=language)
    excluded(first, second, review, t)

    take(desk.staff("desk-1", language=language), review, "tell", method="phone", result="reached")
    citizen = desk.somebody(language=language, width=PHONE)
    form = {"own_link": own_link, "ground": "我就在三号窗口。"}
    answer = citizen.request.post("/api/v1/own/review/object", data=form)
    assert answer.ok, answer.text()
    first.goto(f"{review}/propose-decide-objection")
    expect(first.locator("#trouble code")).to_have_text("panel-used")
    looks_right(first, f"used-{t}")
    third, fourth = desk.staff("panel-3", language=language), desk.staff("panel-4", language=language)
    take(third, review, "propose-decide-objection", result="reinstate", reasons="取号记录与窗口登记不符，应予恢复。")
    fourth.goto(f"{review}/confirm-decide-objection")
    expect(fourth.locator(".confirmed")).to_contain_text(WORD["objected_reinstate"][t == "en"])
    fourth.locator("form[action$='/confirm-decide-objection'] button.main").click()
    # It is contested no more, and so nothing of the panel's.
    expect(fourth.locator(".done")).to_contain_text(WORDS["reviews.done"][t].split("{command}")[1])
    looks_right(fourth, f"decided-{t}")
    supervisor = desk.staff("supervisor-1", language=language)
    supervisor.goto(review)
    expect(supervisor.locator("section:has(#summary-title)")).to_contain_text(WORDS["reviews.tag.reinstated"][t])
    looks_right(supervisor, f"reinstated-{t}")
