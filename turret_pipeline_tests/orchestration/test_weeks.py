"""The macros of the dbt project, and weeks of other settings."""

import datetime as dt
from pathlib import Path

import duckdb
import jinja2
import pytest

from turret_pipeline.stats.shares import share_interval
from turret_pipeline.topics.insights.periods import WEEKDAYS
from turret_pipeline_tests.commands import PROJECT, conversations, open_published, run_job, write_events

MACROS = PROJECT / "dbt_transforms" / "macros"


def render(macro: str, *arguments: str) -> str:
    """The SQL that a call of a macro becomes."""
    files = ("local_date", "week_start_date", "wilson_interval")
    call = f"{{{{ {macro}({', '.join(map(repr, arguments))}) }}}}"
    return jinja2.Template("".join((MACROS / f"{name}.sql").read_text() for name in files) + call).render()


def find_week(moment: str, week_start: str, time_zone: str) -> dt.date:
    with duckdb.connect() as connection:
        connection.execute(f"set timezone = 'UTC'; set variable time_zone = '{time_zone}'")
        connection.execute(f"set variable first_weekday = '{WEEKDAYS.index(week_start)}'")
        week = render("week_start_date", f"timestamptz '{moment}'")
        ((found,),) = connection.execute(f"select {week}").fetchall()
    assert isinstance(found, dt.date)
    return found


@pytest.mark.parametrize(
    ("moment", "week_start", "time_zone", "week"),
    [
        ("2026-03-01 12:00:00+00", "monday", "UTC", dt.date(2026, 2, 23)),
        ("2026-03-01 12:00:00+00", "sunday", "UTC", dt.date(2026, 3, 1)),
        ("2026-02-28 12:00:00+00", "sunday", "UTC", dt.date(2026, 2, 22)),
        ("2026-03-01 12:00:00+00", "saturday", "UTC", dt.date(2026, 2, 28)),
        ("2026-03-01 12:00:00+00", "tuesday", "UTC", dt.date(2026, 2, 24)),
        ("2026-03-01 23:30:00+00", "monday", "Europe/Zurich", dt.date(2026, 3, 2)),
        ("2026-03-02 07:59:59+00", "monday", "America/Los_Angeles", dt.date(2026, 2, 23)),
        ("2026-03-02 08:00:00+00", "monday", "America/Los_Angeles", dt.date(2026, 3, 2)),
        # clocks are set to summer time on 29 March, and back on 25 October
        ("2026-03-29 22:00:00+00", "monday", "Europe/Zurich", dt.date(2026, 3, 30)),
        ("2026-10-25 22:59:59+00", "monday", "Europe/Zurich", dt.date(2026, 10, 19)),
    ],
)
def test_a_week_starts_on_its_day_in_its_zone(moment: str, week_start: str, time_zone: str, week: dt.date) -> None:
    assert find_week(moment, week_start, time_zone) == week


def wilson(count: int, total: int) -> tuple[float, float]:
    ends = ", ".join(render(f"wilson_{end}", "hits", "total") for end in ("low", "high"))
    with duckdb.connect() as connection:
        ((low, high),) = connection.execute(f"select {ends} from (select {count} as hits, {total} as total)").fetchall()
    return low, high


def test_the_interval_of_a_share_is_that_of_wilson() -> None:
    assert wilson(8, 10) == pytest.approx((0.490162, 0.943318), abs=1e-6)
    assert wilson(0, 10) == pytest.approx((0, 0.277533), abs=1e-6)


@pytest.mark.parametrize(("count", "total"), [(0, 1), (1, 1), (0, 7), (3, 7), (7, 7), (1, 1_000_000), (12, 345)])
def test_the_interval_of_a_share_is_the_one_of_journeys(count: int, total: int) -> None:
    low, high = wilson(count, total)
    assert (low, high) == pytest.approx(tuple(map(float, share_interval(count, total))), abs=1e-12)
    assert low <= count / total <= high


def read_rows(data_dir: Path, query: str) -> list[tuple[object, ...]]:
    with open_published(data_dir) as connection:
        return connection.execute(query).fetchall()


def read_weeks(data_dir: Path) -> list[tuple[object, ...]]:
    return read_rows(data_dir, "select week_start_date, is_partial, active_count, new_count from marts.user_weeks")


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over the events of ``small_job`` with weeks of other settings, and numbers as people write them.

    Two further events of known users, two years before and weeks after the others, belong to no week.
    """
    odd = [-1, 0.25, 1e17, -1e17, 3, -1e299, 1e299]
    events, folder = conversations(), tmp_path_factory.mktemp("moved")
    strays = [
        {**events[0], "event_id": "early", "session_id": "early", "timestamp": "2024-05-01T10:00:00Z"},
        {**events[-1], "event_id": "late", "session_id": "late", "timestamp": "2026-05-06T10:00:00Z"},
    ]
    for number, event in enumerate(events):
        values = dict.fromkeys(("latency_seconds", "input_tokens", "cost_usd", "change", "rating"), odd[number % 7])
        event["metadata"] = {**dict(event["metadata"]), **values}  # type: ignore[call-overload]
    extra = {"TURRET_WEEK_START": "sunday", "TURRET_TIME_ZONE": "Pacific/Kiritimati"}
    run_job(folder / "data", write_events(folder / "a.jsonl", [*events, *strays]), extra=extra)
    return folder / "data"


@pytest.mark.slow
def test_settings_move_events_to_other_weeks_and_wrong_clocks_to_none(small_job: Path, moved: Path) -> None:
    """Each day from 1 to 28 March 2026 has events of one of seven users at 10:00 UTC, past midnight on Kiritimati."""
    assert read_weeks(small_job) == [
        (dt.date(2026, 2, 23), True, 1, 1),
        (dt.date(2026, 3, 2), False, 7, 6),
        (dt.date(2026, 3, 9), False, 7, 0),
        (dt.date(2026, 3, 16), False, 7, 0),
        (dt.date(2026, 3, 23), True, 6, 0),
    ]
    assert read_weeks(moved) == [
        (dt.date(2026, 3, 1), True, 6, 6),
        (dt.date(2026, 3, 8), False, 7, 1),
        (dt.date(2026, 3, 15), False, 7, 0),
        (dt.date(2026, 3, 22), False, 7, 0),
        (dt.date(2026, 3, 29), True, 1, 0),
    ]
    with open_published(moved) as connection:
        columns = ("week_start_date from marts.topic_weeks", "cohort_week_date from marts.topic_retention")
        of_topics, of_cohorts = (set(connection.execute(f"select {column}").fetchall()) for column in columns)
    assert of_topics == {(week,) for week, *_ in read_weeks(moved)}
    assert of_cohorts <= of_topics
    cohorts = read_rows(moved, "select distinct cohort_week_date, weeks_since from marts.topic_retention order by all")
    assert cohorts == [(dt.date(2026, 3, 8), 1), (dt.date(2026, 3, 8), 2)]  # of whole weeks


@pytest.mark.slow
def test_numbers_of_people_break_no_rule(moved: Path) -> None:
    """Negative numbers, and numbers that cancel each other, are values as others are."""
    query = "select min(latency_seconds), count(latency_seconds), count(*) from marts.exchanges"
    assert read_rows(moved, query) == [(0.25, 41, len(conversations()) + 2)]
