"""A person with a browser: visits pages, and collects everything that goes wrong on them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Self

import pytest
from playwright.sync_api import Browser, Page

NODE_MODULES = Path(__file__).parent / "node_modules"
AXE = NODE_MODULES / "axe-core" / "axe.min.js"
HTML_VALIDATE = NODE_MODULES / ".bin" / "html-validate"
DESKTOP, PHONE = 1280, 390


class Visitor:
    """Pages of one project. ``problems`` has console errors, CSP reports, failed and external requests."""

    def __init__(self, page: Page, home: str) -> None:
        self.page, self.home, self.problems = page, home, list[str]()
        host = "/".join(home.split("/")[:3])
        page.on("console", lambda message: self._note(message.type in {"error", "warning"}, message.text))
        page.on("pageerror", lambda error: self._note(True, str(error)))
        page.on("requestfailed", lambda request: self._note("ERR_ABORTED" not in str(request.failure), request.url))
        page.on("request", lambda request: self._note(not request.url.startswith((host, "blob:")), request.url))
        page.on("response", lambda response: self._note(response.status >= 400, f"{response.status} {response.url}"))

    @classmethod
    @contextmanager
    def open(
        cls,
        browser: Browser,
        home: str,
        width: int = DESKTOP,
        theme: Literal["light", "dark"] = "light",
        time_zone: str | None = None,
    ) -> Iterator[Self]:
        """A new, empty window, without anything that others left in the browser."""
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, timezone_id=time_zone
        )
        try:
            yield cls(context.new_page(), home)
        finally:
            context.close()

    def visit(self, path: str) -> None:
        """Open a page below the project, such as "topics?since=2026-09-01"."""
        self.page.goto(f"{self.home}/{path}" if path and not path.startswith("?") else f"{self.home}{path}")
        self.page.wait_for_load_state("load")

    def count(self, selector: str) -> int:
        """The number that an element shows, without separators of thousands."""
        return int(self.page.locator(selector).first.inner_text().split()[0].replace(",", ""))

    def check_accessibility(self) -> list[str]:
        """Findings of axe-core on the open page: rule and elements."""
        if not AXE.exists():
            pytest.skip("axe-core is not installed (make install-dev installs it if npm is there)")
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run({resultTypes: ['violations']}).then(found => found.violations)")
        return [f"{one['id']}: {[node['html'][:120] for node in one['nodes'][:3]]}" for one in found]

    def show(self, width: int, theme: Literal["light", "dark"]) -> None:
        """Show the page that is open at another width, or in another theme."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=theme)

    def overflows(self) -> bool:
        """True if the page is wider than the window."""
        width: bool = self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        return width

    def _note(self, is_problem: bool, text: str) -> None:
        if is_problem:
            self.problems.append(text)


def validate_html(files: list[Path]) -> str:
    """What html-validate finds in the files; empty if they are valid."""
    if not HTML_VALIDATE.exists():
        pytest.skip("html-validate is not installed (make install-dev installs it if npm is there)")
    command = [str(HTML_VALIDATE), "--preset", "standard", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
