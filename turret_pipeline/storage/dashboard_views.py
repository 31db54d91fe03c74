"""Saved views of the dashboard: `dashboard_views.jsonl` in the data folder, one JSON object per view, oldest first."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from turret_pipeline.errors import TurretError
from turret_pipeline.storage.atomic_files import lock_file
from turret_pipeline.storage.json_lines import read_objects, write_objects

MAX_NAME, MAX_VIEWS = 80, 200
"""Characters of a name, and views: a menu must stay readable."""

MAX_ADDRESS = 4000
"""Characters of path and query, together: browsers and servers take longer ones, people do not."""


@dataclass(frozen=True)
class View:
    """A page below its project (``path``) with its parameters (``query``), under a name."""

    name: str
    path: str
    query: str
    saved_at: str


@dataclass(frozen=True)
class DashboardViewsFile:
    """The file of the views. A change replaces it atomically; concurrent changes wait for each other."""

    path: Path

    def read(self) -> list[View]:
        """The views by name. Raises TurretError that names an invalid line."""
        return sorted(self._lines(), key=lambda view: view.name.lower())

    def save(self, view: View) -> None:
        """Add a view, in place of an earlier one of the same name. Raises TurretError if it is invalid."""
        _check("The view", asdict(view))
        with lock_file(self.path):
            kept = [one for one in self._lines() if one.name != view.name]
            if len(kept) >= MAX_VIEWS:
                raise TurretError(f"{MAX_VIEWS} views are saved already: delete one first.")
            write_objects(self.path, (asdict(one) for one in (*kept, view)))

    def delete(self, name: str) -> None:
        """Remove the view of this name. Raises TurretError if there is none."""
        with lock_file(self.path):
            views = self._lines()
            kept = [one for one in views if one.name != name]
            if len(kept) == len(views):
                raise TurretError(f"Unknown view {name!r}: someone may have deleted it.")
            write_objects(self.path, (asdict(one) for one in kept))

    def _lines(self) -> list[View]:
        found: dict[str, View] = {}
        for place, row in read_objects(self.path, "saved views"):
            _check(place, row)
            found[row["name"]] = View(**row)
        return list(found.values())


def _check(place: str, row: dict[str, Any]) -> None:
    """Raise TurretError if the row is no view."""
    names = ("name", "path", "query", "saved_at")
    if row.keys() != {*names} or not all(isinstance(row[name], str) for name in names):
        raise TurretError(f"{place} must have the keys {', '.join(names)} and no others, each a text.")
    if not row["name"].strip() or len(row["name"]) > MAX_NAME:
        raise TurretError(f"{place} needs a name of 1 to {MAX_NAME} characters.")
    if {".", ".."} & {*row["path"].split("/")}:
        raise TurretError(f"{place} has the path {row['path']!r}: use one below the project, such as topics.")
    if len(row["path"]) + len(row["query"]) > MAX_ADDRESS:
        raise TurretError(f"{place} has an address of more than {MAX_ADDRESS:,} characters: remove some conditions.")
