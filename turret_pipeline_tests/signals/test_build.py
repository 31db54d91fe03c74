"""Signals of literal sessions."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from turret_pipeline.exchanges.build import ExchangeOptions, write_exchanges
from turret_pipeline.signals.build import SignalOptions, list_answer_fields, write_exchange_signals
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.storage.lake import Lake
from turret_pipeline.tables import LAKE_TABLES
from turret_pipeline.topics.embedding.texts import collect_texts, text_id
from turret_pipeline_tests.exchanges.rows import Event, answer, feedback, prompt, write_lake

DAY = 86400
REFUSAL = "I'm sorry, but I can't help with that request."
NOTHING = "Sorry, I couldn't find any results for that."
ANSWER = "The museum opens at ten, and a ticket costs twelve euros."
OBJECTION = "No, that's wrong. That's not what I asked for."


def find(
    folder: Path,
    events: Sequence[Event],
    *,
    languages: dict[str, str] | None = None,
    vectors: dict[str, list[float]] | None = None,
    topics: dict[str, str] | None = None,
    continued: dict[str, str] | None = None,
    order: int = 1,
    seconds: float = 60,
    marks: pl.DataFrame | None = None,
    resolving: Sequence[str] = (),
    ended: bool = True,
) -> dict[str, dict[str, Any]]:
    """Rows of exchange_signals by exchange. A last session a month later ends all others."""
    end = max(event.seconds for event in events) + 30 * DAY
    if ended:
        events = [*events, replace(prompt("end", end, "bye"), session_id="last", user_id="last")]
    lake = write_lake(folder, events, topics=topics, continued=continued, order=order)
    texts = collect_texts(lake.scan("event_values"), ["prompt", "generation"])[1]
    language = pl.col("text").replace_strict(languages or {}, default="en", return_dtype=pl.String).alias("language")
    lake.write("texts", texts.with_columns(language).select(LAKE_TABLES["texts"].schema.names()))
    write_exchanges(lake, ExchangeOptions())
    by_id = {text_id(text): vector for text, vector in (vectors or {}).items()}

    def read(ids: pl.Series) -> Iterator[tuple[pl.Series, FloatArray]]:
        known = [one for one in ids.unique().sort() if one in by_id]
        if known:
            yield pl.Series("text_id", known), np.array([by_id[one] for one in known], dtype=np.float32)

    write_exchange_signals(lake, {"another model": read}, SignalOptions(seconds, resolving), marks)
    return {row["exchange_id"]: row for row in Lake(folder).read("exchange_signals").iter_rows(named=True)}


def is_true(rows: dict[str, dict[str, Any]], signal: str) -> dict[str, bool | None]:
    """A signal by exchange, without the one of the last session."""
    return {key: row[f"is_{signal}"] for key, row in rows.items() if key != "end"}


def test_an_answer_that_refuses_is_declined_and_not_unanswered(tmp_path: Path) -> None:
    events = [
        prompt("p1", 0),
        answer("a1", 1, generation=REFUSAL),
        prompt("p2", 90, "opening hours"),
        answer("a2", 91, generation=ANSWER),
    ]
    rows = find(tmp_path, events)
    assert is_true(rows, "declined") == {"p1": True, "p2": False}
    assert is_true(rows, "unanswered") == {"p1": False, "p2": False}
    assert rows["p1"]["declined_reason"].startswith("The answer refuses: probability 0.")
    assert rows["p1"]["struggle_reason"] == "declined"
    assert (rows["p2"]["is_struggle"], rows["p2"]["struggle_reason"]) == (False, None)


def test_a_prompt_is_unanswered_without_an_answer_with_an_error_or_with_an_empty_one(tmp_path: Path) -> None:
    events = [
        *(prompt("p1", 0), answer("a1", 1, generation=NOTHING)),
        prompt("p2", 10),
        *(prompt("p3", 20), answer("a3", 21, generation=ANSWER, is_error=True)),
        *(prompt("p4", 30), answer("a4", 31, generation=ANSWER)),
    ]
    rows = find(tmp_path, events)
    assert is_true(rows, "unanswered") == {"p1": True, "p2": True, "p3": True, "p4": False}
    assert rows["p2"]["unanswered_reason"] == "No answer follows."
    assert rows["p2"]["declined_reason"] == "The prompt has no answer."
    assert rows["p3"]["unanswered_reason"] == "The answer is an error."


def test_answers_that_are_not_recorded_are_not_missing(tmp_path: Path) -> None:
    rows = find(tmp_path, [prompt("p1", 0), prompt("p2", 10)])
    assert is_true(rows, "unanswered") == {"p1": None, "p2": None}
    assert "not recorded for all" in rows["p1"]["unanswered_reason"]


def test_an_answer_without_text_is_not_judged_by_it(tmp_path: Path) -> None:
    events = [
        prompt("p1", 0),
        Event("a1", "answer_given", 1, {"words": 3}),
        prompt("p2", 5),
        answer("a2", 6, generation=ANSWER),
    ]
    rows = find(tmp_path, events)
    assert is_true(rows, "declined") == {"p1": None, "p2": False}
    assert rows["p1"]["declined_reason"] == "The text of the answer is not recorded."
    assert is_true(rows, "unanswered") == {"p1": False, "p2": False}


def test_the_next_prompt_corrects(tmp_path: Path) -> None:
    events = [prompt("p1", 0), prompt("p2", 10, OBJECTION), prompt("p3", 200, "thanks, what else?")]
    rows = find(tmp_path, events)
    assert is_true(rows, "corrected") == {"p1": True, "p2": False, "p3": False}
    assert rows["p1"]["corrected_reason"].startswith("The next prompt objects")


def test_the_next_prompt_rephrases_with_the_same_meaning_and_words(tmp_path: Path) -> None:
    texts = ["how do I export my invoices", "how can I export my invoices", "how do I delete invoices", "weather today"]
    vectors = dict(zip(texts, ([1.0, 0.0], [0.95, 0.1], [0.0, 1.0], [0.1, 1.0]), strict=True))
    events = [prompt(f"p{number}", number * 10, text) for number, text in enumerate([*texts, texts[3]])]
    rows = find(tmp_path, events, vectors=vectors)
    assert is_true(rows, "rephrased") == {"p0": True, "p1": False, "p2": False, "p3": True, "p4": False}
    assert rows["p0"]["rephrased_reason"].startswith("The next prompt says nearly the same: cosine 0.99")
    assert rows["p3"]["rephrased_reason"] == "The next prompt is the same."


def test_a_follow_up_or_a_prompt_of_another_topic_is_no_rephrase(tmp_path: Path) -> None:
    texts = ["export the first list", "export the second list", "export the third list"]
    vectors = {text: [1.0, 0.0] for text in texts}
    events = [prompt(f"p{number}", number * 10, text) for number, text in enumerate([*texts, texts[2]])]
    topics = {texts[0]: "prompt-1", texts[1]: "prompt-2", texts[2]: "prompt-2"}
    rows = find(tmp_path, events, vectors=vectors, topics=topics, continued={"p3": "prompt-2"})
    assert is_true(rows, "rephrased") == {"p0": False, "p1": False, "p2": False, "p3": False}


@pytest.mark.parametrize(("after", "expected"), [(30, True), (90, False)])
def test_a_session_that_ends_soon_after_a_refusal_is_abandoned(tmp_path: Path, after: float, expected: bool) -> None:
    events = [prompt("p1", 0), answer("a1", 5, generation=REFUSAL), Event("e", "page_closed", 5 + after)]
    assert is_true(find(tmp_path, events), "abandoned") == {"p1": expected}


def test_a_session_that_ends_with_an_objection_is_abandoned(tmp_path: Path) -> None:
    rows = find(tmp_path, [prompt("p1", 0), prompt("p2", 10, OBJECTION)])
    assert is_true(rows, "abandoned") == {"p1": False, "p2": True}
    assert rows["p2"]["abandoned_reason"] == "The session ended 0 s after it, and its prompt objects."


def test_the_same_user_comes_back_to_a_topic_within_a_week(tmp_path: Path) -> None:
    def ask(event_id: str, days: float, session: str, user: str | None = "u1", text: str = "logo") -> Event:
        return replace(prompt(event_id, days * DAY, text, session), user_id=user)

    events = [
        *(ask("p1", 0, "s1"), ask("p2", 0.001, "s1"), ask("p3", 6, "s2"), ask("p4", 20, "s3")),
        *(ask("q1", 1, "t1", "u2"), ask("q2", 2, "t2", None), ask("q3", 2.5, "t3", "u1", "vat")),
    ]
    rows = find(tmp_path, events, topics={"logo": "prompt-1"})
    assert is_true(rows, "repeated_later") == {
        "p1": True,
        "p2": True,
        "p3": False,
        "p4": False,
        "q1": False,
        "q2": None,
        "q3": None,
    }
    assert rows["p1"]["repeated_later_reason"] == "The user came back to the topic after 6.0 days."
    assert rows["q2"]["repeated_later_reason"] == "The user is unknown."
    assert rows["q3"]["repeated_later_reason"] == "The prompt has no topic."


def test_the_last_week_and_the_last_session_are_not_decided(tmp_path: Path) -> None:
    rows = find(tmp_path, [prompt("p1", 0)], topics={"bye": "prompt-1"})
    last = rows["end"]
    assert last["is_repeated_later"] is None
    assert last["repeated_later_reason"] == "The 7 days after it are not over."
    assert {last[f"{name}_reason"] for name in ("rephrased", "corrected", "abandoned")} == {"The session may go on."}


def test_ratings_are_bad_in_the_lower_part_of_their_scale(tmp_path: Path) -> None:
    events = [
        event
        for number, rating in enumerate([1, 2, 3, 5, None])
        for event in (
            prompt(f"p{number}", number * 10),
            *([] if rating is None else [feedback(f"f{number}", number * 10 + 5, rating=rating)]),
        )
    ]
    rows = find(tmp_path, events)
    assert is_true(rows, "badly_rated") == {"p0": True, "p1": True, "p2": False, "p3": False, "p4": None}
    assert rows["p1"]["badly_rated_reason"] == "Rated 2.0 on a scale from 1 to 5."


def test_texts_in_other_languages_are_not_decided(tmp_path: Path) -> None:
    events = [prompt("p1", 0), answer("a1", 1, generation="En voi auttaa"), prompt("p2", 9, "ei, se on väärin")]
    rows = find(tmp_path, events, languages={"En voi auttaa": "fi", "ei, se on väärin": "fi"})
    assert [rows["p1"][f"is_{name}"] for name in ("rephrased", "corrected", "declined", "unanswered")] == [None] * 4
    assert rows["p1"]["declined_reason"] == "The answer is in a language without rules."
    assert rows["p1"]["corrected_reason"] == "The next prompt is in a language without rules."


def test_a_signal_that_a_person_marked_as_wrong_is_false(tmp_path: Path) -> None:
    events = [
        *(prompt("p1", 0), answer("a1", 1, generation=REFUSAL)),
        *(prompt("p2", 9, "opening hours"), answer("a2", 10, generation=REFUSAL)),
    ]
    rows = [("p1", "declined", False), ("p2", "declined", True), ("gone", "declined", False)]
    marks = pl.DataFrame(rows, ["exchange_id", "signal", "is_right"], orient="row")
    found = find(tmp_path, events, marks=marks)
    assert is_true(found, "declined") == {"p1": False, "p2": True}
    assert found["p1"]["declined_reason"] == "A person marked it as wrong."
    assert found["p1"]["is_struggle"] is False


def test_a_blank_prompt_decides_nothing_about_the_one_before(tmp_path: Path) -> None:
    rows = find(tmp_path, [prompt("p1", 0), prompt("p2", 9, " "), prompt("p3", 12, "thanks")])
    assert is_true(rows, "rephrased") == {"p1": None, "p2": None, "p3": False}
    assert is_true(rows, "corrected") == {"p1": None, "p2": False, "p3": False}
    assert rows["p1"]["rephrased_reason"] == rows["p2"]["rephrased_reason"] == "A prompt has no text."
    assert rows["p1"]["corrected_reason"] == "The next prompt has no text."


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    events = [
        prompt("p1", 0),
        answer("a1", 1, generation=REFUSAL),
        prompt("p2", 9, OBJECTION),
        prompt("p3", 12, "hello"),
    ]
    assert find(tmp_path / "one", events) == find(tmp_path / "other", events, order=-1)


def test_events_without_prompts_have_no_signals(tmp_path: Path) -> None:
    assert list(find(tmp_path, [Event("e1", "page_opened", 0)])) == ["end"]


def test_answers_are_read_from_the_field_that_is_named_like_one() -> None:
    types = {"note": "text", "answer": "text", "prompt": "text", "comment": "text", "plan": "enum"}
    assert list_answer_fields(types, {"prompt"}).rows() == [("answer", 0), ("note", 1)]


def test_an_outcome_resolves_the_exchanges_before_it_back_to_the_last_change_of_topic(tmp_path: Path) -> None:
    events = [
        prompt("p1", 0, "one"),
        prompt("p2", 10, "two"),
        prompt("p3", 20, "three"),
        Event("copied", "answer_copied", 25),
        prompt("p4", 30, "four"),
        prompt("p5", 40, "five"),
        Event("closed", "ticket_closed", 100),
        prompt("p6", 200, "six", "s2"),
    ]
    topics = {"one": "A", "two": "B", "three": "B", "four": "B", "five": "C", "six": "C"}
    rows = find(tmp_path, events, topics=topics, resolving=["answer_copied", "ticket_closed"])
    assert is_true(rows, "resolved") == {"p1": False, "p2": True, "p3": True, "p4": False, "p5": True, "p6": False}
    assert rows["p2"]["resolved_reason"] == "The event answer_copied follows after 15 s."
    assert rows["p1"]["resolved_reason"] is None


def test_a_session_that_may_go_on_is_not_decided_until_an_outcome_follows(tmp_path: Path) -> None:
    events = [prompt("p1", 0), prompt("p2", 10, session_id="s2"), Event("copied", "answer_copied", 12, session_id="s2")]
    rows = find(tmp_path, events, resolving=["answer_copied"], ended=False)
    assert is_true(rows, "resolved") == {"p1": None, "p2": True}
    assert rows["p1"]["resolved_reason"] == "The session may go on."


def test_without_a_declared_outcome_nothing_is_resolved_or_not(tmp_path: Path) -> None:
    assert is_true(find(tmp_path, [prompt("p1", 0)]), "resolved") == {"p1": None}
    assert is_true(find(tmp_path, [prompt("p1", 0)], resolving=["unknown"]), "resolved") == {"p1": False}


def test_without_exchanges_the_table_is_empty(tmp_path: Path) -> None:
    assert find(tmp_path, [Event("e", "opened", 0)], ended=False) == {}


def test_in_the_last_week_it_is_not_known_who_comes_back(tmp_path: Path) -> None:
    events = [
        prompt("p1", 0, "refund", "s1"),
        prompt("p2", 2 * DAY, "refund", "s2"),
        prompt("p3", 27 * DAY, "refund", "s3"),
        prompt("p4", 28 * DAY, "refund", "s4"),
        prompt("p5", 30 * DAY, "other", "s5"),
    ]
    rows = find(tmp_path, events, topics={"refund": "A"}, ended=False)
    assert is_true(rows, "repeated_later") == {"p1": True, "p2": False, "p3": None, "p4": None, "p5": None}


def test_a_signal_marked_as_wrong_is_no_evidence_for_others(tmp_path: Path) -> None:
    events = [prompt("p1", 0), answer("a1", 1, generation=REFUSAL)]
    assert find(tmp_path / "before", events)["p1"]["is_abandoned"]
    marks = pl.DataFrame({"exchange_id": ["p1"], "signal": ["declined"], "is_right": [False]})
    row = find(tmp_path / "after", events, marks=marks)["p1"]
    assert (row["is_declined"], row["is_abandoned"], row["is_struggle"]) == (False, False, False)


def test_in_a_language_without_rules_nothing_is_denied(tmp_path: Path) -> None:
    events = [prompt("p1", 0, "hei"), answer("a1", 1, generation="en voi auttaa")]
    row = find(tmp_path, events, languages={"hei": "fi", "en voi auttaa": "fi"})["p1"]
    assert (row["is_declined"], row["is_abandoned"], row["is_struggle"]) == (None, None, None)
    assert row["struggle_reason"] == "The next prompt or the answer is in a language without rules."
