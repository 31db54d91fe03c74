"""Published topics as text and tables for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl
from rich.table import Table

from turret_pipeline.reports.topic_history import describe_lineage
from turret_pipeline.tables.signals import SIGNALS_OF_TOPICS

FULL_WIDTH = 120

WIDTHS_WITH_REMARKS, WIDTHS = {"label": 34, "theme": 18}, {"label": 44, "theme": 22}
"""Maximum characters of a column, with and without remarks, for a table that fits FULL_WIDTH."""

ROLE_NAMES = {"subject": "subject", "continuation": "follow-up"}
"""Roles in prose, by their stored value."""

EXCHANGES_SHOWN, CHARACTERS_SHOWN = 10, 300
"""Exchanges of a conversation, and characters of a text, that are printed; JSON has all."""

Row = Mapping[str, Any]


def run_lines(row: Row) -> tuple[str, str]:
    """Summary of a field's last run, from its row of ``topic_runs``: the topics, and their changes."""
    from turret_pipeline.topics.lifecycle.lineage import describe_changes

    counts = f"{_format_count(row['topic_count'], 'topic')} in {_format_count(row['theme_count'], 'theme')}"
    share = (
        "" if row["coverage"] is None else f"; {row['coverage']:.1%} of the {row['text_count']:,} texts have a topic"
    )
    if row["note"] and not row["topic_count"]:
        return f"No topics in {row['field']}. {row['note']}", describe_changes(row)
    note = f". Note: {row['note']}" if row["note"] else ""
    return f"Topics of {row['field']}: {counts}{share}{note}", describe_changes(row)


