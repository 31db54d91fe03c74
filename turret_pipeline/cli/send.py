"""`turret send`: send files of events to a running collector, in batches, resuming after the last stored batch."""

import datetime as dt
import functools
import hashlib
import secrets
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
from turret_pipeline.private_files import lock_private_file, replace_private_file
from turret_pipeline.reports.line_console import LineConsole

BATCH_RECORDS, BATCH_BYTES = 1000, 2_000_000
ROW_EVENTS, ROW_BYTES = 10_000, 8_000_000
MAX_MESSAGES_SHOWN = 10
_SECRET_BYTES, _ID_BYTES = 32, 16

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
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Events in any format that `turret run` reads.")
    ],
    url: Annotated[
        str | None, typer.Option("--url", help="URL of the collector.  [default: http://127.0.0.1:8000]")
    ] = None,
    tries: Annotated[int, typer.Option("--tries", min=1, help="Attempts per batch.")] = 8,
    resend: Annotated[
        bool, typer.Option("--resend", help="Send the files from the beginning, even if they were sent before.")
    ] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Send files of events to a running collector. The API key is read from TURRET_COLLECTOR_API_KEY.

    After an interruption, the same command resumes after the last stored batch. Events get the same ids each time, so
    that none counts twice. Exit codes: 0 all events stored, 1 some events rejected, 2 sending failed.
    """
    from turret_pipeline.collector.client import Client

    settings = load_checked_settings(url=url, data_dir=data_dir)
    if settings.api_key is None:
        raise TurretError(f"Missing API key: set {PREFIX}API_KEY (create a key with `turret keys create PROJECT`).")
    key = settings.api_key.get_secret_value()
    parse = _make_parser(load_settings(data_dir=data_dir))
    sender = _Sender(
        Client(settings.url, key, tries), parse, settings.folder / "sent", f"{settings.url}\n{key}", resend
    )
    unreadable = list[str]()
    has_rejected = False
    for file in files:
        try:
            has_rejected |= sender.send(file)
        except UnreadableFileError as error:
            unreadable.append(str(error))
    if unreadable:
        raise TurretError("\n".join(unreadable))
    if has_rejected:
        raise typer.Exit(1)


class UnreadableFileError(Exception):
    """A file cannot be read; the others can be sent."""


@dataclass(frozen=True)
class _Sender:
    """Sends files, and keeps how far it came in a folder."""

    client: "Client"
    parse: Parser
    folder: Path
    target: str
    is_from_beginning: bool

    def send(self, file: Path) -> bool:
        """Send the rest of a file, print the outcome, and return if some of its rows were rejected.

        Raises UnreadableFileError, and TurretError if sending fails.
        """
        console = new_console()
        content = _hash_content(file)
        name = hashlib.sha256("\n".join((content, self.target)).encode()).hexdigest()
        state_file = self.folder / f"{name[:32]}.json"
        state = SendState() if self.is_from_beginning else _read_state(state_file)
        if state.is_complete:
            console.print_lines(
                f"{file} was already sent: {state.accepted:,} events stored. Use --resend to send it again."
            )
            return False
        if state.records:
            console.print_lines(f"{file}: resuming after {state.records:,} records")
        encode = _RowEncoder(self.parse, _read_id_secret(self.folder), content)
        _print_messages(console, _send_rows(file, encode, self.client, state, state_file))
        console.print_lines(f"{file}: {state.accepted:,} events stored, {state.refused:,} rejected")
        return state.refused > 0


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
        raise UnreadableFileError(f"Cannot read {file}: {error.strerror}. Check the path.") from None


def _read_state(state_file: Path) -> SendState:
    """Progress of sending the file; none if it is unknown or cannot be read, because ids stay the same."""
    try:
        return SendState(**orjson.loads(state_file.read_bytes()))
    except (OSError, ValueError, TypeError):
        return SendState()


def _read_id_secret(folder: Path) -> bytes:
    """The secret of this folder for ids of events, so that nobody can find a user by hashing guesses of events."""
    path = folder / "id_secret"
    with lock_private_file(path):
        if not (path.exists() and path.stat().st_size == _SECRET_BYTES):
            replace_private_file(path, secrets.token_bytes(_SECRET_BYTES))
        return path.read_bytes()


def _send_rows(file: Path, encode: "_RowEncoder", client: "Client", state: SendState, state_file: Path) -> list[str]:
    """Send the rest of the file. Returns a message for each rejected record."""
    messages: list[str] = []

    def steps() -> Iterator[int]:
        seen = 0
        for batch in _read_batches(file, encode):
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


def _read_batches(file: Path, encode: "_RowEncoder") -> Iterator[list[Row]]:
    """The rows of a file in batches, which are the same every time the file is read."""
    from turret_pipeline.ingest.reading import read_blocks

    batch: list[Row] = []
    size = count = 0
    with file.open("rb") as opened:
        for block in read_blocks(opened, file.name):
            for record in block.records():
                row = encode(record)
                row_size = sum(map(len, row.events))
                is_full = count + len(row.events) > BATCH_RECORDS or size + row_size > BATCH_BYTES
                if batch and (is_full or len(batch) == BATCH_RECORDS):
                    yield batch
                    batch, size, count = [], 0, 0
                batch.append(row)
                size, count = size + row_size, count + len(row.events)
    if batch:
        yield batch


@dataclass(frozen=True)
class _RowEncoder:
    """Makes rows of events in JSON. The same rows get the same ids each time, also after lines were added to a file.

    An event without an id gets a hash of its content and its place in the file; without a time, also of the file's
    content, because such events of other files are other events.
    """

    parse: Parser
    secret: bytes
    file_content: str

    def __call__(self, record: "Record") -> Row:
        """A row as JSON events, or with the reason why it cannot be sent."""
        from turret_pipeline.events.formats import Rejection, split_record

        try:
            events = list[bytes]()
            for value in split_record(record.value):
                if isinstance(value, Rejection):
                    raise value
                for event in self.parse(value):
                    events.append(self._encode(event, f"{record.line_number} {len(events)}"))
        except Rejection as rejected:
            return Row(record.line_number, [], rejected.reason)
        except TypeError as error:  # nested too deep for the encoder, or numbers beyond 64 bits
            return Row(record.line_number, [], f"The row cannot be sent: {error}. `turret run` may still read it.")
        if sum(map(len, events)) > ROW_BYTES or len(events) > ROW_EVENTS:
            reason = f"The row is too large to send ({len(events):,} events). `turret run` may still read it."
            return Row(record.line_number, [], reason)
        return Row(record.line_number, events)

    def _encode(self, event: "Event", place: str) -> bytes:
        values = {
            "event_id": event.event_id,
            "name": event.event_name,
            "session_id": event.session_id,
            "user_id": event.user_id,
            "timestamp": _format_time(event.event_at or event.received_at, event.nanosecond),
            "metadata": event.metadata,
        }
        known = {key: value for key, value in values.items() if value is not None}
        if event.event_id is None:
            scope = place if "timestamp" in known else f"{place} {self.file_content}"
            content = orjson.dumps(known, default=str, option=orjson.OPT_SORT_KEYS)
            digest = hashlib.blake2b(scope.encode() + b"\n" + content, digest_size=_ID_BYTES, key=self.secret)
            known["event_id"] = f"evt_{digest.hexdigest()}"
        return orjson.dumps(known, default=str)


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
