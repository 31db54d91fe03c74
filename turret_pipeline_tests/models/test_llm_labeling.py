"""Topics named by an LLM, asked through a real server on loopback."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.models.llm_labeling import LLMLabeling, label_topics_with_llm
from turret_pipeline.progress import SilentProgress
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.tables import TEXTS
from turret_pipeline.topics.lifecycle.plan import Run
from turret_pipeline.topics.lifecycle.state import TopicState
from turret_pipeline_tests.commands import (
    conversations,
    published_tables,
    run_job,
    turret,
    write_events,
)
from turret_pipeline_tests.models.chat_server import Asked, ChatServer, Reply, chat_server, name_by_keywords, question
from turret_pipeline_tests.topics.lifecycle.test_llm_questions import NOON, state, topic

RUN = Run("r1", NOON)
KEY = "sk-test-0123456789abcdefghij"
COUNT = 12


@pytest.fixture(autouse=True)
def no_openai_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the environment of these tests says where an LLM is."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def topics(count: int = COUNT) -> TopicState:
    """So many topics that no LLM has named."""
    return state(*(topic(number, f"Label {number}", [f"keyword{number}"]) for number in range(1, count + 1)))


class Told:
    """What a person was told."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def __call__(self, sentence: str) -> None:
        self.sentences.append(sentence)


def name(folder: Path, url: str | None, given: TopicState, say: Told | None = None, **settings: object) -> LLMLabeling:
    chosen = load_settings(data_dir=folder, **{"llm_model": "tiny", "llm_base_url": url} | settings)
    cache, progress = DataDir(folder).llm_answers, SilentProgress()
    return label_topics_with_llm(chosen, cache, progress, given, given, TEXTS.empty(), RUN, say or Told())


def labels(naming: LLMLabeling) -> list[str]:
    return naming.state.topic_definitions["label"].to_list()


KEYWORD_LABELS = [f"Label {number}" for number in range(1, COUNT + 1)]
LLM_LABELS = [f"About keyword{number}" for number in range(1, COUNT + 1)]


def test_without_a_model_nothing_is_asked(tmp_path: Path) -> None:
    with chat_server() as server:
        naming = name(tmp_path, server.url, topics(), llm_model="")
    assert (labels(naming), naming.is_complete, server.requests) == (KEYWORD_LABELS, True, [])


@pytest.mark.slow
def test_names_are_taken_and_the_cost_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    with chat_server() as server:

        class First(Told):
            def __call__(self, sentence: str) -> None:
                assert server.requests == []
                super().__call__(sentence)

        say = First()
        naming = name(tmp_path, server.url, topics(), say, llm_price_input=1.0, llm_price_output=4.0)
    assert labels(naming) == LLM_LABELS
    assert set(naming.state.topic_definitions["label_source"]) == {"llm"}
    assert naming.is_complete
    assert naming.summary == "tiny labeled 12 topics, using 1,200 tokens in and 240 out."
    assert len(say.sentences) == 1
    pattern = rf"Labeling 12 topics with tiny at {server.url}: about [\d,]+ tokens in and 720 out, about \$0\.\d+\."
    assert re.fullmatch(pattern, say.sentences[0])
    assert {request["temperature"] for request in server.requests} == {0}
    assert server.keys == {"Bearer none"}


def test_a_price_that_nobody_set_is_said_to_be_unknown(tmp_path: Path) -> None:
    say = Told()
    with chat_server() as server:
        name(tmp_path, server.url, topics(1), say)
    assert "Labeling 1 topic with" in say.sentences[0]
    assert "price unknown (set llm_price_input and llm_price_output)" in say.sentences[0]


def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    say = Told()
    with chat_server() as server:
        first = name(tmp_path, server.url, topics())
        again = name(tmp_path, server.url, topics(), say)
        assert len(server.requests) == COUNT
        assert labels(again) == labels(first)
        assert say.sentences == []
        next((tmp_path / "lake" / "llm_names").glob("*.json")).write_text("half an ans")
        assert labels(name(tmp_path, server.url, topics())) == labels(first)
        assert len(server.requests) == COUNT + 1
        name(tmp_path, server.url, topics(), llm_model="other")
        assert len(server.requests) == 2 * COUNT + 1


