"""Users of events: the ids of one person become one id, whatever the order of the files.

Belongs here: what the evidence of ids says about the user of each event. Not here: how rows give evidence.
"""

import duckdb
import polars as pl

from turret_pipeline.ingest.part_views import POSITION, has_rows

PERSONS_SCHEMA = pl.Schema({"id": pl.String(), "person_id": pl.String()})


def resolve_users(connection: duckdb.DuckDBPyConnection, *, is_enabled: bool) -> None:
    """Create the view ``resolved``: events with the id of the person, and ``sent_user_id``.

    Aliases of an id unite with it. An anonymous id belongs to the user that it is linked with; if these are several, an
    event belongs to the one who is seen next with the id, or else to the last one. Users never unite through an
    anonymous id, and an id that is linked as a user is never anonymous.
    """
    connection.execute(_IDENTITY_LINKS, {"is_enabled": is_enabled})
    connection.execute(_ANONYMOUS_IDS)
    if not has_rows(connection, "from identity_links where linked_id is not null"):
        connection.execute("create temp table anonymous_links (sent_id varchar, user_id varchar, seen_at timestamptz)")
        connection.execute("create temp table persons (id varchar, person_id varchar)")
        connection.execute("create temp view resolved as select *, user_id as sent_user_id from deduplicated")
        return
    connection.register("found_persons", find_persons(connection.sql(_ALIASES).pl()))
    connection.execute("create temp table persons as from found_persons")
    connection.execute(_ANONYMOUS_LINKS)
    connection.execute(_OWNERS)
    connection.execute(_SHARED_ID_EVENTS)
    connection.execute(f"""
        create temp view resolved as
        select deduplicated.* replace (
                coalesce(shared_id_events.user_id, owners.user_id, person_id, deduplicated.user_id) as user_id
            ),
            deduplicated.user_id as sent_user_id
        from deduplicated
        left join owners on owners.sent_id = deduplicated.user_id
        left join persons on persons.id = deduplicated.user_id
        left join shared_id_events using ({POSITION})""")


def find_persons(aliases: pl.DataFrame) -> pl.DataFrame:
    """The person of each id (PERSONS_SCHEMA), given links of ``sent_id`` as an alias of ``linked_id``.

    Linked ids are one person. Its id is one that is no alias of another, of these the one seen first, and of these the
    first by name. ``seen_at`` is when the link was seen first.
    """
    leaders: dict[str, str] = {}

    def find_leader(name: str) -> str:
        while leaders.setdefault(name, name) != name:
            leaders[name] = name = leaders[leaders[name]]
        return name

    for sent, linked in aliases.select("sent_id", "linked_id").iter_rows():
        leaders[find_leader(sent)] = find_leader(linked)
    ids = pl.DataFrame({"id": list(leaders), "group": [find_leader(name) for name in leaders]}, _GROUPS_SCHEMA)
    links = pl.concat([aliases.select(pl.col(name).alias("id"), "seen_at") for name in ("sent_id", "linked_id")])
    seen = links.group_by("id").agg(pl.col("seen_at").min())
    is_alias = pl.col("id").is_in(aliases["sent_id"].implode())
    ranked = ids.join(seen, on="id").sort(is_alias, "seen_at", "id", nulls_last=True)
    return ranked.select("id", pl.col("id").first().over("group").alias("person_id")).sort("id")


_GROUPS_SCHEMA = pl.Schema({"id": pl.String(), "group": pl.String()})

_IDENTITY_LINKS = """
    create temp table identity_links as
    select sent_id, id_kind, linked_id, evidence, seen_at from links where $is_enabled
    group by all"""

_ANONYMOUS_IDS = """
    create temp table anonymous_ids as
    select sent_id, if(bool_or(id_kind = 'anonymous'), 'anonymous', 'device') as id_kind
    from identity_links
    where id_kind != 'user'
        and sent_id not in (select linked_id from identity_links where id_kind != 'user' and linked_id is not null)
    group by sent_id"""

_ALIASES = """
    select sent_id, linked_id, min(seen_at) as seen_at
    from identity_links
    where id_kind = 'user' and sent_id not in (select sent_id from anonymous_ids)
        and linked_id not in (select sent_id from anonymous_ids)
    group by sent_id, linked_id order by sent_id, linked_id"""

_ANONYMOUS_LINKS = """
    create temp table anonymous_links as
    with pairs as (
        select sent_id, linked_id, seen_at from identity_links
        union all
        select linked_id, sent_id, seen_at from identity_links where id_kind = 'user'
    )
    select pairs.sent_id, min(coalesce(person_id, linked_id)) as user_id,
        coalesce(seen_at, '-infinity'::timestamptz) as seen_at
    from pairs
    semi join anonymous_ids on anonymous_ids.sent_id = pairs.sent_id
    left join persons on persons.id = linked_id
    where linked_id is not null and linked_id not in (select sent_id from anonymous_ids)
    group by pairs.sent_id, seen_at"""
"""The user of each anonymous id at each time; an alias of an anonymous id is such a user too."""

_OWNERS = """
    create temp table owners as
    select sent_id, if(min(user_id) = max(user_id), min(user_id), null) as user_id
    from anonymous_links group by sent_id"""
"""The only user of each anonymous id; null if it has several."""

_SHARED_ID_EVENTS = f"""
    create temp table shared_id_events as
    with shared as (
        select {POSITION}, event_at, sent_id
        from deduplicated join owners on owners.sent_id = deduplicated.user_id where owners.user_id is null
    )
    select {POSITION}, coalesce(next_link.user_id, last_link.user_id) as user_id
    from shared
    asof left join anonymous_links as next_link
        on next_link.sent_id = shared.sent_id and shared.event_at <= next_link.seen_at
    asof left join anonymous_links as last_link
        on last_link.sent_id = shared.sent_id and shared.event_at > last_link.seen_at"""

IDENTITIES = """
    with evidence as (
        select sent_id, evidence, seen_at from identity_links
        union all
        select linked_id, evidence, seen_at from identity_links where linked_id is not null
    ),
    seen as (
        select sent_id, string_agg(distinct evidence, ', ' order by evidence) as evidence, min(seen_at) as first_seen_at
        from evidence group by sent_id
    ),
    named as (
        select sent_user_id as sent_id, user_id, 'event' as evidence, min(event_at) as first_seen_at
        from resolved where sent_user_id is not null group by sent_user_id, user_id
        union all
        select sent_id, user_id, null, nullif(min(seen_at), '-infinity') from anonymous_links group by sent_id, user_id
        union all
        select user_id, user_id, null, nullif(min(seen_at), '-infinity') from anonymous_links group by user_id
        union all
        select id, person_id, null, first_seen_at from persons join seen on seen.sent_id = id
    ),
    ids as (
        select sent_id, user_id, max(evidence) as evidence, min(first_seen_at) as first_seen_at
        from named group by sent_id, user_id
    )
    select sent_id, coalesce(id_kind, 'user') as id_kind, user_id,
        concat_ws(', ', ids.evidence, seen.evidence) as evidence, ids.first_seen_at
    from ids
    left join seen using (sent_id)
    left join anonymous_ids using (sent_id)
    order by sent_id, user_id"""
"""The table ``identities``."""
