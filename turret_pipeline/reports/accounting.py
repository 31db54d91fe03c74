"""The accounts of a published file: its checks, rejected rows, files, assumptions and runs."""

import polars as pl

from turret_pipeline.reports.published_tables import PublishedTables

_CHECKS = """
select table_name, check_name, is_passed, is_blocking from marts.quality_checks
order by is_passed, table_name, check_name
"""

_REASONS = """
select reason_code, count(*) as row_count, count(distinct content_sha256) as file_count,
    count(*) filter (is_mended) as fixed_count, any_value(reason order by source_file, line_number) as example_reason
from marts.rejected_events group by reason_code order by row_count desc, reason_code
"""

_REJECTED = """
select source_file, line_number, reason_code, reason, raw_text, is_mended from marts.rejected_events
where reason_code = $1 or $1 = '' order by source_file, line_number
"""

_FILES = "select * from marts.source_files order by ingested_at desc, source_file"

ASSUMPTIONS = {
    "repaired_count": "Rows with a character or number that no table can hold, which was replaced",
    "assumed_id_count": "Events without an id in the source: a hash of the content is their id",
    "assumed_time_count": "Events without a time in the source: they have the time of their file",
    "assumed_zone_count": "Events whose time has no zone in the source: the setting input_time_zone decided",
    "assumed_user_count": "Events whose user id the collector made up, which name no user",
    "textless_exchange_count": "Prompts, answers and calls of language models without text in the source",
    "split_session_count": "Events that got a new session id, because another user had theirs first",
    "late_count": "Events from days before the latest day that was published when they were read",
    "superseded_count": "Rows that lost to a row with the same event id that was read later",
}
"""Columns of source_files that count what the pipeline had to assume or change, with their meaning."""

_RUNS = """
select run_number, published_at, date_diff('second', started_at, published_at) as seconds, event_count, topic_count,
    no_topic_share, package_version, run_id
from marts.pipeline_runs order by run_number desc
"""


def read_checks(published: PublishedTables) -> pl.DataFrame:
    """Checks of the published tables, failed ones first."""
    return published.query(_CHECKS)


def count_rejected(published: PublishedTables) -> pl.DataFrame:
    """Rejected rows by reason, with an example of what was wrong."""
    return published.query(_REASONS)


def list_rejected(published: PublishedTables, reason_code: str) -> pl.DataFrame:
    """Rejected rows with a reason, or all of them, by file and line."""
    return published.query(_REJECTED, reason_code)


def list_files(published: PublishedTables) -> pl.DataFrame:
    """Files that were read, the last ones first.

    Rows read are the sum of accepted, duplicate, rejected and forgotten ones.
    """
    files = published.query(_FILES)
    if "forgotten_count" not in files.columns:  # published by a version that erased nothing
        files = files.with_columns(pl.lit(0, pl.Int64).alias("forgotten_count"))
    return files


def count_assumptions(files: pl.DataFrame) -> pl.DataFrame:
    """Sums of ASSUMPTIONS over the files (name, meaning, count, accepted_count), without those that did not occur."""
    counts = [(name, meaning, int(files[name].sum() or 0)) for name, meaning in ASSUMPTIONS.items()]
    schema = {"name": pl.String(), "meaning": pl.String(), "count": pl.Int64()}
    accepted = pl.lit(int(files["accepted_count"].sum() or 0)).alias("accepted_count")
    return pl.DataFrame(counts, schema, orient="row").filter(pl.col("count") > 0).with_columns(accepted)


def list_runs(published: PublishedTables) -> pl.DataFrame:
    """Published runs, the last ones first."""
    return published.query(_RUNS)
