"""Exchanges by plain loops over the events of a session, from the contract of the tables and not from their SQL.

Slow and simple: it is what the tables of ``turret_pipeline.exchanges`` are compared with.
"""

import datetime as dt
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from turret_pipeline.exchanges.fields import RATINGS, RATINGS_OF_ANSWERS, list_used_fields
from turret_pipeline.storage.lake import Lake

THUMBS = {
    **dict.fromkeys("up thumbs_up thumbsup positive like liked good true yes 👍".split(), 1.0),
    **dict.fromkeys("down thumbs_down thumbsdown negative dislike disliked bad false no 👎".split(), 0.0),
}
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Values:
    """The values of one event by field: texts that are not blank, and numbers."""

    texts: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)

    def measure(self, name: str) -> float | None:
        """The number of a column of exchanges; None without one, or if it cannot be one."""
        number = self.numbers.get(name, -1)
        return number if math.isfinite(number) and number >= 0 else None


@dataclass
class Exchange:
    """A prompt with the other events of its exchange, in order."""

    prompt: Row
    text_field: str
    others: list[tuple[str, Row]] = field(default_factory=list)


def build_by_rules(lake: Lake, gap: dt.timedelta) -> tuple[list[dict[str, Any]], list[tuple[Any, ...]]]:
    """Rows of ``exchanges`` and of ``exchange_values``, of a lake with the table ``exchange_roles``."""
    rules = _Rules(lake, gap)
    pairs = [pair for session in rules.sessions.values() for pair in rules.join_session(session)]
    return [exchange for exchange, _ in pairs], [row for _, values in pairs for row in values]


