"""Sessions of events: each belongs to one person, and events without a session get one."""

import duckdb

from turret_pipeline.ingest.part_views import ORDER, POSITION, has_rows


def separate_persons(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the view ``separated``: resolved events whose sessions have one person each; and ``split_events``.

    An event without a user belongs to the person of its session. If several persons share a session id, it belongs to
    the one before it, or else after it; the person of the first event keeps the id, and the id of each other one ends
    with a hash of the user. The table ``split_events`` marks the events with another id.
    """
    connection.execute("""
        create temp table joint_sessions as
        select session_id, if(min(user_id) = max(user_id), min(user_id), null) as user_id
        from resolved where session_id is not null
        group by session_id
        having count(user_id) > 0 and (min(user_id) != max(user_id) or count(*) > count(user_id))""")
    connection.execute(_SPLIT_EVENTS)
    if not has_rows(connection, "from joint_sessions"):
        connection.execute("create temp view separated as from resolved")
        return
    connection.execute(f"""
        create temp view separated as
        select resolved.* replace (
                coalesce(split_events.session_id, resolved.session_id) as session_id,
                coalesce(resolved.user_id, split_events.user_id, joint_sessions.user_id) as user_id
            )
        from resolved
        left join joint_sessions on joint_sessions.session_id = resolved.session_id
        left join split_events using ({POSITION})""")


_SPLIT_EVENTS = f"""
    create temp table split_events as
    with shared as (
        select {POSITION}, event_at, nanosecond, resolved.session_id, resolved.user_id
        from resolved join joint_sessions on joint_sessions.session_id = resolved.session_id
        where joint_sessions.user_id is null
    ),
    owned as (
        select {POSITION}, session_id,
            coalesce(
                last_value(user_id ignore nulls) over (
                    in_order rows between unbounded preceding and current row
                ),
                first_value(user_id ignore nulls) over (
                    in_order rows between current row and unbounded following
                )
            ) as user_id,
            first_value(user_id ignore nulls) over (
                partition by session_id order by event_at, nanosecond, user_id
                rows between unbounded preceding and unbounded following
            ) as first_user_id
        from shared
        window in_order as (partition by session_id order by {ORDER})
    )
    select {POSITION}, user_id, user_id != first_user_id as has_other_id,
        if(has_other_id, session_id || '~' || left(md5(user_id), 12), session_id) as session_id
    from owned"""


def sessionize(connection: duckdb.DuckDBPyConnection, gap_minutes: float) -> None:
    """Create the view ``sessionized``: events without a session get one derived from their user and their time.

    A derived session holds events of one user without a longer gap and is named after its first event. An event without
    a user gets a session of its own.
    """
    if not has_rows(connection, "from separated where session_id is null"):
        connection.execute("""
            create temp view sessionized as
            select separated.*, false as is_session_derived from separated""")
        return
    connection.execute(
        f"""
        create temp table derived_sessions as
        with gaps as (
            select {POSITION}, event_id, user_id, event_at, nanosecond,
                event_at - lag(event_at) over (partition by user_id order by {ORDER}) as gap
            from separated where session_id is null and user_id is not null
        ),
        session_starts as (
            select *, if(gap is null or gap > to_microseconds($gap), event_id, null) as first_event_id from gaps
        )
        select {POSITION}, 'session-' || last_value(first_event_id ignore nulls) over (
            partition by user_id order by {ORDER} rows between unbounded preceding and current row
        ) as session_id
        from session_starts
        union all
        select {POSITION}, 'session-' || event_id from separated where session_id is null and user_id is null""",
        {"gap": int(gap_minutes * 60e6)},
    )
    connection.execute(f"""
        create temp view sessionized as
        select separated.* replace (coalesce(separated.session_id, derived_sessions.session_id) as session_id),
            separated.session_id is null as is_session_derived
        from separated left join derived_sessions using ({POSITION})""")
