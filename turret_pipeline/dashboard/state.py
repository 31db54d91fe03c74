"""The state of a page: everything that a person chose, as the query of its URL.

A page shows the same for the same URL and the same published file, so a URL can be shared and saved.
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from starlette.datastructures import QueryParams

from turret_pipeline.errors import TurretError
from turret_pipeline.reports.scope import Scope, parse_scope

COMMON = ("since", "until", "segment", "compare", "dimension")
"""Parameters that all pages share. Links between pages keep them."""

WITH_ID = ("sessions", "topics")
"""Folders of pages whose name is an id from the data. Its slashes are escaped: it may have dots between them."""

_DOTS = r"~*\.{1,2}"
MAX_NUMBER = 1_000_000
PREVIOUS, NOTHING = "previous", "none"


@dataclass(frozen=True)
class PageState:
    """The project of a page and the parameters of its URL.

    ``since`` and ``until`` are days, both included. ``is_compared`` is true if figures are shown beside those of the
    previous period of the same length. ``dimension`` is a text field, or another dimension of journeys. ``others`` are
    the parameters that only this page has.
    """

    project: str
    path: str
    time_zone: str = "UTC"
    since: str = ""
    until: str = ""
    segments: tuple[str, ...] = ()
    is_compared: bool = True
    dimension: str = ""
    others: tuple[tuple[str, str], ...] = ()

    def scope(self) -> Scope:
        """The sessions that the page is about. Raises TurretError if a parameter is invalid."""
        return parse_scope(self.since or None, self.until or None, self.segments, self.time_zone)

    def previous_scope(self) -> Scope | None:
        """The sessions of the previous period of the same length; None without a range of days, or not compared."""
        return self.scope().previous() if self.is_compared else None

    def get(self, name: str, default: str = "") -> str:
        """A parameter that only this page has."""
        return dict(self.others).get(name, default)

    def get_number(self, name: str, default: int) -> int:
        """A parameter of this page that is a number from 1. Raises TurretError if it is another text."""
        text = self.get(name, str(default))
        if not (text.isascii() and text.isdecimal() and 0 < int(text[:12]) <= MAX_NUMBER):
            raise TurretError(f"Invalid {name} {text!r}: use a number from 1 to {MAX_NUMBER:,}.")
        return int(text)

    def get_all(self, name: str) -> list[str]:
        """All values of a parameter that only this page has."""
        return [value for key, value in self.others if key == name]

    @property
    def address(self) -> str:
        """URL of this page without parameters, to which a form sends them."""
        return _join(self.project, self.path, [])

    def row_page(self) -> int:
        """The number of the page of rows, from 1. Raises TurretError if it is invalid."""
        return self.get_number("page", 1)

    def to_page(self, path: str, /, **others: str | Sequence[str] | None) -> str:
        """URL of another page of the project with the same common parameters, and with ``others`` of its own.

        A common parameter that is None is left out.
        """
        pairs = [(name, value) for name, given in others.items() for value in _list_values(given)]
        common = [(name, value) for name, values in self._common().items() if name not in others for value in values]
        return _join(self.project, path, [*common, *pairs])

    def change(self, **changes: str | Sequence[str] | None) -> str:
        """URL of this page with some parameters changed, or removed by None; the number of its page of rows too."""
        given = self._common() | {name: self.get_all(name) for name, _ in self.others}
        given.pop("page", None)
        given |= {name: _list_values(value) for name, value in changes.items()}
        return _join(self.project, self.path, [(name, value) for name, values in given.items() for value in values])

    def query(self) -> str:
        """The parameters of this page as the query of a URL, without the page of rows."""
        return urlencode(self.hidden("table"))

    def hidden(self, *without: str) -> list[tuple[str, str]]:
        """Parameters of this page, without some, as the hidden fields of a form that changes these."""
        pairs = [(name, value) for name, values in self._common().items() for value in values]
        return [pair for pair in (*pairs, *self.others) if pair[0] not in (*without, "page", "format")]

    def _common(self) -> dict[str, list[str]]:
        given = {
            "since": _list_values(self.since),
            "until": _list_values(self.until),
            "segment": list(self.segments),
            "compare": [] if self.is_compared else [NOTHING],
            "dimension": _list_values(self.dimension),
        }
        return {name: values for name, values in given.items() if values}


def parse_state(project: str, path: str, query: QueryParams, time_zone: str) -> PageState:
    """The state in a URL; its days are those of the time zone. Raises TurretError if a common parameter is invalid."""
    compare = query.get("compare", PREVIOUS)
    if compare not in {PREVIOUS, NOTHING}:
        raise TurretError(f"Invalid compare {compare!r}: use {PREVIOUS} or {NOTHING}.")
    state = PageState(
        project=project,
        path=path,
        time_zone=time_zone,
        since=_parse_day("since", query),
        until=_parse_day("until", query),
        segments=tuple(dict.fromkeys(value for value in query.getlist("segment") if value)),
        is_compared=compare == PREVIOUS,
        dimension=query.get("dimension", ""),
        others=tuple((name, value) for name, value in query.multi_items() if name not in COMMON and value),
    )
    state.scope()  # rejects what is invalid
    return state


def _parse_day(name: str, query: QueryParams) -> str:
    text = query.get(name, "").strip()
    try:
        return dt.date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise TurretError(f"Invalid day {text!r} ({name}): use a day such as 2026-03-01.") from None


def _list_values(given: str | Sequence[str] | None) -> list[str]:
    if given is None or given == "":
        return []
    return [given] if isinstance(given, str) else list(given)


def find_path(project: str, address: str) -> str:
    """The path of a page below its project, from an address without escapes of URLs."""
    folder, slash, rest = address.removeprefix(f"/{project}").removeprefix("/").partition("/")
    return f"{folder}{slash}{unescape_id(rest)}" if folder in WITH_ID else f"{folder}{slash}{rest}".rstrip("/")


def escape_id(text: str) -> str:
    """The id of a session or topic in a path: browsers would resolve the ids . and .. as folders."""
    return f"~{text}" if re.fullmatch(_DOTS, text) else text


def unescape_id(text: str) -> str:
    """The id that ``escape_id`` wrote."""
    return text.removeprefix("~") if re.fullmatch(_DOTS, text) else text


def _join(project: str, path: str, pairs: Sequence[tuple[str, str]]) -> str:
    query = urlencode(pairs)
    folder, slash, rest = path.partition("/")
    below = quote(escape_id(rest), safe="") if folder in WITH_ID else quote(rest)
    address = f"/{quote(project)}/{quote(folder)}{slash}{below}".rstrip("/")
    return f"{address}?{query}" if query else address
