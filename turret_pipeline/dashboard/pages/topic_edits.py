"""Edits of topics on their pages: through the same editor and file as the commands, effective with the next run."""

from collections.abc import Callable, Mapping
from typing import Any

from turret_pipeline.dashboard.page import Page
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.topic_editor import TopicEditor
from turret_pipeline.topics.edits import CONTINUATION, SUBJECT

MIN_PARTS, MAX_PARTS = 2, 20
"""Parts into which a topic can be split, as for the command."""


def describe_edits(page: Page, topic: Mapping[str, Any]) -> dict[str, Any]:
    """Choices of the forms of a topic's page, and the edits that wait for the next run."""
    editor = TopicEditor(page.published)
    of_field = "select topic_id, label from marts.topics where field = ? and status = 'active' order by label"
    others = page.published.query(of_field, topic["field"]).rows()
    return {
        "is_editable": topic["status"] == "active" and topic["label_source"] != "privacy",
        "others": [other for other in others if other[0] != topic["topic_id"]],
        "is_locked": topic["topic_id"] in editor.edits().locked(),
        "other_role": CONTINUATION if topic["role"] == SUBJECT else SUBJECT,
        "in_force": [edit for edit in editor.edits().all if topic["topic_id"] in {edit.topic_id, edit.into_topic_id}],
        "pending": editor.pending(),
        "undone": editor.pending_undos(),
        "command": page.published.command("run"),
        "max_parts": min(MAX_PARTS, topic["text_count"]),
    }


def edit_topic(page: Page, form: Mapping[str, str]) -> str:
    """Carry out the form of a topic's page. Returns the URL of the page."""
    topic_id, action = page.request.path_params["topic_id"], form.get("action", "")
    editor = TopicEditor(page.published)
    actions: dict[str, Callable[[], object]] = {
        "rename": lambda: editor.rename(topic_id, form.get("label", "")),
        "merge": lambda: editor.merge(topic_id, form.get("into", "")),
        "split": lambda: editor.split(topic_id, _parse_parts(form.get("parts", ""))),
        "lock": lambda: editor.lock(topic_id),
        "unlock": lambda: editor.unlock(topic_id),
        "role": lambda: editor.set_role(topic_id, form.get("role", "")),
        "undo": lambda: editor.undo(form.get("edit") or "(no edit)"),
    }
    if action not in actions:
        raise TurretError(f"Unknown action {action!r}. Available: {', '.join(actions)}.")
    actions[action]()
    return page.state.change() + "#edit"


def _parse_parts(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 3 and MIN_PARTS <= int(text) <= MAX_PARTS):
        raise TurretError(f"Invalid number of parts {text!r}: use {MIN_PARTS} to {MAX_PARTS}.")
    return int(text)
