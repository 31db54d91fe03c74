"""Figures on disk and in Dagster."""

import base64
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from turret_pipeline.orchestration.figures import save_figure

FILES = ("bars.png", "bars.svg")


def bars() -> Figure:
    figure = Figure()
    figure.subplots().barh(["one", "two"], [1, 2])
    return figure


def test_a_figure_is_saved_as_png_and_svg_and_shown_in_dagster(tmp_path: Path) -> None:
    markdown = save_figure(bars(), tmp_path / "figures", "bars").value
    png, svg = (tmp_path / "figures" / name for name in FILES)
    assert sorted(path.name for path in png.parent.iterdir()) == sorted(FILES)
    assert markdown == f"![bars](data:image/png;base64,{base64.b64encode(png.read_bytes()).decode()})"
    assert ">two</text>" in svg.read_text(encoding="utf-8")


def test_the_same_figure_has_the_same_bytes(tmp_path: Path) -> None:
    save_figure(bars(), tmp_path / "once", "bars")
    save_figure(bars(), tmp_path / "again", "bars")
    for name in FILES:
        assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_a_figure_that_cannot_be_drawn_leaves_the_last_one(tmp_path: Path) -> None:
    save_figure(bars(), tmp_path, "bars")
    before = [(tmp_path / name).read_bytes() for name in FILES]
    broken = bars()
    broken.axes[0].set_title(r"$\frac{$")
    with pytest.raises(ValueError, match="frac"):
        save_figure(broken, tmp_path, "bars")
    assert [(tmp_path / name).read_bytes() for name in FILES] == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
