"""Figures on disk and in Dagster."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from turret_pipeline.plots.canvas import ignore_missing_glyphs
from turret_pipeline.storage.atomic_files import atomic_replace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DETERMINISTIC_SVG: Any = {"svg.fonttype": "none", "svg.hashsalt": "turret"}
"""Text stays text, and the same figure has the same bytes."""


def save_figure(figure: "Figure", folder: Path, name: str) -> dg.MetadataValue[Any]:
    """Write ``name``.png and ``name``.svg into the folder, and return Markdown that shows the figure in Dagster."""
    from matplotlib import rc_context

    path = folder / f"{name}.png"
    with ignore_missing_glyphs(), rc_context(DETERMINISTIC_SVG):
        with atomic_replace(path) as aside:
            figure.savefig(aside, format="png")
        with atomic_replace(path.with_suffix(".svg")) as aside:
            figure.savefig(aside, format="svg", metadata={"Date": None})
    encoded = base64.b64encode(path.read_bytes()).decode()
    return dg.MetadataValue.md(f"![{name}](data:image/png;base64,{encoded})")
