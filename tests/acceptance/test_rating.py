"""Stories of ratings: on a phone and at a kiosk, in both languages, with scripts and without; nothing stays behind."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final
from uuid import uuid4

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, Route, expect

from service.web.texts import catalogue
from tests.acceptance.browsing import Desk, barriers, launched, served

pytestmark = pytest.mark.acceptance

WORDS: Final = catalogue("pages")
STORY_OF: Final = {"zh-CN": "zh", "en-GB": "en"}
TEXT: Final = "第一次说要三样材料，第二次又说少一张表。\n<b>没有一次说清。</b>"
KIOSK: Final = "/kiosk/K-03"
PHONE: Final = 400
MINUTE: Final = 60_000
QUIET: Final = 60_000


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The sample served, and people before their browsers."""
    with launched() as browser, served(tmp_path_factory.mktemp("rating") / "home") as address:
        found = Desk(browser, address)
        yield found
        found.close()


@pytest.fixture(autouse=True)
def no_complaints(desk: Desk) -> Iterator[None]:
    """No page speaks to another host, breaks its own policy, or fails in the browser."""
    desk.complaints.clear()
    yield
    assert desk.complaints == []


class Counter:
    """A clerk in whose session the case system's part is played: visits are recorded, people invited to rate."""

    def __init__(self, desk: Desk) -> None:
        self.page = desk.staff("intake-W01")
        self.page.goto("/password")
        self.csrf = self.page.locator("main input[name=csrf]").get_attribute("value")

    def ask(self, path: str, **form: object) -> Any:  # noqa: ANN401 - an answer of the API
        """Ask the API, as the clerk."""
        headers = {"X-CSRF-Token": str(self.csrf)}
        answer = self.page.request.post(f"/api/v1{path}", data=form, headers=headers)
        assert answer.ok, answer.text()
        return answer.json()

    def visit(self) -> str:
        """Record that somebody known was served at window 3."""
        form = {"project_no": f"P-{uuid4().hex[:12]}", "window": "W03", "name": "欧阳·𬭎", "phone": "13800138000"}
        return str(self.ask("/occasions", **form)["id"])

    def token(self) -> str:
        """Invite somebody to rate a visit."""
        return str(self.ask(f"/occasions/{self.visit()}/invite", medium="qr")["token"])


@pytest.fixture(scope="module")
def counter(desk: Desk) -> Counter:
    """The counter where visits are recorded."""
    return Counter(desk)


def scanned(page: Page, link: str) -> None:
    """Open a link that a phone has scanned."""
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator("form[data-rating]").first).to_be_visible()


def kiosk(desk: Desk, *, language: str = "zh-CN", scripts: bool = True) -> Page:
    """A tablet standing at a window."""
    page = desk.somebody(language=language, scripts=scripts)
    page.set_viewport_size({"width": 1280, "height": 800})
    return page


def taken(page: Page, token: str) -> None:
    """Scan a token at a kiosk: the scanner types it, and ends with Enter."""
    page.fill("#invitation", token)
    page.press("#invitation", "Enter")
    expect(page.locator("form[data-rating]")).to_be_visible()


def thanked(page: Page) -> str:
    """Read the own link."""
    expect(page.locator("#own-link")).to_be_visible()
    return page.inner_text("#own-link")


def drawn(page: Page) -> str:
    """Read what a page holds, as soon as it rests."""
    end = time.monotonic() + 20
    while True:
        try:
            return page.content()
        except PlaywrightError:
            if time.monotonic() > end:
                raise
            page.wait_for_load_state()


