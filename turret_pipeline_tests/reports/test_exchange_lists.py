"""Lists of exchanges, users and texts: what each condition selects, what is counted, and whose texts are shown."""

import json
import random
from collections.abc import Iterator

import duckdb
import pytest

from turret_pipeline.reports.exchange_filter import ExchangeFilter
from turret_pipeline.reports.exchange_lists import PROMPT_LENGTH, Counts, RowRange, list_exchanges
from turret_pipeline.reports.text_lists import TextFilter, list_texts
from turret_pipeline.reports.user_lists import list_users
from turret_pipeline_tests.reports.literal_tables import Rows, at, open_tables

Tables = dict[str, Rows]
ALL = RowRange(100)


def exchange(number: int, session: str, user: str | None, text: str, **columns: object) -> dict[str, object]:
    return {
        "exchange_id": f"e{number}",
        "prompt_event_id": f"e{number}",
        "session_id": session,
        "user_id": user,
        "prompt_at": at(number),
        "field": "prompt",
        "exchange_number": number,
        "topic_id": "prompt-1",
        "subject_topic_id": "prompt-1",
        "text": text,
        **columns,
    }


EXCHANGES = [
    exchange(1, "s1", "a", "Refund, please", model="m1", rating=1.0),
    exchange(2, "s1", "a", "and now?", topic_id=None, model="m2", is_error=True),
    exchange(3, "s2", "a", "REFUND \N{LATIN SMALL LETTER O WITH DIAERESIS}", rating=5.0),
    exchange(4, "s3", "b", 'a "quoted"\nline', topic_id="prompt-2", subject_topic_id="prompt-2"),
    exchange(5, "s4", None, "x" * 2000, topic_id=None, subject_topic_id=None),
]
TOPICS = [
    {"topic_id": "prompt-1", "label": "Refunds", "theme_label": "Money", "user_count": 2},
    {"topic_id": "prompt-2", "label": "Quotes", "theme_label": "Words", "user_count": 1},
]
SIGNALS = [
    {"exchange_id": "e1", "is_declined": True, "is_badly_rated": True, "is_struggle": True},
    {"exchange_id": "e2", "is_declined": False},
]


def make_tables(exchanges: Rows = EXCHANGES) -> Tables:
    events = [
        {
            "event_id": row["exchange_id"],
            "event_at": row["prompt_at"],
            "session_id": row["session_id"],
            "metadata": json.dumps({"prompt": row["text"]}, ensure_ascii=False),
        }
        for row in exchanges
    ]
    return {"exchanges": exchanges, "events": events, "topics": TOPICS, "exchange_signals": SIGNALS}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_tables(make_tables()) as connection:
        yield connection


@pytest.mark.parametrize(
    ("conditions", "ids"),
    [
        (ExchangeFilter(), ["e5", "e4", "e3", "e2", "e1"]),
        (ExchangeFilter(topic_id="prompt-1"), ["e3", "e2", "e1"]),
        (ExchangeFilter(topic_id="prompt-1", is_own=True), ["e3", "e1"]),
        (ExchangeFilter(theme="Money"), ["e3", "e2", "e1"]),
        (ExchangeFilter(signal="declined"), ["e1"]),
        (ExchangeFilter(signal="struggle"), ["e1"]),
        (ExchangeFilter(signal="abandoned"), []),
        (ExchangeFilter(model="m2"), ["e2"]),
        (ExchangeFilter(rating="any"), ["e3", "e1"]),
        (ExchangeFilter(rating="bad"), ["e1"]),
        (ExchangeFilter(rating="bad", signal="declined"), ["e1"]),
        (ExchangeFilter(is_error=True), ["e2"]),
        (ExchangeFilter(since=at(2), until=at(4)), ["e3", "e2"]),
        (ExchangeFilter(user_id="b"), ["e4"]),
        (ExchangeFilter(user_id="'; drop table marts.exchanges; --"), []),
        (ExchangeFilter(search="refund"), ["e3", "e1"]),
        (ExchangeFilter(search="\N{LATIN CAPITAL LETTER O WITH DIAERESIS}"), ["e3"]),
        (ExchangeFilter(search='"QUOTED"\nLine'), ["e4"]),
        (ExchangeFilter(search="prompt"), []),  # the name of the field is no text
        (ExchangeFilter(search="%"), []),
        (ExchangeFilter(topic_id="prompt-1", search="refund", model="m1", rating="bad"), ["e1"]),
    ],
)
def test_each_condition_selects_the_exchanges_that_fulfil_it(
    connection: duckdb.DuckDBPyConnection, conditions: ExchangeFilter, ids: list[str]
) -> None:
    counts, rows = list_exchanges(connection, conditions, ALL)

    assert rows["exchange_id"].to_list() == ids
    assert counts.row_count == len(ids)


