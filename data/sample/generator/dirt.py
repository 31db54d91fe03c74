"""The dirty rows of the sample: what logs of real products contain and a reader of them has to survive."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import cast

import phrases
from sessions import DAYS, FIRST_DAY, Event, Row

RESENT_AFTER = (1, 2, 5, 30, 60, 900, 86_400, 31 * 86_400)  # seconds until an event is sent a second time
NOT_EVENTS = ('"connection lost"', "42", "[]", "")


def without(key: str) -> Callable[[Row], Row]:
    """A change that drops a key of the event."""
    return lambda row: replace(row, event={name: value for name, value in row.event.items() if name != key})


def with_value(key: str, value: object) -> Callable[[Row], Row]:
    """A change that sets a key of the event."""
    return lambda row: replace(row, event=row.event | {key: value})


def with_prompt(text: str, topic: str) -> Callable[[Row], Row]:
    """A change that sets the prompt, and what it is about."""

    def change(row: Row) -> Row:
        metadata = cast(Event, row.event["metadata"]) | {"prompt": text, "prompt_chars": len(text)}
        return replace(row, event=row.event | {"metadata": metadata}, topic=topic)

    return change


def numbers_as_text(row: Row) -> Row:
    """The same event with every number of its metadata sent as a string."""
    metadata = cast(Event, row.event["metadata"])
    texts = {key: str(value) for key, value in metadata.items() if type(value) in (int, float)}
    return replace(row, event=row.event | {"metadata": metadata | texts})


def changes(rng: Random) -> list[tuple[str, Callable[[Row], Row]]]:
    """Every spoilt event to be: the name of the event it is made from ('' for any), and the change."""
    paste = "Please proofread: " + " ".join(rng.choice(phrases.LONG_PASTE) for _ in range(90))
    any_event = (
        [lambda row: replace(row, raw=row.line()[: len(row.line()) * 2 // 3])] * 6
        + [without("timestamp")] * 4 + [with_value("timestamp", "yesterday")] * 3
        + [without("name")] * 3 + [with_value("name", "")] * 2
        + [with_value("user_id", None)] * 3 + [with_value("session_id", None)] * 5
        + [with_value("metadata", "n/a")] * 2
        + [lambda row: with_value("metadata", json.dumps(row.event["metadata"]))(row)] * 2
    )  # fmt: skip
    prompts = [with_prompt(text, "") for text in ("", "", "   ", "\n\n", "\t ")]
    prompts += [with_prompt(text, topic) for topic, text in phrases.ACCENTED]
    prompts += [with_prompt(paste, "proofreading"), with_prompt(paste[: len(paste) // 2], "proofreading")]
    return (
        [("", change) for change in any_event] + [("prompt_sent", change) for change in prompts]
        + [("answer_shown", numbers_as_text)] * 3 + [("feedback_given", numbers_as_text)] * 3
    )  # fmt: skip


def spoil(rng: Random, rows: Sequence[Row]) -> list[Row]:
    """The rows with the dirty ones among them, in the order of time."""
    result, order = list(rows), rng.sample(range(len(rows)), len(rows))
    for name, change in changes(rng):
        index = next(place for place in order if name in ("", result[place].event["name"]))
        order.remove(index)
        result[index] = change(result[index])
    latest_first = sorted(order[: len(RESENT_AFTER)], key=lambda place: result[place].at, reverse=True)
    for index, delay in zip(latest_first, RESENT_AFTER, strict=True):  # the copy of the earliest is in the other file
        result.append(replace(result[index], at=result[index].at + timedelta(seconds=delay)))
    for raw in NOT_EVENTS:
        result.append(Row(FIRST_DAY + timedelta(days=rng.uniform(1, DAYS - 1)), {}, raw=raw))
    return sorted(result, key=lambda row: row.at)
