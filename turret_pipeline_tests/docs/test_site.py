"""The site: built strictly, complete, and without requests to other hosts."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from turret_pipeline_tests.commands import BIN, PROJECT, environment

OPTIONAL_HOSTS = {"api.github.com", "cdn.jsdelivr.net", "unpkg.com"}
"""Hosts in the theme's scripts, for features that no page uses: FEATURES finds them."""
FEATURES = re.compile(r'class="[^"]*(?:mermaid|glightbox|pyodide)|data-md-component="source"')
NOT_ADDRESSES = {"www.w3.org", "fontawesome.com"}
"""Names of standards and licences in scripts and styles, which are not loaded."""


class Loads(HTMLParser):
    """Addresses of what a page loads, and of its links."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.linked.append(values.get("href", ""))
            return
        self.loaded += [values[name] for name in ("src", "srcset", "poster", "data") if name in values]
        self.loaded += [values["href"]] if "href" in values else []
        self.loaded += _list_css_addresses(values.get("style", ""))


def _list_css_addresses(css: str) -> list[str]:
    found = re.findall(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)", css)
    return [address for pair in found for address in pair if address]


def _is_elsewhere(address: str) -> bool:
    return bool(urlsplit(address).netloc)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("docs")
    shutil.copy(PROJECT / "zensical.toml", folder)
    shutil.copytree(PROJECT / "docs", folder / "docs")
    command = [str(BIN / "zensical"), "build", "--strict"]
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


@pytest.mark.slow
def test_every_document_is_a_page(site: Path) -> None:
    documents = [path.relative_to(PROJECT / "docs") for path in (PROJECT / "docs").rglob("*.md")]
    folders = [path.parent if path.stem == "index" else path.with_suffix("") for path in documents]
    assert [folder for folder in folders if not (site / folder / "index.html").is_file()] == []
    linked = {(site / address).resolve() for address in Loads(site / "index.html").linked}
    assert [folder for folder in folders if (site / folder).resolve() not in linked] == []


def test_pages_load_nothing_from_another_host(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert [(page.name, address) for page in pages for address in Loads(page).loaded if _is_elsewhere(address)] == []
    assert [page for page in pages if FEATURES.search(page.read_text())] == []
    styles = {path.name: _list_css_addresses(path.read_text()) for path in site.rglob("*.css")}
    assert {name for name, addresses in styles.items() if any(map(_is_elsewhere, addresses))} == set()
    scripts = "".join(path.read_text() for path in site.rglob("*.js"))
    assert set(re.findall(r"https?://([\w.-]+\w)", scripts)) <= OPTIONAL_HOSTS | NOT_ADDRESSES


def test_links_and_pictures_lead_to_files(site: Path) -> None:
    broken = []
    for page in site.rglob("index.html"):
        loads = Loads(page)
        for address in loads.loaded + loads.linked:
            path = unquote(urlsplit(address).path)
            if path and not urlsplit(address).scheme and not (page.parent / path).exists():
                broken.append((page.relative_to(site), address))
    assert broken == []
