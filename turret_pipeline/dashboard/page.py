"""One request for a page: its project, the published file, the state in the URL, and how its content is rendered."""

import datetime as dt
import zoneinfo
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from turret_pipeline.dashboard.access import Viewer
from turret_pipeline.dashboard.downloads import download_table
from turret_pipeline.dashboard.projects import Project, Snapshot
from turret_pipeline.dashboard.state import PageState
from turret_pipeline.dashboard.tables import TableView
from turret_pipeline.dashboard.templating import Templates
from turret_pipeline.errors import TurretError, list_names

T = TypeVar("T")


@dataclass(frozen=True)
class Content:
    """The content of a page: a template with its values. Each table can be downloaded."""

    template: str
    title: str
    values: Mapping[str, Any]
    tables: tuple[TableView, ...] = ()


@dataclass(frozen=True)
class Page:
    """A request for a page of a project."""

    request: Request
    project: Project
    published: Snapshot
    state: PageState
    templates: Templates
    viewer: Viewer
    surroundings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def min_users(self) -> int:
        """Users that figures and texts must be of to be shown to this person."""
        return 1 if self.viewer.can_edit else self.published.min_users

    def remember(self, name: str, compute: Callable[[], T], *keys: Hashable) -> T:
        """The result of ``compute`` for the scope of the page and the keys, computed once per publication."""
        return self.published.remember((name, self.state.scope(), *keys), compute)

    def render(self, content: Content) -> Response:
        """The page, or one of its tables if the URL asks for it. Raises TurretError if it asks for another."""
        if form := self.state.get("format"):
            return self._download(content, form)
        values = {**self.surroundings, **content.values, "tables": {table.name: table for table in content.tables}}
        html = self.templates.render(content.template, title=content.title, page=self, **values)
        return HTMLResponse(html)

    def _download(self, content: Content, form: str) -> Response:
        tables = {table.name: table for table in content.tables}
        name = self.state.get("table") or next(iter(tables), "")
        if name not in tables:
            raise TurretError(f"Unknown table {name!r} of this page. Available: {list_names(list(tables))}.")
        return download_table(tables[name].download(), f"{self.project.name}-{name}", form)


def previous_label(state: PageState) -> str:
    """The previous period in words, such as "2026-09-01 to 2026-09-07"; empty if nothing is compared."""
    scope = state.previous_scope()
    if scope is None or scope.since is None or scope.until is None:
        return ""
    zone = zoneinfo.ZoneInfo(state.time_zone)
    first, after = (moment.astimezone(zone).date() for moment in (scope.since, scope.until))
    return f"{first} to {after - dt.timedelta(days=1)}"
