"""Made-up sessions: a string per session, with a letter for the topic of each turn."""

import random
from collections.abc import Sequence

import polars as pl

from turret_pipeline.tables import EVENT_TEXTS, TEXT_TOPICS
from turret_pipeline.topics.follow_ups.turns import Turns, collect_turns

Frames = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]


def topic_id(letter: str) -> str | None:
    """Id of the topic of a letter; "." is a text without a topic."""
    return None if letter == "." else f"prompt-{ord(letter) - 96}"


def frames(*sessions: str, lead: float = 0.5, runner_up: str | None = None) -> Frames:
    """Events, event_texts and text_topics of sessions; "_" is an event without a text. Events e0, e1 ... in order."""
    turns = [(session, letter) for session, letters in enumerate(sessions) for letter in letters]
    events = pl.DataFrame(
        [(f"e{at}", f"s{session:06}") for at, (session, _) in enumerate(turns)],
        {"event_id": pl.String, "session_id": pl.String},
        orient="row",
    )
    texts = [(f"e{at}", "prompt", None if letter == "_" else f"t{letter}") for at, (_, letter) in enumerate(turns)]
    topics = [
        ("prompt", f"t{letter}", topic_id(letter), 0.9, runner_up, 0.9 - lead, topic_id(letter), "model")
        for letter in sorted({letter for _, letter in turns} - {"_"})
    ]
    return (
        events,
        pl.DataFrame(texts, EVENT_TEXTS.schema, orient="row"),
        pl.DataFrame(topics, TEXT_TOPICS.schema, orient="row"),
    )


def turns(*sessions: str) -> Turns:
    """The turns of sessions."""
    return collect_turns("prompt", *frames(*sessions))


def dialogues(count: int, seed: int = 0, subjects: Sequence[str] = "abcd") -> list[str]:
    """Sessions about one or two subjects, each stated and then followed by follow-ups.

    Follow-ups have the topics x, y and z for all subjects, and for each subject one of its own, the letter 4 later.
    """
    rng = random.Random(seed)

    def part() -> str:
        subject = rng.choice(subjects)
        specific = chr(ord(subject) + 4)
        return subject + "".join(rng.choice([specific, *"xyz"[: rng.randint(1, 3)]]) for _ in range(3))

    return ["".join(part() for _ in range(rng.randint(1, 2))) for _ in range(count)]


def statements(count: int, seed: int = 0, topics: str = "abcdef", longest: int = 4) -> list[str]:
    """Sessions in which every turn states a subject, independently of the others."""
    rng = random.Random(seed)
    return ["".join(rng.choice(topics) for _ in range(rng.randint(1, longest))) for _ in range(count)]
