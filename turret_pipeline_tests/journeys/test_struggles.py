"""Moves into struggle, from visits and the exchanges in which a struggle was decided."""

import random
from collections import Counter

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.journeys.struggles import journey_struggles
from turret_pipeline.journeys.visits import NAME
from turret_pipeline.stats.groups import compare_with_rest
from turret_pipeline.stats.shares import q_values
from turret_pipeline.tables import JOURNEY_STRUGGLES
from turret_pipeline_tests.benchmarks.simulated_struggles import WORLDS, share_of_alarms
from turret_pipeline_tests.journeys.rows import path, visits

STRUGGLE = {"position": pl.Int64, "is_struggle": pl.Boolean}


def visits_and_struggles(*groups: tuple[str, int], dimension: str = "prompt") -> tuple[pl.DataFrame, pl.DataFrame]:
    """Visits of groups of (letters, sessions): a letter is a prompt on that topic, "!" after it means that it went
    wrong, and "?" that this is not decided. Each session has a user of its own.
    """
    parts: list[pl.DataFrame] = []
    struggles: list[tuple[int, bool | None]] = []
    for number, (letters, count) in enumerate(groups):
        nodes = letters.replace("!", "").replace("?", "")
        marks = [letters[at + 1 : at + 2] for at, letter in enumerate(letters) if letter not in "!?"]
        for session in range(count):
            name, first = f"{number}.{session}", len(struggles)
            parts.append(path(name, nodes, name, dimension).with_columns(pl.col("position") + first))
            struggles += [(first + at, None if mark == "?" else mark == "!") for at, mark in enumerate(marks)]
    return pl.concat(parts), pl.DataFrame(struggles, STRUGGLE, orient="row")


COUNTS = ["from_node_id", "to_node_id", "move_count", "struggle_count", "struggle_share", "other_struggle_share"]
GIVEN = [("ab!", 12), ("ab", 4), ("cb!", 4), ("cb", 16)]


def test_a_move_is_compared_with_other_moves_to_the_same_topic() -> None:
    found = journey_struggles(*visits_and_struggles(*GIVEN))
    assert found.schema == JOURNEY_STRUGGLES.schema
    assert found.select(COUNTS).rows() == [("a", "b", 16, 12, 0.75, 0.2), ("c", "b", 20, 4, 0.2, 0.75)]
    assert found["difference"].to_list() == pytest.approx([0.55, -0.55])
    assert (found["difference_low"] < found["difference"]).all()
    assert (found["difference"] < found["difference_high"]).all()
    assert (found["q_value"] < 0.01).all()


def test_a_hard_topic_alone_makes_no_move_look_bad() -> None:
    found = journey_struggles(*visits_and_struggles(("ab!", 15), ("ab", 5), ("cb!", 15), ("cb", 5), ("ad", 40)))
    assert found["difference"].to_list() == [0, 0]
    assert (found["q_value"] == 1).all()


def test_starts_and_stays_are_moves_and_ends_are_not() -> None:
    found = journey_struggles(*visits_and_struggles(("bb!", 10), ("b!b", 5), ("ab", 10)))
    assert found.select(COUNTS).rows() == [
        ("(start)", "b", 15, 5, 1 / 3, 10 / 25),
        ("a", "b", 10, 0, 0.0, 15 / 30),
        ("b", "b", 15, 10, 2 / 3, 5 / 25),
    ]


def test_undecided_exchanges_count_neither_as_moves_nor_as_struggles() -> None:
    given = visits_and_struggles(*GIVEN, ("ab?", 30), ("b?b?", 30))
    assert_frame_equal(journey_struggles(*given), journey_struggles(*visits_and_struggles(*GIVEN)))
    decided = given[1].drop_nulls()  # visits without an exchange
    assert_frame_equal(journey_struggles(given[0], decided), journey_struggles(*given), check_exact=True)


def test_topics_whose_exchanges_all_go_wrong_or_none_are_left_out() -> None:
    found = journey_struggles(*visits_and_struggles(*GIVEN, ("ad!", 20), ("cd!", 20)))
    assert set(found["to_node_id"]) == {"b"}


