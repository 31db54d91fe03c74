"""The person who looks at a page, and what they may do.

On loopback, without a password, everyone who can open the dashboard is an admin.
"""

import hmac
import secrets
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request

from turret_pipeline.errors import TurretError

Role = Literal["viewer", "admin"]
_PROCESS_TOKEN = secrets.token_urlsafe(24)


class ForbiddenError(TurretError):
    """The person may not do this."""


@dataclass(frozen=True)
class Viewer:
    """A person who looks at pages. A form must send ``csrf_token`` back, which no other site can read."""

    role: Role
    csrf_token: str

    @property
    def can_edit(self) -> bool:
        """True if the person may change topics, fields, views and keys, and see texts of few users."""
        return self.role == "admin"

    def require_edit(self, token: str) -> None:
        """Raise ForbiddenError unless the person may change something, and the form is one of these pages."""
        if not self.can_edit:
            raise ForbiddenError("Only admins can change this: ask one of them.")
        if not hmac.compare_digest(token, self.csrf_token):
            raise ForbiddenError("This form is too old: open the page again and repeat the change.")


def identify_viewer(request: Request) -> Viewer:  # noqa: ARG001 - of a session, once there are passwords
    """The person who sends a request."""
    return Viewer("admin", _PROCESS_TOKEN)
