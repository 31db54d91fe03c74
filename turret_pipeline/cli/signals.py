"""`turret signals`: exchanges that went wrong, by signal, and a person's judgement of them."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import polars as pl
import typer
from rich.table import Table

from turret_pipeline.cli.console import new_console, print_pending, write_json
from turret_pipeline.cli.options import DataDirOption
from turret_pipeline.cli.topic_views import shorten_text
from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.errors import TurretError
from turret_pipeline.tables.signals import SIGNALS

SignalName = StrEnum("SignalName", {name.upper(): name for name in SIGNALS})  # type: ignore[misc]

signals = typer.Typer(
    help="Show where exchanges went wrong: each signal with its precision, and examples with the reason. "
    "Mark a signal as right or wrong: the precision is updated, and the next run leaves out wrong ones.",
    epilog="Examples: turret signals; turret signals --signal declined --count 10; "
    "turret signals --topic 'Change password'; turret signals mark evt_123 declined --wrong",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@signals.callback()
def show(
    context: typer.Context,
    signal: Annotated[SignalName | None, typer.Option("--signal", help="Only this signal, with more examples.")] = None,
    topic: Annotated[str | None, typer.Option("--topic", help="Only examples about a topic: its id or label.")] = None,
    count: Annotated[int | None, typer.Option("--count", min=0, help="Examples per signal.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON: counts, precision and examples.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Show the signals with their precision, and the latest exchanges with each."""
    if context.invoked_subcommand is not None:
        return
    from turret_pipeline.reports.published_tables import PublishedTables
    from turret_pipeline.reports.signals import count_signals, find_exchanges_with
    from turret_pipeline.reports.topic_editor import TopicEditor

    published = PublishedTables.of_settings(load_settings(data_dir=data_dir))
    topic_id = None if topic is None else TopicEditor(published).find_topic(topic)["topic_id"]
    counts = count_signals(published, published.data.signal_marks.read())
    shown = [signal.value] if signal else list(SIGNALS)
    examples = {
        name: find_exchanges_with(published, name, topic_id, (5 if signal else 1) if count is None else count)
        for name in shown
    }
    if as_json:
        document = {"signals": counts.to_dicts(), "examples": examples}
        write_json(json.dumps(document, ensure_ascii=False, indent=2, default=str))
        return
    console = new_console(stderr=False)
    if not signal and topic is None:
        console.print(_build_table(counts))
    for name, rows in examples.items():
        console.print_lines(*_list_examples(name, rows))
    if count != 0 and not any(examples.values()):
        of_topic = f" about {topic_id}" if topic is not None else ""
        console.print_lines(f"No exchange{of_topic} has {f'the signal {signal.value}' if signal else 'a signal'}.")


@signals.command(epilog="Example: turret signals mark evt_123 declined --wrong")
def mark(
    exchange: Annotated[str, typer.Argument(metavar="EXCHANGE", help="Exchange id; `turret signals` shows it.")],
    signal: Annotated[SignalName, typer.Argument(metavar="SIGNAL", help=f"One of {', '.join(SIGNALS)}.")],
    is_right: Annotated[bool | None, typer.Option("--right/--wrong", help="Your judgement.")] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Mark a signal of an exchange as right or wrong, in the file signal_marks.jsonl of the data folder."""
    from turret_pipeline.reports.published_tables import PublishedTables
    from turret_pipeline.storage.signal_marks import Mark

    if is_right is None:
        raise TurretError("The judgement is missing: add --right or --wrong.")
    published = PublishedTables.of_settings(load_settings(data_dir=data_dir))
    found = published.query(f"select is_{signal.value} from marts.exchange_signals where exchange_id = ?", exchange)
    known = published.data.signal_marks.read().filter(exchange_id=exchange, signal=signal.value)
    if found.is_empty():
        raise TurretError(f"Unknown exchange {exchange!r}: use the id that turret signals shows.")
    if not found.item() and known.is_empty():
        raise TurretError(
            f"Exchange {exchange} does not have the signal {signal.value}: only signals found are marked."
        )
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    published.data.signal_marks.add(Mark(exchange, signal.value, is_right, now))
    sentence = f"Marked {signal.value} of {exchange} as {'right' if is_right else 'wrong'}"
    print_pending(published, f"{sentence}. The next run applies it")


def _build_table(counts: pl.DataFrame) -> Table:
    from turret_pipeline.journeys.facts import percent

    table = Table("signal", box=None, header_style="bold", pad_edge=False)
    for name in ("exchanges", "of decided", "precision", "judged"):
        table.add_column(name, justify="right")
    for row in counts.iter_rows(named=True):
        share = percent(row["exchange_count"] / row["decided_count"]) if row["decided_count"] else "not decided"
        precision = (
            "not measured"
            if row["precision"] is None
            else f"{percent(row['precision'])} ({percent(row['precision_low'])} to {percent(row['precision_high'])})"
        )
        table.add_row(row["signal"], f"{row['exchange_count']:,}", share, precision, str(row["judged_count"]))
    return table


def _list_examples(name: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    lines = ["", f"{name}: {SIGNALS[name]}"]
    for row in rows:
        about = f", {row['topic']}" if row["topic"] else ""
        lines += ["", f"  {row['exchange_id']}, {row['prompt_at']:%Y-%m-%d %H:%M}{about}: {row['reason']}"]
        for title, key in (("Prompt", "prompt"), ("Answer", "answer"), ("Next prompt", "next_prompt")):
            if row[key]:
                lines.append(f"    {title}: {shorten_text(row[key])}")
    return lines
