"""Saved views: pages with their parameters under a name, for everyone who opens the project."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

from turret_pipeline.clock import now
from turret_pipeline.dashboard.page import Page
from turret_pipeline.dashboard.projects import Project
from turret_pipeline.errors import TurretError
from turret_pipeline.storage.dashboard_views import View

MAX_PARAMETERS = 100


@dataclass(frozen=True)
class ViewMenu:
    """The saved views of a project, each with its URL, or the problem with their file."""

    links: tuple[tuple[str, str], ...] = ()
    problem: str = ""


def list_views(project: Project) -> ViewMenu:
    """The menu of the saved views. A damaged file is a problem of the menu, not of every page."""
    try:
        return ViewMenu(tuple((view.name, _to_url(project.name, view)) for view in project.data.dashboard_views.read()))
    except TurretError as error:
        return ViewMenu(problem=str(error))


def save_view(page: Page, form: Mapping[str, str]) -> str:
    """Save the page that the form names, and return its URL. Raises TurretError if the form is invalid."""
    view = View(
        name=" ".join(form.get("name", "").split()),
        path=form.get("path", "").strip("/"),
        query=_normalize(form.get("query", "")),
        saved_at=now().isoformat(timespec="seconds"),
    )
    page.project.data.dashboard_views.save(view)
    return _to_url(page.project.name, view)


def delete_view(page: Page, form: Mapping[str, str]) -> str:
    """Delete the view of this name, and return the URL of the page from which the form was sent."""
    page.project.data.dashboard_views.delete(form.get("name", ""))
    back = View("", form.get("path", "").strip("/"), _normalize(form.get("query", "")), "")
    return _to_url(page.project.name, back)


def _to_url(project: str, view: View) -> str:
    """URL of a view. It is always one of the project, whatever the file says."""
    query = _normalize(view.query)
    address = f"/{quote(project)}/{quote(view.path)}".rstrip("/")
    return f"{address}?{query}" if query else address


def _normalize(query: str) -> str:
    try:
        return urlencode(parse_qsl(query, max_num_fields=MAX_PARAMETERS))
    except ValueError:
        raise TurretError(f"A view has at most {MAX_PARAMETERS} parameters: remove some conditions.") from None
