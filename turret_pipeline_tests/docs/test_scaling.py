"""The page about scaling is that of the measured rates, and its prose holds for them."""

import pytest

from turret_pipeline_tests.docs.scaling import (
    COMMAND,
    MACHINE_GB,
    MEASUREMENTS,
    PAGE,
    WINDOW_HOURS,
    Rates,
    Stage,
    build_page,
    find_largest,
    read_rates,
)

TEXT = """
| stage | 100,000 | 1,000,000 | 10,000,000 | exponent | MB |
|---|---|---|---|---|---|
| ingest | 1 | 10 | 100.0 | 1.00 | 5 |
| topics | 1 | 10 | 30.0 | 0.90 | 5 |
| insights | 1 | 10 | 10.0 | 1.20 | 5 |
| dbt | 1 | 10 | 1,000.0 | 1.50 | 5 |
| all | 1 | 10 | 1,140.0 | 1.10 | 5 |
| nothing new | 1 | 2 | 3 | 0.1 | 5 |
| 1 % more | 49.0 | 139.8 | | | |

| stage, 10,000,000 events | processor s before | now | MB before | now |
|---|---|---|---|---|
| topics, insights | 60 | 20.0 | 5 | 5 |
| all | 5 | 1,200.0 | 5 | 10,000 |
| all, seconds of the clock | 5 | 800.0 | | |

| stored | bytes | per |
|---|---|---|
| vectors of texts | 1,436 | distinct text |
| published file | 355 | event |

| shards | all, s | merge, s | copy |
|---|---|---|---|
| 1,000 | 9.0 | 2.0 | 1.0 |
"""


@pytest.fixture(scope="module")
def measured() -> Rates:
    return read_rates(MEASUREMENTS.read_text(encoding="utf-8"))


def test_the_page_is_up_to_date(measured: Rates) -> None:
    assert PAGE.read_text(encoding="utf-8") == build_page(measured), f"run {COMMAND}"


def test_rates_are_read_from_the_tables_and_a_later_measurement_counts() -> None:
    rates = read_rates(TEXT)
    assert rates.stages == {
        "ingest": Stage(100, 1),
        "topics": Stage(15, 0.9),
        "insights": Stage(5, 1.2),
        "dbt": Stage(1000, 1.5),
    }
    assert (rates.busy_cores, rates.gigabytes) == (1.5, 10)
    assert rates.stored == {"vectors of texts": 1436, "published file": 355}
    assert rates.merge == {"1,000": ["9.0", "2.0", "1.0"]}
    with pytest.raises(ValueError, match=r"no table with the head \\| stored \\| bytes"):
        read_rates(TEXT.replace("| stored |", "| kept |"))


def test_seconds_grow_with_the_exponent_and_at_least_in_proportion() -> None:
    assert Stage(1000, 1.5).seconds_for(1_000_000_000) == pytest.approx(1_000_000)
    assert Stage(15, 0.9).seconds_for(1_000_000_000) == pytest.approx(1500)
    rates = read_rates(TEXT)
    assert rates.whole == ["dbt", "topics", "insights"]
    assert rates.hours_of_merge(10_000_000) == pytest.approx((15 + 5 + 1000) / 1.5 / 3600)
    assert rates.gigabytes_for(25_000_000) == pytest.approx(25)
    assert find_largest(lambda events: rates.gigabytes_for(events) <= 256) == pytest.approx(256_000_000, rel=0.01)


def test_a_changed_rate_changes_the_page(measured: Rates) -> None:
    text = MEASUREMENTS.read_text(encoding="utf-8")
    assert build_page(read_rates(text.replace("| dbt | 354.2 | 362.4 |", "| dbt | 354.2 | 99.9 |"))) != build_page(
        measured
    )


def test_the_prose_holds_for_the_measured_rates(measured: Rates) -> None:
    assert measured.hours_of_merge(10**7) < 1
    assert measured.gigabytes_for(30 * 10**7) > MACHINE_GB
    assert measured.hours_of_merge(10**9) > 24
    assert measured.gigabytes_for(10**9) > 1000
    assert find_largest(lambda events: measured.hours_of_merge(events) <= WINDOW_HOURS) < 30 * 10**7


def test_the_speed_of_the_model_is_in_the_measurements() -> None:
    text = MEASUREMENTS.read_text(encoding="utf-8")
    assert "| PyTorch float32 | 113 |" in text
    assert "bfloat16 384 (" in text
