"""Links from figures of topics to the lists of what they count."""

from collections.abc import Sequence

from turret_pipeline.dashboard.page import Page, previous_label
from turret_pipeline.reports.exchange_filter import NO_TOPIC
from turret_pipeline.reports.topic_figures import TopicField


def link_to_list(page: Page, field: TopicField, topic_id: str | None, **others: str | Sequence[str]) -> str:
    """URL of the exchanges about a topic, or of the events with such a text if the field has no prompts."""
    topic = topic_id or NO_TOPIC
    of_field = {"dimension": field.name} if topic_id is None else {}
    if field.unit == "exchange":
        return page.state.to_page("exchanges", topic=topic, **of_field, **others)
    return page.state.to_page("texts", field=field.name, topic=topic, **others)


def link_to_users(page: Page, field: TopicField, topic_id: str | None, **others: str | Sequence[str]) -> str | None:
    """URL of the users with an exchange about a topic; None if the field has no prompts."""
    of_field = {"dimension": field.name} if topic_id is None else {}
    is_listed = field.unit == "exchange"
    return page.state.to_page("users", topic=topic_id or NO_TOPIC, **of_field, **others) if is_listed else None


def link_to_list_before(page: Page, field: TopicField, topic_id: str | None, **others: str) -> str | None:
    """URL of the same list in the previous period; None without one."""
    since, mark, until = previous_label(page.state).partition(" to ")
    return link_to_list(page, field, topic_id, since=since, until=until, **others) if mark else None
