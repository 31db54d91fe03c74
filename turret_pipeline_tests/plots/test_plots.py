"""Figures of topics and journeys."""

import io
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
from turret_pipeline.plots.canvas import shorten, shorten_to_width, text_width
from turret_pipeline.plots.changes import Shift, draw_changes
from turret_pipeline.plots.first_steps import draw_first_steps
from turret_pipeline.plots.fonts import drawable_label, font_families
from turret_pipeline.plots.label_placement import Box, Disc, candidate_boxes, leader_line, place_labels
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


def visits_of(sessions: Sequence[str], dimension: str = "prompt") -> pl.DataFrame:
    empty = path("s", "a", dimension=dimension).clear()
    return pl.concat([empty, *(path(f"s{n}", nodes, f"u{n}", dimension) for n, nodes in enumerate(sessions))])


def save_figures(
    folder: Path,
    visits: pl.DataFrame,
    labels: dict[str, str] | None = None,
    min_users: int = 1,
    dimension: str = "prompt",
) -> None:
    """Save the figures of visits; the label of a node without one is its letter twice."""
    edges = journey_edges(visits)
    ids = sorted(set(visits["node_id"]))
    named = pl.DataFrame(
        [("prompt", node, (labels or {}).get(node, 2 * node)) for node in ids],
        {"dimension": pl.String, "node_id": pl.String, "node_label": pl.String},
        orient="row",
    )
    nodes = journey_nodes(visits, edges, named)
    save_figure(draw_transitions(edges, nodes, dimension), folder, "transitions")
    flows = first_flows(journey_steps(visits).lazy(), "prompt", min_users)
    by_id = dict(named.select("node_id", "node_label").iter_rows())
    save_figure(draw_first_steps(flows, by_id, "prompt", min_users), folder, "first_steps")


def read_texts(picture: Path) -> list[str]:
    """Texts of an SVG file; fails if the file beside it is not a PNG."""
    assert picture.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    return [
        "".join(element.itertext()) for element in ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text")
    ]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_figures_can_be_drawn_of_any_journeys(tmp_path: Path, case: str) -> None:
    save_figures(tmp_path, visits_of(CASES[case]), LABELS)
    texts = {name: read_texts(tmp_path / f"{name}.svg") for name in ("first_steps", "transitions")}
    assert all(texts.values())
    sentences = {
        "one node": ("First steps through the topics of prompt: 3 sessions", "none from one to another"),
        "one event each": ("First steps through the topics of prompt: 3 sessions", "none from one to another"),
        "no session": ("no session visits any", "none from one to another"),
        "hundreds of nodes": (
            "the 300 of 300 sessions that have a second step",
            "Most common transitions between topics of prompt: ",
        ),
        "much": ("the 45 of 45 sessions that have a second step", "Most common transitions between topics of prompt: "),
    }[case]
    for sentence, lines in zip(sentences, texts.values(), strict=True):
        assert sentence in lines[0]


@pytest.mark.slow
def test_nodes_are_shown_by_label_and_never_by_id(tmp_path: Path) -> None:
    save_figures(tmp_path, visits_of(CASES["much"]), LABELS)
    for name in ("first_steps", "transitions"):
        texts = read_texts(tmp_path / f"{name}.svg")
        assert not set(texts) & set("abcdefg")
        assert any("Price of $5 and $6" in text for text in texts)
        assert any("two lines" in text for text in texts)
        assert any("Ein sehr langer Name" in text and text.endswith("…") for text in texts)
        assert any("退款 請求" in text for text in texts)


def test_first_steps_give_shares_of_the_sessions_that_go_on_and_count_the_others(tmp_path: Path) -> None:
    others = [f"{letter}a" for letter in "cdefghijklmnop"]
    save_figures(tmp_path, visits_of(["ab"] * 5 + ["aba"] * 4 + ["q"] * 77 + others), min_users=1)
    texts = read_texts(tmp_path / "first_steps.svg")
    assert texts[0] == "First steps through the topics of prompt: the 23 of 100 sessions that have a second step"
    assert {"Step 1: 23 sessions (100%)", "Step 2: 23 sessions (100%)"} <= set(texts)
    assert {"39%  aa", "4%  cc", "13%  3 others", "39%  bb", "61%  aa"} <= set(texts)
    assert not any("qq" in text or "end after" in text for text in texts)


def test_first_steps_of_sessions_that_all_end_are_drawn(tmp_path: Path) -> None:
    save_figures(tmp_path, visits_of(["a"] * 3 + ["b"]))
    texts = read_texts(tmp_path / "first_steps.svg")
    assert texts[0] == "First steps through the topics of prompt: 4 sessions"
    assert {"Step 1: 4 sessions (100%)", "75%  aa", "25%  bb"} <= set(texts)


