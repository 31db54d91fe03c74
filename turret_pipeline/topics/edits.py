"""Edits of topics by a person: renames, merges, splits, locks and roles."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from turret_pipeline.errors import TurretError

Action = Literal["rename", "merge", "split", "lock", "unlock", "role"]
ACTIONS: tuple[str, ...] = get_args(Action)

Role = Literal["subject", "continuation"]
"""Role of a topic: the subject of sessions, or follow-ups of an earlier topic ("yes please", "make it shorter")."""

ROLES: tuple[Role, ...] = get_args(Role)
SUBJECT, CONTINUATION = ROLES


@dataclass(frozen=True)
class Edit:
    """One edit of a topic. A rename has a ``label``, a merge ``into_topic_id``, a split ``parts``, a role ``role``.

    ``born_run_id`` and ``into_born_run_id`` are the runs in which the topic and the topic it is merged into were born.
    They tell topics with the same id apart: a data folder that is rebuilt numbers its topics from 1 again.
    """

    edit_id: str
    edited_at: str
    action: Action
    topic_id: str
    label: str | None = None
    into_topic_id: str | None = None
    parts: int | None = None
    role: Role | None = None
    born_run_id: str | None = None
    into_born_run_id: str | None = None

    def describe(self) -> str:
        """The edit in words."""
        details = {
            "rename": f' to "{self.label}"',
            "merge": f" into {self.into_topic_id}",
            "split": f" into {self.parts} parts",
            "role": f": {self.role}",
        }
        return f"{self.action} {self.topic_id}{details.get(self.action, '')}"

    def line(self) -> str:
        """The edit in words, after its id."""
        return f"{self.edit_id}: {self.describe()}"

    def reason_to_skip(self, births: Mapping[str, str]) -> str | None:
        """Reason why the edit does not apply, None if it does.

        ``births`` has the run in which each topic was born, by topic id. An edit without such runs always applies.
        """
        for topic_id, born in ((self.topic_id, self.born_run_id), (self.into_topic_id, self.into_born_run_id)):
            if topic_id and born and births.get(topic_id) != born:
                return f"{topic_id} is now a different topic" if topic_id in births else f"{topic_id} no longer exists"
        return None


@dataclass(frozen=True)
class Edits:
    """The edits in force, oldest first. Later edits have priority."""

    all: tuple[Edit, ...] = ()

    def about(self, topic_ids: Collection[str]) -> "Edits":
        """The edits that name these topics only."""
        named = ((edit, {edit.topic_id, edit.into_topic_id or edit.topic_id}) for edit in self.all)
        return Edits(tuple(edit for edit, names in named if names <= set(topic_ids)))

    def applicable(self, births: Mapping[str, str]) -> "Edits":
        """The edits that apply to the current topics (see ``Edit.reason_to_skip``)."""
        return Edits(tuple(edit for edit in self.all if not edit.reason_to_skip(births)))

    def describe_skipped(self, births: Mapping[str, str]) -> list[str]:
        """Sentences about the edits that do not apply, with the remedy."""
        reasons = ((edit, edit.reason_to_skip(births)) for edit in self.all)
        return [
            f"{edit.edit_id} ({edit.describe()}) was skipped: {reason}. Repeat it for the right topic, or undo it: "
            f"turret topics undo {edit.edit_id}."
            for edit, reason in reasons
            if reason
        ]

    def lines(self) -> list[str]:
        """The edits in words, without their times."""
        return [edit.line() for edit in self.all]

    def labels(self) -> dict[str, str]:
        """Labels by topic id, oldest first."""
        return {topic_id: edit.label for topic_id, edit in self.renames().items() if edit.label is not None}

    def renames(self) -> dict[str, Edit]:
        """The last rename of each topic, by topic id, oldest first."""
        last = {edit.topic_id: edit for edit in self._of("rename")}
        return {edit.topic_id: edit for edit in self._of("rename") if edit is last[edit.topic_id]}

    def locked(self) -> set[str]:
        """Ids of the locked topics."""
        locked: set[str] = set()
        for edit in self._of("lock", "unlock"):
            (locked.add if edit.action == "lock" else locked.discard)(edit.topic_id)
        return locked

    def protected(self) -> set[str]:
        """Ids of the topics that an edit names. The machine neither splits nor merges them."""
        named = {edit.topic_id for edit in self._of("rename", "merge", "split", "role")}
        return named | {edit.into_topic_id for edit in self._of("merge") if edit.into_topic_id} | self.locked()

    def roles(self) -> dict[str, Edit]:
        """The last role edit of each topic, by topic id."""
        return {edit.topic_id: edit for edit in self._of("role")}

    def splits(self) -> list[Edit]:
        """The splits, oldest first."""
        return list(self._of("split"))

    def merge_targets(self) -> dict[str, str]:
        """Ids of the topics that merged topics are part of, by topic id. Raises TurretError if merges form a circle."""
        into = {edit.topic_id: edit.into_topic_id for edit in self._of("merge") if edit.into_topic_id}
        return {topic_id: _follow(topic_id, into) for topic_id in into}

    def _of(self, *actions: str) -> Iterable[Edit]:
        return (edit for edit in self.all if edit.action in actions)


def _follow(topic_id: str, into: Mapping[str, str]) -> str:
    seen = {topic_id}
    while topic_id in into:
        topic_id = into[topic_id]
        if topic_id in seen:
            raise TurretError(f"The merges of topics form a circle at {topic_id}: undo one of them.")
        seen.add(topic_id)
    return topic_id


NO_EDITS = Edits()
