"""Sessions, a letter for the topic of each turn."""

import random
from collections.abc import Sequence

import polars as pl

from turret_pipeline.tables import EVENT_TEXTS, TEXT_TOPICS
from turret_pipeline.topics.follow_ups.turns import Turns, collect_turns

Frames = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]


def topic_id(letter: str) -> str | None:
    """The topic of a letter; "." is a text without one."""
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
        ("prompt", f"t{letter}", topic_id(letter), 0.9, runner_up, 0.9 - lead, topic_id(letter))
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
    """Sessions about one or two subjects, each stated and then carried on by turns of x, y and z, whatever it is.

    Some of the turns that carry a subject on are of a topic of its own, the letter 4 later, which opens no session.
    """
    chance = random.Random(seed)

    def part() -> str:
        subject = chance.choice(subjects)
        own = chr(ord(subject) + 4)
        return subject + "".join(chance.choice([own, *"xyz"[: chance.randint(1, 3)]]) for _ in range(3))

    return ["".join(part() for _ in range(chance.randint(1, 2))) for _ in range(count)]


def statements(count: int, seed: int = 0, topics: str = "abcdef", longest: int = 4) -> list[str]:
    """Sessions in which every turn states a subject of its own, whatever the others are."""
    chance = random.Random(seed)
    return ["".join(chance.choice(topics) for _ in range(chance.randint(1, longest))) for _ in range(count)]
