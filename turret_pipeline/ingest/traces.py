"""Sessions and users of events that only other events of their trace name."""

import duckdb

from turret_pipeline.ingest.part_views import ORDER, has_rows


def complete_from_traces(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the view ``traced``: events without session or user have the first ones of their trace.

    A session that stands in for a missing one is replaced too, by none if the trace has a user: it is then derived.
    """
    if not has_rows(connection, "from identified where trace_id is not null"):
        connection.execute("create temp view traced as from identified")
        return
    connection.execute(f"""
        create temp table traces as
        select trace_id,
            arg_min(session_id, ({ORDER})) filter (session_id is not null and not is_session_lone) as session_id,
            arg_min(user_id, ({ORDER})) filter (user_id is not null) as user_id
        from identified where trace_id is not null group by trace_id
        having coalesce(arg_min(session_id, ({ORDER})) filter (not is_session_lone), min(user_id)) is not null""")
    connection.execute("""
        create temp view traced as
        select identified.* replace (
                if(identified.is_session_lone and traces.trace_id is not null, traces.session_id,
                    coalesce(identified.session_id, traces.session_id)) as session_id,
                coalesce(identified.user_id, traces.user_id) as user_id,
                identified.is_session_lone and traces.trace_id is null as is_session_lone
            )
        from identified left join traces using (trace_id)""")
