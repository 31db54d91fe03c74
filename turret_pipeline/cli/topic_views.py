"""Published topics as a person at a terminal reads them."""

from collections.abc import Mapping
from typing import Any

import polars as pl
from rich.table import Table
from rich.text import Text

from turret_pipeline.topics.lifecycle.lineage import run_in_words

WIDE, WIDER = {"label": 34, "theme": 18}, {"label": 44, "theme": 22}
"""Characters that a column may take, with and without remarks: a table fits a line of ROOM."""

ROOM = 120

IN_WORDS = {
    "split": "split off",
    "merged": "merged into",
    "subject": "became a subject",
    "continuation": "became a continuation",
}

Row = Mapping[str, Any]


def run_lines(row: Row) -> list[Text]:
    """How a field's last run went, from its row of ``topic_runs``."""
    counts = f"{_counted(row['topic_count'], 'topic')} in {_counted(row['theme_count'], 'theme')}"
    share = "" if row["coverage"] is None else f"; {row['coverage']:.1%} of the {row['text_count']:,} texts have one"
    head = (
        f"No topics in {row['field']}. {row['note']}" if row["note"] else f"Topics of {row['field']}: {counts}{share}"
    )
    return [Text(head, style="bold"), Text(run_in_words(row), style="dim")]


def _counted(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"


def topic_table(frame: pl.DataFrame, width: int) -> Table | str:
    """The rows of ``topics`` of a field as a table of at most so many characters; nothing where there are none.

    Where there is no room, theme and quality are left out: ``turret topics show`` has them.
    """
    if frame.is_empty():
        return ""
    rows = frame.to_dicts()
    has_remarks = any(_remarks(row) for row in rows)
    wide = WIDE if has_remarks else WIDER
    table = Table(box=None, pad_edge=False)
    columns = ("topic", "events", "users", "label", *(("theme", "cohesion", "separation") if width >= ROOM else ()))
    for name in (*columns, *(["remarks"] if has_remarks else [])):
        is_number = name in {"events", "users", "cohesion", "separation"}
        longest = max(len(topic_id) for topic_id in frame["topic_id"]) if name == "topic" else len(name)
        table.add_column(
            name,
            justify="right" if is_number else "left",
            overflow="fold" if name == "remarks" else "ellipsis",
            no_wrap=name != "remarks",
            min_width=None if name in wide else longest,
            max_width=wide.get(name),
        )
    for row in rows:
        numbers = [f"{row[name]:,}" for name in ("event_count", "user_count")]
        quality = ["" if row[name] is None else f"{row[name]:.2f}" for name in ("cohesion", "separation")]
        told = [row["theme_label"], *quality] if width >= ROOM else []
        remarks = [", ".join(_remarks(row))] if has_remarks else []
        table.add_row(row["topic_id"], *numbers, row["label"], *told, *remarks)
    return table


def _remarks(row: Row) -> list[str]:
    gone = f"merged into {row['merged_into_topic_id']}" if row["merged_into_topic_id"] else row["status"]
    growth = "" if row["growth"] is None else f", grows {row['growth']:+.0%}"
    return [
        *([gone] if row["status"] != "active" else []),
        *(["continuation"] if row["role"] == "continuation" else []),
        *(["locked"] if row["is_locked"] else []),
        *(["your name"] if row["label_source"] == "person" else []),
        *([f"emerging{growth}"] if row["is_emerging"] else []),
    ]


def topic_lines(topic: Row, nearest: Row | None, lineage: pl.DataFrame) -> list[str]:
    """All about a topic: its row of ``topics``, that of the nearest one, and its rows of ``topic_lineage``."""
    remarks = ", ".join([*_remarks({**topic, "label_source": ""}), f"named by {topic['label_source']}"])
    lines = [
        f"{topic['topic_id']}: {topic['label']}  ({remarks})",
        topic["description"],
        f"{topic['event_count']:,} events ({topic['event_share']:.1%} of {topic['field']}), {topic['text_count']:,} "
        f"texts, {topic['user_count']:,} users; theme: {topic['theme_label']}",
    ]
    lines.append(f"Role: {topic['role']}. {topic['role_reason']}")
    if topic["cohesion"] is not None:
        lines.append(f"Cohesion {topic['cohesion']:.2f} (mean cosine of two of its texts)")
    if nearest:
        near_to = f"{nearest['topic_id']}: {nearest['label']}"
        lines.append(f"Separation {topic['separation']:.2f} (1 - cosine to the nearest topic, {near_to})")
    split_from = dict(lineage.filter(pl.col("change") == "split").select("topic_id", "other_topic_id").iter_rows())
    history = [_history(row, split_from.get(row["topic_id"])) for row in lineage.iter_rows(named=True)]
    lists = {"Examples:": topic["example_texts"], "History:": history}
    lines.append(f"Keywords: {', '.join(topic['keywords']) or 'none'}")
    for title, items in lists.items():
        lines += [title, *(f"  {item}" for item in items)] if items else []
    return lines


def _history(row: Row, split_from: str | None) -> str:
    """A change in words; what merges into the topic that it was split from goes back, as where a split is undone."""
    is_back = row["change"] == "merged" and row["other_topic_id"] == split_from
    change = "went back into" if is_back else IN_WORDS.get(row["change"], row["change"])
    share = "" if row["overlap_share"] is None else f" ({row['overlap_share']:.0%})"
    other = (
        f" {'from ' if row['change'] == 'split' else ''}{row['other_topic_id']}{share}" if row["other_topic_id"] else ""
    )
    return f"{row['changed_at']:%Y-%m-%d %H:%M} {row['topic_id']} {change}{other}"
