"""Visits from events and topics."""

import polars as pl
from polars.testing import assert_frame_equal

from turret_pipeline.journeys.visits import VISITS_SCHEMA, collect_visits
from turret_pipeline.tables import CONTINUATIONS, EVENT_TEXTS, EVENTS, TEXT_TOPICS
from turret_pipeline_tests.journeys.rows import at

COLUMNS = ["event_id", "session_id", "user_id", "event_name", "event_at"]


NO_CONTINUATIONS = CONTINUATIONS.empty()


def events(*rows: tuple[str, str, str | None, str, float]) -> pl.DataFrame:
    """Events from id, session, user, name and seconds."""
    full = [(*row[:4], at(row[4])) for row in rows]
    return pl.DataFrame(full, {name: EVENTS.schema[name] for name in COLUMNS}, orient="row")


def event_texts(*rows: tuple[str, str, str | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, EVENT_TEXTS.schema, orient="row")


def text_topics(*rows: tuple[str, str, str | None]) -> pl.DataFrame:
    return pl.DataFrame([(*row, None, None, None, row[-1], "model") for row in rows], TEXT_TOPICS.schema, orient="row")


def session_visits(
    given: pl.DataFrame, texts: pl.DataFrame, topics: pl.DataFrame, continued: pl.DataFrame, fields: list[str]
) -> pl.DataFrame:
    """Visits of all dimensions, without those of users."""
    found = pl.concat([VISITS_SCHEMA.to_frame(), *collect_visits(given, texts, topics, continued, fields)])
    return found.filter(~pl.col("dimension").str.starts_with("user:"))


def test_every_event_visits_its_name_and_its_topics() -> None:
    given = events(("e1", "s2", "u1", "asked", 0), ("e2", "s1", None, "asked", 1), ("e3", "s2", "u1", "rated", 2))
    texts = event_texts(("e1", "prompt", "t1"), ("e2", "prompt", "t1"), ("e3", "note", "t1"))
    topics = text_topics(("prompt", "t1", "prompt-1"), ("note", "t1", "note-4"))
    expected = pl.DataFrame(
        [
            ("event_name", "s1", None, "asked", at(1), 1),
            ("event_name", "s2", "u1", "asked", at(0), 0),
            ("event_name", "s2", "u1", "rated", at(2), 2),
            ("note", "s2", "u1", "note-4", at(2), 2),
            ("prompt", "s1", None, "prompt-1", at(1), 1),
            ("prompt", "s2", "u1", "prompt-1", at(0), 0),
        ],
        VISITS_SCHEMA,
        orient="row",
    )
    for order in (texts, texts.reverse()):
        assert_frame_equal(
            session_visits(given, order, topics.reverse(), NO_CONTINUATIONS, ["prompt", "note"]), expected
        )


def test_a_text_without_a_topic_is_on_no_node() -> None:
    given = events(("e1", "s1", "u1", "a", 0), ("e2", "s1", "u1", "a", 1), ("e3", "s1", "u1", "a", 2))
    texts = event_texts(("e1", "prompt", "t1"), ("e2", "prompt", None), ("e3", "prompt", "t2"))
    topics = text_topics(("prompt", "t1", None), ("prompt", "t2", "prompt-1"))
    found = session_visits(given, texts, topics, NO_CONTINUATIONS, ["prompt"]).filter(pl.col("dimension") == "prompt")
    assert found["position"].to_list() == [2]


def test_a_follow_up_is_on_the_node_of_the_topic_that_it_continues() -> None:
    given = events(*((f"e{at}", "s1", "u1", "a", at) for at in range(4)))
    texts = event_texts(*((f"e{at}", field, f"t{at}") for at in range(4) for field in ("prompt", "note")))
    topics = text_topics(
        *(
            (field, f"t{at}", number and f"{field}-{number}")
            for at, number in enumerate(["1", "2", None, None])
            for field in ("prompt", "note")
        )
    )
    continued = pl.DataFrame(
        [("e1", "prompt", "prompt-1"), ("e2", "prompt", "prompt-1")], CONTINUATIONS.schema, orient="row"
    )
    found = session_visits(given, texts, topics, continued, ["prompt", "note"])
    nodes = {dimension: part["node_id"].to_list() for (dimension,), part in found.group_by("dimension")}
    assert nodes == {
        "event_name": ["a", "a", "a", "a"],
        "prompt": ["prompt-1", "prompt-1", "prompt-1"],
        "note": ["note-1", "note-2"],
    }


def test_only_the_given_fields_are_dimensions() -> None:
    texts = event_texts(("e1", "prompt", "t1"), ("e1", "note", "t1"))
    topics = text_topics(("prompt", "t1", "prompt-1"), ("note", "t1", "note-1"))
    given = events(("e1", "s1", "u1", "a", 0))
    found = session_visits(given, texts, topics, NO_CONTINUATIONS, ["note"])
    assert found["dimension"].to_list() == ["event_name", "note"]
    assert session_visits(given, texts, topics, NO_CONTINUATIONS, [])["dimension"].to_list() == ["event_name"]


def test_events_with_equal_times_keep_their_order() -> None:
    given = events(*((f"e{at}", "s1", "u1", name, 0) for at, name in enumerate("cabbac")))
    assert "".join(session_visits(given, event_texts(), text_topics(), NO_CONTINUATIONS, [])["node_id"]) == "cabbac"


def test_no_events_make_no_visits() -> None:
    found = session_visits(events(), event_texts(), text_topics(), NO_CONTINUATIONS, ["prompt"])
    assert_frame_equal(found, pl.DataFrame(schema=VISITS_SCHEMA))


def test_all_events_of_a_user_are_one_sequence_and_unknown_users_have_none() -> None:
    given = events(
        ("e1", "s2", "u1", "a", 0), ("e2", "s1", "u2", "b", 1), ("e3", "s1", "u1", "c", 2), ("e4", "s3", None, "d", 3)
    )
    dimensions = [
        visits["dimension"][0] for visits in collect_visits(given, event_texts(), text_topics(), NO_CONTINUATIONS, [])
    ]
    assert dimensions == ["event_name", "user:event_name"]
    *_, found = collect_visits(given, event_texts(), text_topics(), NO_CONTINUATIONS, [])
    assert found.select("sequence_id", "user_id", "node_id", "position").rows() == [
        ("u1", "u1", "a", 0),
        ("u1", "u1", "c", 2),
        ("u2", "u2", "b", 1),
    ]


def test_a_text_field_with_the_name_of_a_dimension_is_skipped() -> None:
    texts = event_texts(*(("e1", field, "t1") for field in ("event_name", "user:event_name", "note")))
    topics = text_topics(*((field, "t1", "x-1") for field in ("event_name", "user:event_name", "note")))
    given = events(("e1", "s1", "u1", "a", 0))
    found = list(collect_visits(given, texts, topics, NO_CONTINUATIONS, ["note", "user:event_name", "event_name"]))
    assert [(part["dimension"][0], part["node_id"][0]) for part in found] == [
        ("event_name", "a"),
        ("user:event_name", "a"),
        ("note", "x-1"),
        ("user:note", "x-1"),
    ]
