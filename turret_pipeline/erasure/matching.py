"""Search for everything in the parts that tombstones are about: rows of events, rejected rows and evidence of ids.

Belongs here: what belongs to a person, a session, a file or a time. Not here: removal.
"""

import datetime as dt
import functools
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import duckdb
import polars as pl

from turret_pipeline.ingest.canonical import CanonicalOptions, create_event_views
from turret_pipeline.ingest.parts import PartStore
from turret_pipeline.ingest.persons import IDENTITIES
from turret_pipeline.storage.lake import Lake
from turret_pipeline.storage.scratch_database import open_scratch_database
from turret_pipeline.storage.tombstones import EVENT, FILE, SESSION, USER, Tombstones, list_tokens

ROWS = pl.Schema(
    {
        "content_sha256": pl.String(),
        "line_number": pl.Int64(),
        "row_in_line": pl.Int64(),
        "item_number": pl.Int64(),
    }
)
CACHED_WORDS = 1 << 16
LINES = pl.Schema({"content_sha256": pl.String(), "line_number": pl.Int64()})


@dataclass(frozen=True)
class Match:
    """Everything that tombstones are about.

    ``rows`` are events of parts (ROWS), ``rejected`` lines with rejected rows (LINES), and ``links`` lines with
    evidence of ``user_ids``: all ids of the persons, as the parts have them. ``event_ids`` are the events that the
    tables lose. ``other_event_ids`` are those of rows that no id of a person, session or file, and no time, finds.
    """

    rows: pl.DataFrame
    rejected: pl.DataFrame
    links: pl.DataFrame
    user_ids: frozenset[str]
    event_ids: pl.Series
    other_event_ids: frozenset[str]

    @classmethod
    def of_rejected(cls, content_sha256: str, lines: Collection[int]) -> "Match":
        """The rejected rows of these lines, and nothing else."""
        rejected = pl.DataFrame([(content_sha256, line) for line in sorted(lines)], LINES, orient="row")
        nothing = pl.Series("event_id", [], pl.String)
        return cls(ROWS.to_frame(), rejected, LINES.to_frame(), frozenset(), nothing, frozenset())

    def is_empty(self) -> bool:
        """True if there is nothing to remove."""
        return self.rows.is_empty() and self.rejected.is_empty() and self.links.is_empty()


def find_match(
    parts: PartStore, lake: Lake, options: CanonicalOptions, tombstones: Tombstones, cutoff: dt.datetime | None
) -> Match:
    """Everything in the parts that the tombstones are about, or that is older than ``cutoff``.

    A person has all ids that resolve to the same users as an id with a tombstone, unless an id, as that of a shared
    device, also belongs to others. Rows that repeat an event of the person belong to the person too.
    """
    with open_scratch_database(lake) as connection:
        _create_views(connection, parts, options)
        _register(connection, "erased_ids", "id", tombstones.select(USER, _list_ids(connection)))
        _register(connection, "erased_sessions", "id", tombstones.select(SESSION, _list_sessions(connection)))
        _register(connection, "erased_files", "id", tombstones.select(FILE, parts.content_hashes()))
        _register(connection, "known_events", "id", _select_events(connection, tombstones))
        connection.execute("set variable cutoff = $cutoff::timestamptz", {"cutoff": cutoff})
        for statement in _STATEMENTS:
            connection.execute(statement)
        user_ids = frozenset(connection.sql("from joined_ids").pl()["id"])
        rows = connection.sql("select * from erased_rows order by all").pl()
        rejected = _find_rejected(connection, tombstones, user_ids)
        links = connection.sql(_LINKS).pl()
        event_ids = connection.sql(_EVENT_IDS).pl()["event_id"]
        others = frozenset(rows.filter(~pl.col("is_found_again"))["event_id"])
    return Match(rows.select(ROWS.names()).cast(ROWS), rejected, links, user_ids, event_ids, others)


def find_user_ids(parts: PartStore, lake: Lake, options: CanonicalOptions, ids: Collection[str]) -> frozenset[str]:
    """All ids of the persons that have one of these ids, with those that occur nowhere."""
    with open_scratch_database(lake) as connection:
        _create_views(connection, parts, options)
        _register(connection, "erased_ids", "id", ids)
        for statement in (_PERSONS, _JOINED_IDS):
            connection.execute(statement)
        return frozenset(connection.sql("from joined_ids").pl()["id"])


def _create_views(connection: duckdb.DuckDBPyConnection, parts: PartStore, options: CanonicalOptions) -> None:
    create_event_views(connection, parts, options)
    connection.execute(f"create temp table found_identities as {IDENTITIES}")


def _register(connection: duckdb.DuckDBPyConnection, name: str, column: str, values: Iterable[str]) -> None:
    connection.register(f"given_{name}", pl.DataFrame({column: list(values)}, {column: pl.String}).to_arrow())
    connection.execute(f"create temp table {name} as select distinct {column} from given_{name}")


