"""The login: its page, the logout, and the check of every other request."""

from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from turret_pipeline.dashboard.access import Access, TooManyLoginsError, Viewer, cookie_name
from turret_pipeline.dashboard.forms import read_form
from turret_pipeline.dashboard.templating import Templates

PUBLIC_PATHS, PUBLIC_FOLDER = {"/health", "/login", "/favicon.ico"}, "/static/"
WRONG = "Name or password is wrong."
ASK_SCRIPT = "Log in first. Scripts send a token in the header Authorization: Bearer TOKEN.\n"
CHALLENGE = {"WWW-Authenticate": "Bearer"}


class AccessMiddleware:
    """Gives each request its viewer, and passes only public ones on if there is none."""

    def __init__(self, app: ASGIApp, access: Access, templates: Templates) -> None:
        self._app, self._access, self._templates = app, access, templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, path = Request(scope), scope["path"]
        is_use = not path.endswith(("/newer", "/arrivals"))  # the open page asks by itself
        answer: ASGIApp = self._app
        try:
            viewer = self._access.identify(request, is_use=is_use)
            scope.setdefault("state", {})["viewer"] = viewer
            if viewer is None and path not in PUBLIC_PATHS and not path.startswith(PUBLIC_FOLDER):
                answer = self._ask_for_login(request)
        except HTTPException as error:
            answer = PlainTextResponse(f"{error.detail}\n", error.status_code, CHALLENGE)
        await answer(scope, receive, send)

    def _ask_for_login(self, request: Request) -> Response:
        """The login page for a browser; for a part of an open page, a line; for a script, a sentence."""
        if "hx-request" in request.headers:
            return HTMLResponse(self._templates.render("logged_out.html"), 401, CHALLENGE)
        if "text/html" in request.headers.get("accept", ""):
            path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            given = {"next": path} if request.method == "GET" and path != "/" else {}
            return RedirectResponse("/login" + (f"?{urlencode(given)}" if given else ""), 303)
        return PlainTextResponse(ASK_SCRIPT, 401, CHALLENGE)


class Login:
    """The routes of login and logout."""

    def __init__(self, access: Access, templates: Templates) -> None:
        self._access, self._templates = access, templates
        self.routes = [
            Route("/login", self._show),
            Route("/login", self._receive, methods=["POST"]),
            Route("/logout", self._log_out, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        """The page that asks for name and password, unless the person has access already."""
        if request.state.viewer is not None:
            return RedirectResponse(own_path(request.query_params.get("next", "")), 303)
        return self._render(request.query_params.get("next", ""))

    async def _receive(self, request: Request) -> Response:
        """Start a session and go to the page that was asked for."""
        form = await read_form(request)
        path, name = own_path(form.get("next", "")), form.get("name", "").strip()
        if not self._access.is_required:
            return RedirectResponse(path, 303)
        try:
            session_id = await self._access.log_in(name, form.get("password", ""), request)
        except TooManyLoginsError as error:
            return self._render(path, str(error), name, 429, {"Retry-After": str(error.seconds)})
        if session_id is None:
            return self._render(path, WRONG, name, 401, CHALLENGE)
        response = RedirectResponse(path, 303)
        is_secure = request.url.scheme == "https"
        response.set_cookie(cookie_name(request), session_id, secure=is_secure, httponly=True, samesite="lax")
        return response

    async def _log_out(self, request: Request) -> Response:
        """End the session, if the form is that of its pages."""
        viewer: Viewer = request.state.viewer
        viewer.require_form((await read_form(request)).get("csrf_token", ""))
        self._access.log_out(request)
        response = RedirectResponse("/login", 303)
        is_secure = request.url.scheme == "https"
        response.delete_cookie(cookie_name(request), secure=is_secure, httponly=True, samesite="lax")
        return response

    def _render(
        self, path: str, problem: str = "", name: str = "", status: int = 200, headers: dict[str, str] | None = None
    ) -> Response:
        html = self._templates.render(
            "login.html", title="Log in", page=None, projects=(), next=own_path(path), problem=problem, login_name=name
        )
        return HTMLResponse(html, status, headers)


def own_path(text: str) -> str:
    """The text if it is a path of the dashboard, else "/": a link to the login leads to no other site."""
    is_path = text.startswith("/") and not text.startswith("//") and "\\" not in text
    is_page = text.partition("?")[0] not in {"/login", "/logout"}
    return text if is_path and is_page and text.isascii() and text.isprintable() else "/"
