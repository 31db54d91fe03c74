"""Numbers on all pages: each that is a link leads to a list of exactly so many rows."""

import re
from collections import defaultdict
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from turret_pipeline_tests.dashboard.test_every_page import PATHS

NUMBER = re.compile(
    r'<a href="(/sample/(?:journeys/sessions|exchanges|sessions|texts|users)(?:\?[^"]*)?)"[^>]*>'
    r"(?:These )?(?:<strong>)?([\d,]+)(?![\d.,]| %)"
)
"""A link to a list whose text starts with a whole number."""

FOUND = re.compile(r'class="found">\s*([\d,]+)')
OF_A_KIND = 12
"""Links with the same page and parameters that are followed."""


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
def test_each_number_leads_to_so_many_rows(client: httpx.Client, dashboard: str, path: str) -> None:
    separator = "" if not path or path.startswith("?") else "/"
    page = client.get(f"{dashboard}/sample{separator}{path}").raise_for_status().text
    wrong = []
    for url, number in _choose_links(page):
        found = FOUND.search(client.get(f"{dashboard}{url}").text)
        if found is None or found[1] != number:
            wrong.append((url, number, found and found[1]))
    assert wrong == []


def test_home_has_such_numbers(client: httpx.Client, dashboard: str) -> None:
    assert len(list(_choose_links(client.get(f"{dashboard}/sample").text))) > 20


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("topics", "users?topic="),
        ("topics", "&day="),
        ("topics/prompt-2", "users?topic="),
        ("topics/prompt-2", "own=1&value="),
        ("topics/prompt-2", "rating=any"),
        ("topics/prompt-2", "at_least=latency_seconds%3A0"),
        ("topics/prompt-2?since=2026-09-16&until=2026-09-29", "until=2026-09-15&day=2026-09-0"),
    ],
)
def test_figures_of_topics_are_such_numbers(client: httpx.Client, dashboard: str, path: str, parameters: str) -> None:
    page = client.get(f"{dashboard}/sample/{path}").raise_for_status().text
    assert any(parameters in unescape(url) for url, _ in NUMBER.findall(page))


def _choose_links(page: str) -> Iterator[tuple[str, str]]:
    """URL and number of some links of each kind."""
    kinds: dict[tuple[str, ...], int] = defaultdict(int)
    for url, number in dict.fromkeys((unescape(url), number) for url, number in NUMBER.findall(page)):
        parts = urlsplit(url)
        kind = (parts.path, *sorted(name for name, _ in parse_qsl(parts.query)))
        kinds[kind] += 1
        if kinds[kind] <= OF_A_KIND:
            yield url, number