class _Rules:
    def __init__(self, lake: Lake, gap: dt.timedelta) -> None:
        self.gap = gap
        self.types = dict(lake.read("fields").select("field", "type").iter_rows())
        self.uses: dict[str, set[str]] = defaultdict(set)
        for name, use in list_used_fields(self.types).select("field", "use").iter_rows():
            self.uses[use].add(name)
        self.roles: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for role, name, of_field in lake.read("exchange_roles").select("role", "event_name", "field").iter_rows():
            self.roles[name].append((role, of_field))
        self.values: dict[str, Values] = defaultdict(Values)
        self.present: set[tuple[str, str]] = set()
        columns = ("event_id", "field", "value", "number")
        for event_id, name, value, number in lake.read("event_values").select(columns).iter_rows():
            self.present.add((event_id, name))
            if value.strip():
                self.values[event_id].texts[name] = value
            if number is not None and value.strip():
                self.values[event_id].numbers[name] = number
        events = lake.read("events")
        self.last_at: Any = events.filter(~pl.col("is_time_ahead"))["event_at"].max()
        self.sessions: dict[str, list[Row]] = defaultdict(list)
        for event in events.with_row_index("position").iter_rows(named=True):
            self.sessions[event["session_id"]].append(event)
        text_ids = {
            row[:2]: row[2] for row in lake.read("event_texts").select("event_id", "field", "text_id").iter_rows()
        }
        topic_ids = {
            row[:2]: row[2] for row in lake.read("text_topics").select("field", "text_id", "topic_id").iter_rows()
        }
        self.topics = {key: topic_ids.get((key[1], text)) for key, text in text_ids.items()}
        self.continued = {row[:2]: row[2] for row in lake.read("continuations").iter_rows()}
        self.session_numbers: dict[str, int] = {}
        of_user: dict[str, int] = defaultdict(int)
        for session_id, session in self.sessions.items():  # in order of their first events
            if user_id := session[0]["user_id"]:
                of_user[user_id] += 1
                self.session_numbers[session_id] = of_user[user_id]

    def join_session(self, session: Sequence[Row]) -> Iterator[tuple[dict[str, Any], list[tuple[Any, ...]]]]:
        exchanges: list[Exchange] = []
        late: list[tuple[int, Row]] = []
        for event in session:
            prompt_field, is_answer, is_feedback = self._roles_of(event)
            if prompt_field is not None:
                exchanges.append(Exchange(event, prompt_field, [("answer", event)] if is_answer else []))
            elif is_answer and exchanges:
                exchanges[-1].others.append(("answer", event))
            elif is_feedback and not is_answer:
                late.append((len(exchanges) - 1, event))
        keys = [self._keys_of(exchange) for exchange in exchanges]
        for by_time, event in late:
            named = set()
            for key in self._ids_of(event):
                having = [number for number, of_exchange in enumerate(keys) if key in of_exchange]
                named |= set(having) if len(having) == 1 else set()
            place = named.pop() if len(named) == 1 else by_time
            if place >= 0:
                exchanges[place].others.append(("feedback", event))
        subject_number, subject = 0, None
        for number, exchange in enumerate(exchanges):
            row = self._describe(exchange)
            if row["subject_topic_id"] not in {None, subject}:
                subject_number, subject = subject_number + 1, row["subject_topic_id"]
            is_last = number == len(exchanges) - 1
            is_open = session[-1]["event_at"] > self.last_at - self.gap
            row |= {
                "exchange_number": number + 1,
                "subject_number": subject_number or None,
                "ending": "continued" if not is_last else "open" if is_open else "ended",
            }
            yield row, list(self._list_values(exchange))

    def _roles_of(self, event: Row) -> tuple[str | None, bool, bool]:
        roles = self.roles.get(event["event_name"], [])
        texts, event_id = self.values[event["event_id"]].texts, event["event_id"]
        prompts = [name for role, name in roles if role == "prompt" and (event_id, name) in self.present]
        has = {role for role, name in roles if role != "prompt" and (not name or name in texts)}
        with_text = [name for name in prompts if name in texts]
        return next(iter(with_text or prompts), None), "answer" in has, "feedback" in has

    def _ids_of(self, event: Row) -> set[str]:
        texts = self.values[event["event_id"]].texts
        return {texts[name] for name in self.uses["id"] & texts.keys()}

    def _keys_of(self, exchange: Exchange) -> set[str]:
        keys: set[str] = set()
        for event in (exchange.prompt, *(event for _, event in exchange.others)):
            keys |= {event["event_id"], *self._ids_of(event)}
            if call := re.match(r"(.+)-(prompt|generation)(-.*)?$", event["event_id"]):
                keys.add(call[1])
        return keys

    def _describe(self, exchange: Exchange) -> dict[str, Any]:
        prompt = exchange.prompt
        answers = [event for kind, event in exchange.others if kind == "answer"]
        own = self.values[prompt["event_id"]]
        of_answers = [self.values[event["event_id"]] for event in answers]
        all_values = [*of_answers, own]
        separate = [event for event in answers if event is not prompt]
        errors = [values.texts.get("is_error", "").lower() for values in all_values]
        told = [error in {"true", "1"} for error in errors if error in {"true", "false", "1", "0"}]
        topic = self.topics.get((prompt["event_id"], exchange.text_field))
        return {
            "exchange_id": prompt["event_id"],
            "prompt_event_id": prompt["event_id"],
            "answer_event_id": answers[0]["event_id"] if answers else None,
            "session_id": prompt["session_id"],
            "user_id": prompt["user_id"],
            "prompt_at": prompt["event_at"],
            "field": exchange.text_field,
            "topic_id": topic,
            "subject_topic_id": self.continued.get((prompt["event_id"], exchange.text_field), topic),
            "session_number": self.session_numbers.get(prompt["session_id"]),
            "seconds_to_answer": (separate[0]["event_at"] - prompt["event_at"]).total_seconds()
            if answers and answers[0] is not prompt
            else None,
            "answer_count": len(answers),
            "model": next((v.texts["model"] for v in all_values if "model" in v.texts), None),
            "input_tokens": _find_first([own.measure("input_tokens"), _add(of_answers, "input_tokens")]),
            "output_tokens": _add(of_answers, "output_tokens", own),
            "cost_usd": _add(of_answers, "cost_usd", own),
            "latency_seconds": _find_first(values.measure("latency_seconds") for values in all_values),
            "is_error": any(told) if told else None,
            "rating": self._rate(exchange, answers),
            "feedback_count": sum(kind == "feedback" for kind, _ in exchange.others),
        }

    def _rate(self, exchange: Exchange, answers: Sequence[Row]) -> float | None:
        given = [event for kind, event in exchange.others if kind == "feedback"]
        for events, names in ((given, RATINGS), (answers, RATINGS[:RATINGS_OF_ANSWERS])):
            for event in sorted(events, key=lambda event: event["position"], reverse=True):
                values = self.values[event["event_id"]]
                for name in names:
                    for path in values.texts:
                        if path.rpartition(".")[2].lower() == name:
                            rating = values.numbers.get(path, THUMBS.get(values.texts[path].lower()))
                            if rating is not None:
                                return rating
        return None

    def _list_values(self, exchange: Exchange) -> Iterator[tuple[Any, ...]]:
        found: dict[tuple[str, str], tuple[float | None, str | None]] = {}
        separate = [(kind, event) for kind, event in exchange.others if event is not exchange.prompt]
        ordered = sorted(separate, key=lambda pair: pair[1]["position"])
        for side in ("prompt", "answer", "feedback"):
            events = [event for kind, event in ordered if kind == side] if side != "prompt" else [exchange.prompt]
            for event in reversed(events) if side == "feedback" else events:
                values = self.values[event["event_id"]]
                for name in self.uses["number"] & values.numbers.keys():
                    if math.isfinite(values.numbers[name]):
                        found.setdefault((name, side), (values.numbers[name], None))
                for name in self.uses["enum"] & values.texts.keys():
                    found.setdefault((name, side), (None, values.texts[name]))
        for (name, side), (number, text) in found.items():
            yield exchange.prompt["event_id"], name, side, number, text


def _find_first(numbers: Iterable[float | None]) -> float | None:
    return next((number for number in numbers if number is not None), None)


def _add(of_answers: Sequence[Values], name: str, own: Values | None = None) -> float | None:
    """The sum over the answers, or else the number of the prompt."""
    numbers = [number for values in of_answers if (number := values.measure(name)) is not None]
    if numbers:
        return sum(numbers)
    return own.measure(name) if own else None
