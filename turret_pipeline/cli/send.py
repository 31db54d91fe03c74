"""`turret send`: send a file of events to a running collector, in batches, resuming after the last stored batch."""

import datetime as dt
import functools
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from turret_pipeline.cli.collector_settings import load_checked_settings
from turret_pipeline.cli.console import new_console
from turret_pipeline.cli.options import DataDirOption
from turret_pipeline.cli.progress import new_progress
from turret_pipeline.config.collector import PREFIX
from turret_pipeline.config.pipeline import Settings, load_settings
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.line_console import LineConsole

BATCH_RECORDS, BATCH_BYTES = 1000, 2_000_000
ROW_EVENTS, ROW_BYTES = 10_000, 8_000_000
MAX_MESSAGES_SHOWN = 10

if TYPE_CHECKING:  # imported in the functions that use them
    from turret_pipeline.collector.client import Client
    from turret_pipeline.events.formats import Event
    from turret_pipeline.events.rows import Record

Parser = Callable[[object], "list[Event]"]


@dataclass
class SendState:
    """Progress of sending a file; its fields are the keys of the state file."""

    records: int = 0
    accepted: int = 0
    refused: int = 0
    is_complete: bool = False


@dataclass(frozen=True)
class Row:
    """A row of the file: its events as JSON, or the reason why it cannot be sent."""

    line_number: int
    events: list[bytes]
    reason: str = ""