def test_moves_of_too_little_evidence_are_left_out_but_count_for_others() -> None:
    found = journey_struggles(*visits_and_struggles(*GIVEN, ("db!", 9)))
    assert found.select(COUNTS).rows() == [("a", "b", 16, 12, 0.75, 13 / 29), ("c", "b", 20, 4, 0.2, 21 / 25)]
    assert journey_struggles(*visits_and_struggles(("ab!", 20))).is_empty()
    given, struggles = visits_and_struggles(*GIVEN)
    few = given.with_columns((pl.col("position") % 8 // 2).cast(pl.String).cast(NAME).alias("user_id"))
    assert journey_struggles(few, struggles).is_empty()


def test_the_same_moves_of_fewer_users_have_wider_intervals() -> None:
    given, struggles = visits_and_struggles(*GIVEN)
    user = (pl.col("sequence_id").cast(pl.String).rank("dense") // 2).cast(pl.String).cast(NAME)
    few, many = (
        journey_struggles(given.with_columns(user.alias("user_id")), struggles),
        journey_struggles(given, struggles),
    )
    assert (few["difference_high"] - few["difference_low"] > many["difference_high"] - many["difference_low"]).all()
    nobody = given.with_columns(pl.lit(None, NAME).alias("user_id"))
    assert_frame_equal(journey_struggles(nobody, struggles), many, check_exact=True)


def test_rows_of_too_few_users_and_rows_that_reveal_them_are_left_out() -> None:
    def sources(*groups: tuple[str, int], min_users: int) -> list[str]:
        return journey_struggles(*visits_and_struggles(*GIVEN, *groups), min_users)["from_node_id"].to_list()

    assert sources(min_users=4) == ["a", "c"]
    assert sources(min_users=5) == []  # 4 that did not go wrong after a, 4 that did after c
    assert sources(("db!", 3), ("db", 20), min_users=1) == ["a", "c", "d"]
    assert sources(("db!", 3), ("db", 20), min_users=4) == []  # those of d would be what is missing
    assert sources(("db!", 3), ("db", 20), ("eb!", 3), ("eb", 20), min_users=4) == ["a", "c"]
    assert sources(("db", 20), min_users=4) == ["a", "c"]
    given, struggles = visits_and_struggles(*GIVEN)
    nobody = given.with_columns(pl.lit(None, NAME).alias("user_id"))
    assert journey_struggles(nobody, struggles, 2).is_empty()


def test_a_dimension_of_users_counts_moves_between_sessions_and_events_have_no_struggles() -> None:
    given, struggles = visits_and_struggles(*GIVEN)
    of_users = given.with_columns(pl.lit("user:prompt").alias("dimension"), pl.col("user_id").alias("sequence_id"))
    names = [given.with_columns(pl.lit(name).alias("dimension")) for name in ("event_name", "user:event_name")]
    found = journey_struggles(pl.concat([given, of_users, *names]), struggles)
    alone = journey_struggles(given, struggles)
    assert_frame_equal(found.filter(pl.col("dimension") == "prompt"), alone, check_exact=True)
    assert found["dimension"].unique(maintain_order=True).to_list() == ["prompt", "user:prompt"]


def test_the_order_of_struggles_and_of_names_does_not_matter() -> None:
    groups = [
        ("".join(random.Random(seed).choices(["a", "b!", "b", "c", "c?"], k=2 + seed % 9)), 3) for seed in range(60)
    ]
    given, struggles = visits_and_struggles(*groups)
    group = pl.col("sequence_id").cast(pl.String).str.split(".").list.first()
    given = given.with_columns(group.alias("user_id").cast(NAME))
    found = journey_struggles(given, struggles)
    assert found.height > 3
    assert_frame_equal(
        journey_struggles(given, struggles.sample(fraction=1, shuffle=True, seed=1)), found, check_exact=True
    )
    other = {name: pl.format("unlike {}", pl.col(name).cast(pl.String)) for name in ("sequence_id", "user_id")}
    names = given.select(pl.concat(list(other.values())))["sequence_id"].unique().to_list()
    met = pl.Series(sorted(names, key=lambda name: str(name)[::-1]), dtype=NAME)  # kept, so that the codes stay
    renamed = given.with_columns(new.cast(NAME).alias(name) for name, new in other.items())
    assert_frame_equal(journey_struggles(renamed, struggles), found, check_exact=True)
    assert met.n_unique() == len(names)


def test_numbers_are_those_of_counting_one_by_one() -> None:
    chosen = random.Random(7)
    groups = [
        ("".join(chosen.choices(["a", "a!", "b", "b!", "b?", "c"], k=chosen.randint(1, 9))), 1) for _ in range(150)
    ]
    given, struggles = visits_and_struggles(*groups)
    given = given.with_columns((pl.col("position") // 40).cast(pl.String).cast(NAME).alias("user_id"))
    is_struggle = dict(struggles.iter_rows())
    before: dict[str, str] = {}
    moves: list[tuple[str, str, str, bool]] = []
    for session, user, node, position in given.select("sequence_id", "user_id", "node_id", "position").iter_rows():
        if is_struggle[position] is not None:
            moves.append((before.get(session, "(start)"), node, user, is_struggle[position]))
        before[session] = node
    expected, p_values = [], []
    for target in "ab":
        into = [move for move in moves if move[1] == target]
        counts, wrong = Counter(move[0] for move in into), Counter(move[0] for move in into if move[3])
        names = sorted(counts)
        users = sorted({move[2] for move in into}, reverse=True)
        shares = compare_with_rest(
            np.array([move[3] for move in into]),
            np.array([names.index(move[0]) for move in into]),
            np.array([users.index(move[2]) for move in into]),
        )
        for number, p_value in zip(shares.groups, shares.comparison.p_value, strict=True):
            count, struggling = counts[names[number]], wrong[names[number]]
            rest = (sum(wrong.values()) - struggling) / (len(into) - count)
            expected.append((names[number], target, count, struggling, struggling / count, rest))
            p_values.append(p_value)
    found = journey_struggles(given, struggles).sort("to_node_id", "from_node_id")
    assert found.select(COUNTS).rows() == expected
    assert len(expected) > 4
    assert found["q_value"].to_list() == pytest.approx(q_values(np.array(p_values)))


def test_without_visits_or_struggles_the_table_is_empty() -> None:
    none = pl.DataFrame(schema=STRUGGLE)
    assert_frame_equal(journey_struggles(visits(), none), JOURNEY_STRUGGLES.empty())
    assert_frame_equal(journey_struggles(visits_and_struggles(*GIVEN)[0], none), JOURNEY_STRUGGLES.empty())


@pytest.mark.slow
@pytest.mark.parametrize("world", ["users differ much", "20 users with hard moves of their own", "30 topics"])
def test_struggles_that_depend_on_no_move_rarely_raise_an_alarm(world: str) -> None:
    _, of_data_sets, _ = share_of_alarms(np.random.default_rng(2), WORLDS[world], 60)
    assert of_data_sets <= 0.05


@pytest.mark.slow
def test_a_move_after_which_exchanges_often_go_wrong_is_found() -> None:
    _, _, planted = share_of_alarms(np.random.default_rng(2), WORLDS["after one move, 40 points more"], 60)
    assert planted >= 0.4
