"""Dagster's log of events as a list in memory, for runs of tests that need neither its files nor its queries."""

from collections.abc import Sequence

import dagster as dg
from dagster._core.storage.dagster_run import DagsterRunStatsSnapshot
from dagster._core.storage.event_log import InMemoryEventLogStorage
from dagster._core.storage.event_log.base import AssetRecord, EventLogConnection
from dagster._serdes import ConfigurableClassData


class EventList(InMemoryEventLogStorage):
    """The events of one run, from which the run reads the results of its checks and its start.

    Dagster's own log in memory writes each event to tables of SQLite, which takes a tenth of a small run.
    """

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(inst_data)
        self._events: list[dg.EventLogEntry] = []

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Add the event to the list."""
        self._events.append(event)

    def get_records_for_run(
        self,
        run_id: str,
        cursor: str | None = None,
        of_type: dg.DagsterEventType | set[dg.DagsterEventType] | None = None,
        limit: int | None = None,
        ascending: bool = True,
    ) -> EventLogConnection:
        """All events of the run, or those of some types, in their order."""
        assert (cursor, limit, ascending) == (None, None, True)
        wanted = {of_type} if isinstance(of_type, dg.DagsterEventType) else of_type
        records = [
            dg.EventLogRecord(number, event)
            for number, event in enumerate(self._events)
            if event.run_id == run_id and (wanted is None or event.dagster_event_type in wanted)
        ]
        return EventLogConnection(records, cursor="", has_more=False)

    def get_stats_for_run(self, run_id: str) -> DagsterRunStatsSnapshot:
        """The start of the run; the counts of its steps are not kept."""
        started = self.get_records_for_run(run_id, of_type=dg.DagsterEventType.RUN_START).records
        return DagsterRunStatsSnapshot(
            run_id=run_id,
            steps_succeeded=0,
            steps_failed=0,
            materializations=0,
            expectations=0,
            enqueued_time=None,
            launch_time=None,
            start_time=started[0].timestamp if started else None,
            end_time=None,
        )

    def get_asset_records(self, asset_keys: Sequence[dg.AssetKey] | None = None) -> Sequence[AssetRecord]:  # noqa: ARG002
        """None: what earlier runs materialized is not kept."""
        return []
