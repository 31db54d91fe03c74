"""`turret send`: a dump to a running collector, in batches, going on where the last attempt ended."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import orjson
import typer

from turret_pipeline.cli.console import Bars, new_console
from turret_pipeline.collector.client import Client
from turret_pipeline.collector.settings import PREFIX, load_collector_settings
from turret_pipeline.errors import TurretError

BATCH_RECORDS, BATCH_BYTES = 1000, 2_000_000
_SHOWN = 10
_ALIASES = {"event_name": "name", "event_at": "timestamp"}
# what an export of the table events has beside the event
_OF_AN_EXPORT = {"received_at", "source_format", "source_file", "line_number", "item_number", "is_session_derived"}


@dataclass
class Sent:
    """How far a file was sent."""

    records: int = 0
    accepted: int = 0
    refused: int = 0
    is_complete: bool = False


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
    from turret_pipeline.events.reading import content_sha256

    settings = load_collector_settings(url=url, data_dir=data_dir)
    if settings.api_key is None:
        raise TurretError(
            f"There is no key to send with: set {PREFIX}API_KEY (`turret keys create PROJECT` makes one)."
        )
    key = settings.api_key.get_secret_value()
    name = hashlib.sha256("\n".join((content_sha256(file), settings.url, key)).encode()).hexdigest()
    progress = settings.folder / "sent" / f"{name[:32]}.json"
    sent = Sent() if again or not progress.exists() else Sent(**orjson.loads(progress.read_bytes()))
    console = new_console()
    if sent.is_complete:
        console.print(f"{file} was sent before: {sent.accepted:,} events stored. Add --again to send it again.")
        return
    if sent.records:
        console.print(f"Going on after {sent.records:,} records that were sent before")
    complaints = _send(file, Client(settings.url, key, tries), sent, progress)
    for complaint in complaints[:_SHOWN]:
        console.print(complaint, soft_wrap=True)
    if len(complaints) > _SHOWN:
        console.print(f"... and {len(complaints) - _SHOWN:,} more")
    console.print(f"{sent.accepted:,} events stored, {sent.refused:,} refused")
    if sent.refused:
        raise typer.Exit(1)


def _send(file: Path, client: Client, sent: Sent, progress: Path) -> list[str]:
    """Send what is left of the file; a sentence for each record that was refused."""
    complaints: list[str] = []

    def steps() -> Iterator[int]:
        seen = 0
        for batch in _batches(file):
            seen += len(batch)
            if seen <= sent.records:
                continue
            good = [(line, body) for line, body, reason in batch if reason is None]
            refused = [(line, reason) for line, _, reason in batch if reason is not None]
            if good:
                answer = client.send([body for _, body in good])
                refused += [(good[index][0], reason) for index, reason in answer.refused]
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


def _batches(file: Path) -> Iterator[list[tuple[int, bytes, str | None]]]:
    """Records with their line, as JSON or with the reason why not; the same batches whenever the file is read."""
    from turret_pipeline.events.formats import Refused
    from turret_pipeline.events.reading import read_records

    batch: list[tuple[int, bytes, str | None]] = []
    size = 0
    for record in read_records(file):
        reason = record.value.reason if isinstance(record.value, Refused) else None
        body = b"" if reason is not None else orjson.dumps(_as_sent(record.value))
        if batch and (len(batch) == BATCH_RECORDS or size + len(body) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((record.line_number, body, reason))
        size += len(body)
    if batch:
        yield batch


def _as_sent(value: object) -> object:
    """A record under the names that the collector knows."""
    if not isinstance(value, dict):
        return value
    return {_ALIASES.get(key, key): item for key, item in value.items() if key not in _OF_AN_EXPORT}


def _keep(progress: Path, sent: Sent) -> None:
    progress.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = progress.with_suffix(".new")
    beside.write_bytes(orjson.dumps(asdict(sent)))
    beside.replace(progress)
