"""Events with an id each: ids that the collector made up, ids from the content, and rows that repeat an event."""

import duckdb

from turret_pipeline.ingest.part_views import POSITION, has_rows


def drop_invented_ids(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the view ``sent``: parts without the sessions and users that the collector made up.

    An id that a client sent back in any event is real from its first event on.
    """
    if not has_rows(connection, "from parts where is_session_assumed or is_user_assumed"):
        connection.execute("create temp view sent as select *, false as is_user_invented from parts")
        return
    for name, mark in (("session_id", "is_session_assumed"), ("user_id", "is_user_assumed")):
        connection.execute(f"""
            create temp table invented_{name}s as
            select {name} from parts where {name} is not null group by {name} having bool_and({mark})""")
    connection.execute(
        "delete from invented_user_ids where user_id in (select unnest([sent_id, linked_id]) from links)"
    )
    connection.execute("""
        create temp view sent as
        select parts.* replace (
                if(invented_session_ids.session_id is null, parts.session_id, null) as session_id,
                if(invented_user_ids.user_id is null, parts.user_id, null) as user_id
            ),
            invented_user_ids.user_id is not null as is_user_invented
        from parts
        left join invented_session_ids on invented_session_ids.session_id = parts.session_id
        left join invented_user_ids on invented_user_ids.user_id = parts.user_id""")


def assign_event_ids(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the view ``identified``: sent events with an id, derived from the content if the source has none."""
    if not has_rows(connection, "from sent where content_id is not null"):
        connection.execute("create temp view identified as from sent")
        return
    connection.execute(f"""
        create temp table content_ids as
        select {POSITION}, 'h' || content_id || case when nth > 1 then '-' || nth else '' end as content_id
        from (
            select {POSITION}, content_id,
                row_number() over (partition by growth_number, content_id order by line_number, item_number) as nth
            from sent join files using (file_number) where content_id is not null
        )""")
    connection.execute(f"""
        create temp view identified as
        select sent.* replace (coalesce(sent.event_id, content_ids.content_id) as event_id)
        from sent left join content_ids using ({POSITION})""")


def drop_duplicates(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the table ``repeats`` and the view ``deduplicated``: of rows with one event id, the one that counts.

    That is the one read last: an export that comes again may be corrected. Only for ids from the content it is the one
    read first, as such rows are equal. What it lacks of user and session comes from the latest row that has them: a
    Langfuse trace and its observation repeat one event, and only the trace has a user. Of the call of a tool, a row
    that tells how it ended comes first. ``first_published_until`` is what was published when the event was read first.
    """
    connection.execute("""
        create temp table repeated_ids as
        select event_id from traced group by event_id having count(*) > 1""")
    connection.execute(_REPEATS)
    if not has_rows(connection, "from repeats"):
        connection.execute("""
            create temp view deduplicated as
            select traced.*, published_until as first_published_until
            from traced join files using (file_number)""")
        return
    connection.execute(f"""
        create temp view deduplicated as
        select traced.* replace (
                coalesce(traced.user_id, known_user_id) as user_id,
                case when traced.session_id is null or is_session_lone
                    then coalesce(known_session_id, if(known_user_id is null, traced.session_id, null))
                    else traced.session_id end as session_id
            ),
            if(place is null, published_until, repeats.first_published_until) as first_published_until
        from traced
        join files using (file_number)
        left join repeats using ({POSITION})
        where coalesce(place, 1) = 1""")


_REPEATS = f"""
    create temp table repeats as
    with repeated as (
        select {POSITION}, event_id, user_id, if(is_session_lone, null, session_id) as session_id,
            starts_with(event_name, 'tool:') and not contains(metadata, '"status":"') as is_open_call,
            read_order, published_until, bool_or(content_id is not null) over (partition by event_id) as is_content_id
        from traced join files using (file_number) where event_id in (from repeated_ids)
    )
    select {POSITION}, is_content_id,
        row_number() over latest as place,
        first_value(user_id ignore nulls) over latest as known_user_id,
        first_value(session_id ignore nulls) over latest as known_session_id,
        last_value(published_until) over oldest as first_published_until
    from repeated
    window latest as (
        partition by event_id
        order by is_open_call, if(is_content_id, -1, 1) * read_order::bigint desc,
            if(is_content_id, -1, 1) * line_number desc, if(is_content_id, -1, 1) * item_number desc
        rows between unbounded preceding and unbounded following
    ),
    oldest as (
        partition by event_id order by read_order desc, line_number desc, item_number desc
        rows between unbounded preceding and unbounded following
    )"""