def test_sessions_and_known_users_are_counted_once(connection: duckdb.DuckDBPyConnection) -> None:
    assert list_exchanges(connection, ExchangeFilter(), ALL)[0] == Counts(5, 4, 2)


def test_rows_have_prompt_topic_and_signals(connection: duckdb.DuckDBPyConnection) -> None:
    _, rows = list_exchanges(connection, ExchangeFilter(model="m1"), ALL)

    (row,) = rows.to_dicts()
    assert (row["prompt"], row["topic"], row["is_follow_up"]) == ("Refund, please", "Refunds", False)
    assert row["signals"] == ["declined", "badly_rated"]


def test_follow_ups_and_long_prompts_say_so(connection: duckdb.DuckDBPyConnection) -> None:
    _, rows = list_exchanges(connection, ExchangeFilter(), ALL)

    assert rows["is_follow_up"].to_list() == [False, False, False, True, False]
    assert (len(rows["prompt"][0]), rows["prompt_length"][0]) == (PROMPT_LENGTH, 2000)


def test_pages_of_rows_have_the_same_count(connection: duckdb.DuckDBPyConnection) -> None:
    counts, rows = list_exchanges(connection, ExchangeFilter(), RowRange(2, 2))

    assert (counts.row_count, rows["exchange_id"].to_list()) == (5, ["e3", "e2"])
    assert list_exchanges(connection, ExchangeFilter(), RowRange(2, 100))[1].is_empty()


def test_texts_of_topics_with_fewer_users_are_neither_shown_nor_searched(connection: duckdb.DuckDBPyConnection) -> None:
    _, rows = list_exchanges(connection, ExchangeFilter(), ALL, min_users=2)
    found, _ = list_exchanges(connection, ExchangeFilter(search="quoted"), ALL, min_users=2)

    assert [text is None for text in rows["prompt"]] == [True, True, False, False, False]
    assert rows["prompt_length"][:2].to_list() == [None, None]
    assert found.row_count == 0
    assert Counts(1, 1, 1).is_of_fewer_users(2)
    assert not Counts(0, 0, 0).is_of_fewer_users(2)


def test_the_order_of_the_tables_does_not_matter(connection: duckdb.DuckDBPyConnection) -> None:
    shuffled = random.Random(3).sample(EXCHANGES, len(EXCHANGES))
    with open_tables(make_tables(shuffled)) as other:
        for conditions in (ExchangeFilter(), ExchangeFilter(search="refund")):
            expected, found = (list_exchanges(one, conditions, ALL) for one in (connection, other))
            assert expected[0] == found[0]
            assert expected[1].equals(found[1])


def test_empty_tables_have_empty_lists() -> None:
    with open_tables({}) as connection:
        assert list_exchanges(connection, ExchangeFilter(search="x"), ALL)[0] == Counts(0, 0, 0)
        assert list_users(connection, ExchangeFilter(), ALL)[0] == 0
        assert list_texts(connection, TextFilter("prompt"), ALL)[0] == Counts(0, 0, 0)


def test_users_come_with_their_exchanges(connection: duckdb.DuckDBPyConnection) -> None:
    count, rows = list_users(connection, ExchangeFilter(topic_id="prompt-1"), ALL)

    assert count == 1
    assert rows.row(0) == ("a", 3, 2, at(1), at(3))


def test_texts_are_selected_by_topic_and_outcome() -> None:
    def text(number: int, **columns: object) -> dict[str, object]:
        return {"event_id": f"e{number}", "field": "comment", "outcome": "assigned", **columns}

    topics = [text(1, topic_id="prompt-1"), text(2, topic_id="prompt-2"), text(3, outcome="outlier")]
    events = [
        {
            "event_id": f"e{number}",
            "event_at": at(number),
            "session_id": "s",
            "user_id": "a",
            "metadata": json.dumps({"comment": f"text {number}"}),
        }
        for number in (1, 2, 3)
    ]
    tables: Tables = {"event_topics": topics, "events": events, "topics": TOPICS}
    with open_tables(tables) as connection:
        everything, rows = list_texts(connection, TextFilter("comment"), ALL, min_users=2)
        assert everything == Counts(3, 1, 1)
        assert rows["text"].to_list() == [None, None, "text 1"]
        assert list_texts(connection, TextFilter("comment", topic_id="prompt-2"), ALL)[1]["text"].to_list() == [
            "text 2"
        ]
        assert list_texts(connection, TextFilter("comment", outcome="outlier"), ALL)[1]["topic_id"].to_list() == [None]
        assert list_texts(connection, TextFilter("prompt"), ALL)[0].row_count == 0
