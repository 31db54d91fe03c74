"""What all pictures share: colours, labels that fit, and where a picture goes."""

import base64
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from turret_pipeline.lake import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, GREY = "#3b6ea5", "#8a8f98"


def short(label: str, limit: int = 38) -> str:
    """The label on one line of so many characters, with dollars that start no formula."""
    text = label if len(label) <= limit else label[: limit - 1] + "…"
    return text.replace("$", r"\$")


def kept(figure: "Figure", path: Path) -> dg.MetadataValue[Any]:
    """Write the picture, and show it in Dagster."""
    with replacing(path) as aside, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # letters that no installed font has are drawn as boxes
        figure.savefig(aside, format="png")
    encoded = base64.b64encode(path.read_bytes()).decode()
    return dg.MetadataValue.md(f"![{path.stem}](data:image/png;base64,{encoded})")
