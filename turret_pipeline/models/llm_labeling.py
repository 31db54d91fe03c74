"""Topic labels by an LLM, if a person has switched it on.

Belongs here: which questions are asked, the cost that is announced, and what happens if the endpoint fails. Not here:
the text of the questions and the validation of the answers (topics/lifecycle/llm_questions.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from turret_pipeline.config.pipeline import Settings
from turret_pipeline.errors import TurretError
from turret_pipeline.models.answer_cache import AnswerCache
from turret_pipeline.models.llm_client import Endpoint, Replies, connect, strip_credentials
from turret_pipeline.progress import Progress
from turret_pipeline.topics.lifecycle.llm_questions import ANSWER_TOKENS, Question, apply_answers, build_questions
from turret_pipeline.topics.lifecycle.plan import Run
from turret_pipeline.topics.lifecycle.state import TopicState


@dataclass(frozen=True)
class LLMLabeling:
    """A state with the labels that the LLM gave; ``summary`` is a sentence for a person."""

    state: TopicState
    is_complete: bool
    summary: str


def label_topics_with_llm(
    settings: Settings,
    cache_folder: Path,
    progress: Progress,
    state: TopicState,
    disclosed: TopicState,
    texts: pl.DataFrame,
    run: Run,
    say: Callable[[str], None],
) -> LLMLabeling:
    """Label new and changed topics with the LLM, if one is set; topics without an answer keep their previous label.

    Asks only about topics in ``disclosed``: suppressed topics do not leave the machine. ``say`` is given the number of
    questions and their cost before the first request.
    """
    if not settings.llm_model:
        return LLMLabeling(state, True, "No LLM is set (setting llm_model): topics have keyword labels.")
    asked = build_questions(disclosed, texts, run)
    cache = AnswerCache(cache_folder, settings.llm_model)
    answers = {question.topic_id: answer for question in asked if (answer := cache.read(question))}
    waiting = [question for question in asked if question.topic_id not in answers]
    replies = Replies()
    if waiting:
        try:
            client = connect(settings)
            say(describe_cost(waiting, settings, strip_credentials(str(client.base_url))))
            steps = Endpoint(client, settings, cache).ask_all(waiting, replies)
            progress.track("Labeling topics", len(waiting), steps)
        except TurretError as error:
            replies.problems = {question.topic_id: str(error) for question in waiting}
    labeled, repeated = apply_answers(state, {**answers, **replies.answers}, run)
    replies.problems.update(dict.fromkeys(repeated, "the LLM gave the label of another topic"))
    return LLMLabeling(labeled, not replies.problems, _summarize(asked, replies, settings))


def describe_cost(waiting: list[Question], settings: Settings, address: str) -> str:
    """A sentence: how many topics are labeled with which model where, about how many tokens, and their price."""
    tokens_in, tokens_out = sum(question.estimate_tokens() for question in waiting), ANSWER_TOKENS * len(waiting)
    price = (tokens_in * settings.llm_price_input + tokens_out * settings.llm_price_output) / 1e6
    known = f"about ${price:.2g}" if price >= 0.0001 else "under $0.0001"
    unknown = "price unknown (set llm_price_input and llm_price_output)"
    return (
        f"Labeling {_count_topics(len(waiting))} with {settings.llm_model} at {address}: about "
        f"{_round_tokens(tokens_in)} tokens in and {_round_tokens(tokens_out)} out, {known if price else unknown}."
    )


def _count_topics(count: int) -> str:
    return f"{count:,} topic{'' if count == 1 else 's'}"


def _round_tokens(tokens: int) -> str:
    return f"{round(tokens, -1 if tokens < 1000 else -2):,}"


def _summarize(asked: list[Question], replies: Replies, settings: Settings) -> str:
    if not asked:
        return "No topic is new or changed: the LLM was not asked."
    if not replies.problems:
        used = f"{replies.tokens_in:,} tokens in and {replies.tokens_out:,} out"
        return f"{settings.llm_model} labeled {_count_topics(len(asked))}, using {used}."
    first = next(replies.problems[one.topic_id] for one in asked if one.topic_id in replies.problems)
    kept = f"{len(replies.problems):,} of {_count_topics(len(asked))}"
    return f"{kept} keep the label they had: {first}."