def _format_count(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"


def topic_table(frame: pl.DataFrame, width: int) -> Table | str:
    """The topics of a field, rows of ``topics``, as a table of ``width`` characters; empty text if there are none.

    Below FULL_WIDTH the columns theme, cohesion and separation are left out: ``turret topics show`` has them.
    """
    if frame.is_empty():
        return ""
    rows = frame.to_dicts()
    has_remarks = any(_remarks(row) for row in rows)
    max_widths = WIDTHS_WITH_REMARKS if has_remarks else WIDTHS
    table = Table(box=None, pad_edge=False)
    columns = (
        "topic",
        "events",
        "users",
        "label",
        *(("theme", "cohesion", "separation") if width >= FULL_WIDTH else ()),
    )
    for name in (*columns, *(["remarks"] if has_remarks else [])):
        is_number = name in {"events", "users", "cohesion", "separation"}
        longest = max(len(topic_id) for topic_id in frame["topic_id"]) if name == "topic" else len(name)
        table.add_column(
            name,
            justify="right" if is_number else "left",
            overflow="fold" if name == "remarks" else "ellipsis",
            no_wrap=name != "remarks",
            min_width=None if name in max_widths else longest,
            max_width=max_widths.get(name),
        )
    for row in rows:
        numbers = [f"{row[name]:,}" for name in ("event_count", "user_count")]
        quality = ["" if row[name] is None else f"{row[name]:.2f}" for name in ("cohesion", "separation")]
        details = [row["theme_label"], *quality] if width >= FULL_WIDTH else []
        remarks = [", ".join(_remarks(row))] if has_remarks else []
        table.add_row(row["topic_id"], *numbers, row["label"], *details, *remarks)
    return table


def figure_table(rows: pl.DataFrame, unit: str) -> Table:
    """The figures of topics in a scope, rows of ``count_topics``, as a table; empty cells are of too few users."""
    table = Table(box=None, pad_edge=False)
    is_compared = rows["before_count"].is_not_null().any()
    numbers = (f"{unit}s", "users", "share", "95 % interval", *(("change", "q-value") if is_compared else ()))
    table.add_column("topic", no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("label", no_wrap=True, overflow="ellipsis")
    for row in rows.iter_rows(named=True):
        share = None if row["share"] is None else f"{row['share']:.1%}"
        interval = None if row["share"] is None else f"{row['share_low']:.1%} to {row['share_high']:.1%}"
        counts = ["" if row[name] is None else f"{row[name]:,}" for name in ("unit_count", "user_count")]
        change = "" if row["difference"] is None else f"{100 * row['difference']:+.1f} pp"
        tested = "" if row["q_value"] is None else f"{row['q_value']:.3f}"
        cells = [*counts, share, interval, *((change, tested) if is_compared else ())]
        table.add_row(row["topic_id"] or "", *cells, row["label"] or "(no topic)")
    return table


def _remarks(row: Row) -> list[str]:
    gone = f"merged into {row['merged_into_topic_id']}" if row["merged_into_topic_id"] else row["status"]
    growth = "" if row["growth"] is None else f", grows {row['growth']:+.0%}"
    return [
        *([gone] if row["status"] != "active" else []),
        *(["follow-up"] if row["role"] == "continuation" else []),
        *(["locked"] if row["is_locked"] else []),
        *(["labelled by you"] if row["label_source"] == "person" else []),
        *([f"emerging{growth}"] if row["is_emerging"] else []),
    ]


def topic_lines(topic: Row, nearest: Row | None, lineage: pl.DataFrame, signals: pl.DataFrame) -> list[str]:
    """Details of a topic, from its row of ``topics``, that of the nearest topic, and its rows of other tables.

    These are ``topic_lineage``, and ``topic_signals`` over all weeks and segments.
    """
    remarks = ", ".join([*_remarks({**topic, "label_source": ""}), f"labelled by {topic['label_source']}"])
    lines = [
        f"{topic['topic_id']}: {topic['label']}  ({remarks})",
        topic["description"],
        f"{topic['event_count']:,} events ({topic['event_share']:.1%} of {topic['field']}), {topic['text_count']:,} "
        f"texts, {topic['user_count']:,} users; theme: {topic['theme_label']}",
    ]
    lines.append(f"Role: {ROLE_NAMES[topic['role']]}. {topic['role_reason']}")
    if topic["cohesion"] is not None:
        lines.append(f"Cohesion {topic['cohesion']:.2f} (mean cosine between two of its texts)")
    if nearest:
        nearest_name = f"{nearest['topic_id']}: {nearest['label']}"
        lines.append(f"Separation {topic['separation']:.2f} (1 - cosine to the nearest topic, {nearest_name})")
    lists = {"Examples:": topic["example_texts"], "History:": describe_lineage(lineage)}
    lines.append(f"Keywords: {', '.join(topic['keywords']) or 'none'}")
    lines += _list_signals(signals)
    for title, items in lists.items():
        lines += [title, *(f"  {item}" for item in items)] if items else []
    return lines


def _list_signals(signals: pl.DataFrame) -> list[str]:
    if signals.is_empty():
        return []
    by_name = {row["signal"]: row for row in signals.iter_rows(named=True)}
    rows = [by_name[name] for name in SIGNALS_OF_TOPICS if name in by_name]
    return ["Signals of its exchanges, with 95 % intervals:", *(f"  {_describe_signal(row)}" for row in rows)]


def _describe_signal(row: Row) -> str:
    interval = f"{row['share_low']:.1%} to {row['share_high']:.1%}"
    share = f"{row['signal_share']:.1%} ({row['signal_count']:,} of {row['exchange_count']:,}; {interval})"
    rest = "" if row["base_share"] is None else f", at other topics {row['base_share']:.1%}"
    from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD

    is_different = row["q_value"] is not None and row["q_value"] <= Q_VALUE_THRESHOLD
    return f"{row['signal'].replace('_', ' ')} {share}{rest}{' (beyond chance)' if is_different else ''}"


def conversation_lines(
    topic: Row, conversations: Sequence[Row], *, is_worst: bool, has_prompts: bool = True
) -> list[str]:
    """Conversations about a topic as short dialogues, from its row of ``topics`` and ``find_conversations``.

    ``has_prompts`` is false if no event of the topic's field is a prompt.
    """
    name = f"{topic['topic_id']}: {topic['label']}"
    if not has_prompts:
        return [
            f"{name}: no conversations, because the field {topic['field']} holds no prompts (setting prompt_events)."
        ]
    if not conversations:
        return [f"{name}: no {'exchange about it has a rating' if is_worst else 'conversation is mostly about it'}."]
    chosen = "with the lowest ratings" if is_worst else "nearest to its centroid"
    lines = [f"{name}: {_format_count(len(conversations), 'conversation')} {chosen}, each of another user"]
    for conversation in conversations:
        lines += [
            "",
            f"{conversation['started_at']:%Y-%m-%d}, session {conversation['session_id']}: "
            f"{conversation['about_count']} of {_format_count(conversation['exchange_count'], 'exchange')} about it",
            *_dialogue_lines(conversation, conversation["rating"] if is_worst else None),
        ]
    return lines


def _dialogue_lines(conversation: Row, rating: float | None) -> Iterator[str]:
    """The exchanges around the first that is about the topic, and has this rating unless it is null."""
    exchanges = conversation["exchanges"]
    is_key = [row["is_about_topic"] and rating in {None, row["rating"]} for row in exchanges]
    first = max(0, min(is_key.index(True) - 1, len(exchanges) - EXCHANGES_SHOWN))
    if first:
        yield f"  ({_format_count(first, 'exchange')} before)"
    for row in exchanges[first : first + EXCHANGES_SHOWN]:
        remark = "" if row["is_about_topic"] else " (not about it)"
        yield f"  {row['prompt_at']:%H:%M:%S} Prompt{remark}: {shorten_text(row['prompt'] or '(no text)')}"
        if row["answer"]:
            yield f"           Answer: {shorten_text(row['answer'])}"
        if row["rating"] is not None:
            yield f"           Rating: {row['rating']:g}"
    if (after := len(exchanges) - first - EXCHANGES_SHOWN) > 0:
        yield f"  ({_format_count(after, 'exchange')} after)"


def shorten_text(text: str) -> str:
    """The text as one line of at most CHARACTERS_SHOWN characters."""
    line = " ".join(text.split())
    return line if len(line) <= CHARACTERS_SHOWN else line[: CHARACTERS_SHOWN - 1] + "…"
