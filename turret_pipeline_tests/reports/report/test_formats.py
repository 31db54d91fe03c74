"""A report as text, Markdown, a page and JSON."""

import datetime as dt
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from rich.cells import cell_len

from turret_pipeline.reports.report.charts import Bar, draw_bars
from turret_pipeline.reports.report.html import render_html
from turret_pipeline.reports.report.lines import MAX_FINDINGS
from turret_pipeline.reports.report.markdown import render_markdown
from turret_pipeline.reports.report.model import (
    CHANGED,
    DIFFERS,
    FAILS,
    TALK,
    Answer,
    FieldTopics,
    Finding,
    Report,
    TopicLine,
)
from turret_pipeline.reports.report.text import list_lines
from turret_pipeline.topics.insights.periods import Period

HOSTILE = "<b>Refund</b> | *now*\nFORGED"
SEPTEMBER = Period(dt.date(2026, 9, 1), dt.date(2026, 9, 30))


def finding(sentence: str = "Refund grew: 9 of 10 prompts (90%).", **more: object) -> Finding:
    values: dict[str, object] = {
        "kind": "growing_week",
        "sentence": sentence,
        "period": str(SEPTEMBER),
        "count": 9,
        "total": 10,
        "other_count": 1,
        "other_total": 10,
        "low": 0.4,
        "high": 0.9,
        "q_value": 0.01,
    }
    return Finding(**{**values, **more})  # type: ignore[arg-type]


def topic(label: str, events: int, exchanges: int = 0, *, is_follow_up: bool = False) -> TopicLine:
    share = exchanges / 10 if exchanges else None
    return TopicLine(
        f"prompt-{events}", label, "Money", is_follow_up, events, events / 10, exchanges, share, 3, "pay me"
    )


def report(*answers: Answer, fields: tuple[FieldTopics, ...] = ()) -> Report:
    given = {answer.key: answer for answer in answers}
    every = tuple(given.get(key, Answer(key, ())) for key in (TALK, CHANGED, FAILS, DIFFERS))
    return Report(SEPTEMBER, "", 10, 5, 3, fields, every)


PROMPTS = FieldTopics(
    "prompt", 10, 1, 2, (topic("Refund", 6, 7), topic("Thanks", 3, is_follow_up=True)), ("One topic.",)
)
FULL = report(
    Answer(TALK, (finding("Money (2 topics): 9 of 10 prompts (90%).", field="prompt", label="Money", q_value=None),)),
    Answer(CHANGED, (finding(),), ("Compared: weeks.",), 3),
    fields=(PROMPTS,),
)
EMPTY = Report(
    *(None, "plan = free", 0, 0, 0, ()),
    tuple(Answer(key, (), nothing="No events.") for key in (TALK, CHANGED, FAILS, DIFFERS)),
)


def render_text(one: Report) -> str:
    return "\n".join(list_lines(one))


RENDERERS = pytest.mark.parametrize("render", [render_text, render_markdown, render_html])


@RENDERERS
def test_every_format_has_all_four_answers_in_order(render: object) -> None:
    for one in (FULL, EMPTY):
        text = render(one)  # type: ignore[operator]
        titles = ("What people talk about", "What changed", "Where it fails", "For whom it differs")
        places = [text.index(title) for title in titles]
        assert places == sorted(places)


@RENDERERS
def test_every_format_tells_findings_notes_and_topics(render: object) -> None:
    text = re.sub(r"\\", "", render(FULL))  # type: ignore[operator]
    for part in ("Refund grew: 9 of 10 prompts (90%).", "Compared: weeks.", "Refund", "One topic."):
        assert part in text


@RENDERERS
def test_an_answer_without_findings_says_so(render: object) -> None:
    text = render(report(Answer(FAILS, (), (), 12, "No topic fails.")))  # type: ignore[operator]
    assert "No topic fails." in re.sub(r"\\", "", text)
    assert re.sub(r"\\", "", render(EMPTY)).count("No events.") == 4  # type: ignore[operator]


@RENDERERS
def test_a_field_without_topics_has_its_note_and_no_table(render: object) -> None:
    field = FieldTopics("prompt", 1, 1, 0, (), ("Too few texts.",))
    text = render(report(Answer(TALK, (), nothing="No topics to show in 1 text."), fields=(field,)))  # type: ignore[operator]
    for part in ("No topics to show in 1 text.", "1 text", "Too few texts."):
        assert part in re.sub(r"\\", "", text)
    assert not re.search("1 texts|<table|<svg|Users", text)


def test_one_of_each_is_singular() -> None:
    one = Report(SEPTEMBER, "", 1, 1, 1, (), FULL.answers)
    assert next(list_lines(one)) == "1 exchange, 1 session, 1 user, 2026-09-01 to 2026-09-30"


