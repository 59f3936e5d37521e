"""Stories on the pages: a browser carries complaints round the loop, each step by the person whose duty it is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from projections.words import WORDS as WORD
from service.demo.loading import PASSWORD
from service.web.texts import catalogue
from tests.acceptance.browsing import LOGINS, Desk, access, barriers, launched, served, write

pytestmark = pytest.mark.acceptance

NARRATIVE: Final = "3号窗口两次让我回去补材料，每次说的都不一样。\n<b>第二次</b>又说少一张表。"
WORDS: Final = catalogue("pages")
STORY_OF: Final = {"zh-CN": "zh", "en-GB": "en"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The sample served, and people before their browsers."""
    with launched() as browser, served(tmp_path_factory.mktemp("pages") / "home") as address:
        found = Desk(browser, address)
        yield found
        found.close()


@pytest.fixture(autouse=True)
def no_complaints(desk: Desk) -> Iterator[None]:
    """No page speaks to another host, breaks its own policy, or fails in the browser."""
    desk.complaints.clear()
    yield
    assert desk.complaints == []


def take(page: Page, case: str, command: str, **typed: str) -> None:
    """Take a step on a case: fill in its form, press its button, read that it was done. `__` stands for a dot."""
    page.goto(f"{case}/{command}")
    form = page.locator(f"form[action$='/{command}']").first
    for name, value in typed.items():
        field = form.locator(f"[name='{name.replace('__', '.')}']")
        kind = field.first.evaluate("one => one.type")
        if kind in {"radio", "checkbox"}:
            form.locator(f"[name='{name}'][value='{value}']").check()
        elif kind == "select-one":
            field.select_option(value)
        else:
            field.first.fill(value)
    form.locator("button.main").click()
    expect(page.locator(".done")).to_be_visible()


def number_and_code(page: Page) -> tuple[str, str]:
    """Read a receipt."""
    expect(page.locator("#number")).to_be_visible()
    return page.inner_text("#number"), page.inner_text("#code")


def soon(claim: Callable[[], None]) -> None:
    """Wait until something holds: the tree is carried on beside what people do."""
    for _ in range(10):
        try:
            claim()
        except AssertionError:
            continue
        return
    claim()


def found_on_docket(page: Page, number: str) -> str:
    """Look for a number on the docket until it is there, and give the address of its case."""
    link = page.locator("table.docket a")

    def looked() -> None:
        page.goto(f"/docket?number={number}")
        expect(link).to_have_count(1, timeout=2000)

    soon(looked)
    return str(link.get_attribute("href"))


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_complaint_is_carried_from_the_window_to_its_closing(desk: Desk, *, scripts: bool) -> None:
    """Six people, each in their own browser: registered by keyboard, handled, verified, answered, revisited, closed."""
    clerk = desk.staff("intake-W01", scripts=scripts)
    clerk.goto("/register")
    # The hands stay on the keyboard: the cursor waits in the narrative, Tab leads on, letters lead to fields.
    write(clerk, "narrative", NARRATIVE)
    clerk.keyboard.press("Tab")
    write(clerk, "name", "欧阳·𬭎")
    clerk.keyboard.press("Tab")
    write(clerk, "phone", "13800000000")
    access(clerk, "l")
    clerk.keyboard.press("ArrowDown")
    access(clerk, "k")
    clerk.keyboard.press("ArrowDown")
    access(clerk, "s")
    number, _ = number_and_code(clerk)

    first = desk.staff("desk-1", scripts=scripts)
    case = found_on_docket(first, number)
    take(first, case, "accept", category="NO_ONE_TIME_NOTICE")
    take(first, case, "assign", department="SJ")

    handler = desk.staff("SJ-1", scripts=scripts)
    handler.goto(case)
    handler.click(f"form[action='{case}/sign-for'] button")
    expect(handler.locator(".done")).to_be_visible()
    handler.check("#sealed input[value=phone]")
    handler.click("#sealed button")
    expect(handler.locator("#opened")).to_contain_text("13800000000")
    take(handler, case, "record-contact", method="phone", result="reached")
    take(
        handler,
        case,
        "record-finding",
        finding="substantiated",
        facts="两次告知内容不一致，属实。",
        responsibility__0__department="SJ",
    )
    take(handler, case, "plan-rectification", actions="统一一次性告知单", due="2099-12-31")
    take(handler, case, "rectify", actions="告知单已统一并上墙。")
    take(desk.staff("supervisor-1", scripts=scripts), case, "verify-rectification", passed="yes")
    take(
        handler, case, "submit-reply",
        decision="upheld", reasons="经查属实，已整改并致歉。", legal_basis="优化营商环境条例", points="属实，已统一。",
    )  # fmt: skip
    handler.goto(case)
    expect(handler.locator(f"a[href='{case}/approve-reply']")).to_have_count(0)
    take(desk.staff("SJ-head", scripts=scripts), case, "approve-reply")
    take(handler, case, "reply", method="phone")
    take(
        desk.staff("revisit-1", scripts=scripts), case, "revisit",
        method="phone", result="reached", answers__resolved="yes", answers__result_satisfaction="very_satisfied",
    )  # fmt: skip
    take(first, case, "close", outcome="resolved")
    expect(first.locator("dl.facts dd").first).to_have_text("已办结")
    expect(first.locator("ol.history")).to_contain_text("非常满意")


