"""`turret forget` on a data folder with landing files, dumps elsewhere, and everything that may quote a person."""

import gzip
import json
import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest

from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.topics.embedding.texts import text_id
from turret_pipeline_tests.commands import conversations, published_tables, run_job, turret, write_events
from turret_pipeline_tests.erasure.byte_search import find_values
from turret_pipeline_tests.erasure.folders import write_lines

pytestmark = pytest.mark.slow

PERSON, ANONYMOUS, ALIAS = "quentin-zq7", "visitor-zq7", "alias-zq7"
SECRET_TEXTS = [f"I want my heirloom number {number} from aunt Zarquon back" for number in range(6)]
VALUES = [PERSON, ANONYMOUS, ALIAS, *SECRET_TEXTS, *map(text_id, SECRET_TEXTS), "zq7-event"]


def make_event(number: int, user: str | None, text: str, session: str = "zq7-session") -> dict[str, object]:
    return {
        "event_id": f"zq7-event-{number}",
        "name": "prompt_sent",
        "session_id": session,
        "user_id": user,
        "timestamp": f"2026-03-05T11:{number:02}:00Z",
        "metadata": {"prompt": text, "plan": "team", "latency": 1.0},
    }


def make_call(kind: str, second: int, **details: object) -> dict[str, object]:
    """A call as Segment exports it."""
    time = f"2026-03-05T12:00:{second:02}Z"
    return {"type": kind, "messageId": f"zq7-call-{second}", "timestamp": time, "properties": {}, **details}


PERSONS_EVENTS = [
    make_event(0, PERSON, SECRET_TEXTS[0]),
    make_event(1, None, SECRET_TEXTS[1]),  # of the session of the person
    make_event(2, PERSON, SECRET_TEXTS[2], "zq7-other"),
    make_event(3, PERSON, "I want my money back for the kettle", "zq7-other"),  # a text that others have
]
CALLS = [
    make_call("track", 1, event="seen", anonymousId=ANONYMOUS),
    make_call("identify", 2, anonymousId=ANONYMOUS, userId=PERSON, traits={}),
    make_call("alias", 3, previousId=ALIAS, userId=PERSON),
    make_call("track", 4, event="seen", userId="u1"),
]


@pytest.fixture
def made(small_job: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A data folder after a run on all that may hold a person, and the folder of a dump that this run read."""
    data, outside = shutil.copytree(small_job, tmp_path / "data"), tmp_path / "dumps"
    (data / "dagster" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")  # keeps the history on disk
    events = [{**row, "event_id": f"new-{row['event_id']}"} for row in conversations(sessions=4)]
    bad = ['{"user_id": "quentin-zq7", "broken', '{"user_id": "u2", "broken']
    write_lines(data / "landing" / "b.jsonl", [*events[:4], *PERSONS_EVENTS, *bad, events[4]])
    with gzip.open(data / "landing" / "calls.jsonl.gz", "wt") as packed:
        packed.write("".join(json.dumps(call) + "\n" for call in CALLS))
    document = [make_event(10, ALIAS, SECRET_TEXTS[3]), events[5], make_event(11, ALIAS, SECRET_TEXTS[4])]
    (data / "landing" / "document.json").write_text(json.dumps(document, indent=1))
    cells = f'zq7-event-20,prompt_sent,{PERSON},2026-03-06T10:00:00Z,"{SECRET_TEXTS[5]}"'
    others = "e-csv,prompt_sent,u3,2026-03-06T10:00:00Z,I want to track the delivery of the clock"
    write_lines(data / "landing" / "table.csv", ["event_id,name,user_id,timestamp,prompt", cells, others])
    write_events(outside / "dump.jsonl", [*events[6:], *PERSONS_EVENTS[:2]])
    edits = [
        {"edit_id": "edit-1", "action": "rename", "topic_id": first_topic(data), "label": SECRET_TEXTS[0]},
        {"edit_id": "edit-2", "action": "rename", "topic_id": first_topic(data, 1), "label": "Things to return"},
    ]
    write_events(data / "topic_edits.jsonl", edits)
    views = [
        {"name": "mine", "path": "sessions", "query": f"user={PERSON}", "saved_at": "2026-03-07"},
        {"name": "all", "path": "sessions", "query": "", "saved_at": "2026-03-07"},
    ]
    write_events(data / "dashboard_views.jsonl", views)
    mark = {"signal": "rephrased", "is_right": True, "marked_at": "2026-03-07"}
    write_events(data / "signal_marks.jsonl", [{"exchange_id": name, **mark} for name in ("zq7-event-0", "e0-0")])
    run_job(data, outside, data / "landing")
    return data, outside


def first_topic(data: Path, position: int = 0) -> str:
    with duckdb.connect(str(data / "warehouse" / "turret.duckdb"), read_only=True) as connection:
        rows = connection.execute("select topic_id from marts.topics where status = 'active' order by 1").fetchall()
    return str(rows[position][0])


def test_a_person_is_nowhere_in_the_data_folder_afterwards(made: tuple[Path, Path]) -> None:
    data, outside = made
    before = published_tables(data)
    found_before = {value for _, value in find_values(data, VALUES)}
    assert found_before == {*VALUES}
    dump = (outside / "dump.jsonl").read_bytes()
    done = turret("forget", "--user", PERSON, "--yes", "--data-dir", data)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "dump.jsonl" in done.stdout
    assert find_values(data, VALUES) == []
    assert (outside / "dump.jsonl").read_bytes() == dump
    after = published_tables(data)
    is_of_person = pl.col("event_id").str.starts_with("zq7-event") | (pl.col("event_id") == "zq7-call-1")
    remaining = before["events"].filter(~is_of_person)
    assert set(after["events"]["event_id"]) == set(remaining["event_id"])
    assert set(after["topics"]["topic_id"]) == set(before["topics"]["topic_id"])
    kept = before["event_topics"].join(after["event_topics"], on=["event_id", "field"])
    assert (kept["topic_id"] == kept["topic_id_right"]).all()
    assert "Things to return" in after["topics"]["label"].to_list()
    files = after["source_files"]
    total = files.select(pl.sum("accepted_count", "duplicate_count", "rejected_count", "forgotten_count")).row(0)
    assert sum(total) == files["row_count"].sum() == before["source_files"]["row_count"].sum()
    assert [view.name for view in DataDir(data).dashboard_views.read()] == ["all"]
    assert DataDir(data).signal_marks.read()["exchange_id"].to_list() == ["e0-0"]
    (line,) = DataDir(data).tombstones.list_erasures()
    assert line["requests"] == [{"kind": "user", "count": 1, "by": line["requests"][0]["by"]}]
    assert line["event_count"] == before["events"].height - after["events"].height
    assert oct((data / "forgotten" / "key").stat().st_mode)[-3:] == "600"
    write_events(outside / "again.jsonl", [*PERSONS_EVENTS, make_event(30, ALIAS, SECRET_TEXTS[0]), *conversations()])
    run_job(data, outside / "again.jsonl")
    again = published_tables(data)
    assert set(again["events"]["event_id"]) == set(after["events"]["event_id"])
    assert again["source_files"]["forgotten_count"].sum() == files["forgotten_count"].sum() + 5
    assert find_values(data, VALUES) == []