def _list_ids(connection: duckdb.DuckDBPyConnection) -> list[str]:
    query = """
        select sent_id as id from found_identities union select user_id from found_identities
        union select user_id from traced where user_id is not null
        union select sent_id from links union select linked_id from links where linked_id is not null"""
    return list(connection.sql(query).pl()["id"])


def _list_sessions(connection: duckdb.DuckDBPyConnection) -> list[str]:
    query = "select session_id as id from sessionized union select session_id from traced where session_id is not null"
    return list(connection.sql(query).pl()["id"])


def _select_events(connection: duckdb.DuckDBPyConnection, tombstones: Tombstones) -> list[str]:
    if not tombstones.hashes(EVENT):
        return []
    return tombstones.select(EVENT, connection.sql("select distinct event_id from traced").pl()["event_id"])


def _find_rejected(
    connection: duckdb.DuckDBPyConnection, tombstones: Tombstones, user_ids: Collection[str]
) -> pl.DataFrame:
    """Lines with rejected rows that name an erased id, give evidence of one, or are of an erased file or time."""
    lines: pl.DataFrame = connection.sql(_REJECTED).pl()
    is_mentioned = build_mention_test(tombstones, user_ids)
    if is_mentioned is not None:
        every = connection.sql("select content_sha256, line_number, reason, raw_text from rejected").pl()
        named = [is_mentioned(f"{reason}\n{raw}") for reason, raw in every.select("reason", "raw_text").iter_rows()]
        lines = pl.concat([lines, every.filter(pl.Series(named, dtype=pl.Boolean)).select(LINES.names())])
    return lines.cast(LINES).unique().sort("content_sha256", "line_number")


class MentionTest:
    """A test of a text: does it name an id of a person or session that is to be erased?"""

    def __init__(self, tombstones: Tombstones, user_ids: Collection[str]) -> None:
        self._tombstones = tombstones
        self._user_ids = frozenset(user_ids)
        self._hashes = {kind: tombstones.hashes(kind) for kind in (USER, SESSION)}
        self.is_erased = functools.lru_cache(CACHED_WORDS)(self._is_erased)

    def __call__(self, text: str) -> bool:
        """True if one of the words of the text is such an id."""
        return any(map(self.is_erased, set(list_tokens(text))))

    def _is_erased(self, value: str) -> bool:
        """True if the value is such an id."""
        return value in self._user_ids or any(
            bool(hashes) and self._tombstones.hash(kind, value) in hashes for kind, hashes in self._hashes.items()
        )


def build_mention_test(tombstones: Tombstones, user_ids: Collection[str] = ()) -> MentionTest | None:
    """A test of texts for erased ids; None if there are no such ids."""
    if not user_ids and not tombstones.hashes(USER) and not tombstones.hashes(SESSION):
        return None
    return MentionTest(tombstones, user_ids)


_PERSONS = """
    create temp table erased_persons as
    select min(user_id) as id from found_identities group by sent_id
    having min(user_id) = max(user_id) and sent_id in (from erased_ids)
    union
    select id from erased_ids where id in (select user_id from found_identities)"""
"""The persons of the erased ids. An id of several persons, that of a shared device, stands for none of them."""

_JOINED_IDS = """
    create temp table joined_ids as
    select sent_id as id from found_identities group by sent_id having bool_and(user_id in (from erased_persons))
    union
    from erased_ids"""

_EVENTS = """
    create temp table erased_events as
    select event_id from sessionized
    where user_id in (from erased_persons) or sent_user_id in (from erased_ids)
        or session_id in (from erased_sessions) or event_id in (from known_events)
    union
    select event_id from traced where session_id in (from erased_sessions)"""

_ROWS = """
    create temp table erased_rows as
    select content_sha256, line_number, row_in_line, item_number, event_id,
        coalesce(user_id in (from joined_ids), false) or coalesce(session_id in (from erased_sessions), false)
            or content_sha256 in (from erased_files)
            or coalesce(event_at < getvariable('cutoff'), false) as is_found_again
    from traced
    where event_id in (from erased_events) or is_found_again"""

_EVENT_IDS = """
    select distinct event_id from erased_rows
    where event_id not in (select event_id from traced anti join erased_rows using (
        content_sha256, line_number, row_in_line, item_number))"""
"""Events of which no row remains."""

_LINKS = """
    select distinct content_sha256, line_number from links
    where sent_id in (from joined_ids) or linked_id in (from joined_ids) or content_sha256 in (from erased_files)
    order by all"""

_REJECTED = """
    select content_sha256, line_number from rejected
    where content_sha256 in (from erased_files)
        or content_sha256 in (select content_sha256 from files where ingested_at < getvariable('cutoff'))
    union
    select content_sha256, line_number from rejected semi join (
        select content_sha256, line_number from links
        where sent_id in (from joined_ids) or linked_id in (from joined_ids)
    ) as of_person using (content_sha256, line_number)"""

_STATEMENTS = (_PERSONS, _JOINED_IDS, _EVENTS, _ROWS)
