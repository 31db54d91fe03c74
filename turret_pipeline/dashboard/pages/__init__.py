"""The pages, by the path below their project, and the menu."""

from collections.abc import Callable, Mapping

from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.pages.collector import change_keys, show_arrivals, show_collector
from turret_pipeline.dashboard.pages.fields import override_type, show_fields
from turret_pipeline.dashboard.pages.home import show_answers, show_home
from turret_pipeline.dashboard.pages.quality import show_quality, show_rejected
from turret_pipeline.dashboard.pages.sql import show_sql

PAGES: dict[str, Callable[[Page], Content]] = {
    "": show_home,
    "answers": show_answers,
    "fields": show_fields,
    "quality": show_quality,
    "quality/rejected": show_rejected,
    "sql": show_sql,
    "collector": show_collector,
    "collector/arrivals": show_arrivals,
}
"""The function that builds each page, by its path. A path may have parameters, such as "topics/{topic_id}"."""

ACTIONS: dict[str, Callable[[Page, Mapping[str, str]], str]] = {
    "fields/type": override_type,
    "collector/keys": change_keys,
}
"""The function that carries out each form, by the path that it is sent to. It returns the URL that shows the change."""

MENU = (
    ("", "Home"),
    ("fields", "Fields"),
    ("quality", "Quality"),
    ("sql", "SQL"),
    ("collector", "Collector"),
)
"""Paths and names of the pages in the menu."""
