"""Tables in; pictures out."""

from collections.abc import Sequence
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.journeys.flows import first_flows
from turret_pipeline.journeys.nodes import journey_nodes
from turret_pipeline.journeys.steps import journey_steps
from turret_pipeline.orchestration.figures import save_figure
from turret_pipeline.plots.canvas import fitted, short, text_width
from turret_pipeline.plots.first_steps import draw_first_steps
from turret_pipeline.plots.fonts import families, readable
from turret_pipeline.plots.label_placement import Box, Disc, beside, leader, place
from turret_pipeline.plots.topics import draw_topic_map, draw_topic_sizes
from turret_pipeline.plots.transitions import draw_transitions
from turret_pipeline_tests.journeys.rows import path

CASES = {
    "one node": ["a"] * 3,
    "one event each": list("abc"),
    "no session": [],
    "hundreds of nodes": [f"{chr(200 + number)}{chr(201 + number)}" for number in range(300)],
    "much": ["abcdabcdefg", "bca", "ab", "aba", "gfedcba"] * 9,
}
LABELS = {
    "a": "Price of $5 and $6",
    "b": "Ein sehr langer Name, der nirgends ganz hineinpasst, auch nicht hier",
    "c": "退款 請求",
    "d": "two\nlines \x00 <b>&",
    "e": r"\alpha_{2} $x",
}


def walked(sessions: Sequence[str], dimension: str = "prompt") -> pl.DataFrame:
    empty = path("s", "a", dimension=dimension).clear()
    return pl.concat([empty, *(path(f"s{n}", nodes, f"u{n}", dimension) for n, nodes in enumerate(sessions))])


def draw(folder: Path, visits: pl.DataFrame, labels: dict[str, str] | None = None, min_users: int = 1) -> None:
    """The pictures of these visits; nodes without a label are called by their letter twice."""
    edges = journey_edges(visits)
    ids = sorted(set(visits["node_id"]))
    named = pl.DataFrame(
        [("prompt", node, (labels or {}).get(node, 2 * node)) for node in ids],
        {"dimension": pl.String, "node_id": pl.String, "node_label": pl.String},
        orient="row",
    )
    nodes = journey_nodes(visits, edges, named)
    save_figure(draw_transitions(edges, nodes), folder, "transitions")
    flows = first_flows(journey_steps(visits).lazy(), "prompt", min_users)
    by_id = dict(named.select("node_id", "node_label").iter_rows())
    save_figure(draw_first_steps(flows, by_id, "prompt", min_users), folder, "first_steps")


def written(picture: Path) -> list[str]:
    """The texts of an SVG, and the PNG beside it must be one."""
    assert picture.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    return [
        "".join(element.itertext()) for element in ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text")
    ]


@pytest.mark.parametrize("case", CASES)
def test_pictures_can_be_drawn_of_any_journeys(tmp_path: Path, case: str) -> None:
    draw(tmp_path, walked(CASES[case]), LABELS)
    texts = {name: written(tmp_path / f"{name}.svg") for name in ("first_steps", "transitions")}
    assert all(texts.values())
    sentences = {
        "one node": ("The first step of 3 sessions", "no session goes from one to another"),
        "one event each": ("The first step of 3 sessions", "no session goes from one to another"),
        "no session": ("there is no session on any", "no session goes from one to another"),
        "hundreds of nodes": ("The first 2 steps of 300 sessions", "The commonest moves between topics of prompt: "),
        "much": ("The first 5 steps of 45 sessions", "The commonest moves between topics of prompt: "),
    }[case]
    for sentence, lines in zip(sentences, texts.values(), strict=True):
        assert sentence in lines[0]


def test_nodes_are_called_by_their_labels_and_never_by_their_ids(tmp_path: Path) -> None:
    draw(tmp_path, walked(CASES["much"]), LABELS)
    for name in ("first_steps", "transitions"):
        texts = written(tmp_path / f"{name}.svg")
        assert not set(texts) & set("abcdefg")
        assert any("Price of $5 and $6" in text for text in texts)
        assert any("two lines" in text for text in texts)
        assert any("Ein sehr langer Name" in text and text.endswith("…") for text in texts)
        assert any("退款 請求" in text for text in texts)


def test_the_first_steps_tell_shares_of_all_sessions_and_what_is_told_together(tmp_path: Path) -> None:
    draw(tmp_path, walked(["ab"] * 5 + ["a"] * 4 + [*"bcdefghijkl"]), min_users=1)
    texts = written(tmp_path / "first_steps.svg")
    assert texts[0] == "The first 2 steps of 20 sessions through the topics of prompt"
    assert {"Step 1: 20 sessions (100%)", "Step 2: 5 sessions (25%)"} <= set(texts)
    assert {"45%  aa", "5%  bb", "25%  5 others", "25%  bb", "75%  end after step 1"} <= set(texts)


def test_the_first_steps_say_that_flows_of_few_users_are_told_together(tmp_path: Path) -> None:
    draw(tmp_path, walked(["ab"] * 5 + ["cd"] * 2), min_users=3)
    texts = written(tmp_path / "first_steps.svg")
    assert "So are flows of fewer than 3 users." in texts[1]
    assert not any("cc" in text or "dd" in text for text in texts)


def test_the_graph_says_how_much_of_all_moves_it_shows(tmp_path: Path) -> None:
    chain = [chr(97 + number) for number in range(26)]
    draw(tmp_path, walked([one + other for one, other in pairwise(chain)]))
    assert written(tmp_path / "transitions.svg")[0] == (
        "The commonest moves between topics of prompt: 17 of 25 (68%), on 17 of 25 arrows, 18 of 26 topics"
    )


