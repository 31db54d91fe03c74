"""Format of any other rows, described by the mapping in turret.toml.

A mapping names columns by their paths (``customer.id``, ``choices.0.text``) and constants as ``=Clicked``. Of several
paths, the first one with a value counts. It describes plain events, calls of a language model, chats in one row, or
chats with a row for each message, by the keys that it has.
"""

import dataclasses
from collections.abc import Callable
from typing import Annotated, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from turret_pipeline.events.formats import AUTO, FORMATS, MAPPED
from turret_pipeline.events.formats.call_fields import ANSWER_NAMES, PROMPT_NAMES
from turret_pipeline.events.formats.format import Columns, Conversation, Exchange, Fields, Format, Part, Shape
from turret_pipeline.events.formats.mapped_messages import MappedMessages, StandardizeArray, StandardizeRow
from turret_pipeline.events.formats.row_values import Paths, Row


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


_Path: TypeAlias = Annotated[str, Field(min_length=1, max_length=1000)]
_PathList: TypeAlias = Annotated[tuple[_Path, ...], BeforeValidator(_as_list)]

COLUMN_KEYS = ("event_name", "event_at", "received_at", "event_id", "session_id", "user_id")
_TIMES_OF_ANSWER = ("answered_at", "latency_seconds", "latency_ms")
_DEFAULT_NAME: Paths = ("=LLM call",)


