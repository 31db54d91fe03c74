"""What a person has decided about topics: renames, merges, splits, locks, roles. The machine works around it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from turret_pipeline.errors import TurretError

Action = Literal["rename", "merge", "split", "lock", "unlock", "role"]
ACTIONS: tuple[str, ...] = get_args(Action)

Role = Literal["subject", "continuation"]
"""What a topic is: what a session can be about, or what carries that on ("yes please", "3100", "make it shorter")."""

ROLES: tuple[Role, ...] = get_args(Role)
SUBJECT, CONTINUATION = ROLES


@dataclass(frozen=True)
class Edit:
    """One decision about a topic; a rename has a ``label``, a merge an ``into_topic_id``, a split its ``parts``,
    a role the ``role``.

    ``born_run_id`` is the run in which the topic was born, ``into_born_run_id`` that of the topic merged into: in a
    folder whose topics were found anew, the same id may be another topic's.
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

    def sentence(self) -> str:
        """What was decided, in words."""
        ends = {
            "rename": f' to "{self.label}"',
            "merge": f" into {self.into_topic_id}",
            "split": f" into {self.parts} parts",
            "role": f": {self.role}",
        }
        return f"{self.action} {self.topic_id}{ends.get(self.action, '')}"

    def line(self) -> str:
        """What was decided, with the edit's id."""
        return f"{self.edit_id}: {self.sentence()}"

    def why_left_out(self, births: Mapping[str, str]) -> str | None:
        """Why the topics that there are, by the run in which each was born, are not those it was made for; None: they
        are, or it does not say."""
        for topic_id, born in ((self.topic_id, self.born_run_id), (self.into_topic_id, self.into_born_run_id)):
            if topic_id and born and births.get(topic_id) != born:
                there_is = f"{topic_id} is another topic now" if topic_id in births else f"there is no {topic_id} now"
                return f"the topic that it was made for is gone, {there_is}"
        return None


@dataclass(frozen=True)
class Edits:
    """All decisions in force, oldest first; later ones win."""

    all: tuple[Edit, ...] = ()

    def about(self, topic_ids: Collection[str]) -> "Edits":
        """The decisions that name no other topics than these."""
        named = ((edit, {edit.topic_id, edit.into_topic_id or edit.topic_id}) for edit in self.all)
        return Edits(tuple(edit for edit, names in named if names <= set(topic_ids)))

    def made_for(self, births: Mapping[str, str]) -> "Edits":
        """The decisions that were made for the topics that there are; see ``Edit.why_left_out``."""
        return Edits(tuple(edit for edit in self.all if not edit.why_left_out(births)))

    def left_out(self, births: Mapping[str, str]) -> list[str]:
        """A sentence on each of the other decisions, with what to do about it."""
        reasons = ((edit, edit.why_left_out(births)) for edit in self.all)
        return [
            f"{edit.edit_id} ({edit.sentence()}) is left out: {reason}. Make it again for the topic that is meant, or "
            f"take it back: turret topics undo {edit.edit_id}."
            for edit, reason in reasons
            if reason
        ]

    def lines(self) -> list[str]:
        """What decides: the edits without their times."""
        return [edit.line() for edit in self.all]

    def labels(self) -> dict[str, str]:
        """Labels by topic_id, the one that was given first first."""
        return {topic_id: edit.label for topic_id, edit in self.renames().items() if edit.label is not None}

    def renames(self) -> dict[str, Edit]:
        """The edits that say what a topic is called, by topic_id, oldest first; of several of a topic the last."""
        last = {edit.topic_id: edit for edit in self._of("rename")}
        return {edit.topic_id: edit for edit in self._of("rename") if edit is last[edit.topic_id]}

    def locked(self) -> set[str]:
        """Topics that the machine must leave as they are."""
        locked: set[str] = set()
        for edit in self._of("lock", "unlock"):
            (locked.add if edit.action == "lock" else locked.discard)(edit.topic_id)
        return locked

    def touched(self) -> set[str]:
        """Topics that a decision names: the machine neither splits nor merges them."""
        named = {edit.topic_id for edit in self._of("rename", "merge", "split", "role")}
        return named | {edit.into_topic_id for edit in self._of("merge") if edit.into_topic_id} | self.locked()

    def roles(self) -> dict[str, Edit]:
        """The edits that say what role a topic has, by topic_id."""
        return {edit.topic_id: edit for edit in self._of("role")}

    def splits(self) -> list[Edit]:
        """Splits in the order in which they were decided."""
        return list(self._of("split"))

    def shown_as(self) -> dict[str, str]:
        """Topics that were merged, by topic_id, with the topic that they are shown as."""
        into = {edit.topic_id: edit.into_topic_id for edit in self._of("merge") if edit.into_topic_id}
        return {topic_id: _end(topic_id, into) for topic_id in into}

    def _of(self, *actions: str) -> Iterable[Edit]:
        return (edit for edit in self.all if edit.action in actions)


def _end(topic_id: str, into: Mapping[str, str]) -> str:
    seen = {topic_id}
    while topic_id in into:
        topic_id = into[topic_id]
        if topic_id in seen:
            raise TurretError(f"The merges go round in a circle at {topic_id}: undo one of them.")
        seen.add(topic_id)
    return topic_id


NO_EDITS = Edits()
