"""Published tables as numbers, for figures that are counted while a person waits.

The schema ``numbered`` of the published file is no contract: it repeats the tables in ``marts``, and may change with
any version. Counting by numbers takes a fifth of the time of counting by texts.

- ``nodes`` (node, node_id): nodes, topics and themes, with START, END and OTHER, counted from 0 in the order of
  node_id.
- ``users`` (user_number, user_id): all users, in the order of user_id.
- ``sessions`` (session_number, user_number, started_at): session_number is the row of marts.sessions, from 0.
- ``session_values`` (field, value, session_number): marts.session_values.
- ``steps`` (dimension, sequence, cluster, step_number, node, event_count, seconds_to_next, and STEP_COLUMNS):
  marts.journey_steps, in order. A sequence is a session_number, or a user_number if the dimension is one of users. The
  cluster is the person that a sequence depends on: their user_number, or if the user is unknown the session itself, as
  -1 - session_number. STEP_COLUMNS are the nodes of the four steps before it in its sequence and of the four after
  it, null where there are none, and flags of the first step of a sequence on its node, with its next node, on its node
  with more than one event, and with its next node and back: so that sequences are counted without grouping them.
- ``visits`` (dimension, session_number, user_number, node, position, event_at): the events of each dimension of
  sessions, in order. The position is the row of marts.events.
- ``units`` (field, topic, session_number, cluster, unit_at, decided, found): the exchanges of each text field of
  prompts with the node of their subject, and the events of other text fields with that of their topic, by time. Bit n
  of ``decided`` is set if signal n of SIGNALS_OF_TOPICS is decided for an exchange, that of ``found`` if it is true.
"""

import duckdb

from turret_pipeline.tables import END, EVENT_NAME, OTHER, START, USER
from turret_pipeline.tables.signals import SIGNALS_OF_TOPICS

MEANING = "Copy of tables in marts as numbers, for the dashboard. No contract: it may change with any version."

_TABLES = "select table_name from duckdb_tables() where schema_name = 'numbered'"

_NAMES = f"""
create table numbered.nodes as
with names as (
    select node_id from marts.journey_steps union select topic_id from marts.topics
    union select theme_id from marts.topics where theme_id is not null
    union select unnest(['{START}', '{END}', '{OTHER}'])
)
select (row_number() over (order by node_id) - 1)::int as node, node_id from names order by node_id;

create table numbered.users as
with names as (
    select user_id from marts.sessions union select user_id from marts.events union
    select user_id from marts.journey_steps
)
select (row_number() over (order by user_id) - 1)::int as user_number, user_id
from names where user_id is not null order by user_id;

create table numbered.sessions as
select sessions.rowid::int as session_number, user_number, started_at
from marts.sessions left join numbered.users using (user_id) order by sessions.rowid;
"""

_SCHEMA = """
create schema numbered;
create table numbered.visits (
    dimension varchar, session_number integer, user_number integer, node integer, position bigint, event_at timestamptz
);
create table numbered.steps (
    dimension varchar, sequence integer, cluster integer, step_number integer, node integer, event_count bigint,
    seconds_to_next double, next_node integer, next_node_2 integer, next_node_3 integer, next_node_4 integer,
    previous_node integer, previous_node_2 integer, previous_node_3 integer, previous_node_4 integer,
    is_first_visit boolean, is_first_move boolean, is_first_repeat boolean, is_first_bounce boolean
);
create table numbered.units (
    field varchar, topic integer, session_number integer, cluster integer, unit_at timestamptz, decided usmallint,
    found usmallint
);
create temp table session_numbers as select session_id, rowid::int as session_number from marts.sessions;
"""

_DIMENSIONS = "select distinct dimension from marts.journey_steps order by dimension"

_NUMBERED_STEPS = """
create or replace temp table numbered_steps as
select {sequence} as sequence, coalesce(user_number, -1 - session_number) as cluster, step_number::int as step_number,
    node, event_count, seconds_to_next
from (from marts.journey_steps where dimension = $dimension)
join numbered.nodes using (node_id)
left join numbered.users using (user_id)
left join session_numbers using (session_id)
order by sequence, step_number
"""

NEIGHBOURS = {
    1: "next_node",
    2: "next_node_2",
    3: "next_node_3",
    4: "next_node_4",
    -1: "previous_node",
    -2: "previous_node_2",
    -3: "previous_node_3",
    -4: "previous_node_4",
}
"""Columns of steps with the node of the step so many steps later, or earlier."""


