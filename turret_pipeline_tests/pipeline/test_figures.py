"""Tables in; pictures out."""

from pathlib import Path

import polars as pl

from turret_pipeline.pipeline.figures.transitions import transitions


def drawn(folder: Path, edges: list[tuple[str, str, str, int]], nodes: list[tuple[str, str, int]]) -> bytes:
    """The picture of these edges (dimension, from, to, count) and nodes (dimension, node, events)."""
    columns = ["dimension", "from_node_id", "to_node_id", "transition_count"]
    frame = pl.DataFrame(edges, columns, orient="row").with_columns(pl.lit(0.5).alias("probability"))
    named = pl.DataFrame(nodes, ["dimension", "node_id", "event_count"], orient="row")
    transitions(frame, named.with_columns(pl.col("node_id").str.to_uppercase().alias("node_label")), folder)
    return (folder / "transitions.png").read_bytes()


def test_transitions_are_those_of_the_text_field_whatever_else_there_is(tmp_path: Path) -> None:
    edges = [("prompt", "a", "b", 3), ("prompt", "b", "a", 1)]
    nodes = [("prompt", "a", 4), ("prompt", "b", 4)]
    plain = drawn(tmp_path, edges, nodes)
    more_edges = [
        *edges,
        ("prompt", "(start)", "a", 9),
        ("prompt", "a", "(end)", 9),
        ("prompt", "a", "(other)", 9),
        ("prompt", "(other)", "b", 9),
        ("prompt", "a", "a", 9),
        ("event_name", "sent", "shown", 99),
        ("user:event_name", "sent", "shown", 99),
        ("user:prompt", "a", "b", 99),
    ]
    more_nodes = [
        *nodes,
        ("event_name", "sent", 99),
        ("event_name", "shown", 99),
        ("user:event_name", "sent", 99),
        ("user:prompt", "a", 99),
    ]
    assert drawn(tmp_path, more_edges, more_nodes) == plain


def test_without_a_text_field_transitions_are_those_of_event_names(tmp_path: Path) -> None:
    edges = [("event_name", "sent", "shown", 3), ("user:event_name", "shown", "sent", 9)]
    nodes = [("event_name", "sent", 3), ("event_name", "shown", 3), ("user:event_name", "sent", 9)]
    assert drawn(tmp_path, edges, nodes) == drawn(tmp_path, edges[:1], nodes[:2])