def test_text_is_exact() -> None:
    assert list(list_lines(FULL))[:9] == [
        "10 exchanges, 5 sessions, 3 users, 2026-09-01 to 2026-09-30",
        "",
        "What people talk about",
        "- Money (2 topics): 9 of 10 prompts (90%).",
        "",
        "Topics of prompt (10 texts; 1 without a topic):",
        "  Share  Texts  With follow-ups  Users  Topic                Theme",
        "    60%      6                7      3  Refund               Money",
        "    30%      3                0      3  Thanks (follow-ups)  Money",
    ]


def test_text_wraps_at_120_columns_and_begins_no_line_inside_a_name() -> None:
    for length in range(80, 130):
        lines = list(
            list_lines(report(Answer(CHANGED, (finding(f"{'x' * length}\nFORGED grew in this week."),), (), 1)))
        )
        assert max(map(len, lines)) <= 140
        assert not [line for line in lines if line.lstrip().startswith("FORGED")]
    lines = list(list_lines(report(Answer(CHANGED, (finding("many words " * 40),), (), 1))))
    assert max(map(len, lines)) <= 120
    assert sum(line.startswith(("  many", "  words")) for line in lines) > 2


def test_markdown_and_text_tell_how_many_texts_have_no_topic() -> None:
    assert "\n### Topics of prompt\n\n10 texts, 1 without a topic\n\n| Topic" in render_markdown(FULL)
    assert "Topics of prompt (10 texts; 1 without a topic):" in render_text(FULL)


def test_tables_of_markdown_are_aligned() -> None:
    topics = (topic("退款 | a", 6), topic("Thanks", 3))
    text = render_markdown(report(Answer(TALK, ()), fields=(FieldTopics("prompt", 10, 1, 2, topics),)))
    rows = [line for line in text.split("\n") if line.startswith("|")]
    assert len(rows) == 4
    assert len({cell_len(row) for row in rows}) == 1
    assert rows[2].startswith(r"| 退款 \| a |")


def test_a_page_and_markdown_show_hostile_text_as_it_is() -> None:
    one = report(
        Answer(CHANGED, (finding(HOSTILE),), (HOSTILE,), 1),
        fields=(FieldTopics(HOSTILE, 10, 0, 0, (topic(HOSTILE, 6),), (HOSTILE,)),),
    )
    page, markdown = render_html(one), render_markdown(one)
    assert "<b>" not in page
    assert "<b>" not in markdown
    for text in (page, markdown):
        assert not re.search(r"^\s*FORGED", text, re.MULTILINE)


def test_a_page_loads_nothing_and_closes_what_it_opens() -> None:
    class Checker(HTMLParser):
        opened: list[str] = []  # noqa: RUF012 - one document

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in {"script", "link", "img", "iframe"}
            assert not {name for name, _ in attrs} & {"src", "href", "onclick"}
            if tag != "meta":
                self.opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.opened.pop() == tag

    checker = Checker()
    checker.feed(render_html(FULL))
    assert checker.opened == []


def test_further_findings_are_folded_on_the_page_and_counted_in_text() -> None:
    one = report(Answer(DIFFERS, tuple(finding(f"Finding {n}.") for n in range(MAX_FINDINGS + 3)), (), 20))
    assert "<summary>3 more</summary>" in render_html(one)
    assert "3 more: turret report --format json" in render_text(one)


def test_json_has_shares_and_neither_nan_nor_objects() -> None:
    read = json.loads(json.dumps(FULL.to_dict(), allow_nan=False))
    assert read["period"] == {"first": "2026-09-01", "last": "2026-09-30"}
    (told,) = read["answers"][1]["findings"]
    assert (told["share"], told["other_share"], told["low"], told["q_value"]) == (0.9, 0.1, 0.4, 0.01)
    assert json.loads(json.dumps(EMPTY.to_dict(), allow_nan=False))["period"] is None


def test_an_interval_that_is_not_a_number_is_null_in_json_and_not_drawn() -> None:
    nan = float("nan")
    one = report(Answer(DIFFERS, (replace(finding(), low=nan, high=nan),), (), 3))
    (told,) = json.loads(json.dumps(one.to_dict(), allow_nan=False))["answers"][3]["findings"]
    assert (told["low"], told["high"]) == (None, None)
    assert '<path class="interval"' not in render_html(one)
    assert '<path class="interval"' in render_html(report(Answer(DIFFERS, (finding(),), (), 3)))


def test_bars_are_on_one_scale_and_have_their_values_beside_them() -> None:
    drawn = draw_bars("Shares", [Bar("here", 0.5, 0.4, 0.6), Bar("elsewhere", 0.25, is_muted=True), Bar("none", 0.0)])
    widths = [float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)"', drawn)]
    assert widths[0] == pytest.approx(2 * widths[1], abs=0.2)
    assert re.findall(r">(\d+%)<", drawn) == ["50%", "25%", "0%"]
    assert draw_bars("Nothing", []) == ""
    assert "inf" not in draw_bars("Zero", [Bar("none", 0.0)])
