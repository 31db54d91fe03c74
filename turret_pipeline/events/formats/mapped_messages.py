"""Messages whose keys a mapping names, in the shape that the engine reads: an object with a role and a content."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turret_pipeline.events.formats.event import Rejection
from turret_pipeline.events.formats.message import ASSISTANT, ROLES, USER
from turret_pipeline.events.formats.row_values import Paths, Row, describe_value, drop_paths, first_value, lookup


@dataclass(frozen=True)
class MappedMessages:
    """Paths to the author and the text of a message.

    ``user_authors`` are names of people, in lower case; with them, any other unknown author is the model.
    """

    author: Paths = ()
    text: Paths = ()
    user_authors: frozenset[str] = frozenset()

    def standardize(self, message: object) -> object:
        """The message with ``role`` and ``content``; unchanged if it has neither an author nor a text."""
        if not isinstance(message, Mapping):
            return message
        (author_path, author), (text_path, text) = first_value(message, self.author), first_value(message, self.text)
        own: dict[str, Any] = {}
        if author is not None and author != "":
            own["role"] = self._find_role(author)
        if text is not None:
            own["content"] = text
        return {**drop_paths(message, [path for path in (author_path, text_path) if path]), **own} if own else message

    def _find_role(self, author: object) -> str:
        name = str(author)
        if name.strip().lower() in self.user_authors:
            return USER
        return ASSISTANT if self.user_authors and name.lower() not in ROLES else name


@dataclass(frozen=True)
class StandardizeArray:
    """A function that gives rows messages in the standard shape, in the array at one of the paths."""

    messages: Paths
    shape: MappedMessages

    def __call__(self, row: Row) -> Row:
        """The row with standard messages."""
        path, found = first_value(row, self.messages)
        if not isinstance(found, list | tuple):
            return row
        return _replace(row, path, [self.shape.standardize(message) for message in found])


@dataclass(frozen=True)
class StandardizeRow:
    """A function that gives rows, each of which is one message, a ``prompt`` or a ``generation``."""

    shape: MappedMessages

    def __call__(self, row: Row) -> Row:
        """The row of a message of the user or of the model. Raises Rejection for any other."""
        message = self.shape.standardize(row)
        assert isinstance(message, Mapping)
        given = message.get("role") if self.shape.author else None
        role = ROLES.get(given.lower()) if isinstance(given, str) else None
        if role not in (USER, ASSISTANT):
            author = describe_value(first_value(row, self.shape.author)[1])
            fix = "only messages of the user and of the model are events. Name people in user_authors of the mapping."
            raise Rejection("not_an_event", f"{' or '.join(self.shape.author)} is {author}: {fix}")
        if first_value(row, self.shape.text)[1] in (None, ""):
            raise Rejection("missing_text", f"{' or '.join(self.shape.text)} is missing: a message needs a text.")
        rest = drop_paths(message, ["role", "content"])
        return {**rest, "prompt" if role == USER else "generation": message["content"]}


def _replace(row: Row, path: str, value: object) -> Row:
    """The row with another value at a path that exists."""
    head, _, rest = path.partition(".")
    if path in row or not rest:
        return {**row, path: value}
    inner = lookup(row, head)
    if isinstance(inner, list | tuple):
        index, _, below = rest.partition(".")
        changed = _replace(inner[int(index)], below, value) if below else value
        return {**row, head: [*inner[: int(index)], changed, *inner[int(index) + 1 :]]}
    return {**row, head: _replace(inner, rest, value)}