class ColumnMapping(BaseModel):
    """Paths to each canonical column, to the texts of a call or a chat, and the columns that become metadata."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event_name: _PathList = ()
    event_at: _PathList = ()
    received_at: _PathList = ()
    event_id: _PathList = ()
    session_id: _PathList = ()
    user_id: _PathList = ()
    prompt: _PathList = ()
    generation: _PathList = ()
    """Input and output of a call of a language model: texts, messages, or whole bodies of requests."""
    messages: _PathList = ()
    """An array of messages: a chat, or with ``generation`` the input of a call, of which only the last one is new."""
    message_author: _PathList = ()
    message_text: _PathList = ()
    message_at: _PathList = ()
    """Keys of a message. Without ``messages``, each row is one message."""
    user_authors: _PathList = ()
    """Names in ``message_author`` of people; with them, any other unknown author is the model."""
    answered_at: _PathList = ()
    latency_seconds: _PathList = ()
    latency_ms: _PathList = ()
    """Time of the answer, or the time from the prompt to it."""
    model: _PathList = ()
    input_tokens: _PathList = ()
    output_tokens: _PathList = ()
    cost_usd: _PathList = ()
    finish_reason: _PathList = ()
    is_error: _PathList = ()
    """Metadata with the same names in every format. In a chat, they are keys of a message."""
    metadata: _PathList | None = None
    """Columns that become metadata; the keys of an object become fields. By default, all columns not used otherwise."""

    @model_validator(mode="after")
    def _keys_fit_together(self) -> Self:
        if problem := self._find_conflict():
            raise ValueError(problem)
        return self

    @property
    def is_chat(self) -> bool:
        """True if a row is a whole chat."""
        return bool(self.messages) and not self.generation

    @property
    def is_message(self) -> bool:
        """True if a row is one message of a chat."""
        return bool(self.message_text) and not self.messages

    @property
    def is_call(self) -> bool:
        """True if a row is a call of a language model."""
        return bool(self.generation or self.prompt)

    def to_format(self) -> Format:
        """Format that the mapping describes."""
        metadata = self.metadata or ()
        is_textual = self.is_chat or self.is_call or self.is_message
        return Format(
            name=MAPPED,
            title="mapped row",
            shape=Shape("any row, once `turret.toml` has `[mapping]`", required=self._needed_paths()),
            columns=self._columns(),
            fields={} if is_textual else self._fields(*dict.fromkeys((*PROMPT_NAMES, *ANSWER_NAMES, "is_error"))),
            parts=tuple(Part(path, allows_any_type=True) for path in metadata),
            keeps_rest=self.metadata is None,
            json_columns=self._json_columns(),
            drop=_holders_of_lists((*self.prompt, *self.generation, *self.messages)),
            exchange=self._exchange() if self.is_call or self.is_message else None,
            conversation=self._conversation() if self.is_chat else None,
            normalize=self._normalize(),
            example=EXAMPLE,
        )

    def _find_conflict(self) -> str | None:
        """A sentence about keys that do not fit together, or None."""
        if not (self.event_name or self.is_call or self.messages or self.message_text):
            return (
                'Missing key event_name in mapping: write event_name = "a column", or event_name = "=a constant"; or, '
                "for calls of a language model and chats, prompt, generation, messages or message_text"
            )
        if self.messages and self.prompt:
            return "mapping has messages and prompt: keep messages, whose last message is the prompt, or prompt"
        if self.is_message and self.is_call:
            return "mapping has message_text beside prompt or generation: a row is a message or a call, so keep one"
        if self.is_message and not self.message_author:
            return 'Missing key message_author in mapping: write message_author = "the column with the author"'
        if self.event_name and (self.is_chat or self.is_message):
            return "mapping has event_name, but the messages of a chat have names of their own: remove event_name"
        owners = {
            "a call, which needs prompt or generation": (self.is_call, _TIMES_OF_ANSWER),
            "messages, which need messages or message_text": (
                bool(self.messages or self.message_text),
                ("message_author", "message_at"),
            ),
            "message_author": (bool(self.message_author), ("user_authors",)),
        }
        wrong = [(key, owner) for owner, (has, keys) in owners.items() if not has for key in keys if getattr(self, key)]
        return f"mapping has {wrong[0][0]}, which belongs to {wrong[0][1]}: add that, or remove it" if wrong else None

    def _columns(self) -> Columns:
        columns = {key: getattr(self, key) for key in COLUMN_KEYS}
        if self.is_call or self.is_message:
            columns["event_name"] = self.event_name or _DEFAULT_NAME
            columns["event_at"] = self.event_at or self.answered_at or self.message_at
        return Columns(**columns, lone_session_id=self.event_id if self.is_call else ())

    def _needed_paths(self) -> tuple[Paths, ...]:
        if self.is_message:
            return self.message_author, self.message_text
        needed = self.messages or (*self.prompt, *self.generation) or self.event_name
        return () if any(path.startswith("=") for path in needed) else (needed,)

    def _exchange(self) -> Exchange:
        return Exchange(
            prompt=("prompt",) if self.is_message else self.prompt or self.messages,
            generation=("generation",) if self.is_message else self.generation,
            is_prompt_time=bool(self.event_at),
            latency=self.latency_seconds,
            latency_ms=self.latency_ms,
            ended_at=self.answered_at,
            failure=self.is_error,
            prompt_fields=self._fields(*PROMPT_NAMES),
            generation_fields=self._fields(*ANSWER_NAMES),
        )

    def _conversation(self) -> Conversation:
        times = Conversation(()).message_at
        return Conversation(
            self.messages,
            message_at=(*self.message_at, *times),
            prompt_fields=self._fields(*PROMPT_NAMES),
            generation_fields=self._fields(*ANSWER_NAMES, "is_error"),
        )

    def _fields(self, *keys: str) -> Fields:
        return {key: paths for key in keys if (paths := getattr(self, key))}

    def _normalize(self) -> Callable[[Row], Row] | None:
        names = frozenset(name.strip().lower() for name in self.user_authors)
        shape = MappedMessages(self.message_author, self.message_text, names)
        if self.is_message:
            return StandardizeRow(shape)
        return StandardizeArray(self.messages, shape) if self.message_author or self.message_text else None

    def _json_columns(self) -> Paths:
        nested = [key for key in type(self).model_fields if key not in ("user_authors", "metadata")]
        paths = [path for key in nested for path in getattr(self, key) if "." in path or key == "messages"]
        return tuple(
            dict.fromkeys(path.partition(".")[0] for path in (*paths, *(self.metadata or ())) if path[0] != "=")
        )


def select_format(input_format: str, mapping: ColumnMapping | None) -> Format | None:
    """Format that the settings select, or None to detect the format of each row.

    With input_format "auto", a mapping applies only to the rows that match it. Raises ValueError if input_format is
    "mapping" and there is no mapping.
    """
    if input_format in FORMATS:
        return FORMATS[input_format]
    if mapping is None and input_format == MAPPED:
        raise ValueError("Setting input_format is mapping, but turret.toml has no [mapping]: add one with event_name.")
    if mapping is None:
        return None
    return dataclasses.replace(mapping.to_format(), allows_other_formats=input_format == AUTO)


def _holders_of_lists(paths: Paths) -> Paths:
    """Paths to the arrays that the paths lead through: a text in one must not become metadata a second time."""
    holders = list[str]()
    for path in paths:
        keys = path.split(".")
        place = next((number for number, key in enumerate(keys) if number and key.isdecimal()), None)
        if place is not None:
            holders.append(".".join(keys[:place]))
    return tuple(dict.fromkeys(holders))


EXAMPLE = {
    "action": "Clicked",
    "ts": "2026-03-02T09:15:00Z",
    "visit": "s-1",
    "customer": {"id": "u-1"},
    "attributes": {"plan": "team"},
}
EXAMPLE_MAPPING = ColumnMapping.model_validate(
    {
        "event_name": "action",
        "event_at": "ts",
        "session_id": "visit",
        "user_id": "customer.id",
        "metadata": ["attributes"],
    }
)
