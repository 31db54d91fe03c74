"""Hostile names and texts go through every command and file, and reach no terminal, spreadsheet or page as they are.

Commands are found from the command line itself, so a new command fails here until it is listed.
"""

import csv
import io
import json
import logging
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
import typer
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.errors import TurretError
from turret_pipeline.journeys.graph import FORMATS
from turret_pipeline.orchestration.run import prepare_dagster_home
from turret_pipeline.server_log import make_log_formatter
from turret_pipeline_tests.collector.servers import run_server
from turret_pipeline_tests.commands import PROJECT, conversations, open_published, turret, warehouse, write_events

pytestmark = pytest.mark.slow

CONTROLS = "\x1b[2J\x1b]52;c;ZXZp\x07\x9b31m\u202e\u2066\u200b\ufeff\u2028\x85\x7f\nFORGED line\r\tFORGED"
MARKUP = "<img src=x onerror=alert(1)> [link](http://evil.example) http://bare.example | `code"
PICTURE = "![picture](http://evil.example/p.png) <http://auto.example>"
EVENT = f"=cmd|'/C calc'!A0 {MARKUP} {PICTURE}{CONTROLS}"
OTHER_EVENT = f"@SUM(1+9) other{CONTROLS}"
FIELD = f"+field {MARKUP}{CONTROLS}"
PLAN, PLANS = f"@plan{CONTROLS}", (f"=free{CONTROLS}", f"=team{CONTROLS}")
LABEL = f"=label {MARKUP}{CONTROLS}"
USER = f"=user{CONTROLS}u0"
FILE = "=dump <b>![picture](evil.example)\x1b[2J\u202e\nFORGED.jsonl"
RAW = f'{{"name": "{CONTROLS}'.replace("\n", " ").replace("\x85", " ").replace("\u2028", " ")

COMMANDS: dict[str, list[list[str]]] = {
    "run": [[]],
    "inspect": [["{dump}"], [f"{{folder}}/none{CONTROLS}"]],
    "rejects": [[], ["--examples", "3"], ["--export", "{folder}/exported.jsonl"], ["--reason", EVENT]],
    "replay": [[], ["{folder}/rejected.jsonl"]],
    "forget": [
        ["--user", USER, "--dry-run"],
        ["--session", EVENT, "--dry-run"],
        ["--file", EVENT],
        ["--before", EVENT],
    ],
    "export": [["--user", USER], ["--user", USER, "--format", "csv", "--output", "{folder}/user"], ["--user", EVENT]],
    "export iceberg": [
        ["{folder}/exported"],
        ["{folder}/exported", "--namespace", EVENT],
        [f"{{folder}}/none{CONTROLS}"],
        ["--catalog", EVENT],
    ],
    "backup": [["{folder}/backup.tar"], ["{folder}/data/backup.tar"]],
    "restore": [["{folder}/backup.tar"], [f"{{folder}}/none{CONTROLS}", "--force"]],
    "formats": [[], ["posthog"], [EVENT]],
    "report": [[], *(["--format", name] for name in ("md", "html", "json")), ["--segment", f"{PLAN}={PLANS[0]}"]],
    "fields": [[]],
    "fields set": [[PLAN, "enum"], [FIELD, "constant"], [f"new{CONTROLS}", "enum", "--force"]],
    "fields unset": [[PLAN], [f"unknown{CONTROLS}"]],
    "topics list": [[], ["--all"], ["--field", FIELD], ["--field", f"unknown{CONTROLS}"]],
    "topics show": [["{topic}"], [f"unknown{CONTROLS}"]],
    "topics conversations": [["{topic}"], ["{topic}", "--worst"], [f"unknown{CONTROLS}"]],
    "topics rename": [["{topic}", f"=new {MARKUP}"], ["{topic}", LABEL]],
    "topics merge": [["{topic}", "{other_topic}"]],
    "topics split": [["{topic}"]],
    "topics lock": [["{topic}"]],
    "topics unlock": [["{topic}"], ["{other_topic}"]],
    "topics role": [["{topic}", "continuation"], ["{topic}", EVENT]],
    "topics edits": [[]],
    "topics undo": [[], [EVENT]],
    "journeys overview": [[], ["--dimension", "event_name"], ["--segment", f"{PLAN}={PLANS[0]}"]],
    "journeys from": [[EVENT], ["{topic}"], [f"unknown{CONTROLS}"]],
    "journeys to": [[OTHER_EVENT], ["{topic}"]],
    "journeys funnel": [[EVENT, OTHER_EVENT], ["{topic}", EVENT], [EVENT]],
    "journeys steps": [[], ["--dimension", "event_name"]],
    "journeys compare": [[f"{PLAN}={PLANS[0]}", "--all"], [f"{PLAN}={PLANS[0]}", f"{PLAN}=none{CONTROLS}"]],
    "journeys outcomes": [[OTHER_EVENT, "--all"], ["(struggle)", "--all"]],
    "journeys struggles": [["--all"], ["--dimension", "event_name"]],
    "journeys export": [
        [*to_file, "--format", name, "--dimension", "event_name"]
        for name in FORMATS
        for to_file in ([], ["--output", f"{{folder}}/graph.{name}"])
    ],
    "signals": [[], ["--signal", "unanswered"], ["--topic", "{topic}"], ["--topic", f"unknown{CONTROLS}"], ["--json"]],
    "signals mark": [[EVENT, "unanswered", "--wrong"]],
    "access add": [["reports", "--token"], [EVENT, "--token"], ["ana", "--role", EVENT], ["ana", "--project", EVENT]],
    "access list": [[]],
    "access remove": [["reports"], [EVENT]],
    "doctor": [[], ["--repair"]],
    "keys create": [["shop"], [EVENT]],
    "keys list": [[]],
    "keys rotate": [["shop"]],
    "keys revoke": [["shop"], [EVENT]],
    "send": [["{dump}", "--url", "http://127.0.0.1:9", "--tries", "1"], [f"{{folder}}/none{CONTROLS}"]],
}
"""Arguments that make each command show names and texts, or reject them."""