def test_a_complaint_is_refused_by_two_persons(desk: Desk) -> None:
    """One proposes and cannot confirm it; another reads why, confirms it, and the citizen is told where to turn."""
    citizen = desk.somebody()
    citizen.goto("/complain")
    citizen.select_option("#f-hall", "GXQ")
    citizen.fill("#f-narrative", "法院判决我不服。")
    citizen.click("button.main")
    number, code = number_and_code(citizen)

    first = desk.staff("desk-1")
    case = found_on_docket(first, number)
    take(
        first, case, "propose-refuse",
        refuse_reason="litigation_arbitration_reconsideration", proper_channel="court",
        legal_basis="信访工作条例第十四条", explanation="该事项已由人民法院判决，请依法上诉。",
    )  # fmt: skip
    first.goto(f"{case}/confirm-refuse")
    expect(first.locator("#trouble code")).to_have_text("own-proposal")
    expect(first.locator("form[action$='/confirm-refuse']")).to_have_count(0)

    second = desk.staff("desk-2")
    second.goto(case)
    second.locator("#sealed input[value=explanation]").check()
    second.click("#sealed button")
    expect(second.locator("#opened")).to_contain_text("请依法上诉")
    take(second, case, "confirm-refuse")
    expect(second.locator("dl.facts dd").first).to_have_text(WORD["refused"][0])

    citizen.goto("/status")
    citizen.fill("#complaint_no", number)
    citizen.fill("#query_code", code)
    citizen.click("button.main")
    expect(citizen.locator("#told .step")).to_have_text(WORD["refused"][0])


@pytest.mark.parametrize("language", STORY_OF)
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_citizen_complains_and_asks_after_it(desk: Desk, language: str, *, scripts: bool) -> None:
    """Without an account: told from home, the receipt shown once, asked after by number and code as people type."""
    t = STORY_OF[language]
    citizen = desk.somebody(language=language, scripts=scripts)
    citizen.goto("/")
    citizen.click("a.door[href='/complain']")
    citizen.select_option("#f-hall", "GXQ")
    citizen.fill("#f-narrative", NARRATIVE)
    citizen.click("button.main")
    expect(citizen.locator("h1")).to_have_text(WORDS["receipt.title"][t])
    number, code = number_and_code(citizen)
    citizen.goto("/receipt")
    expect(citizen.locator("h1")).to_have_text(WORDS["receipt.gone"][t])
    citizen.goto("/status")
    citizen.fill("#complaint_no", number.lower())
    citizen.fill("#query_code", "0000-0000-0000-0000")
    citizen.click("button.main")
    expect(citizen.locator("#trouble code")).to_have_text("not-found")
    citizen.fill("#query_code", code.lower().replace("-", " "))
    citizen.click("button.main")
    expect(citizen.locator("#told h2")).to_have_text(number)
    expect(citizen.locator("#told")).to_contain_text({"zh": "已登记", "en": "registered"}[t])
    expect(citizen.locator("#told")).not_to_contain_text("补材料")
    assert code not in citizen.url


def test_a_citizen_holds_the_proof(desk: Desk, tmp_path: Path) -> None:
    """Without scripts: the receipt with its code to scan, kept as a file; once it is sealed the file has the proof.

    The verifier and the key come from the page for whoever checks, and need nothing of ours.
    """
    citizen = desk.somebody(scripts=False)
    citizen.goto("/complain")
    citizen.select_option("#f-hall", "GXQ")
    citizen.fill("#f-narrative", NARRATIVE)
    citizen.click("button.main")
    number, code = number_and_code(citizen)
    citizen.emulate_media(media="print")
    paper = citizen.locator(".receipt svg.qr")
    expect(paper).to_be_visible()
    expect(citizen.locator("a[download]")).to_be_hidden()
    citizen.emulate_media(media="screen")
    fingerprint = citizen.inner_text("#fingerprint")
    promise = kept(citizen, tmp_path / "promise.json")
    supervisor = desk.staff("supervisor-1", scripts=False)
    supervisor.goto("/password")
    csrf = supervisor.locator("main input[name=csrf]").get_attribute("value")
    position = json.loads(promise.read_text(encoding="utf-8"))["promise"].splitlines()[2].split()[1]

    def sealed() -> None:
        signed = supervisor.request.post("/api/v1/audit/checkpoint", headers={"X-CSRF-Token": str(csrf)})
        assert int(signed.json()["checkpoint"].splitlines()[1]) >= int(position)

    soon(sealed)
    citizen.goto("/status")
    citizen.fill("#complaint_no", number)
    citizen.fill("#query_code", code)
    citizen.click("button.main")
    expect(citizen.locator("#receipt")).to_contain_text("已封存")
    expect(citizen.locator("#fingerprint")).to_have_text(fingerprint)
    receipt = kept(citizen, tmp_path / "receipt.json")
    citizen.goto("/audit")
    for name in ("verifier.py", "key.txt"):
        with citizen.expect_download() as taken:
            citizen.click(f"a[href='/audit/{name}']")
        taken.value.save_as(tmp_path / name)
    command = [sys.executable, "-I", "verifier.py", promise.name, receipt.name, "--key", "key.txt"]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"promise.json: good: promised, not yet sealed: complaint {number}" in done.stdout
    assert f"receipt.json: good: complaint {number}" in done.stdout