def test_first_steps_say_that_flows_of_few_users_are_combined(tmp_path: Path) -> None:
    save_figures(tmp_path, visits_of(["ab"] * 5 + ["cd"] * 2), min_users=3)
    texts = read_texts(tmp_path / "first_steps.svg")
    assert "Flows of fewer than 3 users are also in the grey bar." in texts[1]
    assert not any("cc" in text or "dd" in text for text in texts)


@pytest.mark.slow
def test_the_graph_gives_its_share_of_all_transitions(tmp_path: Path) -> None:
    chain = [chr(97 + number) for number in range(26)]
    save_figures(tmp_path, visits_of([one + other for one, other in pairwise(chain)]))
    assert read_texts(tmp_path / "transitions.svg")[0] == (
        "Most common transitions between topics of prompt: 17 of 25 (68%), on 17 of 25 arrows, 18 of 26 topics"
    )


@pytest.mark.slow
def test_transitions_are_of_one_dimension_whatever_others_there_are(tmp_path: Path) -> None:
    of_prompt = visits_of(["ab", "ab", "ba"])
    others = [visits_of(["xy"] * 9, dimension) for dimension in ("event_name", "user:event_name", "user:prompt")]
    save_figures(tmp_path / "plain", of_prompt)
    save_figures(tmp_path / "more", pl.concat([of_prompt, *others]).sort("dimension", maintain_order=True))
    for name in ("transitions.png", "transitions.svg"):
        assert (tmp_path / "more" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()


def test_transitions_can_be_of_event_names(tmp_path: Path) -> None:
    save_figures(tmp_path, visits_of(["xy"] * 3, "event_name"), dimension="event_name")
    texts = read_texts(tmp_path / "transitions.svg")
    assert texts[0] == (
        "Most common transitions between event names of event_name: 3 of 3 (100%), on 1 of 1 arrows, 2 of 2 event names"
    )
    assert {"x", "y", "100%"} <= set(texts)


def definitions(count: int) -> pl.DataFrame:
    theme = ("theme-1", "Theme 1")
    rows = [("prompt", f"prompt-{n}", f"Label {n}", *theme, "active", n % 5 / 50, n // 5 / 50) for n in range(count)]
    columns = dict.fromkeys(("field", "topic_id", "label", "theme_id", "theme_label"), pl.String)
    places = {"status": pl.String, "map_x": pl.Float64, "map_y": pl.Float64}
    return pl.DataFrame(rows, {**columns, **places}, orient="row")


@pytest.mark.slow
@pytest.mark.parametrize("count", [0, 1, 40, 60])
def test_each_of_forty_crowded_topics_has_its_label_on_the_map(tmp_path: Path, count: int) -> None:
    topics = definitions(count)
    counts = topics.select("topic_id", pl.int_range(100, 100 - pl.len(), -1).alias("event_count"))
    save_figure(draw_topic_map(topics, counts), tmp_path, "topic_map")
    texts = read_texts(tmp_path / "topic_map.svg")
    assert [text for text in texts if text.startswith("Label")] == [f"Label {n}" for n in range(min(count, 40))]
    assert any("the 40 largest have their label" in text for text in texts) == (count > 40)


@pytest.mark.parametrize("count", [1, 10, 11, 30])
def test_the_largest_themes_are_named_in_the_legend_of_the_map(tmp_path: Path, count: int) -> None:
    number = pl.int_range(pl.len()) % count
    named = (
        pl.format("theme-{}", number).alias("theme_id"),
        pl.format("A theme of number {}", number).alias("theme_label"),
    )
    topics = definitions(40).with_columns(*named)
    counts = topics.select("topic_id", pl.int_range(100, 100 - pl.len(), -1).alias("event_count"))
    save_figure(draw_topic_map(topics, counts), tmp_path, "topic_map")
    texts = read_texts(tmp_path / "topic_map.svg")
    named_count = count if count <= 10 else 9
    assert sum(text.startswith("A theme") for text in texts) == named_count
    assert (f"{count - 9} other themes" in texts) == (count > 10)


@pytest.mark.slow
def test_labels_of_crowded_discs_do_not_cover_each_other_and_stay_on_the_sheet() -> None:
    frame = Box(0, 0, 800, 600)
    discs = [Disc(350 + 21 * (n % 6), 250 + 21 * (n // 6), 8) for n in range(36)]
    boxes = place_labels([candidate_boxes(disc, 60, 11) for disc in discs], discs, [disc.box for disc in discs], frame)
    assert len(boxes) == len(discs)
    assert all(one.overlap(other) == 0 for one, other in combinations(boxes, 2))
    assert all(box.overlap(frame) == pytest.approx(box.area) for box in boxes)
    assert any(leader_line(disc, box) for disc, box in zip(discs, boxes, strict=True))


def test_a_label_lies_beside_its_disc_where_there_is_room_and_inside_a_large_one() -> None:
    frame = Box(0, 0, 500, 400)
    for disc, expected in (
        (Disc(100, 100, 8), Box(110, 94.5, 170, 105.5)),
        (Disc(99, 100, 40), Box(69, 94.5, 129, 105.5)),
    ):
        assert place_labels([candidate_boxes(disc, 60, 11)], [disc], [disc.box], frame) == [expected]
        assert leader_line(disc, expected) is None


def test_labels_are_shortened_to_fit() -> None:
    assert shorten("a  b\tc") == "a b c"
    assert shorten("x" * 50) == "x" * 37 + "…"
    assert text_width(shorten_to_width("W" * 50, 8, 100), 8) <= 100
    assert shorten_to_width("as it is", 8, 100) == "as it is"


DEFAULT_FONT = ("DejaVu Sans",)
"""Comes with matplotlib."""


@pytest.mark.parametrize("label", ["退款请求", "払い戻し", "환불 요청", "คืนเงิน", "Refund 🎉"])
def test_a_label_that_no_font_can_draw_comes_after_its_id(label: str) -> None:
    assert drawable_label(label, "prompt-3", DEFAULT_FONT) == f"prompt-3: {label}"


@pytest.mark.parametrize("label", ["Refund", "Rückgabe", "возврат", "استرداد", "two\nlines"])
def test_a_label_that_a_font_can_draw_stays_as_it_is(label: str) -> None:
    assert drawable_label(label, "prompt-3", DEFAULT_FONT) == label
    assert drawable_label("退款", "退款", DEFAULT_FONT) == "退款"


def test_installed_fallback_fonts_come_after_the_default() -> None:
    default = font_families(())
    assert font_families(("No such font", "STIXGeneral", "cmr10")) == (*default, "STIXGeneral", "cmr10")


def test_figures_of_topics_with_any_letters_are_drawn_without_a_warning(tmp_path: Path) -> None:
    topics = definitions(3).with_columns(pl.Series("label", ["退款请求", "استرداد 🎉", "Refund"]))
    counts = topics.select("topic_id", pl.int_range(100, 100 - pl.len(), -1).alias("event_count"))
    save_figure(draw_topic_map(topics, counts), tmp_path, "topic_map")
    save_figure(draw_topic_sizes(topics, counts), tmp_path, "topic_sizes")
    for name in ("topic_map", "topic_sizes"):
        texts = read_texts(tmp_path / f"{name}.svg")
        labels = {drawable_label("退款请求", "prompt-0"), drawable_label("استرداد 🎉", "prompt-1"), "Refund"}
        assert labels <= set(texts)


LONGEST_PERIODS = "2026-08-31 to 2026-09-27 after 2026-08-03 to 2026-08-30"


@pytest.mark.parametrize("count", [0, 1, 40])
def test_changes_are_drawn_with_their_intervals_and_claims_first(tmp_path: Path, count: int) -> None:
    shifts = [Shift(f"t-{n}", f"Topic {n}", n / 100, n / 100 - 0.1, n / 100 + 0.1) for n in range(count)]
    figure = draw_changes("prompt", LONGEST_PERIODS, shifts, {"t-0"})
    save_figure(figure, tmp_path, "changes")
    if not count:
        return
    (axis,) = figure.axes
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert labels == ["Topic 0", *(f"Topic {n}" for n in range(39, 25, -1))][:count]  # claims first, then by size
    assert [text.get_text() for text in figure.texts] == [
        "What changed in prompt",
        f"{LONGEST_PERIODS}; blue: beyond chance, grey: not beyond chance",
    ]


@pytest.mark.parametrize(("label", "claimed"), [("W" * 50, {"t-0"}), ("W" * 50, set()), ("a", {"t-0"})])
def test_title_and_legend_of_changes_lie_on_the_picture(label: str, claimed: set[str]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    shifts = [Shift(f"t-{n}", label, n / 100, n / 100 - 0.1, n / 100 + 0.1) for n in range(3)]
    figure = draw_changes("W" * 50, LONGEST_PERIODS, shifts, claimed)
    FigureCanvasAgg(figure).print_figure(io.BytesIO())
    (axis,) = figure.axes
    title, legend = (text.get_window_extent() for text in figure.texts)
    for box in (title, legend):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert figure.bbox.y1 >= title.y1 > title.y0 >= legend.y1 > legend.y0 >= axis.get_window_extent().y1
    assert ("the report tells of none of these changes" in figure.texts[1].get_text()) == (not claimed)