NOT_CALLED = {
    "dashboard": "becomes the dashboard, whose pages have tests of their own",
    "demo": "is `turret run` with the sample of the package, whose texts are ours",
    "serve": "becomes the collector, whose log has a test of its own below",
    "ui": "becomes Dagster",
    "topics refit": "prints what run prints",
}
WITHOUT_DATA_DIR = {"formats", "inspect"}


def list_commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Every command of the command line with its words, and the groups that can be called alone."""
    is_group = hasattr(command, "commands")
    if not is_group or (path and command.invoke_without_command):
        yield " ".join(path), command
    for name, part in command.commands.items() if is_group else ():
        yield from list_commands(part, (*path, name))


ALL_COMMANDS = dict(list_commands(typer.main.get_command(app)))


def find_unsafe(text: str, *, allowed: str = "\n") -> list[str]:
    """Control characters, line separators and invisible or ordering characters of the text, as their code points."""
    return [
        f"U+{ord(letter):04X}"
        for letter in text
        if unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and letter not in allowed
    ]


def assert_harmless(text: str) -> None:
    assert find_unsafe(text) == []
    assert not re.search(r"^\s*FORGED", text, re.MULTILINE)


def assert_no_formula(text: str) -> None:
    rows = list(csv.reader(io.StringIO(text)))
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if re.match(r"\s*[=+@-]", cell) and not re.fullmatch(r"-?[\d.]+(e-\d+)?", cell)]
    assert not [cell for cell in cells if "\n" in cell]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder after a run on hostile events, with hostile labels in the published file."""
    folder = tmp_path_factory.mktemp("hostile")
    dump = write_hostile_events(folder / FILE)
    prepare_dagster_home(load_settings(data_dir=folder / "data"))  # keeps Dagster's history on disk
    done = turret("run", "--input", dump, "--data-dir", folder / "data", "--verbose")
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "log.txt").write_text(done.stderr)  # standard output also has the lines of dbt
    call(folder, "rejects", ["--export", str(folder / "rejected.jsonl")])
    with duckdb.connect(str(warehouse(folder / "data"))) as connection:
        connection.execute("update marts.topics set label = ? || topic_id, theme_label = ?", [LABEL, LABEL])
        connection.execute("update marts.topics set description = ?, keywords = [?]", [LABEL, LABEL])
        connection.execute(
            "update marts.journey_nodes set node_label = ? || node_id where dimension <> 'event_name'", [LABEL]
        )
    return folder