def kept(page: Page, place: Path) -> Path:
    """Keep the receipt that a page holds."""
    with page.expect_download() as taken:
        page.click("a[download$='.receipt.json']")
    taken.value.save_as(place)
    return place


def test_a_refused_form_keeps_what_was_typed_and_leads_to_the_field(desk: Desk) -> None:
    """The summary has the focus, its link leads to the field, and everything else stands as it was."""
    clerk = desk.staff("intake-W01")
    clerk.goto("/register")
    clerk.fill("#f-narrative", "   ")
    clerk.fill("#f-name", "欧阳·𬭎")
    clerk.select_option("[name='respondent.window']", "W03")
    access(clerk, "s")
    expect(clerk.locator("#trouble")).to_be_focused()
    clerk.keyboard.press("Tab")
    clerk.keyboard.press("Enter")
    expect(clerk.locator("#f-narrative")).to_be_focused()
    clerk.keyboard.insert_text("窗口没有人。")
    assert clerk.input_value("#f-name") == "欧阳·𬭎"
    assert clerk.input_value("[name='respondent.window']") == "W03"
    access(clerk, "s")
    number_and_code(clerk)


def test_opening_beside_a_form_keeps_what_is_being_typed(desk: Desk) -> None:
    """With scripts, sealed values open in their place; the half-written form stays."""
    clerk = desk.staff("intake-W01")
    clerk.goto("/register")
    clerk.fill("#f-narrative", NARRATIVE)
    clerk.press("#f-name", "Enter")
    number, _ = number_and_code(clerk)
    page = desk.staff("desk-1")
    case = found_on_docket(page, number)
    page.goto(f"{case}/accept")
    page.select_option("[name=category]", "SHIRK")
    page.click("#sealed button")
    expect(page.locator("#opened dd")).to_have_text(NARRATIVE)
    assert page.input_value("[name=category]") == "SHIRK"


def test_two_presses_register_one_complaint(desk: Desk) -> None:
    """Whoever presses twice gets one number; going back and pressing again leads to the same one."""
    citizen = desk.somebody(scripts=False)
    citizen.goto("/complain")
    citizen.select_option("#f-hall", "GXQ")
    citizen.fill("#f-narrative", "只说一次。")
    citizen.dblclick("button.main")
    first, _ = number_and_code(citizen)
    desk.somebody()
    form = citizen.context.new_page()
    form.goto("/complain")
    form.select_option("#f-hall", "GXQ")
    form.fill("#f-narrative", "再说一次。")
    token = form.input_value("[name=token]")
    form.click("button.main")
    second, _ = number_and_code(form)
    assert first != second
    body: dict[str, str | float | bool] = {"token": token, "hall": "GXQ", "narrative": "再说一次。"}
    answer = citizen.request.post("/complain", form=body, headers={"Origin": desk.address})
    assert re.findall(r'id="number">([^<]+)<', answer.text()) == [second]


@pytest.mark.parametrize("language", STORY_OF)
@pytest.mark.parametrize("width", [1280, 400])
def test_nobody_meets_a_barrier(desk: Desk, language: str, width: int) -> None:
    """Every page, wide and narrow, in both languages: nothing axe objects to, and nothing that runs off the side."""
    stranger = desk.somebody(language=language, width=width)
    found: dict[str, list[str]] = {}

    def look(page: Page, path: str) -> None:
        page.goto(path)
        here(page, path)

    def here(page: Page, name: str) -> None:
        found[name] = barriers(page)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found[name].append("runs off the side")

    for path in ("/", "/complain", "/status", "/login", "/receipt", "/audit"):
        look(stranger, path)
    stranger.goto("/complain")
    stranger.select_option("#f-hall", "GXQ")
    stranger.fill("#f-narrative", NARRATIVE)
    stranger.click("button.main")
    number, code = number_and_code(stranger)
    here(stranger, "a receipt")
    stranger.goto("/status")
    stranger.fill("#complaint_no", number)
    stranger.fill("#query_code", code)
    stranger.click("button.main")
    expect(stranger.locator("#receipt")).to_be_visible()
    here(stranger, "the own case")
    stranger.goto("/login")
    stranger.fill("#login", LOGINS["desk-1"])
    stranger.fill("#password", PASSWORD)
    stranger.click("main button")
    for path in ("/docket", "/register", "/password", "/posts", "/docket?number=none"):
        look(stranger, path)
    stranger.goto("/docket?step=registered")
    case = str(stranger.locator("table.docket a").first.get_attribute("href"))
    for path in (case, f"{case}/accept", f"{case}?as_of=2026-01-01T00:00"):
        look(stranger, path)
    assert {path: these for path, these in found.items() if these} == {}
