"""The person or script behind each request, and their rights.

Without a login, everyone who can open the dashboard is an admin: that is for a machine of one person.
"""

import asyncio
import hmac
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from turret_pipeline.config.addresses import is_loopback
from turret_pipeline.config.dashboard import DashboardSettings
from turret_pipeline.dashboard.credentials import CredentialFile, CurrentCredentials, Role
from turret_pipeline.dashboard.login_limits import LoginLimits
from turret_pipeline.dashboard.passwords import verify_password
from turret_pipeline.dashboard.sessions import Session, Sessions
from turret_pipeline.errors import TurretError, display_path

logger = logging.getLogger(__name__)

COOKIE = "turret_session"
_PROCESS_TOKEN = secrets.token_urlsafe(24)


class ForbiddenError(TurretError):
    """The person may not do this."""


@dataclass(frozen=True)
class Viewer:
    """A person who looks at pages, or a script with a token. ``projects`` are those that they may open; all if empty.

    A form must send ``csrf_token`` back, which no other site can read.
    """

    role: Role
    csrf_token: str
    name: str = ""
    projects: tuple[str, ...] = ()

    @property
    def can_edit(self) -> bool:
        """True if the person may change topics, fields, views and keys, and see texts of few users."""
        return self.role == "admin"

    def may_open(self, project: str) -> bool:
        """True if the person may open the pages of the project."""
        return not self.projects or project in self.projects

    def require_edit(self, token: str) -> None:
        """Raise ForbiddenError unless the person may change something, and the form is one of these pages."""
        if not self.can_edit:
            raise ForbiddenError("Only admins can change this: ask one of them.")
        self.require_form(token)

    def require_form(self, token: str) -> None:
        """Raise ForbiddenError unless the form is one of these pages."""
        if not hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self.csrf_token.encode()):
            raise ForbiddenError("This form is too old: open the page again and repeat the change.")


class TooManyLoginsError(TurretError):
    """Logins failed too often. ``seconds`` must pass before another."""

    def __init__(self, seconds: int) -> None:
        minutes = -(-seconds // 60)
        super().__init__(f"Too many logins failed. Try again in {minutes} {'minute' if minutes == 1 else 'minutes'}.")
        self.seconds = seconds


class Access:
    """Credentials, sessions and limits of a running dashboard. Raises TurretError if nobody could log in."""

    def __init__(self, settings: DashboardSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._credentials = CurrentCredentials(CredentialFile(settings.folder))
        self._settings = settings
        self._sessions = Sessions(settings.session_idle_minutes * 60, settings.session_hours * 3600, clock)
        self._limits = LoginLimits(clock)
        self._one_login = asyncio.Semaphore(1)  # each needs a core and 32 MiB
        self._is_required = requires_login(settings)
        if self._is_required and not self._credentials.get():
            raise TurretError(_describe_missing_credential(settings))

    @property
    def is_required(self) -> bool:
        """True if pages need a login: by the settings, or from the first credential on, until the server ends."""
        if self._settings.require_login is None and self._credentials.get():
            self._is_required = True
        return self._is_required

    def identify(self, request: Request, *, is_use: bool = True) -> Viewer | None:
        """The person or script that sends a request; None if they must log in.

        Raises HTTPException (401, 403) for an unknown token, and for one that does more than read.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._identify_script(request, token.strip())
        if not self.is_required:
            return Viewer("admin", _PROCESS_TOKEN)
        session = self._find_session(request, is_use=is_use)
        if session is None:
            return None
        credential = session.credential
        return Viewer(credential.role, session.csrf_token, credential.name, credential.projects)

    async def log_in(self, name: str, password: str, request: Request) -> str | None:
        """Start a session and return its id; None if name or password are wrong.

        Unknown names take as long as others. Raises TooManyLoginsError after too many failures.
        """
        address = request.client.host if request.client else ""
        if seconds := self._limits.begin(name, address):
            raise TooManyLoginsError(seconds)
        credential = self._credentials.get().find_person(name)
        async with self._one_login:
            stored = credential.secret_hash if credential else None
            is_correct = await run_in_threadpool(verify_password, password, stored)
        if credential is None or not is_correct:
            logger.warning("A login from %s failed.", address)
            return None
        self._limits.succeed(name, address)
        self.log_out(request)
        return self._sessions.start(credential)

    def log_out(self, request: Request) -> None:
        """End the session of a request."""
        self._sessions.end(read_cookie(request))

    def _identify_script(self, request: Request, token: str) -> Viewer:
        credential = self._credentials.get().find_token(token)
        if credential is None:
            raise HTTPException(401, "Unknown token: `turret access list` lists the tokens that exist.")
        if request.method not in {"GET", "HEAD"}:
            raise HTTPException(403, "A token can only read. Log in with a browser to change something.")
        return Viewer(credential.role, secrets.token_urlsafe(24), credential.name, credential.projects)

    def _find_session(self, request: Request, *, is_use: bool) -> Session | None:
        """The session of a request, with the role and projects of now; None if its name or password was removed."""
        session = self._sessions.find(read_cookie(request), is_use=is_use)
        if session is None:
            return None
        credential = self._credentials.get().find_person(session.credential.name)
        if credential is None or credential.secret_hash != session.credential.secret_hash:
            return None
        session.credential = credential
        return session


def requires_login(settings: DashboardSettings) -> bool:
    """True if the settings alone require a login. Raises TurretError if they leave a dashboard open to a network."""
    if not is_loopback(settings.host):
        if settings.require_login is False:
            raise TurretError(
                f"The dashboard would listen on {settings.host} with require_login = false, open to everyone there: "
                "remove this setting, or listen on 127.0.0.1."
            )
        return True
    if settings.require_login is not None:
        return settings.require_login
    return not all(map(is_loopback, settings.allowed_hosts))


def cookie_name(request: Request) -> str:
    """Name of the session's cookie. With TLS, the prefix keeps other hosts and unencrypted pages from setting it."""
    return f"__Host-{COOKIE}" if request.url.scheme == "https" else COOKIE


def read_cookie(request: Request) -> str:
    """The session id that a browser sends; empty if it has none."""
    return request.cookies.get(cookie_name(request), "")


def _describe_missing_credential(settings: DashboardSettings) -> str:
    file = display_path(CredentialFile(settings.folder).path)
    remedy = f"but nobody can log in: {file} has no names. Add one with `turret access add NAME --role admin`"
    if not is_loopback(settings.host):
        return f"The dashboard would listen on {settings.host}, {remedy}."
    if settings.require_login:
        return f"The setting require_login is true, {remedy}."
    name = next(host for host in settings.allowed_hosts if not is_loopback(host))
    return f"Others may reach the dashboard as {name} (allowed_hosts), {remedy}, or set require_login = false."