def send(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Events in any format that `turret run` reads.")],
    url: Annotated[
        str | None, typer.Option("--url", help="URL of the collector.  [default: http://127.0.0.1:8000]")
    ] = None,
    tries: Annotated[int, typer.Option("--tries", min=1, help="Attempts per batch.")] = 8,
    resend: Annotated[
        bool, typer.Option("--resend", help="Send the file from the beginning, even if it was sent before.")
    ] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Send a file of events to a running collector. The API key is read from TURRET_COLLECTOR_API_KEY.

    After an interruption, the same command resumes after the last stored batch. Exit codes: 0 all events stored,
    1 some events rejected, 2 sending failed.
    """
    from turret_pipeline.collector.client import Client

    settings = load_checked_settings(url=url, data_dir=data_dir)
    if settings.api_key is None:
        raise TurretError(f"Missing API key: set {PREFIX}API_KEY (create a key with `turret keys create PROJECT`).")
    key = settings.api_key.get_secret_value()
    name = hashlib.sha256("\n".join((_hash_content(file), settings.url, key)).encode()).hexdigest()
    state_file = settings.folder / "sent" / f"{name[:32]}.json"
    state = SendState() if resend or not state_file.exists() else SendState(**orjson.loads(state_file.read_bytes()))
    console = new_console()
    if state.is_complete:
        console.print_lines(
            f"{file} was already sent: {state.accepted:,} events stored. Use --resend to send it again."
        )
        return
    if state.records:
        console.print_lines(f"Resuming after {state.records:,} records")
    parse = _make_parser(load_settings(data_dir=data_dir))
    _print_messages(console, _send_rows(file, parse, Client(settings.url, key, tries), state, state_file))
    console.print_lines(f"{state.accepted:,} events stored, {state.refused:,} rejected")
    if state.refused:
        raise typer.Exit(1)


def _make_parser(settings: Settings) -> Parser:
    """A function that returns the events of a row as the settings say: by format and time zone, with calls of tools."""
    from turret_pipeline.events.formats import parse_record
    from turret_pipeline.events.formats.times import find_zone
    from turret_pipeline.events.formats.tools import drop_tool_calls

    zone = find_zone(settings.input_time_zone)
    parse = functools.partial(parse_record, selected=settings.selected_format, zone=zone)
    return parse if settings.keep_tool_calls else lambda row: drop_tool_calls(parse(row))


def _print_messages(console: LineConsole, messages: list[str]) -> None:
    further = len(messages) - MAX_MESSAGES_SHOWN
    console.print_lines(*messages[:MAX_MESSAGES_SHOWN], *([f"... and {further:,} more"] if further > 0 else []))


def _hash_content(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise TurretError(f"Cannot read {file}: {error.strerror}. Check the path.") from None


def _send_rows(file: Path, parse: Parser, client: "Client", state: SendState, state_file: Path) -> list[str]:
    """Send the rest of the file. Returns a message for each rejected record."""
    messages: list[str] = []

    def steps() -> Iterator[int]:
        seen = 0
        for batch in _read_batches(file, parse):
            seen += len(batch)
            if seen <= state.records:
                continue
            rejected = [(row.line_number, row.reason) for row in batch if row.reason]
            lines = [(row.line_number, event) for row in batch for event in row.events]
            if lines:
                answer = client.send([event for _, event in lines])
                rejected += [(lines[index][0], reason) for index, reason in answer.rejected]
                state.accepted += answer.accepted
            messages.extend(f"{file.name}, line {line}: {reason}" for line, reason in sorted(rejected))
            state.refused += len(rejected)
            state.records = seen
            _save_state(state_file, state)
            yield len(batch)

    with new_progress() as bars:
        bars.track(f"Sending {file.name}", None, steps())
    state.is_complete = True
    _save_state(state_file, state)
    return messages


def _read_batches(file: Path, parse: Parser) -> Iterator[list[Row]]:
    """The rows of a file in batches, which are the same every time the file is read."""
    from turret_pipeline.ingest.reading import read_blocks

    batch: list[Row] = []
    size = count = 0
    with file.open("rb") as opened:
        for block in read_blocks(opened, file.name):
            for record in block.records():
                row = _encode_row(record, parse)
                row_size = sum(map(len, row.events))
                is_full = count + len(row.events) > BATCH_RECORDS or size + row_size > BATCH_BYTES
                if batch and (is_full or len(batch) == BATCH_RECORDS):
                    yield batch
                    batch, size, count = [], 0, 0
                batch.append(row)
                size, count = size + row_size, count + len(row.events)
    if batch:
        yield batch


def _encode_row(record: "Record", parse: Parser) -> Row:
    """A row as JSON events, or with the reason why it cannot be sent."""
    from turret_pipeline.events.formats import Rejection, split_record

    try:
        events = list[bytes]()
        for value in split_record(record.value):
            if isinstance(value, Rejection):
                raise value
            events += [_to_json(event) for event in parse(value)]
    except Rejection as rejected:
        return Row(record.line_number, [], rejected.reason)
    except TypeError as error:  # nested too deep for the encoder, or numbers beyond 64 bits
        return Row(record.line_number, [], f"The row cannot be sent: {error}. `turret run` may still read it.")
    if sum(map(len, events)) > ROW_BYTES or len(events) > ROW_EVENTS:
        return Row(
            record.line_number,
            [],
            f"The row is too large to send ({len(events):,} events). `turret run` may still read it.",
        )
    return Row(record.line_number, events)


def _to_json(event: "Event") -> bytes:
    values = {
        "event_id": event.event_id,
        "name": event.event_name,
        "session_id": event.session_id,
        "user_id": event.user_id,
        "timestamp": _format_time(event.event_at or event.received_at, event.nanosecond),
        "metadata": event.metadata,
    }
    return orjson.dumps({key: value for key, value in values.items() if value is not None}, default=str)


def _format_time(at: dt.datetime | None, nanosecond: int) -> str | None:
    if at is None:
        return None
    if not nanosecond:
        return at.isoformat()
    return f"{at.replace(tzinfo=None).isoformat(timespec='microseconds')}{nanosecond:03}Z"


def _save_state(state_file: Path, state: SendState) -> None:
    state_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new_file = state_file.with_suffix(".new")
    new_file.write_bytes(orjson.dumps(asdict(state)))
    new_file.replace(state_file)
