"""The LLM that names topics, where a person has switched it on: any OpenAI-compatible endpoint.

Belongs here: requests, what they cost, the answers that are kept, and what happens where the endpoint fails. Not here:
what is asked, and which answers are taken (topics/naming.py).
"""

import asyncio
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import polars as pl

from turret_pipeline.config.pipeline import Settings
from turret_pipeline.errors import TurretError
from turret_pipeline.orchestration.resources import Workspace
from turret_pipeline.scrubbing import scrub
from turret_pipeline.storage.atomic_files import atomic_replace
from turret_pipeline.topics.lifecycle.llm_labels import (
    ANSWER_TOKENS,
    Answer,
    Question,
    parse_answer,
    questions,
    with_answers,
)
from turret_pipeline.topics.lifecycle.plan import Run
from turret_pipeline.topics.lifecycle.state import TopicState

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

PARALLEL, RETRIES, CONNECT_SECONDS = 4, 1, 5
MOST_FAILURES = 3
"""After so many failed requests in a row no more are made: an endpoint that is down must not hold up a run."""

NO_KEY = "none"
"""Sent to a server of one's own, which asks for no key; the library will not go without."""


@dataclass(frozen=True)
class Naming:
    """The state with the names that the LLM gave; ``summary`` is a sentence on how it went, for a person."""

    state: TopicState
    is_complete: bool
    summary: str


def name_with_llm(
    workspace: Workspace,
    state: TopicState,
    shown: TopicState,
    texts: pl.DataFrame,
    run: Run,
    say: Callable[[str], None],
) -> Naming:
    """Ask the LLM, if there is one, for the names of new and changed topics; whatever fails, keywords name them.

    Only topics in ``shown`` are asked about: what few people said leaves the machine as little as it enters a table.
    ``say`` is told what will be asked and what it costs before the first request.
    """
    settings = workspace.settings
    if not settings.llm_model:
        return Naming(state, True, "No LLM is set (setting llm_model): keywords name the topics.")
    asked = questions(shown, texts, run)
    kept = Kept(workspace.llm_names, settings.llm_model)
    answers = {question.topic_id: answer for question in asked if (answer := kept.read(question))}
    waiting = [question for question in asked if question.topic_id not in answers]
    replies = Replies()
    if waiting:
        try:
            client = connect(settings)
            say(cost(waiting, settings, _place(str(client.base_url))))
            steps = _asked(waiting, Endpoint(client, settings, kept), replies)
            workspace.progress.track("Naming topics", len(waiting), steps)
        except TurretError as error:
            replies.problems = {question.topic_id: str(error) for question in waiting}
    named, refused = with_answers(state, {**answers, **replies.answers}, run)
    replies.problems.update(dict.fromkeys(refused, "the LLM gave the label of another topic"))
    return Naming(named, not replies.problems, _summary(asked, replies, settings))


def connect(settings: Settings) -> "openai.AsyncOpenAI":
    """A client of the endpoint. TurretError where the package or the key is missing."""
    try:
        import openai
    except ImportError:
        raise TurretError(
            "the package openai is not installed: pip install 'turret-pipeline[llm]', or unset TURRET_LLM_MODEL"
        ) from None
    is_openai = not settings.llm_base_url and not os.environ.get("OPENAI_BASE_URL")
    # the key of OpenAI is for OpenAI: another endpoint gets the key that is set for it, or none
    of_environment = os.environ.get("OPENAI_API_KEY") if is_openai else None
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else of_environment
    if not key and is_openai:
        raise TurretError("OpenAI asks for a key: set TURRET_LLM_API_KEY, or TURRET_LLM_BASE_URL to another endpoint")
    try:
        return openai.AsyncOpenAI(
            api_key=key or NO_KEY,
            base_url=settings.llm_base_url,
            max_retries=RETRIES,
            timeout=openai.Timeout(None, connect=CONNECT_SECONDS),
            http_client=_hurried(settings.llm_timeout_seconds),
        )
    except Exception as error:  # whatever a library raises here, the run goes on
        raise TurretError(f"no client can be made for {settings.llm_base_url!r}: {_reason(error, key)}") from None


