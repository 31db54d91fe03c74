"""Requests to an OpenAI-compatible endpoint: a few in parallel, with a deadline, until too many fail in a row."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from turret_pipeline.config.pipeline import Settings
from turret_pipeline.errors import TurretError
from turret_pipeline.models.answer_cache import AnswerCache
from turret_pipeline.scrubbing import scrub_for_llm
from turret_pipeline.topics.lifecycle.llm_questions import Answer, Question, parse_answer

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

PARALLEL, RETRIES, CONNECT_SECONDS = 4, 1, 5
MAX_FAILURES_IN_A_ROW = 3
"""After this many the endpoint is taken to be down, and must not hold up the run."""

NO_KEY = "none"
"""Sent to an endpoint that needs no key, because the client library requires one."""


@dataclass
class Replies:
    """Results by topic id: an answer, or a problem as a sentence; and the tokens used."""

    answers: dict[str, Answer] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    tokens_in: int = 0
    tokens_out: int = 0


def connect(settings: Settings) -> "openai.AsyncOpenAI":
    """A client of the endpoint in the settings. Raises TurretError if the package or the key is missing."""
    try:
        import openai
    except ImportError:
        raise TurretError(
            "the package openai is not installed: pip install 'turret-pipeline[llm]', or unset TURRET_LLM_MODEL"
        ) from None
    is_openai = not settings.llm_base_url and not os.environ.get("OPENAI_BASE_URL")
    # OPENAI_API_KEY is for OpenAI: another endpoint gets only the key that is set for it
    of_environment = os.environ.get("OPENAI_API_KEY") if is_openai else None
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else of_environment
    if not key and is_openai:
        raise TurretError("OpenAI needs a key: set TURRET_LLM_API_KEY, or TURRET_LLM_BASE_URL to another endpoint")
    try:
        return openai.AsyncOpenAI(
            api_key=key or NO_KEY,
            base_url=settings.llm_base_url,
            max_retries=RETRIES,
            timeout=openai.Timeout(None, connect=CONNECT_SECONDS),
            http_client=_make_http_client(settings.llm_timeout_seconds),
        )
    except Exception as error:  # noqa: BLE001 - whatever the library raises here, the run goes on
        raise TurretError(f"cannot make a client for {settings.llm_base_url!r}: {describe_error(error, key)}") from None


def _make_http_client(seconds: float) -> "openai.DefaultAsyncHttpxClient":
    """An HTTP client with a deadline for the whole response: the library's own timeout restarts with every byte."""
    import openai

    class TotalTimeoutClient(openai.DefaultAsyncHttpxClient):
        async def send(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - the library's signature
            try:
                async with asyncio.timeout(seconds):
                    response = await super().send(*args, **options)
                    await response.aread()
                    return response
            except TimeoutError:
                raise TimeoutError(f"no complete answer within {seconds:g} seconds") from None

    return TotalTimeoutClient()


def strip_credentials(url: str) -> str:
    """The address without user name, password and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rsplit('@', 1)[-1]}{parts.path}".rstrip("/")


class Endpoint:
    """Asks questions, PARALLEL at a time, and stores the answers; stops after MAX_FAILURES_IN_A_ROW."""

    def __init__(self, client: "openai.AsyncOpenAI", settings: Settings, cache: AnswerCache) -> None:
        self._client, self._settings, self._cache = client, settings, cache
        self._slots, self._failures = asyncio.Semaphore(PARALLEL), 0

    def ask_all(self, questions: list[Question], replies: Replies) -> Iterator[int]:
        """Ask all questions and collect the replies; yields 1 for each question that is done, in any order."""

        async def begin() -> set[asyncio.Task[None]]:
            return {asyncio.create_task(self._ask(question, replies)) for question in questions}

        with asyncio.Runner() as runner:  # left early, it cancels the open requests
            try:
                pending = runner.run(begin())
                while pending:
                    done, pending = runner.run(asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED))
                    for task in done:
                        task.result()
                        yield 1
            finally:
                runner.run(self._client.close())

    async def _ask(self, question: Question, replies: Replies) -> None:
        async with self._slots:
            if self._failures >= MAX_FAILURES_IN_A_ROW:
                replies.problems[question.topic_id] = "it was skipped after repeated failures"
                return
            try:
                completion = await self._complete(question)
                text, usage = completion.choices[0].message.content or "", completion.usage
            except Exception as error:  # noqa: BLE001 - whatever a server or library does, the run goes on
                address = strip_credentials(str(self._client.base_url))
                reason = describe_error(error, self._client.api_key)
                replies.problems[question.topic_id] = f"{address} did not answer ({reason})"
                self._failures += 1
                return
        self._failures = 0
        replies.tokens_in += usage.prompt_tokens if usage else 0
        replies.tokens_out += usage.completion_tokens if usage else 0
        self._store(question, text, replies)

    def _store(self, question: Question, text: str, replies: Replies) -> None:
        try:
            replies.answers[question.topic_id] = parse_answer(text)
        except ValueError as rejection:
            replies.problems[question.topic_id] = str(rejection)
        else:
            self._cache.write(question, replies.answers[question.topic_id])

    async def _complete(self, question: Question) -> "ChatCompletion":
        import openai

        create, model = self._client.chat.completions.create, self._settings.llm_model
        messages = cast("list[ChatCompletionMessageParam]", question.messages)
        try:
            completion = await create(model=model, messages=messages, temperature=0)
        except openai.BadRequestError as error:
            if error.param != "temperature":  # some models accept only their default temperature
                raise
            completion = await create(model=model, messages=messages)
        if not getattr(completion, "choices", None):  # a web page or other JSON: the library passes on what it got
            raise ValueError("the response has no chat completion")
        return completion


def describe_error(error: Exception, key: str | None) -> str:
    """Class and message of an error, shortened, without the key and without personal data."""
    if isinstance(error.__cause__, TimeoutError):  # the library reports it as a connection error
        error = error.__cause__
    message = " ".join(str(error).split())
    message = scrub_for_llm(message.replace(key, "<KEY>") if key and key != NO_KEY else message)
    short = message if len(message) <= 160 else message[:159] + "…"
    return f"{type(error).__name__}: {short}".rstrip(".: ")
