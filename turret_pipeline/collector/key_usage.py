"""Keys as people list them: without secrets, with plan and usage of their projects."""

import datetime as dt

from turret_pipeline.collector.keys import Key, KeyFile, Keys
from turret_pipeline.collector.ledger import Ledger
from turret_pipeline.config.collector import CollectorSettings


def list_keys(settings: CollectorSettings) -> list[dict[str, str | int | None]]:
    """All keys: key, project, plan, used (events of the project in the period of its plan), created_at, revoked_at."""
    known = KeyFile(settings.folder).read()
    used = count_used_events(settings, known)
    return [_describe_key(key, known, used) for key in known.keys.values()]


def count_used_events(settings: CollectorSettings, known: Keys) -> dict[str, int]:
    """Events of each project in the current period of its plan."""
    if not (settings.folder / "ledger.sqlite").exists():
        return {}
    ledger = Ledger(settings.folder, settings.duplicate_window_seconds)
    now = dt.datetime.now(dt.UTC)
    used = {name: ledger.usage(name, plan.period(now)) for name, plan in known.plans.items()}
    ledger.close()
    return used


def _describe_key(key: Key, known: Keys, used: dict[str, int]) -> dict[str, str | int | None]:
    return {
        "key": key.key_id,
        "project": key.project,
        "plan": str(known.plan(key.project)),
        "used": used.get(key.project, 0),
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }
