"""Outcomes of topics from visits and events."""

import datetime as dt
import random

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.journeys.outcomes import list_struggle_outcomes, topic_outcomes
from turret_pipeline.journeys.visits import NAME
from turret_pipeline.tables import TOPIC_OUTCOMES
from turret_pipeline_tests.journeys.rows import at, visits

EVENT = {"session_id": pl.String, "event_name": pl.String, "position": pl.Int64}


def visits_and_events(*groups: tuple[str, int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Visits and events of groups of (letters, sessions): a letter is a prompt on that topic, "!" the event bought."""
    events: list[tuple[str, str, int]] = []
    on_topics: list[tuple[str, str, str, str, dt.datetime, int]] = []
    for number, (letters, count) in enumerate(groups):
        for session in range(count):
            name = f"{number}.{session}"
            for letter in letters:
                if letter != "!":
                    on_topics.append(("prompt", name, f"user of {name}", letter, at(0), len(events)))
                events.append((name, "bought" if letter == "!" else "asked", len(events)))
    frame = pl.DataFrame(on_topics, visits().schema, orient="row")
    return frame, pl.DataFrame(events, EVENT, orient="row")


GIVEN = [("a!", 12), ("a", 4), ("b!", 4), ("b", 16)]


def test_topics_are_compared_by_what_follows_a_sessions_first_visit() -> None:
    found = topic_outcomes(*visits_and_events(*GIVEN)).filter(pl.col("outcome_event_name") == "bought")
    columns = ["topic_id", "session_count", "outcome_session_count", "outcome_share", "baseline_share"]
    assert found.select(columns).rows() == [("a", 16, 12, 0.75, 0.2), ("b", 20, 4, 0.2, 0.75)]
    assert found["difference"].to_list() == pytest.approx([0.55, -0.55])
    assert (found["difference_low"] < found["difference"]).all()
    assert (found["difference"] < found["difference_high"]).all()
    assert (found["q_value"] < 0.01).all()
    assert found.schema == TOPIC_OUTCOMES.schema


def test_events_before_the_topic_do_not_count() -> None:
    found = topic_outcomes(*visits_and_events(("!a", 20), ("b!b", 10), ("b", 10)))
    shares = found.filter(pl.col("outcome_event_name") == "bought").select("topic_id", "outcome_share")
    assert shares.rows() == [("a", 0.0), ("b", 0.5)]


def test_an_event_follows_itself_only_when_it_happens_again() -> None:
    found = topic_outcomes(*visits_and_events(("a", 12), ("bb", 6), ("b", 6)))
    asked = found.filter(pl.col("outcome_event_name") == "asked").select("topic_id", "outcome_session_count")
    assert asked.rows() == [("a", 0), ("b", 6)]


def test_a_topic_is_compared_with_others_at_the_same_places() -> None:
    found = topic_outcomes(*visits_and_events(("ab!c", 10), ("abc!", 10), ("bac", 10), ("bad!", 10)))
    bought = found.filter(pl.col("outcome_event_name") == "bought")
    shares = {row[0]: row[1:] for row in bought.select("topic_id", "outcome_share", "baseline_share").iter_rows()}
    assert shares["a"] == pytest.approx((0.75, 0.5 * 0.5 + 0.5 * 1.0))
    assert shares["b"] == pytest.approx((0.75, 0.5 * 1.0 + 0.5 * 0.5))
    assert shares["c"] == pytest.approx((1 / 3, 1.0))
    assert shares["d"] == pytest.approx((1.0, 1 / 3))


def test_a_topic_without_others_at_its_places_is_not_compared() -> None:
    sessions = ("a!b", 12), ("ac!", 12)
    found = topic_outcomes(*visits_and_events(*sessions)).filter(pl.col("outcome_event_name") == "bought")
    assert found["topic_id"].to_list() == ["b", "c"]


def test_a_place_without_other_topics_adds_nothing_to_the_difference() -> None:
    found = topic_outcomes(*visits_and_events(("a", 10), ("a!", 10), ("b!", 10), ("b", 30), ("bca!", 5)))
    of_a = found.filter((pl.col("outcome_event_name") == "bought") & (pl.col("topic_id") == "a"))
    assert of_a["outcome_share"].item() == pytest.approx(15 / 25)
    assert of_a["baseline_share"].item() == pytest.approx((20 * 15 / 45 + 5) / 25)
    assert of_a["difference"].item() == pytest.approx(20 / 25 * (10 / 20 - 15 / 45))


def test_an_outcome_that_never_follows_is_left_out() -> None:
    found = topic_outcomes(*visits_and_events(("!a", 20), ("!b", 20)))
    assert found.is_empty()


def test_topics_of_too_few_sessions_or_users_are_left_out_but_count_elsewhere() -> None:
    found = topic_outcomes(*visits_and_events(*GIVEN, ("c!", 3)))
    bought = found.filter(pl.col("outcome_event_name") == "bought")
    assert bought["topic_id"].to_list() == ["a", "b"]
    assert bought["baseline_share"][0] == 7 / 23
    assert topic_outcomes(*visits_and_events(*GIVEN), min_users=18).is_empty()


def test_outcomes_that_follow_or_not_for_too_few_users_are_left_out() -> None:
    def topics(*groups: tuple[str, int], min_users: int = 4) -> list[str]:
        found = topic_outcomes(*visits_and_events(*GIVEN, *groups), min_users=min_users)
        return found.filter(pl.col("outcome_event_name") == "bought")["topic_id"].to_list()

    assert topics(min_users=4) == ["a", "b"]
    assert topics(min_users=5) == []
    assert topics(("c!", 3), ("c", 20), ("d!", 3), ("d", 20)) == ["a", "b"]
    assert topics(("c!", 3), ("c", 20)) == []  # that of c would be what is missing
    assert topics(("c!", 20), ("c", 3)) == []
    assert topics(("c!", 3), ("c", 20), min_users=1) == ["a", "b", "c"]
    given, events = visits_and_events(*GIVEN)
    nobody = given.with_columns(pl.lit(None, given.schema["user_id"]).alias("user_id"))
    assert topic_outcomes(nobody, events, min_users=2).is_empty()


def test_the_order_of_visits_does_not_matter() -> None:
    given, events = visits_and_events(*GIVEN)
    shuffled = topic_outcomes(given.sample(fraction=1, shuffle=True, seed=1), events)
    assert_frame_equal(shuffled, topic_outcomes(given, events), check_exact=True)


def test_the_order_in_which_the_process_met_the_names_does_not_matter() -> None:
    groups = [("".join(random.Random(seed).choices("abcd!", k=1 + seed % 9)), 1 + seed % 7) for seed in range(60)]
    given, events = visits_and_events(*groups)
    group = pl.col("sequence_id").cast(pl.String).str.split(".").list.first()
    given = given.with_columns(group.alias("user_id").cast(NAME))
    other = {name: pl.format("other {}", pl.col(name).cast(pl.String)) for name in ("sequence_id", "user_id")}
    names = given.select(pl.concat(list(other.values())))["sequence_id"].unique().to_list()
    met = pl.Series(sorted(names, key=lambda name: str(name)[::-1]), dtype=NAME)  # kept, so that the codes stay
    renamed = given.with_columns(new.cast(NAME).alias(name) for name, new in other.items())
    others = events.with_columns(pl.format("other {}", "session_id").alias("session_id"))
    assert_frame_equal(topic_outcomes(renamed, others), topic_outcomes(given, events), check_exact=True)
    assert met.n_unique() == len(names)


def test_exchanges_that_went_wrong_later_are_an_outcome_of_their_own() -> None:
    given, events = visits_and_events(("aa", 12), ("aa", 4), ("ba", 4), ("ba", 16))
    wrong: dict[str, list[bool | None]] = {
        "0.": [False, True],
        "1.": [True, None],
        "2.": [False, True],
        "3.": [None, False],
    }
    found = [wrong[session[:2]][at % 2] for session, at in events.select("session_id", "position").iter_rows()]
    struggles = events.select("session_id", "position", pl.Series("is_struggle", found, pl.Boolean))
    outcomes = list_struggle_outcomes(struggles.sample(fraction=1, shuffle=True, seed=3))
    columns = ["topic_id", "outcome_event_name", "session_count", "outcome_session_count", "baseline_share"]
    assert topic_outcomes(given, outcomes).select(columns).rows() == [
        ("a", "(struggle)", 36, 12, pytest.approx(16 * 0.2 / 36)),  # an exchange does not follow itself
        ("b", "(struggle)", 20, 4, 0.75),
    ]
    of_same_name = events.with_columns(pl.lit("struggle").alias("event_name"))
    both = pl.concat([of_same_name, outcomes.cast(events.schema).select(events.columns)])
    assert set(topic_outcomes(given, both)["outcome_event_name"]) == {"(struggle)", "struggle"}
    assert list_struggle_outcomes(struggles.clear()).is_empty()


def test_without_visits_the_table_is_empty() -> None:
    assert_frame_equal(topic_outcomes(visits(), pl.DataFrame(schema=EVENT)), TOPIC_OUTCOMES.empty())