def test_the_names_do_not_depend_on_which_answer_comes_first(tmp_path: Path) -> None:
    def same_label(request: Asked) -> Reply:
        number = int(question(request)["keywords"][0].removeprefix("keyword"))
        said = {"label": "The same", "description": f"Topic {number}."}
        return Reply(json.dumps(said), seconds=0.02 * (COUNT - number))

    with chat_server(same_label) as server:
        naming = name(tmp_path, server.url, topics())
    assert labels(naming) == ["The same", *KEYWORD_LABELS[1:]]
    assert not naming.is_complete
    assert naming.summary == "11 of 12 topics keep the label they had: the LLM gave the label of another topic."


def test_a_model_with_one_temperature_only_is_asked_without(tmp_path: Path) -> None:
    def picky(request: Asked) -> Reply:
        problem = {"message": "Unsupported value", "param": "temperature", "code": "unsupported_value"}
        body = json.dumps({"error": problem})
        return Reply(status=400, body=body) if "temperature" in request else name_by_keywords(request)

    with chat_server(picky) as server:
        assert labels(name(tmp_path, server.url, topics(2))) == LLM_LABELS[:2]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply("I would call it Money back"), "the answer was not a JSON object"),
        (Reply('{"label": "", "description": "x"}'), "the answer had no label"),
    ],
)
def test_an_answer_that_cannot_be_used_leaves_the_keyword_label(tmp_path: Path, reply: Reply, reason: str) -> None:
    def third_fails(request: Asked) -> Reply:
        return reply if question(request)["keywords"] == ["keyword3"] else name_by_keywords(request)

    with chat_server(third_fails) as server:
        naming = name(tmp_path, server.url, topics())
        assert labels(naming) == [*LLM_LABELS[:2], "Label 3", *LLM_LABELS[3:]]
        assert naming.state.topic_definitions["label_source"].to_list().count("keywords") == 1
        assert naming.summary == f"1 of 12 topics keep the label they had: {reason}."
        server.answer = name_by_keywords
        assert labels(name(tmp_path, server.url, topics())) == LLM_LABELS


