"""Jinja templates: everything is escaped, and nothing that is undefined is shown as an empty text.

Control characters in any text are shown as symbols. Only values that a form sends back keep them, by the filter raw.
"""

from collections.abc import Mapping
from typing import Any

import jinja2
import markupsafe

from turret_pipeline.dashboard.assets import Assets
from turret_pipeline.dashboard.formats import FORMATS
from turret_pipeline.escaping import escape_text


class Templates:
    """The templates of the dashboard."""

    def __init__(self, assets: Assets, values: Mapping[str, Any]) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("turret_pipeline.dashboard"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            finalize=_make_visible,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(asset=assets.url, **values)
        self._environment.filters["raw"] = markupsafe.escape
        self._environment.filters.update({f"as_{kind}": form for kind, form in FORMATS.items()})

    def render(self, name: str, **values: object) -> str:
        """The template with the values."""
        return self._environment.get_template(name).render(**values)


def _make_visible(value: object) -> object:
    """A text with visible symbols for control characters; markup and other values as they are."""
    return escape_text(value) if isinstance(value, str) and not isinstance(value, markupsafe.Markup) else value