def _hurried(seconds: float) -> "openai.DefaultAsyncHttpxClient":
    """An HTTP client that waits so long for a whole answer: the library's own limit begins anew with every byte."""
    import openai

    class Hurried(openai.DefaultAsyncHttpxClient):
        async def send(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - that of the library
            try:
                async with asyncio.timeout(seconds):
                    response = await super().send(*args, **options)
                    await response.aread()
                    return response
            except TimeoutError:
                raise TimeoutError(f"no whole answer within {seconds:g} seconds") from None

    return Hurried()


def cost(waiting: list[Question], settings: Settings, place: str) -> str:
    """What is about to be asked, where, and about what it costs."""
    sent, said = sum(question.tokens() for question in waiting), ANSWER_TOKENS * len(waiting)
    price = (sent * settings.llm_price_input + said * settings.llm_price_output) / 1e6
    known = f"about ${price:.2g}" if price >= 0.0001 else "under $0.0001"
    unknown = "at a price that is not known (settings llm_price_input and llm_price_output)"
    return (
        f"Naming {_count(waiting)} with {settings.llm_model} at {place}: about {_rounded(sent)} tokens in and "
        f"{_rounded(said)} out, {known if price else unknown}."
    )


def _count(topics: "list[Question] | list[str]") -> str:
    return f"{len(topics):,} topic{'' if len(topics) == 1 else 's'}"


def _rounded(tokens: int) -> str:
    return f"{round(tokens, -1 if tokens < 1000 else -2):,}"


def _place(url: str) -> str:
    """The address without a name or password in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rsplit('@', 1)[-1]}{parts.path}".rstrip("/")


@dataclass(frozen=True)
class Kept:
    """Answers that were given before, a file each, named by model and question: nothing is asked twice."""

    folder: Path
    model: str

    def path(self, question: Question) -> Path:
        """Where the answer to a question lies."""
        asked = json.dumps([self.model, question.messages])
        return self.folder / f"{hashlib.sha256(asked.encode()).hexdigest()}.json"

    def read(self, question: Question) -> Answer | None:
        """The answer, if there is one."""
        try:
            return parse_answer(self.path(question).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def write(self, question: Question, answer: Answer) -> None:
        """Keep an answer, whole or not at all."""
        with atomic_replace(self.path(question)) as aside:
            aside.write_text(json.dumps(asdict(answer)), encoding="utf-8")


@dataclass
class Replies:
    """What came back, by topic: an answer, or a problem in words; and how many tokens it took."""

    answers: dict[str, Answer] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    tokens_in: int = 0
    tokens_out: int = 0


class Endpoint:
    """Asks a few questions at a time, until too many in a row have failed."""

    def __init__(self, client: "openai.AsyncOpenAI", settings: Settings, kept: Kept) -> None:
        self._client, self._settings, self._kept = client, settings, kept
        self._free, self._failures = asyncio.Semaphore(PARALLEL), 0

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.close()

    async def ask(self, question: Question, replies: Replies) -> None:
        """Put the answer, or what went wrong, among the replies."""
        async with self._free:
            await self._ask(question, replies)

    async def _ask(self, question: Question, replies: Replies) -> None:
        if self._failures >= MOST_FAILURES:
            replies.problems[question.topic_id] = "it was not asked any more"
            return
        try:
            said = await self._complete(question)
            text, usage = said.choices[0].message.content or "", said.usage
        except Exception as error:  # whatever a server or library does here, the run goes on
            place, reason = _place(str(self._client.base_url)), _reason(error, self._client.api_key)
            replies.problems[question.topic_id] = f"{place} did not answer ({reason})"
            self._failures += 1
            return
        self._failures = 0
        replies.tokens_in += usage.prompt_tokens if usage else 0
        replies.tokens_out += usage.completion_tokens if usage else 0
        try:
            replies.answers[question.topic_id] = parse_answer(text)
        except ValueError as refusal:
            replies.problems[question.topic_id] = str(refusal)
        else:
            self._kept.write(question, replies.answers[question.topic_id])

    async def _complete(self, question: Question) -> "ChatCompletion":
        import openai

        create, model = self._client.chat.completions.create, self._settings.llm_model
        messages = cast("list[ChatCompletionMessageParam]", question.messages)
        try:
            said = await create(model=model, messages=messages, temperature=0)
        except openai.BadRequestError as error:
            if error.param != "temperature":  # some models have one temperature only
                raise
            said = await create(model=model, messages=messages)
        if not getattr(said, "choices", None):  # a page, or JSON of another kind: the library hands on what it got
            raise ValueError("what came back is no chat completion")
        return said


def _asked(waiting: list[Question], endpoint: Endpoint, replies: Replies) -> Iterator[int]:
    """Ask all, a few at a time; yields 1 for each that is done."""

    async def begin() -> set[asyncio.Task[None]]:
        return {asyncio.create_task(endpoint.ask(question, replies)) for question in waiting}

    with asyncio.Runner() as runner:  # left early, it cancels what is still asked
        try:
            asking = runner.run(begin())
            while asking:
                done, asking = runner.run(asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED))
                for task in done:
                    task.result()
                    yield 1
        finally:
            runner.run(endpoint.close())


def _reason(error: Exception, key: str | None) -> str:
    """The error in a few words, without the key and without anything that was sent."""
    if isinstance(error.__cause__, TimeoutError):  # the library calls it an error of the connection
        error = error.__cause__
    said = " ".join(str(error).split())
    said = scrub(said.replace(key, "<KEY>") if key and key != NO_KEY else said)
    short = said if len(said) <= 160 else said[:159] + "…"
    return f"{type(error).__name__}: {short}".rstrip(".: ")


def _summary(asked: list[Question], replies: Replies, settings: Settings) -> str:
    if not asked:
        return "No topic is new or changed: the LLM was not asked."
    used = f"{replies.tokens_in:,} tokens in and {replies.tokens_out:,} out were used"
    if not replies.problems:
        return f"{_count(asked)} named by {settings.llm_model}; {used}."
    first = next(replies.problems[one.topic_id] for one in asked if one.topic_id in replies.problems)
    return f"{len(replies.problems):,} of {_count(asked)} keep the label they had: {first}."
