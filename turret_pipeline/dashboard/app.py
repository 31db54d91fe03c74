"""The application: routes, errors, and what every page shows around its content."""

import importlib.metadata
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from turret_pipeline.clock import now
from turret_pipeline.config.dashboard import DashboardSettings
from turret_pipeline.dashboard.access import Access, ForbiddenError, Viewer
from turret_pipeline.dashboard.assets import Assets
from turret_pipeline.dashboard.credentials import Role
from turret_pipeline.dashboard.filters import build_panel
from turret_pipeline.dashboard.forms import read_form
from turret_pipeline.dashboard.login import AccessMiddleware, Login
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.pages import ACTIONS, MENU, PAGES
from turret_pipeline.dashboard.projects import TURNS, Project, Projects, Snapshot, UnknownProjectError
from turret_pipeline.dashboard.publication import describe_publication
from turret_pipeline.dashboard.security import ProtectionMiddleware
from turret_pipeline.dashboard.state import find_path, parse_state, unescape_id
from turret_pipeline.dashboard.templating import Templates
from turret_pipeline.dashboard.views import list_views
from turret_pipeline.dashboard.warm_up import WarmUp
from turret_pipeline.errors import TurretError

logger = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")


class IdConvertor(StringConvertor):
    """Ids of sessions and topics in paths: they come from events, and may contain slashes and line ends."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        """The id as the data have it."""
        return unescape_id(value)


register_url_convertor("id", IdConvertor())

Build = Callable[[Page], Content]
Act = Callable[[Page, Mapping[str, str]], str]
Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(settings: DashboardSettings, access: Access | None = None) -> ASGIApp:
    """The dashboard of all projects of the settings. Raises TurretError if nobody could log in.

    The protection is around everything, so that the page of a bug has its headers, too.
    """
    app = Dashboard(settings, access or Access(settings)).app
    return ProtectionMiddleware(app, [settings.host, *settings.allowed_hosts])


class Dashboard:
    """Projects, templates and routes."""

    def __init__(self, settings: DashboardSettings, access: Access) -> None:
        self.projects, self._access = Projects(settings), access
        assets = Assets()
        version = importlib.metadata.version("turret-pipeline")
        self.templates = Templates(assets, {"menu": MENU, "version": version})
        self.app = Starlette(
            routes=[
                Route("/", self._redirect_to_first),
                Route("/health", _answer_health),
                Route("/static/{name}", assets.serve),
                Route("/favicon.ico", lambda _: RedirectResponse(assets.url("icon.svg"), 301)),
                *Login(access, self.templates).routes,
                Route("/{project}", self._serve(PAGES[""])),
                Route("/{project}/newer", self._serve_newer),
                *(Route(f"/{{project}}/{path}", self._serve(build)) for path, build in PAGES.items() if path),
                *(Route(f"/{{project}}/{path}", self._receive(act), methods=["POST"]) for path, act in ACTIONS.items()),
            ],
            lifespan=self._live,
            middleware=[Middleware(AccessMiddleware, access=access, templates=self.templates)],
            exception_handlers={
                TurretError: self._show_error,
                HTTPException: self._show_error,
                Exception: self._show_error,
            },
        )

    @asynccontextmanager
    async def _live(self, app: Starlette) -> AsyncIterator[None]:  # noqa: ARG002 - Starlette's signature
        warm_up = WarmUp(self.projects, self._compute)
        warm_up.start()
        try:
            yield
        finally:
            await run_in_threadpool(warm_up.stop)

    def _compute(self, project: Project, path: str) -> None:
        """Build a page of a project for everyone who may see it, so that its figures are remembered."""
        roles: tuple[Role, ...] = ("admin", "viewer") if self._access.is_required else ("admin",)
        address = f"/{project.name}/{path}".rstrip("/")
        scope = {"type": "http", "method": "GET", "path": address, "query_string": b"", "headers": [], "state": {}}
        for role in roles:
            request = Request({**scope, "path_params": {"project": project.name}})
            request.state.viewer = Viewer(role, csrf_token="")
            self._build(PAGES[path], request)

    async def _redirect_to_first(self, request: Request) -> Response:
        names = self._list_projects(request)
        if not names:
            raise ForbiddenError("You have access to none of the projects here: ask an admin.")
        return RedirectResponse(f"/{names[0]}")

    def _serve(self, build: Build) -> Endpoint:
        """Endpoint of a page."""

        async def serve(request: Request) -> Response:
            return await _run(self._build, build, request)

        return serve

    def _receive(self, act: Act) -> Endpoint:
        """Endpoint of a form, which answers with the page that shows the change."""

        async def receive(request: Request) -> Response:
            form = await read_form(request)
            page = await _run(self._open_page, request)
            page.viewer.require_edit(form.get("csrf_token", ""))
            return RedirectResponse(await _run(act, page, form), status_code=303)

        return receive

    def _open_page(self, request: Request) -> Page:
        project = self._find_project(request)
        path = find_path(project.name, request.scope["path"])
        state = parse_state(project.name, path, request.query_params, project.settings.time_zone)
        published = project.current()
        surroundings = {**_describe_surroundings(project, published), "projects": self._list_projects(request)}
        return Page(request, project, published, state, self.templates, request.state.viewer, surroundings)

    def _find_project(self, request: Request) -> Project:
        """The project of a URL. Raises the same error if it is unknown and if the person may not open it."""
        name = request.path_params["project"]
        viewer: Viewer = request.state.viewer
        if not viewer.may_open(name):
            raise UnknownProjectError(name)
        return self.projects[name]

    def _list_projects(self, request: Request) -> list[str]:
        """Projects that the person may open; none before the login."""
        viewer: Viewer | None = getattr(request.state, "viewer", None)
        return [name for name in self.projects if viewer is not None and viewer.may_open(name)]

    def _build(self, build: Build, request: Request) -> Response:
        page = self._open_page(request)
        settings = page.project.settings
        panel = build_panel(page.published, page.state, settings.time_zone, settings.week_start)
        content = build(page)
        return page.render(Content(content.template, content.title, {"panel": panel, **content.values}, content.tables))

    async def _serve_newer(self, request: Request) -> Response:
        """A line if another run than that of the open page is published now, which the page asks for regularly."""
        project = self._find_project(request)
        publication = await _run(lambda: describe_publication(project.current()))
        is_newer = publication.run_id != request.query_params.get("run")
        return HTMLResponse(self.templates.render("newer.html") if is_newer else "")

    async def _show_error(self, request: Request, error: Exception) -> Response:
        """The page of an error, which says what to do; a bug is logged and gives no details away."""
        status, title, message = _describe_error(error)
        if status == 500:
            logger.error("Error on %r", request.url.path, exc_info=error)
        projects, named = self._list_projects(request), request.scope["path"].lstrip("/").partition("/")[0]
        values = {"projects": projects, "project": named if named in projects else None}
        html = self.templates.render("error.html", title=title, message=message, page=None, **values)
        return HTMLResponse(html, status_code=status)


async def _run(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Result of a function in a thread, because DuckDB computes without the interpreter's lock.

    The requests compute in the order in which they came.
    """
    return await run_in_threadpool(TURNS.queue_as(time.monotonic())(function), *args, **kwargs)


def _describe_surroundings(project: Project, published: Snapshot) -> dict[str, object]:
    """Values that every page of a project shows: the last publication and its checks, and the saved views."""
    publication, settings = describe_publication(published), project.settings
    stale = publication.describe_age(now(), settings.freshness_hours)
    return {
        "publication": publication,
        "stale": stale,
        "time_zone": settings.time_zone,
        "views": list_views(project),
    }


def _describe_error(error: Exception) -> tuple[int, str, str]:
    """Status, title and message of the page of an error."""
    if isinstance(error, UnknownProjectError):
        return 404, "Unknown project", str(error)
    if isinstance(error, ForbiddenError):
        return 403, "Not allowed", str(error)
    if isinstance(error, TurretError):
        return 400, "This page cannot be shown", str(error)
    if isinstance(error, HTTPException):
        message = "Nothing is at this address. Use the links above." if error.status_code == 404 else error.detail
        return error.status_code, "Not found" if error.status_code == 404 else "Not possible", message
    return 500, "Something went wrong", "This is a bug of the dashboard. Its log on the server says more."


async def _answer_health(request: Request) -> Response:  # noqa: ARG001 - an endpoint
    return PlainTextResponse("ok\n")
