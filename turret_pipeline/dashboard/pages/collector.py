"""Collector: keys by project, and a page that shows the first event arrive."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from turret_pipeline.collector.key_usage import count_used_events, list_keys
from turret_pipeline.collector.keys import KeyFile
from turret_pipeline.collector.projects import validate_project_name
from turret_pipeline.config.collector import CollectorSettings, load_collector_settings
from turret_pipeline.config.dashboard import ONLY_PROJECT
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.tables import ColumnView, TableView
from turret_pipeline.errors import TurretError

COLUMNS = (
    ColumnView("key", "Key"),
    ColumnView("project", "Project"),
    ColumnView("plan", "Plan"),
    ColumnView("used", "Events in this period", "count"),
    ColumnView("created_at", "Created"),
    ColumnView("revoked_at", "Revoked"),
)
SCHEMA = pl.Schema({column.name: pl.Int64() if column.name == "used" else pl.String() for column in COLUMNS})
NEW_KEYS_KEPT = 20

_new_keys: OrderedDict[str, str] = OrderedDict()
"""Texts of keys that were just made, by a random id: each is shown once, and stored nowhere else."""
_lock = threading.Lock()


def show_collector(page: Page) -> Content:
    """The page of the keys, and the new key if one was just made."""
    if not _has_collector(page):
        return Content("collector_missing.html", "Collector", {})
    settings, project = _load_settings(page), _find_collector_project(page)
    rows = [row for row in list_keys(settings) if project in {None, row["project"]}]
    table = TableView("keys", "All keys", pl.DataFrame(rows, SCHEMA, orient="row"), COLUMNS, "No keys yet: create one.")
    with _lock:
        new_key = _new_keys.pop(page.state.get("new"), None)
    values = {
        "project": project,
        "new_key": new_key,
        "new_project": page.state.get("of"),
        "url": settings.url,
        "active": [row for row in rows if row["revoked_at"] is None],
        "counts": _count_events(settings, project),
    }
    return Content("collector.html", "Collector", values, (table,))


def show_arrivals(page: Page) -> Content:
    """The number of events that arrived, which an open page asks for again and again."""
    counts = _count_events(_load_settings(page), _find_collector_project(page)) if _has_collector(page) else {}
    return Content("arrivals.html", "Arrivals", {"counts": counts})


def change_keys(page: Page, form: Mapping[str, str]) -> str:
    """Create, rotate or revoke a key, and return the URL that shows it. Raises TurretError if that is not possible."""
    if not _has_collector(page):
        raise TurretError("No collector writes to the folder of this project, so it has no keys.")
    settings, project = _load_settings(page), _find_collector_project(page)
    file, action = KeyFile(settings.folder), form.get("action", "")
    name = form.get("project", "").strip() if project is None else project
    if action == "create":
        text, key = file.create(validate_project_name(name))
    elif action in {"rotate", "revoke"}:
        found = file.read().keys.get(form.get("key", ""))
        if found is None or project not in {None, found.project}:
            raise TurretError(f"Unknown key {form.get('key', '')!r}: choose one of the list.")
        if action == "revoke":
            file.revoke(found.key_id)
            return page.state.to_page("collector")
        text, key = file.rotate(found.key_id)
    else:
        raise TurretError(f"Unknown action {action!r}: use create, rotate or revoke.")
    return page.state.to_page("collector", new=_remember_key(text), of=key.project)


def _remember_key(text: str) -> str:
    with _lock:
        name = secrets.token_urlsafe(16)
        _new_keys[name] = text
        while len(_new_keys) > NEW_KEYS_KEPT:
            _new_keys.popitem(last=False)
    return name


def _load_settings(page: Page) -> CollectorSettings:
    """Settings of the collector whose projects are beside this one, or in its data folder."""
    root = page.project.data.root
    return load_collector_settings(data_dir=root.parent.parent if _is_collector_project(root) else root)


def _find_collector_project(page: Page) -> str | None:
    """The project of the collector that this page may see; None: all, on a dashboard of one whole data folder."""
    root = page.project.data.root
    return root.name if _is_collector_project(root) else None


def _has_collector(page: Page) -> bool:
    """True if a collector writes to the folder of the project, or may write below it."""
    return page.project.name == ONLY_PROJECT or _is_collector_project(page.project.data.root)


def _is_collector_project(root: Path) -> bool:
    return root.parent.name == "projects" and (root.parent.parent / "collector").is_dir()


def _count_events(settings: CollectorSettings, project: str | None) -> dict[str, int]:
    """Events of the present period, by project."""
    counts = count_used_events(settings, KeyFile(settings.folder).read())
    return {name: count for name, count in counts.items() if project in {None, name}}
