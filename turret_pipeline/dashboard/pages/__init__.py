"""The pages, by the path below their project, and the menu."""

from collections.abc import Callable, Mapping

from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.pages.collector import change_keys, show_arrivals, show_collector
from turret_pipeline.dashboard.pages.exchanges import show_exchanges
from turret_pipeline.dashboard.pages.fields import override_type, show_fields
from turret_pipeline.dashboard.pages.home import show_answers, show_home
from turret_pipeline.dashboard.pages.journey_funnel import show_funnel
from turret_pipeline.dashboard.pages.journey_matrix import show_matrix
from turret_pipeline.dashboard.pages.journey_paths import show_paths
from turret_pipeline.dashboard.pages.journey_sessions import show_journey_sessions
from turret_pipeline.dashboard.pages.journey_transitions import show_transitions
from turret_pipeline.dashboard.pages.journeys import show_flow
from turret_pipeline.dashboard.pages.quality import show_quality, show_rejected
from turret_pipeline.dashboard.pages.session import show_session
from turret_pipeline.dashboard.pages.sessions import show_sessions
from turret_pipeline.dashboard.pages.sql import show_sql
from turret_pipeline.dashboard.pages.texts import show_texts
from turret_pipeline.dashboard.pages.topic import show_topic
from turret_pipeline.dashboard.pages.topic_edits import edit_topic
from turret_pipeline.dashboard.pages.topics import show_topics
from turret_pipeline.dashboard.pages.users import show_users
from turret_pipeline.dashboard.views import delete_view, save_view

PAGES: dict[str, Callable[[Page], Content]] = {
    "": show_home,
    "answers": show_answers,
    "topics": show_topics,
    "topics/{topic_id:id}": show_topic,
    "journeys": show_flow,
    "journeys/transitions": show_transitions,
    "journeys/paths": show_paths,
    "journeys/funnel": show_funnel,
    "journeys/matrix": show_matrix,
    "journeys/sessions": show_journey_sessions,
    "sessions": show_sessions,
    "sessions/{session_id:id}": show_session,
    "exchanges": show_exchanges,
    "texts": show_texts,
    "users": show_users,
    "fields": show_fields,
    "quality": show_quality,
    "quality/rejected": show_rejected,
    "sql": show_sql,
    "collector": show_collector,
    "collector/arrivals": show_arrivals,
}
"""The function that builds each page, by its path. A path may have parameters, such as "topics/{topic_id:id}"."""

ACTIONS: dict[str, Callable[[Page, Mapping[str, str]], str]] = {
    "topics/{topic_id:id}": edit_topic,
    "fields/type": override_type,
    "collector/keys": change_keys,
    "views": save_view,
    "views/delete": delete_view,
}
"""The function that carries out each form, by the path that it is sent to. It returns the URL that shows the change."""

MENU = (
    ("", "Home"),
    ("topics", "Topics"),
    ("journeys", "Journeys"),
    ("sessions", "Sessions"),
    ("exchanges", "Exchanges"),
    ("fields", "Fields"),
    ("quality", "Quality"),
    ("sql", "SQL"),
    ("collector", "Collector"),
)
"""Paths and names of the pages in the menu."""