def _select_neighbour(distance: int, name: str) -> str:
    function = f"{'lead' if distance > 0 else 'lag'}({{}}, {abs(distance)}) over ()"
    return f"case when {function.format('sequence')} = sequence then {function.format('node')} end as {name}"


STEP_COLUMNS = f"""
select *, row_number() over (partition by sequence, node order by step_number) = 1 as is_first_visit,
    row_number() over (partition by sequence, node, next_node order by step_number) = 1 as is_first_move,
    event_count > 1 and row_number() over (partition by sequence, node, event_count > 1 order by step_number) = 1
        as is_first_repeat,
    (node = next_node_2 and row_number() over (
        partition by sequence, node, next_node, node = next_node_2 order by step_number
    ) = 1) is true as is_first_bounce
from (select *, {", ".join(_select_neighbour(*neighbour) for neighbour in NEIGHBOURS.items())} from {{steps}})
"""
"""The query of ``steps``, which are in order, with what they know of their sequences.

Windows without an order of their own keep the order of rows, and need no sort; the others do not keep it.
"""

_STEPS = f"""
insert into numbered.steps by name
select *, $dimension as dimension from ({STEP_COLUMNS.format(steps="numbered_steps")}) order by sequence, step_number
"""

_VISITS = """
insert into numbered.visits
select dimension, session_number, user_number, node, position, event_at
from ({visits})
join numbered.nodes using (node_id)
join session_numbers using (session_id)
left join numbered.users using (user_id)
order by position
"""

_SESSION_VALUES = """
create table numbered.session_values as
select field, value, session_number from marts.session_values join session_numbers using (session_id)
order by field, value, session_number
"""

_UNITS = """
insert into numbered.units
select field, node, session_number, coalesce(user_number, -1 - session_number), unit_at, decided, found
from ({units})
join session_numbers using (session_id)
left join numbered.nodes on node_id = topic_id
left join numbered.users using (user_id)
order by unit_at
"""


def _set_bits(condition: str) -> str:
    """SQL: bit n is set if the condition is true of signal n."""
    bits = (f"if({condition.format(name)}, {1 << bit}, 0)" for bit, name in enumerate(SIGNALS_OF_TOPICS))
    return f"({' | '.join(bits)})::usmallint"


_EXCHANGES = f"""
select field, subject_topic_id as topic_id, session_id, user_id, prompt_at as unit_at,
    coalesce(decided, 0) as decided, coalesce(found, 0) as found
from (from marts.exchanges where field = $field)
left join (
    select exchange_id, {_set_bits("is_{} is not null")} as decided, {_set_bits("is_{}")} as found
    from marts.exchange_signals
) using (exchange_id)
"""

_TEXT_EVENTS = """
select field, topic_id, session_id, user_id, event_at as unit_at, 0 as decided, 0 as found
from marts.event_topics join marts.events using (event_id) where field = $field
"""

_FIELDS = """
select field, bool_or(is_of_prompts) from (
    select distinct field, true as is_of_prompts from marts.exchanges where field is not null
    union select distinct field, false from marts.event_topics
) group by field order by field
"""

_EVENTS = f"""
select '{EVENT_NAME}' as dimension, event_name as node_id, rowid as position, session_id, user_id, event_at
from marts.events
"""

_TOPICS = """
select field as dimension, coalesce(continues_topic_id, topic_id) as node_id, position, session_id, user_id, event_at
from (from marts.event_topics where field = $field and coalesce(continues_topic_id, topic_id) is not null)
join (select event_id, rowid as position, session_id, user_id, event_at from marts.events) using (event_id)
"""


def write_numbered_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Write the index into a file whose other tables are complete."""
    connection.execute(_SCHEMA)
    connection.execute(_NAMES)
    for (dimension,) in connection.execute(_DIMENSIONS).fetchall():
        sequence = "user_number" if dimension.startswith(USER) else "session_number"
        connection.execute(_NUMBERED_STEPS.format(sequence=sequence), {"dimension": dimension})
        connection.execute(_STEPS, {"dimension": dimension})
    connection.execute(_VISITS.format(visits=_EVENTS))
    connection.execute(_SESSION_VALUES)
    for field, is_of_prompts in connection.execute(_FIELDS).fetchall():
        connection.execute(_VISITS.format(visits=_TOPICS), {"field": field})
        units = _EXCHANGES if is_of_prompts else _TEXT_EVENTS
        connection.execute(_UNITS.format(units=units), {"field": field})
    connection.execute("drop table if exists numbered_steps; drop table session_numbers")
    for (table,) in connection.execute(_TABLES).fetchall():
        connection.execute(f"comment on table numbered.{table} is '{MEANING}'")