def fits(page: Page) -> None:
    """Nothing axe objects to, and nothing that runs off the side."""
    assert barriers(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def sizes(page: Page) -> set[tuple[int, int]]:
    """How large the five answers are drawn."""
    boxes = [one.bounding_box() for one in page.locator(".grades > label:not(.none)").all()]
    assert len(boxes) == 5
    return {(round(box["width"]), round(box["height"])) for box in boxes if box}


@pytest.mark.parametrize("language", STORY_OF)
def test_a_phone_rates_by_keyboard_and_comes_back(desk: Desk, counter: Counter, language: str) -> None:
    """The scanned link opens the form and leaves the address; a good rating; the link shown leads back to it."""
    t, token = STORY_OF[language], counter.token()
    phone = desk.somebody(language=language, width=PHONE)
    scanned(phone, f"/rate#{token}")
    assert token not in phone.url
    expect(phone.locator("h1")).to_have_text(WORDS["rate.title"][t])
    expect(phone.locator(".grades input:checked")).to_have_count(0)
    expect(phone.locator(".of:visible")).to_have_count(0)
    assert len(sizes(phone)) == 1
    fits(phone)
    # The hands stay on the keyboard: one stop for the five, arrows between them, then the codes of the chosen one.
    phone.focus("#grade-1")
    phone.keyboard.press("ArrowDown")
    expect(phone.locator("#grade-2")).to_be_checked()
    expect(phone.locator(".of-2 .tick:visible")).to_have_count(3)
    expect(phone.locator(".of:visible")).to_have_count(1)
    phone.keyboard.press("Tab")
    phone.keyboard.press("Space")
    expect(phone.locator("input[value='406']")).to_be_checked()
    phone.focus(".of-2 summary")
    phone.keyboard.press("Enter")
    expect(phone.locator(".of-2 .tick:visible")).to_have_count(8)
    phone.check("#identity-1")
    fits(phone)
    phone.focus("main form[data-rating] button.main")
    phone.keyboard.press("Enter")
    link = thanked(phone)
    expect(phone.locator("h1")).to_have_text(WORDS["rate.done"][t])
    expect(phone.locator("svg.qr")).to_be_visible()
    fits(phone)
    phone.goto("about:blank")
    phone.goto(f"/rating#{link}")
    expect(phone.locator("#told")).to_contain_text({"zh": "满意", "en": "Satisfied"}[t])
    expect(phone.locator("#told")).to_contain_text(WORDS["rating.counted"][t])
    assert link not in phone.url
    fits(phone)
    # The same link once more tells where the rating is.
    phone.goto("about:blank")
    phone.goto(f"/rate#{token}")
    expect(phone.locator("#trouble code")).to_have_text("invitation-used")
    expect(phone.locator("main a.button[href='/complain']")).to_be_visible()
    fits(phone)
    # Also where the page stood open already, the history holds neither token nor link.
    phone.goto("/rate")
    phone.goto(f"/rate#{token}")
    expect(phone.locator("#trouble code")).to_have_text("invitation-used")
    places = phone.context.new_cdp_session(phone).send("Page.getNavigationHistory")["entries"]
    assert [one["url"] for one in places if token in one["url"] or link in one["url"]] == []


@pytest.mark.parametrize("language", STORY_OF)
def test_a_bad_rating_at_a_kiosk_needs_a_reason(desk: Desk, counter: Counter, language: str) -> None:
    """Said before it is sent, and again when it is tried; a code is enough; the way ends where it began."""
    t, token = STORY_OF[language], counter.token()
    page = kiosk(desk, language=language)
    page.goto(KIOSK)
    long = page.evaluate("history.length")
    fits(page)
    taken(page, f"https://elsewhere.example/rate#{token}")
    assert len(sizes(page)) == 1
    expect(page.locator("main form[data-rating] button.main")).to_be_in_viewport()
    page.click("label[for=grade-5]")
    expect(page.locator(".of-5 .note")).to_have_text(WORDS["rate.reason"][t])
    page.check("#identity-2")
    page.click("form[data-rating] button.main")
    expect(page.locator("#reason-missing")).to_be_focused()
    expect(page.locator("#reason-missing code")).to_have_text("reason-missing")
    fits(page)
    page.click(".of-5 summary")
    page.check("input[value='115']")
    page.click("form[data-rating] button.main")
    link = thanked(page)
    expect(page.locator("main")).to_contain_text(WORDS["rate.done.handled"][t])
    fits(page)
    page.click("main a.button.main")
    expect(page.locator("#invitation")).to_be_visible()
    # Nothing was sent by the browser's own history, so there is nothing to go back to.
    assert page.evaluate("history.length") == long
    with suppress(PlaywrightError):
        page.go_back(timeout=5000)
    assert link not in drawn(page)
    page.goto(KIOSK)
    page.fill("#invitation", token)
    page.press("#invitation", "Enter")
    expect(page.locator("#trouble code")).to_have_text("invitation-used")
    expect(page.locator("main a[href='/complain']")).to_have_count(0)


def test_a_kiosk_asks_and_then_forgets(desk: Desk, counter: Counter) -> None:
    """Quiet for a while it asks; whoever answers goes on; whoever left leaves nothing, not even by the back button."""
    page = kiosk(desk)
    page.clock.install()
    page.goto(f"{KIOSK}?lang=en")
    taken(page, counter.token())
    expect(page.locator("h1")).to_have_text(WORDS["rate.title"]["en"])
    page.fill("#text", TEXT)
    page.clock.fast_forward(QUIET)
    expect(page.locator("#still button")).to_be_focused()
    fits(page)
    page.click("#still button")
    expect(page.locator("#still")).to_be_hidden()
    expect(page.locator("#text")).to_have_value(TEXT)
    page.clock.fast_forward(QUIET - 1000)
    page.keyboard.press("Shift")
    page.clock.fast_forward(QUIET - 1000)
    expect(page.locator("#still")).to_be_hidden()
    page.clock.fast_forward(2000)
    expect(page.locator("#still")).to_be_visible()
    page.clock.fast_forward(MINUTE)
    # Also the language is the next one's.
    expect(page.locator("h1")).to_have_text(WORDS["rate.title"]["zh"])
    expect(page.locator("#invitation")).to_have_value("")
    with suppress(PlaywrightError):
        page.go_back(timeout=5000)
    assert "三样材料" not in drawn(page)


def test_a_kiosk_forgets_what_was_sent(desk: Desk, counter: Counter) -> None:
    """The thank-you goes away too, with its link; whoever has no connection is told, and sends it again."""
    page = kiosk(desk)
    page.clock.install()
    page.goto(KIOSK)
    taken(page, counter.token())
    page.click("label[for=grade-1]")
    page.check("#identity-2")
    page.route("**/send", lambda route: route.fulfill(status=503, body="<h1>Nothing of this kiosk</h1>"))
    page.click("form[data-rating] button.main")
    expect(page.locator("#offline")).to_be_focused()
    page.unroute("**/send")
    page.focus("#text")
    page.context.set_offline(True)
    page.click("form[data-rating] button.main")
    expect(page.locator("#offline")).to_be_focused()
    page.context.set_offline(False)
    # The browser said what the person was told.
    desk.complaints.clear()
    page.click("form[data-rating] button.main")
    link = thanked(page)
    page.clock.fast_forward(QUIET)
    page.clock.fast_forward(MINUTE)
    expect(page.locator("#invitation")).to_be_visible()
    with suppress(PlaywrightError):
        page.go_back(timeout=5000)
    assert link not in drawn(page)


def test_without_scripts_a_phone_rates_too(desk: Desk, counter: Counter) -> None:
    """The signs are typed, the codes of the chosen grade appear, a refusal keeps everything, a word is enough."""
    phone = desk.somebody(scripts=False, width=PHONE)
    phone.goto("/rate")
    phone.fill("#invitation", counter.token().lower().replace("-", ""))
    phone.click("button.main")
    expect(phone.locator(".of:visible")).to_have_count(0)
    phone.click("label[for=grade-4]")
    expect(phone.locator(".of-4 .tick:visible")).to_have_count(3)
    phone.check("#identity-1")
    phone.click("form[data-rating] button.main")
    expect(phone.locator("#trouble code")).to_have_text("reason-missing")
    expect(phone.locator("#grade-4")).to_be_checked()
    expect(phone.locator("#identity-1")).to_be_checked()
    phone.fill("#text", TEXT)
    phone.click("form[data-rating] button.main")
    link = thanked(phone)
    phone.goto("/rating")
    phone.fill("#own_link", link)
    phone.click("button.main")
    expect(phone.locator("#told blockquote")).to_have_text(TEXT)


def test_without_scripts_a_kiosk_forgets_by_itself(desk: Desk, counter: Counter) -> None:
    """The thank-you leads to the beginning after a while; what was sent is not shown to whoever goes back."""
    page, links = kiosk(desk, scripts=False), list[str]()

    def hurried(route: Route) -> None:
        """What a browser does after three minutes, it does at once."""
        answer = route.fetch()
        body = answer.text()
        links.extend(re.findall(r'id="own-link">([^<]+)<', body))
        later = f'content="180; url={KIOSK}"'
        assert later in body
        route.fulfill(response=answer, body=body.replace(later, f'content="0; url={KIOSK}"'))

    page.goto(KIOSK)
    taken(page, counter.token())
    page.click("label[for=grade-4]")
    page.fill("#text", TEXT)
    page.check("#identity-1")
    page.route("**/send", hurried)
    page.click("form[data-rating] button.main")
    expect(page.locator("#invitation")).to_have_value("")
    assert len(links) == 1
    page.unroute("**/send")
    for _ in range(3):
        for step in (page.go_back, page.reload):
            # What the browser asks to send once more is not there any more.
            with suppress(PlaywrightError):
                step(timeout=5000)
            shown = drawn(page)
            assert "三样材料" not in shown
            assert links[0] not in shown


@pytest.mark.parametrize("language", STORY_OF)
def test_a_rating_is_added_to_once(desk: Desk, counter: Counter, language: str) -> None:
    """A bad rating stands and is handled; another grade and a few words stand beside it; then there is no more form."""
    t = STORY_OF[language]
    phone = desk.somebody(language=language, width=PHONE)
    scanned(phone, f"/rate#{counter.token()}")
    phone.click("label[for=grade-4]")
    phone.check("input[value='207']")
    phone.check("#identity-2")
    phone.click("form[data-rating] button.main")
    link = thanked(phone)
    scanned(phone, f"/rating#{link}")
    expect(phone.locator("#told")).to_contain_text(WORDS["rating.handled"][t])
    phone.click("label[for=grade-5]")
    phone.click("#append button.main")
    expect(phone.locator("#reason-missing")).to_be_focused()
    phone.click("label[for=grade-none]")
    phone.click("#append button.main")
    expect(phone.locator("#trouble code")).to_have_text("nothing-added")
    fits(phone)
    phone.click("label[for=grade-2]")
    phone.fill("#text", TEXT)
    phone.click("#append button.main")
    expect(phone.locator(".done")).to_have_text(WORDS["rating.done.append"][t])
    expect(phone.locator(".opinion")).to_have_count(2)
    expect(phone.locator("#told blockquote")).to_have_text(TEXT)
    expect(phone.locator("#append")).to_have_count(0)
    fits(phone)


@pytest.mark.parametrize("language", STORY_OF)
def test_what_staff_wrote_down_is_confirmed(desk: Desk, counter: Counter, language: str) -> None:
    """A clerk wrote it down and gave the slip; whoever said it reads it, says that it is so, and it counts."""
    t = STORY_OF[language]
    told = counter.ask("/reviews", occasion=counter.visit(), grade="satisfied", codes=["413"], channel="phone")
    assert told["own_link"] is None
    told = counter.ask(f"/reviews/{told['id']}/slip")
    phone = desk.somebody(language=language, width=PHONE)
    scanned(phone, f"/rating#{told['own_link']}")
    expect(phone.locator("#told")).to_contain_text(WORDS["rating.unconfirmed"][t])
    fits(phone)
    phone.click("#corroborate button.main")
    expect(phone.locator(".done")).to_have_text(WORDS["rating.done.corroborate"][t])
    expect(phone.locator("#corroborate")).to_have_count(0)
    expect(phone.locator("#told")).to_contain_text(WORDS["rating.counted"][t])


@pytest.mark.parametrize("language", STORY_OF)
def test_a_bad_rating_becomes_a_complaint(desk: Desk, counter: Counter, language: str) -> None:
    """Behind a fold on the page of the own rating; number and code are shown once, and open the complaint."""
    phone = desk.somebody(language=language, width=PHONE)
    scanned(phone, f"/rate#{counter.token()}")
    phone.click("label[for=grade-5]")
    phone.fill("#text", TEXT)
    phone.check("#identity-1")
    phone.click("form[data-rating] button.main")
    link = thanked(phone)
    scanned(phone, f"/rating#{link}")
    for step in ("complain", "confirm-mistake"):
        phone.click(f"#{step} summary")
    expect(phone.locator("#confirm-mistake button")).to_be_visible()
    fits(phone)
    phone.fill("#f-desired-outcome", "请一次性告知。")
    phone.click("#complain button.main")
    expect(phone.locator("#complaint #number")).to_be_visible()
    number, code = phone.inner_text("#number"), phone.inner_text("#code")
    fits(phone)
    phone.goto("/status")
    phone.fill("#complaint_no", number)
    phone.fill("#query_code", code)
    phone.click("button.main")
    expect(phone.locator("#told h2")).to_have_text(number)


@pytest.mark.parametrize("language", STORY_OF)
def test_a_wrong_code_says_what_to_do(desk: Desk, language: str) -> None:
    """Wrong tokens and links are told in the reader's language, with the way to a complaint."""
    phone = desk.somebody(language=language, width=PHONE)
    for path, field, code in (("/rate", "#invitation", "invitation-unknown"), ("/rating", "#own_link", "not-found")):
        phone.goto(path)
        fits(phone)
        phone.fill(field, "0000-0000-0000-0000")
        phone.press(field, "Enter")
        expect(phone.locator("#trouble code")).to_have_text(code)
        expect(phone.locator("main a[href='/complain']").first).to_be_visible()
        fits(phone)