BROKEN = {
    "an error": (Reply(status=500, body='{"error": {"message": "out of memory"}}'), "InternalServerError"),
    "a refusal": (Reply(status=401, body=f'{{"error": {{"message": "bad key {KEY}"}}}}'), "AuthenticationError"),
    "not a chat": (Reply(body='{"hello": "world"}'), "no chat completion"),
    "not JSON": (Reply(body="<html>"), ""),
    "no message": (Reply(body='{"choices": [{"index": 0}]}'), ""),
    "silence": (Reply(seconds=1), "TimeoutError: no complete answer within 0.2 seconds"),
    "an answer without end": (Reply(drips=True), "TimeoutError: no complete answer within 0.2 seconds"),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", BROKEN)
def test_an_endpoint_that_fails_is_left_alone_soon_and_named(tmp_path: Path, kind: str) -> None:
    reply, reason = BROKEN[kind]
    seconds = 0.2 if reply.drips or reply.seconds else 60
    with chat_server(lambda _: reply) as server:
        naming = name(tmp_path, server.url, topics(40), llm_api_key=KEY, llm_timeout_seconds=seconds)
        assert len(server.requests) < 20
    assert naming.state.topic_definitions.equals(topics(40).topic_definitions)
    assert not naming.is_complete
    assert naming.summary.startswith(f"40 of 40 topics keep the label they had: {server.url} did not answer (")
    assert reason in naming.summary
    assert KEY not in naming.summary


def test_an_endpoint_that_is_not_there_is_named(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        naming = name(tmp_path, url, topics(40))
    assert "did not answer (APIConnectionError: Connection error)." in naming.summary
    assert labels(naming)[:COUNT] == KEYWORD_LABELS


def test_what_was_answered_before_the_endpoint_failed_is_used(tmp_path: Path) -> None:
    def fails_later(request: Asked) -> Reply:
        number = int(question(request)["keywords"][0].removeprefix("keyword"))
        return name_by_keywords(request) if number <= 4 else Reply(status=404, body="{}")

    with chat_server(fails_later) as server:
        naming = name(tmp_path, server.url, topics())
    assert labels(naming) == [*LLM_LABELS[:4], *KEYWORD_LABELS[4:]]


def test_without_the_package_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    naming = name(tmp_path, "http://127.0.0.1:9/v1", topics())
    assert labels(naming) == KEYWORD_LABELS
    assert "the package openai is not installed: pip install 'turret-pipeline[llm]'" in naming.summary


def test_openai_without_a_key_is_not_asked(tmp_path: Path) -> None:
    naming = name(tmp_path, None, topics())
    assert "OpenAI needs a key: set TURRET_LLM_API_KEY" in naming.summary


def test_the_key_of_the_environment_is_for_openai_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    with chat_server() as server:
        name(tmp_path, server.url, topics(1))
        name(tmp_path, server.url, topics(2), llm_api_key=KEY)
    assert server.keys == {"Bearer none", f"Bearer {KEY}"}


def test_a_login_in_the_address_is_not_shown(tmp_path: Path) -> None:
    say = Told()
    with chat_server(lambda _: Reply(status=404)) as server:
        naming = name(tmp_path, server.url.replace("://", "://jo:hunter2@"), topics(1), say)
    assert "hunter2" not in naming.summary + say.sentences[0]
    assert server.url in say.sentences[0]


def llm(server: ChatServer, **more: str) -> dict[str, str]:
    """The environment that switches it on."""
    return {"TURRET_LLM_MODEL": "tiny", "TURRET_LLM_BASE_URL": server.url, "TURRET_LLM_API_KEY": KEY} | more


def garden() -> list[dict[str, object]]:
    """Events about a subject that the conversations do not have."""
    plants = ["roses", "tulips", "tomatoes", "beans", "herbs", "lilies", "peas", "carrots", "onions", "figs"]
    return [
        {
            "event_id": f"g{number}",
            "name": "prompt_sent",
            "session_id": f"g{number}",
            "timestamp": f"2026-04-01T10:{number:02}:00Z",
            "metadata": {"prompt": f"When should I water the {plant} in my garden bed", "plan": "team"},
        }
        for number, plant in enumerate(plants)
    ]


def everything_written(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


@pytest.mark.slow
def test_an_llm_that_refuses_is_a_warning_and_one_that_answers_later_names_each_topic_once(tmp_path: Path) -> None:
    events = conversations()
    for event in events[::3]:
        event["metadata"] |= {"prompt": f"{event['metadata']['prompt']}, mail zoe.quill@corp.example"}  # type: ignore[index, operator]
    data, first = tmp_path / "data", write_events(tmp_path / "a.jsonl", events)
    with chat_server(lambda _: Reply(status=401, body=f'{{"error": {{"message": "bad key {KEY}"}}}}')) as server:
        done = turret("run", "--input", first, "--data-dir", data, "--verbose", extra=llm(server))
        assert done.returncode == 0, done.stdout + done.stderr
        told = " ".join(done.stderr.split())
        assert "Warning: Check llm_names of table topic_definitions failed." in told
        assert f"topics keep the label they had: {server.url} did not answer (AuthenticationError" in told
        assert_no_key_is_shown(done, data)
        before = published_tables(data)["topics"]
        assert set(before["label_source"]) == {"keywords"}

        server.answer, refused = name_by_keywords, len(server.requests)
        later = write_events(tmp_path / "b.jsonl", conversations(36, 1))
        done = turret("run", "--input", later, "--data-dir", data, "--verbose", extra=llm(server))
        assert done.returncode == 0, done.stdout + done.stderr
        tables = published_tables(data)
        named, asked = tables["topics"], len(server.requests) - refused
        assert asked == named.height >= 3
        assert f"Labeling {asked} topics with tiny at {server.url}: about" in done.stderr
        assert set(named["label_source"]) == {"llm"}
        renamed = tables["topic_lineage"].filter(pl.col("change") == "renamed")
        assert sorted(renamed["topic_id"]) == sorted(before["topic_id"])
        assert tables["topic_runs"]["renamed_count"].to_list() == [0, before.height]
        sent = server.everything()
        assert "<EMAIL>" in sent
        for secret in ("zoe", "quill", "corp.example"):
            assert secret not in sent.lower()
        assert server.keys == {f"Bearer {KEY}"}
        assert_no_key_is_shown(done, data)

        run_job(data, write_events(tmp_path / "c.jsonl", garden()), extra=llm(server))
        tables = published_tables(data)
        after = tables["topics"]
        assert len(server.requests) - refused - asked == after.height - named.height > 0
        assert set(after["label_source"]) == {"llm"}
        kept = ["topic_id", "label", "label_source", "description"]
        assert after.select(kept).head(named.height).rows() == named.select(kept).rows()
        assert tables["topic_lineage"].filter(pl.col("change") == "renamed").rows() == renamed.rows()


def assert_no_key_is_shown(done: subprocess.CompletedProcess[str], data: Path) -> None:
    assert KEY not in done.stdout + done.stderr
    assert KEY.encode() not in everything_written(data)
