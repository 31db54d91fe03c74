"""`turret send`: a dump to a running collector, in batches, going on where the last attempt ended."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from turret_pipeline.cli.console import Bars, new_console
from turret_pipeline.collector.client import Client
from turret_pipeline.config.collector import PREFIX, load_collector_settings
from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.errors import TurretError

BATCH_RECORDS, BATCH_BYTES = 1000, 2_000_000
ROW_EVENTS, ROW_BYTES = 10_000, 8_000_000
_SHOWN = 10

if TYPE_CHECKING:  # loaded where they are used
    from turret_pipeline.events.formats import Event, Format
    from turret_pipeline.events.rows import Record


@dataclass
class Sent:
    """How far a file was sent."""

    records: int = 0
    accepted: int = 0
    refused: int = 0
    is_complete: bool = False


@dataclass(frozen=True)
class Row:
    """A row of a file: its events as JSON, or the reason why it has none."""

    line_number: int
    events: list[bytes]
    reason: str = ""


def send(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Events in any form that `turret run` reads.")],
    url: Annotated[str | None, typer.Option("--url", help="The collector.  [default: http://127.0.0.1:8000]")] = None,
    tries: Annotated[int, typer.Option("--tries", min=1, help="How often a batch is tried.")] = 8,
    again: Annotated[bool, typer.Option("--again", help="From the beginning, even if it was sent before.")] = False,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="The data folder.  [default: data]")] = None,
) -> None:
    """Post a file of events to a running collector. The key is read from TURRET_COLLECTOR_API_KEY.

    Stopped or broken off, the same command goes on after the last batch that was stored. Exit code: 0 all stored,
    1 some events were refused, 2 it could not go on.
    """
    settings = load_collector_settings(url=url, data_dir=data_dir)
    if settings.api_key is None:
        raise TurretError(
            f"There is no key to send with: set {PREFIX}API_KEY (`turret keys create PROJECT` makes one)."
        )
    key = settings.api_key.get_secret_value()
    name = hashlib.sha256("\n".join((_content_sha256(file), settings.url, key)).encode()).hexdigest()
    progress = settings.folder / "sent" / f"{name[:32]}.json"
    sent = Sent() if again or not progress.exists() else Sent(**orjson.loads(progress.read_bytes()))
    console = new_console()
    if sent.is_complete:
        console.print(f"{file} was sent before: {sent.accepted:,} events stored. Add --again to send it again.")
        return
    if sent.records:
        console.print(f"Going on after {sent.records:,} records that were sent before")
    complaints = _send(
        file, load_settings(data_dir=data_dir).chosen_format, Client(settings.url, key, tries), sent, progress
    )
    for complaint in complaints[:_SHOWN]:
        console.print(complaint, soft_wrap=True)
    if len(complaints) > _SHOWN:
        console.print(f"... and {len(complaints) - _SHOWN:,} more")
    console.print(f"{sent.accepted:,} events stored, {sent.refused:,} refused")
    if sent.refused:
        raise typer.Exit(1)


def _content_sha256(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise TurretError(f"The file {file} cannot be read: {error.strerror}. Check the path.") from None


def _send(file: Path, chosen: "Format | None", client: Client, sent: Sent, progress: Path) -> list[str]:
    """Send what is left of the file; a sentence for each record that was refused."""
    complaints: list[str] = []

    def steps() -> Iterator[int]:
        seen = 0
        for batch in _batches(file, chosen):
            seen += len(batch)
            if seen <= sent.records:
                continue
            refused = [(row.line_number, row.reason) for row in batch if row.reason]
            lines = [(row.line_number, event) for row in batch for event in row.events]
            if lines:
                answer = client.send([event for _, event in lines])
                refused += [(lines[index][0], reason) for index, reason in answer.refused]
                sent.accepted += answer.accepted
            complaints.extend(f"{file.name}, line {line}: {reason}" for line, reason in sorted(refused))
            sent.refused += len(refused)
            sent.records = seen
            _keep(progress, sent)
            yield len(batch)

    with Bars() as bars:
        bars.track(f"Sending {file.name}", None, steps())
    sent.is_complete = True
    _keep(progress, sent)
    return complaints


def _batches(file: Path, chosen: "Format | None") -> Iterator[list[Row]]:
    """The rows of a file, so many at a time; the same batches whenever the file is read."""
    from turret_pipeline.ingest.reading import read_blocks

    batch: list[Row] = []
    size = count = 0
    with file.open("rb") as opened:
        for block in read_blocks(opened, file.name):
            for record in block.records():
                row = _row(record, chosen)
                row_size = sum(map(len, row.events))
                is_full = count + len(row.events) > BATCH_RECORDS or size + row_size > BATCH_BYTES
                if batch and (is_full or len(batch) == BATCH_RECORDS):
                    yield batch
                    batch, size, count = [], 0, 0
                batch.append(row)
                size, count = size + row_size, count + len(row.events)
    if batch:
        yield batch


def _row(record: "Record", chosen: "Format | None") -> Row:
    """A row as its events, or the reason why it has none, or cannot be sent."""
    from turret_pipeline.events.formats import Rejection, parse_record

    try:
        if isinstance(record.value, Rejection):
            raise record.value
        events = [_as_sent(event) for event in parse_record(record.value, chosen)]
    except Rejection as refused:
        return Row(record.line_number, [], refused.reason)
    except TypeError as error:  # nested deeper than is written, or numbers beyond 64 bits
        return Row(record.line_number, [], f"The row cannot be sent: {error}. A run may read it.")
    if sum(map(len, events)) > ROW_BYTES or len(events) > ROW_EVENTS:
        return Row(
            record.line_number, [], f"The row is too large to be sent ({len(events):,} events). A run may read it."
        )
    return Row(record.line_number, events)


def _as_sent(event: "Event") -> bytes:
    sent = {
        "event_id": event.event_id,
        "name": event.event_name,
        "session_id": event.session_id,
        "user_id": event.user_id,
        "timestamp": event.event_at or event.received_at,
        "metadata": event.metadata,
    }
    return orjson.dumps({key: value for key, value in sent.items() if value is not None}, default=str)


def _keep(progress: Path, sent: Sent) -> None:
    progress.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = progress.with_suffix(".new")
    beside.write_bytes(orjson.dumps(asdict(sent)))
    beside.replace(progress)
