"""Jinja templates: everything is escaped, and nothing that is undefined is shown as an empty text."""

from collections.abc import Mapping
from typing import Any

import jinja2

from turret_pipeline.dashboard.assets import Assets
from turret_pipeline.dashboard.formats import FORMATS


class Templates:
    """The templates of the dashboard."""

    def __init__(self, assets: Assets, values: Mapping[str, Any]) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("turret_pipeline.dashboard"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(asset=assets.url, **values)
        self._environment.filters.update({f"as_{kind}": form for kind, form in FORMATS.items()})

    def render(self, name: str, **values: object) -> str:
        """The template with the values."""
        return self._environment.get_template(name).render(**values)
