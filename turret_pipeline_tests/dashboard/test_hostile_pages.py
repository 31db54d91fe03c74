"""Hostile texts on every page and in every download, and hostile addresses: everything stays plain text.

Pages are found from PAGES and from the links on them, so a new page is tested without a change here.
"""

import html
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import pytest
from filelock import FileLock
from playwright.sync_api import Browser
from starlette.routing import Route

from turret_pipeline.config.dashboard import load_dashboard_settings
from turret_pipeline.dashboard.access import Access
from turret_pipeline.dashboard.app import Dashboard
from turret_pipeline.dashboard.pages import ACTIONS, PAGES
from turret_pipeline.reports.scope import format_segment
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.conftest import find_shared_folder
from turret_pipeline_tests.dashboard.conftest import run_dashboard
from turret_pipeline_tests.dashboard.hostile_folder import FIELD, LONG, PLAN, PLANS, SCRIPT, SECRET, make_hostile_folder
from turret_pipeline_tests.dashboard.published import get_page
from turret_pipeline_tests.dashboard.visits import Visitor
from turret_pipeline_tests.test_hostile_text import assert_no_formula, find_unsafe

pytestmark = pytest.mark.slow

IDS = {
    "session_id": "select session_id from marts.exchanges order by session_id limit 1",
    "topic_id": "select topic_id from marts.topics where status = 'active' order by topic_id limit 1",
}
"""Queries of a value for each parameter in the path of a page."""

VALUES = (
    "'; drop table marts.events; --",
    "2026-99-99",
    "9999-12-31",
    "0001-01-01",
    "-1",
    "1e9",
    "\x00",
    "x" * 5000,
    "\N{SNOWMAN}\u202e\U0001d518",
    "../../sample",
    "<script>alert(1)</script>",
    "a=b=c",
    "(start)>(end)",
)
PARAMETERS = ("since", "until", "segment", "compare", "dimension", "format", "table", "page", "sort", "order", "search")
CRAWLED, TRIED = 120, 700
"""Pages that are opened by following links, and addresses with a hostile value that are tried."""


