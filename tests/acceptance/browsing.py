"""The sample served, and the system's Chromium before it: what stories on pages need."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from service.demo.loading import PASSWORD
from service.demo.people import STAFF

ROOT: Final = Path(__file__).parents[2]
PROGRAM: Final = [sys.executable, "-c", "import sys; from service.cli import main; sys.exit(main())"]
PATIENCE: Final = 300
NEEDED: Final = "BIHUAN_NEED_CHROMIUM"
LOGINS: Final = {post: person.login for person in STAFF for post in person.posts if person.login}


def chromium() -> str:
    """Where the system's Chromium is; where it is missing the test is skipped, or fails if it must not be."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None and os.environ.get(NEEDED) == "1":
        pytest.fail(f"{NEEDED}=1, and there is no chromium: apt-get install chromium fonts-noto-cjk")
    if found is None:
        pytest.skip("there is no chromium here: apt-get install chromium fonts-noto-cjk")
    return found


@contextmanager
def served(home: Path) -> Iterator[str]:
    """The sample, served; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if name in {"HOME", "LANG", "TMPDIR"}}
    around = {**kept, "PATH": "/usr/bin:/bin", "BIHUAN_HOME": str(home), "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(
        [*PROGRAM, "demo", "--visits", "600", "--port", str(port)], env=around, cwd=ROOT, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and server.poll() is None:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        else:
            pytest.fail("the sample is not served")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=60)


@contextmanager
def launched() -> Iterator[Browser]:
    """A Chromium that runs."""
    with sync_playwright() as playwright:
        # No sandbox of its own, because tests also run as root in a container.
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Desk:
    """People before their browsers; what any page said to the console, or asked of another host, is kept."""

    browser: Browser
    address: str
    complaints: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def somebody(self, *, language: str = "zh-CN", scripts: bool = True, width: int = 1280) -> Page:
        """A browser of its own, in which nobody has logged in."""
        context = self.browser.new_context(
            locale=language,
            java_script_enabled=scripts,
            viewport={"width": width, "height": 900},
            base_url=self.address,
        )
        context.set_default_timeout(20_000)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", self._said)
        page.on("request", self._asked)
        return page

    def staff(self, post: str, *, language: str = "zh-CN", scripts: bool = True) -> Page:
        """A browser in which whoever holds a post has logged in and acts in it."""
        page = self.somebody(language=language, scripts=scripts)
        page.goto("/login")
        page.fill("#login", LOGINS[post])
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_url(lambda address: "/login" not in address)
        return page

    def close(self) -> None:
        """Close every browser of theirs."""
        for context in self._contexts:
            context.close()

    def _said(self, message: ConsoleMessage) -> None:
        # A refusal has a status that the browser mentions; everything else it complains of is a fault of the page.
        if message.type == "error" and "the server responded with a status of 4" not in message.text:
            self.complaints.append(message.text)

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).scheme in {"http", "https"} and not request.url.startswith(self.address):
            self.complaints.append(f"asked {request.url}")


def write(page: Page, field: str, text: str) -> None:
    """Type where the cursor is, which must be in this field; a busy browser moves it a moment after it was asked to."""
    cursor = page.locator(f"[name={field}]").first
    expect(cursor).to_be_focused()
    page.keyboard.insert_text(text)
    expect(cursor).to_have_value(text)


def access(page: Page, key: str) -> None:
    """Press Alt and a letter, as a keyboard does; the driver's own key presses reach no access key.

    A busy browser may lose a press that comes while it draws, so it is pressed until the field has the cursor. A button
    is pressed once, when its page is at rest.
    """
    target = page.locator(f'[accesskey="{key.upper()}"]').first
    if target.and_(page.locator("button")).count():
        before = page.url
        for _ in range(3):
            page.wait_for_load_state("networkidle")
            _press(page, key)
            # A form sent twice is one command, so a press that may have been lost is repeated.
            with suppress(PlaywrightTimeout):
                page.wait_for_url(lambda url: url != before, timeout=3000)
                return
        return
    for _ in range(4):
        _press(page, key)
        try:
            expect(target).to_be_focused(timeout=2000)
        except AssertionError:
            continue
        return
    expect(target).to_be_focused()


def _press(page: Page, key: str) -> None:
    session = page.context.new_cdp_session(page)
    pressed = {"modifiers": 1, "key": key, "code": f"Key{key.upper()}", "windowsVirtualKeyCode": ord(key.upper())}
    session.send("Input.dispatchKeyEvent", {**pressed, "type": "keyDown", "text": key, "unmodifiedText": key})
    session.send("Input.dispatchKeyEvent", {**pressed, "type": "keyUp"})
    session.detach()


def barriers(page: Page) -> list[str]:
    """What keeps people with an impairment from using this page, by the rules of axe."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]
