"""A damaged ledger begins anew, so that the collector starts."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from turret_pipeline.collector.ledger import Ledger, Limit
from turret_pipeline_tests.benchmarks.damage import empty, flip_many_bits, truncate

LIMIT = Limit("shop", "2026-03", None, 1)


@pytest.mark.parametrize("harm", [flip_many_bits, truncate, empty])
def test_a_damaged_ledger_is_put_aside_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: Callable[[Path], None]
) -> None:
    ledger = Ledger(tmp_path, 60)
    with ledger.transaction():
        for number in range(500):
            ledger.record_delivery(f"{number:0100}".encode(), 1.0)
        assert ledger.reserve((LIMIT,), 3) is None
    ledger.close()
    harm(tmp_path / "ledger.sqlite")
    with caplog.at_level(logging.WARNING, "turret_pipeline"):
        ledger = Ledger(tmp_path, 60)
    with ledger.transaction():
        assert ledger.reserve((LIMIT,), 2) is None
    assert ledger.usage("shop", "2026-03") == 2
    ledger.close()
    is_noticed = harm is not empty  # SQLite takes an empty file as a new one
    assert (tmp_path / "ledger.sqlite.damaged").exists() == is_noticed
    assert ("is damaged" in caplog.text) == is_noticed


def test_a_whole_ledger_is_kept(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, 60)
    with ledger.transaction():
        ledger.reserve((LIMIT,), 3)
    ledger.close()
    assert Ledger(tmp_path, 60).usage("shop", "2026-03") == 3
