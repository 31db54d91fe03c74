"""A data folder whose prompts, answers, labels, names and values are hostile: markup, SQL, escapes, great length."""

from pathlib import Path

import duckdb

from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.commands import conversations, run_job, warehouse, write_events

SCRIPT = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
MARKDOWN = "![picture](http://evil.example/p.png) [link](javascript:alert(1)) **bold** `code"
SQL = "'; drop table marts.events; --"
ESCAPES = "\x1b[2J\x1b]52;c;ZXZp\x07\u202e\u2066\u200b\u2028\x85\x7f\r\n=1+1"
MARKUP = f"{SCRIPT} {MARKDOWN} {SQL}"
LONG = "wide " * 2000
"""10,000 characters."""

TEXT = f"=cmd|'/C calc'!A0 {MARKUP}{ESCAPES}"
EVENT, ANSWER = f"=sent {SCRIPT}{ESCAPES}", "answer_shown"
FIELD, NOTE, PLAN = f"@prompt/{SCRIPT}~.{ESCAPES}", f"note {SCRIPT}", f"+plan {SCRIPT}?#&={ESCAPES}"
PLANS = (f"=free {SCRIPT}{ESCAPES}", f"-team/..{ESCAPES}")
MODEL = f"@model {SCRIPT}{ESCAPES}"
LABEL = f"=label {MARKUP}{ESCAPES}"
SECRET = "visible only in the hostile project"
"""A text that no page of another project may show."""


def make_hostile_folder(folder: Path) -> Path:
    """A data folder after a run on hostile events, with an edited hostile label of each topic in the published file."""
    events: list[dict[str, object]] = []
    for number, event in enumerate(conversations()):
        metadata = event["metadata"]
        assert isinstance(metadata, dict)
        ending = f"{TEXT}{LONG if number % 5 == 0 else ''}{SECRET}"
        names = {
            "session_id": f"s/{event['session_id']}?#%00 {SCRIPT}{ESCAPES}",
            "user_id": f"=user {SCRIPT}{ESCAPES}{event['user_id']}",
        }
        own = {FIELD: f"{metadata['prompt']} {ending}", PLAN: PLANS[number % 3 == 0]}
        events.append({**event, **names, "name": EVENT, "metadata": own})
        answer = {"answer": f"Sorry, I cannot help. {ending}", "model": MODEL, NOTE: f"{metadata['prompt']} {ending}"}
        at = str(event["timestamp"]).replace(":00Z", ":30Z")
        identity = {"event_id": f"{event['event_id']}-answer", "timestamp": at}
        events.append({**event, **names, **identity, "name": ANSWER, "metadata": answer})
    dump = write_events(folder / "dump.jsonl", events)
    settings = {"TURRET_PROMPT_EVENTS": EVENT}
    run_job(folder / "data", dump, extra=settings)
    with duckdb.connect(str(warehouse(folder / "data"))) as connection:
        connection.execute("update marts.topics set label = ? || topic_id, theme_label = ?", [LABEL, LABEL])
        connection.execute("update marts.topics set description = ?, keywords = [?]", [LABEL, LABEL])
        sql = "update marts.journey_nodes set node_label = ? || node_id where dimension <> 'event_name'"
        connection.execute(sql, [LABEL])
    DataDir(folder / "data").warehouse.published.touch()
    return folder / "data"
