"""Topic ids: a field and a number, such as prompt-3."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TopicId:
    """Id of a topic. A field name may contain hyphens: the number follows the last one."""

    field: str
    number: int

    @classmethod
    def parse(cls, topic_id: str) -> "TopicId":
        """The id written as FIELD-NUMBER. Raises ValueError for any other text."""
        field, _, number = topic_id.rpartition("-")
        if not field or not number.isdecimal():
            raise ValueError(f"Invalid topic id {topic_id!r}: use FIELD-NUMBER, for example prompt-3.")
        return cls(field, int(number))

    @staticmethod
    def field_of(topic_id: str) -> str:
        """Field of a topic id, also of one without a number (prompt-other). Empty for a text without a hyphen."""
        return topic_id.rpartition("-")[0]

    def __str__(self) -> str:
        return f"{self.field}-{self.number}"