def write_hostile_events(path: Path) -> Path:
    """Conversations whose names, ids, fields, values and texts are hostile, and rows that are rejected."""
    events = []
    for number, event in enumerate(conversations()):
        metadata = event["metadata"]
        assert isinstance(metadata, dict)
        hostile = {
            "name": OTHER_EVENT if number % 2 else EVENT,
            "user_id": f"=user{CONTROLS}{event['user_id']}",
            "session_id": f"=session{CONTROLS}{event['session_id']}",
            "metadata": {FIELD: f"{metadata['prompt']}{MARKUP}{CONTROLS}", PLAN: PLANS[number // 2 % 3 == 0]},
        }
        events.append({**event, **hostile})
    write_events(path, events)
    with path.open("a", newline="\n") as opened:
        opened.write(f"{RAW}\n" + json.dumps({"name": "n", "timestamp": f"never{CONTROLS}"}) + "\n")
    return path


def call(folder: Path, name: str, arguments: list[str]) -> tuple[str, str]:
    """Standard output and error of a command in the data folder."""
    one, other = (row[0] for row in query(folder, "select topic_id from marts.topics order by topic_id limit 2"))
    places = {"{folder}": str(folder), "{dump}": str(folder / FILE), "{topic}": one, "{other_topic}": other}
    for place, value in places.items():
        arguments = [word.replace(place, value) for word in arguments]
    command = [*name.split(), *arguments, *([] if name in WITHOUT_DATA_DIR else ["--data-dir", str(folder / "data")])]
    extra = {"TURRET_COLLECTOR_API_KEY": "none"}
    done = CliRunner(env=extra).invoke(app, command)
    if done.exit_code == 0:
        return done.stdout, done.stderr
    assert isinstance(done.exception, TurretError), done.exception
    failed = turret(*command, extra=extra)  # as a process, which prints the error
    assert (failed.returncode, failed.stdout) == (2, "")
    return failed.stdout, failed.stderr


def query(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with open_published(folder / "data") as connection:
        return connection.execute(sql).fetchall()


def test_the_published_names_are_hostile(folder: Path) -> None:
    """Otherwise the tests below would show nothing."""
    assert {name for (name,) in query(folder, "select distinct event_name from marts.events")} == {EVENT, OTHER_EVENT}
    assert dict(query(folder, "select field, type from marts.fields")) == {FIELD: "text", PLAN: "enum"}
    assert {label[: len(LABEL)] for (label,) in query(folder, "select label from marts.topics")} == {LABEL}
    assert len(query(folder, "select * from marts.rejected_events")) == 2


def test_every_command_is_called_or_has_a_reason_not_to_be() -> None:
    assert set(ALL_COMMANDS) == {*COMMANDS, *NOT_CALLED}


def test_commands_write_through_their_console_only() -> None:
    """The console escapes; so nothing else in the package may write or style a text by itself."""
    direct = re.compile(r"std(out|err)\.write|typer\.s?echo|rich\.(console|text|markup)|\bwrite_csv\(\)")
    files = [path for path in (PROJECT / "turret_pipeline" / "cli").glob("*.py") if path.name != "console.py"]
    assert len(files) > 10
    assert [path.name for path in files if direct.search(path.read_text())] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_prints_no_control_character_no_forged_line_and_no_formula(folder: Path, name: str) -> None:
    for arguments in COMMANDS[name]:
        assert_harmless("".join(call(folder, name, arguments)))
    options = {option for parameter in ALL_COMMANDS[name].params for option in parameter.opts}
    first = COMMANDS[name][0]
    if "--json" in options:
        written, _ = call(folder, name, [*first, "--json"])
        assert_harmless(written)
        assert json.loads(written)
    if "--csv" in options:
        written, _ = call(folder, name, [*first, "--csv"])
        assert_harmless(written)
        assert_no_formula(written)
        assert "\ufffd" in written


def test_json_has_the_names_as_they_are(folder: Path) -> None:
    overview = json.loads(call(folder, "journeys overview", ["--dimension", "event_name", "--json"])[0])
    assert {row["node_id"] for row in overview} == {EVENT, OTHER_EVENT}
    assert {row["field"] for row in json.loads(call(folder, "fields", ["--json"])[0])} == {FIELD, PLAN}
    assert RAW in {row["raw_text"] for row in json.loads(call(folder, "rejects", ["--json"])[0])}


def test_exported_rows_are_exact_so_that_they_can_be_replayed(folder: Path, tmp_path: Path) -> None:
    call(folder, "rejects", ["--export", str(tmp_path / "rejected.jsonl")])
    exported = [json.loads(line) for line in (tmp_path / "rejected.jsonl").read_text().split("\n") if line]
    assert RAW in {row["raw_text"] for row in exported}


def test_graphs_for_other_programs_are_harmless_files(folder: Path, tmp_path: Path) -> None:
    for name in FORMATS:
        graph = tmp_path / f"graph.{name}"
        call(folder, "journeys export", ["--format", name, "--dimension", "event_name", "--output", str(graph)])
        assert_harmless(graph.read_text())
    nodes = json.loads((tmp_path / "graph.json").read_text())["nodes"]
    assert {EVENT, OTHER_EVENT} <= {node["id"] for node in nodes}


def test_pages_pictures_and_documents_of_the_data_folder_are_harmless(folder: Path) -> None:
    data = [path for path in (folder / "data").rglob("*") if path.is_file() and "landing" not in path.parts]
    files = [path for path in data if is_text(path) and not is_of_dagster(path)]
    assert {path.suffix for path in files} >= {".html", ".svg", ".json"}
    for path in files:
        text = path.read_text()
        assert (path, find_unsafe(text, allowed="\n\t")) == (path, [])
        if path.suffix in {".html", ".svg"}:
            assert (path, "<img src=x" in text) == (path, False)
    assert not [path for path in data if path.suffix == ".png" and b"<img src=x" in path.read_bytes()]
    pictures = "".join(path.read_text() for path in files if path.suffix == ".svg")
    assert "&lt;img src=x" in pictures


def is_text(path: Path) -> bool:
    content = path.read_bytes()
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in content


def is_of_dagster(path: Path) -> bool:
    """True for files of Dagster and dbt that have what a process printed, such as the lines of dbt."""
    return bool({"compute_logs", "logs", "target"} & set(path.parts)) or path.suffix in {".err", ".out", ".complete"}


def read_dagster_texts(folder: Path) -> tuple[list[str], list[str]]:
    """What the first run left for Dagster's pages: Markdown and plain text. Descriptions of checks are Markdown."""
    with dg.DagsterInstance.from_config(str(folder / "data" / "dagster")) as instance:
        run = instance.get_runs()[-1]  # the first; the test of the command run adds one
        entries = [record.event_log_entry for record in instance.get_records_for_run(run.run_id, limit=100_000).records]
    events = [entry.dagster_event for entry in entries if entry.dagster_event is not None]
    results: list[Any] = [event.event_specific_data for event in events]
    results = [getattr(result, "materialization", result) for result in results]
    markdown = [str(result.description) for result in results if getattr(result, "description", None)]
    plain = [str(event.message) for event in events if event.message]
    for value in (value for result in results for value in (getattr(result, "metadata", None) or {}).values()):
        if isinstance(value, dg.MarkdownMetadataValue):
            markdown.append(value.md_str or "")
        elif isinstance(value, dg.TextMetadataValue):
            plain.append(value.text or "")
    return markdown, plain


def test_markdown_in_dagster_loads_nothing_and_links_to_nothing(folder: Path) -> None:
    markdown, _ = read_dagster_texts(folder)
    assert any("picture" in text for text in markdown)
    assert any(text.startswith("![") for text in markdown)
    for text in markdown:
        targets = re.findall(r"(?<!\\)\]\(([^)]*)\)", text)
        assert [target for target in targets if not target.startswith("data:image/png;base64,")] == []
        assert not re.search(r"[a-z]://|<", text)


def test_metadata_in_dagster_is_harmless_markdown(folder: Path) -> None:
    tables, texts = read_dagster_texts(folder)
    for text in [*tables, *texts]:
        assert_harmless(text)
    names = "\n".join(table for table in tables if not table.startswith("![")).replace("&#8203;", "")
    assert "&lt;img src=x" in names
    assert not re.search(r"<|(?<!\\)\[|(?<!\\)`", names)


def test_the_log_of_a_run_has_no_forged_line(folder: Path) -> None:
    log = (folder / "log.txt").read_text()
    assert "FORGED.jsonl: 74 rows read" in log
    assert find_unsafe(log) == []
    assert not re.search(r"^FORGED", log, re.MULTILINE)


def test_the_log_of_the_collector_has_no_forged_line() -> None:
    values = (f"shop{CONTROLS}", OSError(28, f"No space{CONTROLS}"))
    record = logging.LogRecord("turret_pipeline", logging.ERROR, "f", 1, "project %s: %s", values, None)
    log = make_log_formatter().format(record)
    assert "ERROR:" in log.split("\n")[0]
    assert find_unsafe(log) == []
    assert not re.search(r"^FORGED", log, re.MULTILINE)


def test_sending_a_hostile_file_prints_its_name_and_reasons_on_one_line_each(tmp_path: Path) -> None:
    dump = write_hostile_events(tmp_path / FILE)
    with run_server(tmp_path) as server:
        extra = {"TURRET_COLLECTOR_API_KEY": server.key, "TURRET_COLLECTOR_URL": server.url}
        done = turret("send", dump, "--data-dir", tmp_path / "mine", extra=extra)
        assert "line 73: " in done.stderr
        assert_harmless(done.stdout + done.stderr)
        assert find_unsafe(server.read_log()) == []
