"""The contract of every table: grain, key, and columns with type and meaning.

Belongs here: the promises of each table, in one file per stage. Not here: building the tables. The lake checks each
write against its contract, the quality checks check each built table, and Dagster, the dbt models and the comments in
the published file repeat the descriptions.
"""

from turret_pipeline.tables.contract import DUCKDB_TYPES, POLARS_TYPES, Column, Kind, Table
from turret_pipeline.tables.events import (
    EVENT_VALUES,
    EVENTS,
    IDENTITIES,
    LAKE_EVENTS,
    REJECTED_EVENTS,
    SCRUBBED_VALUES,
    SOURCE_FILES,
)
from turret_pipeline.tables.exchanges import (
    EXCHANGE_ROLES,
    EXCHANGE_VALUES,
    EXCHANGES,
    TOPIC_EXCHANGE_NUMBERS,
    TOPIC_RETENTION,
    TOPIC_WEEKS,
    USER_WEEKS,
)
from turret_pipeline.tables.fields import (
    FIELD_TYPE_CHANGES,
    FIELD_TYPES,
    FIELD_VALUES,
    FIELDS,
    NUMBER_DAYS,
    SESSION_VALUES,
)
from turret_pipeline.tables.insights import DATA_DAYS, TOPIC_DAYS, TOPIC_NUMBERS, TOPIC_SEGMENTS, TOPIC_TRENDS
from turret_pipeline.tables.journey_patterns import (
    JOURNEY_LOOPS,
    JOURNEY_PATHS,
    JOURNEY_SEGMENTS,
    JOURNEY_STRUGGLES,
    TOPIC_OUTCOMES,
)
from turret_pipeline.tables.journeys import (
    END,
    EVENT_NAME,
    JOURNEY_EDGES,
    JOURNEY_NODES,
    JOURNEY_STEPS,
    OTHER,
    SESSIONS,
    START,
    STRUGGLE_OUTCOME,
    USER,
)
from turret_pipeline.tables.runs import PIPELINE_RUNS, QUALITY_CHECKS, REPORT_LINES
from turret_pipeline.tables.signals import EXCHANGE_SIGNALS, TOPIC_SIGNALS
from turret_pipeline.tables.topics import (
    CHANGES,
    CONTINUATIONS,
    EVENT_TEXTS,
    EVENT_TOPICS,
    FIELD_LANGUAGES,
    TEXT_TOPICS,
    TEXTS,
    TOPIC_DEFINITIONS,
    TOPIC_LINEAGE,
    TOPIC_RUNS,
    TOPICS,
)

__all__ = [
    "CHANGES",
    "CONTINUATIONS",
    "DATA_DAYS",
    "DUCKDB_TYPES",
    "END",
    "EVENTS",
    "EVENT_NAME",
    "EVENT_TEXTS",
    "EVENT_TOPICS",
    "EVENT_VALUES",
    "EXCHANGES",
    "EXCHANGE_ROLES",
    "EXCHANGE_SIGNALS",
    "EXCHANGE_VALUES",
    "FIELDS",
    "FIELD_LANGUAGES",
    "FIELD_TYPES",
    "FIELD_TYPE_CHANGES",
    "FIELD_VALUES",
    "IDENTITIES",
    "JOURNEY_EDGES",
    "JOURNEY_LOOPS",
    "JOURNEY_NODES",
    "JOURNEY_PATHS",
    "JOURNEY_SEGMENTS",
    "JOURNEY_STEPS",
    "JOURNEY_STRUGGLES",
    "LAKE_EVENTS",
    "LAKE_TABLES",
    "MART_TABLES",
    "NUMBER_DAYS",
    "OTHER",
    "PIPELINE_RUNS",
    "POLARS_TYPES",
    "PUBLISHED_LAST",
    "QUALITY_CHECKS",
    "REJECTED_EVENTS",
    "REPORT_LINES",
    "SCRUBBED_VALUES",
    "SESSIONS",
    "SESSION_VALUES",
    "SOURCE_FILES",
    "START",
    "STRUGGLE_OUTCOME",
    "TEXTS",
    "TEXT_TOPICS",
    "TOPICS",
    "TOPIC_DAYS",
    "TOPIC_DEFINITIONS",
    "TOPIC_EXCHANGE_NUMBERS",
    "TOPIC_LINEAGE",
    "TOPIC_NUMBERS",
    "TOPIC_OUTCOMES",
    "TOPIC_RETENTION",
    "TOPIC_RUNS",
    "TOPIC_SEGMENTS",
    "TOPIC_SIGNALS",
    "TOPIC_TRENDS",
    "TOPIC_WEEKS",
    "USER",
    "USER_WEEKS",
    "Column",
    "Kind",
    "Table",
]

LAKE_TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        LAKE_EVENTS, IDENTITIES, REJECTED_EVENTS, SOURCE_FILES, SCRUBBED_VALUES, EVENT_VALUES, FIELDS,
        FIELD_TYPE_CHANGES, EVENT_TEXTS, TEXTS, TEXT_TOPICS, TOPIC_DEFINITIONS, TOPIC_LINEAGE, TOPIC_RUNS,
        CONTINUATIONS, DATA_DAYS, TOPIC_TRENDS, TOPIC_SEGMENTS, FIELD_LANGUAGES, EXCHANGE_ROLES, EXCHANGES,
        EXCHANGE_VALUES, EXCHANGE_SIGNALS, TOPIC_SIGNALS, JOURNEY_STEPS, JOURNEY_EDGES, JOURNEY_NODES, JOURNEY_LOOPS,
        JOURNEY_PATHS, JOURNEY_SEGMENTS, JOURNEY_STRUGGLES, TOPIC_OUTCOMES,
    )
}  # fmt: skip
"""Tables that Python writes as Parquet under lake/."""

MART_TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        EVENTS, IDENTITIES, REJECTED_EVENTS, SOURCE_FILES, SCRUBBED_VALUES, FIELDS, FIELD_TYPE_CHANGES, FIELD_VALUES,
        SESSION_VALUES, NUMBER_DAYS, FIELD_LANGUAGES, TOPICS,
        EVENT_TOPICS, TOPIC_DAYS, TOPIC_LINEAGE, TOPIC_RUNS, TOPIC_SEGMENTS, TOPIC_NUMBERS, SESSIONS, EXCHANGE_ROLES,
        EXCHANGES, EXCHANGE_VALUES, EXCHANGE_SIGNALS, TOPIC_SIGNALS,
        TOPIC_EXCHANGE_NUMBERS, TOPIC_WEEKS, USER_WEEKS, TOPIC_RETENTION,
        JOURNEY_STEPS,
        JOURNEY_EDGES, JOURNEY_NODES, JOURNEY_LOOPS, JOURNEY_PATHS, JOURNEY_SEGMENTS, JOURNEY_STRUGGLES, TOPIC_OUTCOMES,
        QUALITY_CHECKS, PIPELINE_RUNS, REPORT_LINES,
    )
}  # fmt: skip
"""Tables published in schema marts: built by dbt, except PUBLISHED_LAST."""

PUBLISHED_LAST = (QUALITY_CHECKS, PIPELINE_RUNS, REPORT_LINES)
"""Tables of the run itself, written into the built file just before it is published."""
