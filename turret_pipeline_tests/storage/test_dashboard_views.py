"""The file of the dashboard's saved views."""

from pathlib import Path

import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.storage.dashboard_views import MAX_NAME, MAX_VIEWS, DashboardViewsFile, View


def view(name: str, path: str = "topics", query: str = "sort=growth") -> View:
    return View(name, path, query, "2026-09-01T00:00:00+00:00")


def test_views_are_listed_by_name_and_a_name_is_saved_once(tmp_path: Path) -> None:
    file = DashboardViewsFile(tmp_path / "views.jsonl")
    assert file.read() == []

    for one in (view("weekly"), view("Complaints"), view("weekly", "journeys")):
        file.save(one)

    assert file.read() == [view("Complaints"), view("weekly", "journeys")]
    assert len(file.path.read_text().splitlines()) == 2  # one line per view, to review


def test_a_view_is_deleted_once(tmp_path: Path) -> None:
    file = DashboardViewsFile(tmp_path / "views.jsonl")
    file.save(view("weekly"))
    file.delete("weekly")

    assert file.read() == []
    with pytest.raises(TurretError, match="Unknown view 'weekly'"):
        file.delete("weekly")


@pytest.mark.parametrize(
    "one", [view(""), view(" "), view("x" * (MAX_NAME + 1)), view("x", "../other"), view("x", "a", "y" * 5000)]
)
def test_invalid_views_are_rejected(tmp_path: Path, one: View) -> None:
    file = DashboardViewsFile(tmp_path / "views.jsonl")
    with pytest.raises(TurretError, match="The view"):
        file.save(one)
    assert file.read() == []


def test_there_is_a_largest_number_of_views(tmp_path: Path) -> None:
    file = DashboardViewsFile(tmp_path / "views.jsonl")
    for number in range(MAX_VIEWS):
        file.save(view(str(number)))
    with pytest.raises(TurretError, match="delete one first"):
        file.save(view("another"))
    file.save(view("7", "journeys"))


@pytest.mark.parametrize("line", ['{"name": "x"}', "[]", '{"name": 1, "path": "", "query": "", "saved_at": ""}'])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    file = DashboardViewsFile(tmp_path / "views.jsonl")
    file.path.write_text(line + "\n")
    with pytest.raises(TurretError, match="Line 1 of"):
        file.read()
