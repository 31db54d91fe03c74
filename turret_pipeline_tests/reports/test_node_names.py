"""Nodes by the names that users type."""

import polars as pl
import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.reports.node_names import find_node

KINDS = ("topic", "event", "theme")
ROWS = [
    ("theme", "prompt", "prompt-theme-1", "Refund and invoice"),
    ("topic", "prompt", "prompt-2", "Customer asks for refund"),
    ("topic", "prompt", "prompt-3", "Overdue invoice"),
    ("topic", "prompt", "prompt-4", "Invoice for flowers"),
    ("topic", "feedback", "feedback-1", "Refund was slow"),
    ("event", "event_name", "refund_sent", "refund_sent"),
    ("theme", "prompt", "prompt-theme-2", "Garden and house"),
]
KNOWN = pl.DataFrame(
    [(*row, [row[2]]) for row in ROWS], ["kind", "dimension", "name", "label", "node_ids"], orient="row"
)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("refund", "prompt-2"),
        ("Refund was slow", "feedback-1"),
        ("theme:refund", "prompt-theme-1"),
        ("event:refund", "refund_sent"),
        ("garden", "prompt-theme-2"),
        ("prompt-4", "prompt-4"),
    ],
)
def test_a_part_of_a_label_finds_a_topic_before_an_event_or_a_theme(name: str, found: str) -> None:
    for known in (KNOWN, KNOWN.reverse()):
        assert find_node(known, name, "prompt", KINDS).name == found


def test_a_part_of_the_labels_of_two_topics_is_ambiguous() -> None:
    message = "'invoice' is ambiguous: it matches Overdue invoice (prompt-3), Invoice for flowers (prompt-4)"
    with pytest.raises(TurretError, match=message.replace("(", r"\(").replace(")", r"\)")):
        find_node(KNOWN, "invoice", "prompt", KINDS)