def test_transitions_are_those_of_the_text_field_whatever_else_there_is(tmp_path: Path) -> None:
    of_prompt = walked(["ab", "ab", "ba"])
    others = [walked(["xy"] * 9, dimension) for dimension in ("event_name", "user:event_name", "user:prompt")]
    draw(tmp_path / "plain", of_prompt)
    draw(tmp_path / "more", pl.concat([of_prompt, *others]).sort("dimension", maintain_order=True))
    for name in ("transitions.png", "transitions.svg"):
        assert (tmp_path / "more" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()


def test_without_a_text_field_transitions_are_those_of_event_names(tmp_path: Path) -> None:
    draw(tmp_path, walked(["xy"] * 3, "event_name"))
    texts = written(tmp_path / "transitions.svg")
    assert texts[0] == (
        "The commonest moves between event names of event_name: 3 of 3 (100%), on 1 of 1 arrows, 2 of 2 event names"
    )
    assert {"x", "y", "100%"} <= set(texts)


def definitions(count: int) -> pl.DataFrame:
    rows = [("prompt", f"prompt-{n}", f"Label {n}", "theme-1", "active", n % 5 / 50, n // 5 / 50) for n in range(count)]
    columns = {"field": pl.String, "topic_id": pl.String, "label": pl.String, "theme_id": pl.String}
    places = {"status": pl.String, "map_x": pl.Float64, "map_y": pl.Float64}
    return pl.DataFrame(rows, {**columns, **places}, orient="row")


@pytest.mark.parametrize("count", [0, 1, 40, 60])
def test_each_of_forty_crowded_topics_has_its_label_on_the_map(tmp_path: Path, count: int) -> None:
    topics = definitions(count)
    counts = topics.select("topic_id", pl.int_range(100, 100 - pl.len(), -1).alias("event_count"))
    save_figure(draw_topic_map(topics, counts), tmp_path, "topic_map")
    texts = written(tmp_path / "topic_map.svg")
    assert [text for text in texts if text.startswith("Label")] == [f"Label {n}" for n in range(min(count, 40))]
    assert any("the 40 largest have their label" in text for text in texts) == (count > 40)


def test_labels_of_crowded_discs_do_not_cover_each_other_and_stay_on_the_sheet() -> None:
    frame = Box(0, 0, 800, 600)
    discs = [Disc(350 + 21 * (n % 6), 250 + 21 * (n // 6), 8) for n in range(36)]
    boxes = place([beside(disc, 60, 11) for disc in discs], discs, [disc.box for disc in discs], frame)
    assert len(boxes) == len(discs)
    assert all(one.overlap(other) == 0 for one, other in combinations(boxes, 2))
    assert all(box.overlap(frame) == pytest.approx(box.area) for box in boxes)
    assert any(leader(disc, box) for disc, box in zip(discs, boxes, strict=True))


def test_a_label_lies_beside_its_disc_where_there_is_room_and_inside_a_large_one() -> None:
    frame = Box(0, 0, 500, 400)
    for disc, expected in (
        (Disc(100, 100, 8), Box(110, 94.5, 170, 105.5)),
        (Disc(99, 100, 40), Box(69, 94.5, 129, 105.5)),
    ):
        assert place([beside(disc, 60, 11)], [disc], [disc.box], frame) == [expected]
        assert leader(disc, expected) is None


def test_labels_are_shortened_to_the_room_that_they_have() -> None:
    assert short("a  b\tc") == "a b c"
    assert short("x" * 50) == "x" * 37 + "…"
    assert text_width(fitted("W" * 50, 8, 100), 8) <= 100
    assert fitted("as it is", 8, 100) == "as it is"


OWN = ("DejaVu Sans",)
"""The font that comes with matplotlib."""


@pytest.mark.parametrize("label", ["退款请求", "払い戻し", "환불 요청", "คืนเงิน", "Refund 🎉"])
def test_a_label_that_no_font_can_draw_comes_after_its_id(label: str) -> None:
    assert readable(label, "prompt-3", OWN) == f"prompt-3: {label}"


@pytest.mark.parametrize("label", ["Refund", "Rückgabe", "возврат", "استرداد", "two\nlines"])
def test_a_label_that_a_font_can_draw_stays_as_it_is(label: str) -> None:
    assert readable(label, "prompt-3", OWN) == label
    assert readable("退款", "退款", OWN) == "退款"


def test_fonts_that_are_installed_are_taken_after_the_usual_one() -> None:
    usual = families(())
    assert families(("No such font", "STIXGeneral", "cmr10")) == (*usual, "STIXGeneral", "cmr10")


def test_pictures_of_topics_with_any_letters_are_drawn_without_a_warning(tmp_path: Path) -> None:
    topics = definitions(3).with_columns(pl.Series("label", ["退款请求", "استرداد 🎉", "Refund"]))
    counts = topics.select("topic_id", pl.int_range(100, 100 - pl.len(), -1).alias("event_count"))
    save_figure(draw_topic_map(topics, counts), tmp_path, "topic_map")
    save_figure(draw_topic_sizes(topics, counts), tmp_path, "topic_sizes")
    for name in ("topic_map", "topic_sizes"):
        texts = written(tmp_path / f"{name}.svg")
        assert {readable("退款请求", "prompt-0"), readable("استرداد 🎉", "prompt-1"), "Refund"} <= set(texts)