@pytest.fixture(scope="session")
def hostile_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hostile data folder. HOSTILE_RUN=FOLDER keeps it for the next time, which saves minutes."""
    kept = os.environ.get("HOSTILE_RUN")
    folder = Path(kept) if kept else find_shared_folder(tmp_path_factory) / "hostile"
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "data" / "warehouse" / "turret.duckdb").exists():
            make_hostile_folder(folder)
    return folder / "data"


@pytest.fixture(scope="session")
def site(sample_folder: Path, hostile_folder: Path) -> Iterator[str]:
    """URL of a dashboard with the projects hostile and sample."""
    with run_dashboard(hostile=hostile_folder, sample=sample_folder) as url:
        yield url


OTHER_ROUTES = {
    "/": "redirects",
    "/health": "says that the process is alive",
    "/static/{name}": "serves files of the package",
    "/favicon.ico": "redirects",
    "/login": "shows the texts of its template; test_login_pages.py",
    "/logout": "redirects",
    "/{project}/newer": "says that results are newer",
}
"""Routes that show no text of the data, with the reason."""


def test_every_route_is_a_page_that_is_tested_or_has_a_reason_not_to_be(tmp_path: Path) -> None:
    settings = load_dashboard_settings(data_dir=tmp_path)
    paths = {route.path for route in Dashboard(settings, Access(settings)).app.routes if isinstance(route, Route)}
    pages = {f"/{{project}}/{path}".rstrip("/") for path in (*PAGES, *ACTIONS)}
    assert paths == pages | set(OTHER_ROUTES)


def list_addresses(folder: Path) -> list[str]:
    """Every page below its project, with an id of the project where its path needs one."""
    with DataDir(folder).warehouse.open() as connection:
        ids = {name: str(connection.execute(sql).fetchall()[0][0]) for name, sql in IDS.items()}
    return [re.sub(r"\{(\w+)(:\w+)?\}", lambda match: quote(ids[match[1]], safe="/"), path) for path in PAGES]


def find_links(text: str) -> list[str]:
    return [html.unescape(link) for link in re.findall(r'(?:href|action)="([^"]*)"', text)]


def assert_plain(visitor: Visitor) -> None:
    """Everything of the open page comes from its template, and nothing invisible is in what it shows."""
    page = visitor.page
    assert page.title() != "owned"
    assert page.locator("img, iframe, object, embed, style, base").count() == 0
    assert page.locator("body script:not([type='application/json'])").count() == 0
    assert page.locator("[onerror]").count() == 0
    links = page.eval_on_selector_all("a", "all => all.map(one => one.getAttribute('href'))")
    assert [link for link in links if not re.match(r"(/(?!/)|[?#]|$)", link)] == []
    assert find_unsafe(page.inner_text("body"), allowed="\n\t") == []
    for attribute in ("title", "aria-label", "alt", "placeholder"):
        shown = page.eval_on_selector_all(f"[{attribute}]", f"all => all.map(one => one.getAttribute('{attribute}'))")
        assert find_unsafe("".join(shown)) == []
    assert visitor.problems == []


@pytest.mark.parametrize("number", range(len(PAGES)), ids=[path or "home" for path in PAGES])
def test_hostile_texts_are_plain_text_on_every_page(
    browser: Browser, site: str, hostile_folder: Path, number: int
) -> None:
    address = list_addresses(hostile_folder)[number]
    with Visitor.open(browser, f"{site}/hostile") as visitor:
        for query in ("", "?" + urlencode({"segment": format_segment(PLAN, PLANS[0])})):
            visitor.visit(address + query)
            for details in visitor.page.locator("details").all():
                details.evaluate("one => one.open = true")
            assert_plain(visitor)


def test_hostile_texts_are_plain_text_in_every_download(site: str, hostile_folder: Path) -> None:
    seen = set()
    for address in list_addresses(hostile_folder):
        for link in find_links(get_page(f"{site}/hostile/{address}".rstrip("/")).text):
            if "format=" not in link or link in seen:
                continue
            seen.add(link)
            answer = get_page(site + link).raise_for_status()
            assert (link, find_unsafe(answer.text)) == (link, [])
            assert answer.headers["content-disposition"].startswith("attachment;")
            if "format=csv" in link:
                assert_no_formula(answer.text)
            else:
                answer.json()
    assert len(seen) >= 10


def test_the_name_of_the_field_can_be_chosen_and_long_texts_are_folded(
    browser: Browser, site: str, hostile_folder: Path
) -> None:
    with DataDir(hostile_folder).warehouse.open() as connection:
        sql = "select session_id from marts.events where metadata like '%wide wide%' order by session_id limit 1"
        ((session,),) = connection.execute(sql).fetchall()
    with Visitor.open(browser, f"{site}/hostile") as visitor:
        visitor.visit("texts?" + urlencode({"field": FIELD}))
        assert visitor.count(".found") == 72
        visitor.visit(f"sessions/{quote(session, safe='/')}")
        long = visitor.page.locator("details.long").first
        assert not long.locator("p.text").is_visible()
        long.locator("summary").click()
        assert LONG.strip() in long.locator("p.text").inner_text()
        assert SCRIPT in long.locator("p.text").inner_text()
        assert not visitor.overflows()
        assert_plain(visitor)


def assert_harmless_answer(answer: httpx.Response, project: str) -> None:
    place = str(answer.url)[:300]
    assert (place, answer.status_code < 500) == (place, True)
    assert (place, "Traceback" in answer.text) == (place, False)
    if project != "hostile":
        assert (place, SECRET in answer.text) == (place, False)
    if project != "sample":
        assert (place, "Registered for VAT" in answer.text) == (place, False)


@pytest.mark.parametrize("project", ["hostile", "sample"])
def test_every_link_leads_to_a_page_of_its_project(
    site: str, hostile_folder: Path, sample_folder: Path, project: str
) -> None:
    folder = hostile_folder if project == "hostile" else sample_folder
    waiting = [f"/{project}/{address}".rstrip("/") for address in list_addresses(folder)]
    seen = set(waiting)
    with httpx.Client(base_url=site) as client:
        for number, link in enumerate(waiting):
            if number == CRAWLED:
                break
            answer = client.get(link.partition("#")[0])
            assert_harmless_answer(answer, project)
            section = re.split("[/?#]", link.removeprefix(f"/{project}").lstrip("/"))[0]
            is_page = section in {path.split("/")[0] for path in PAGES}
            assert (link, answer.status_code) in {(link, status) for status in ((200,) if is_page else (404, 405))}
            for found in find_links(answer.text):
                place = re.split("[?#]", found)[0]
                is_own = place.startswith((f"/{project}/", "/static/"))
                assert (link, found, is_own or place in {"", "/", "/hostile", "/sample"}) == (link, found, True)
                if found.startswith(f"/{project}/") and found not in seen:
                    seen.add(found)
                    waiting.append(found)
    assert len(waiting) >= 20


def test_hostile_addresses_never_break_a_page(site: str, hostile_folder: Path) -> None:
    names = {*PARAMETERS}
    with httpx.Client(base_url=site) as client:
        for address in list_addresses(hostile_folder):
            text = client.get(f"/hostile/{address}".rstrip("/")).text
            names |= {name for link in find_links(text) for name in re.findall(r"[?&](\w+)=", link)}
            names |= set(re.findall(r'name="(\w+)"', text)) - {"viewport", "csrf_token"}
        names |= {"topic", "own", "theme", "signal", "model", "rating", "error", "day", "week", "user", "field"}
        names |= {"outcome", "node", "from", "to", "start", "end", "path"}
        addresses = [
            re.sub(r"\{[^}]+\}", quote(value, safe=""), path) for path in PAGES if "{" in path for value in VALUES
        ]
        pairs = [
            f"{address}?{urlencode({name: value})}"
            for address in list_addresses(hostile_folder)
            for name in sorted(names)
            for value in VALUES
        ]
        for address in [*addresses, *random.Random(1).sample(pairs, min(TRIED, len(pairs)))]:
            assert_harmless_answer(client.get(f"/hostile/{address}"), "hostile")
        for value in VALUES:  # as the name of a project
            answer = client.get(f"/{quote(value, safe='')}")
            assert answer.status_code in {200, 307, 404}
            assert SECRET not in answer.text
