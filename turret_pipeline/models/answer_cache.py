"""Answers of the LLM, kept on disk so that no question is paid for twice."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from turret_pipeline.storage.atomic_files import atomic_replace
from turret_pipeline.topics.lifecycle.llm_questions import Answer, Question, parse_answer


@dataclass(frozen=True)
class AnswerCache:
    """Answers of one model, each in a file named by the hash of model and question."""

    folder: Path
    model: str

    def path(self, question: Question) -> Path:
        """Path of the answer to a question."""
        asked = json.dumps([self.model, question.messages])
        return self.folder / f"{hashlib.sha256(asked.encode()).hexdigest()}.json"

    def read(self, question: Question) -> Answer | None:
        """The stored answer; None if there is none, or it is damaged."""
        try:
            text = self.path(question).read_text(encoding="utf-8")
            answer = parse_answer(text)
            check = json.loads(text).get("sha256", _hash_answer(answer))  # earlier versions wrote none
        except (OSError, ValueError):
            return None
        return answer if check == _hash_answer(answer) else None

    def write(self, question: Question, answer: Answer) -> None:
        """Store an answer, atomically."""
        with atomic_replace(self.path(question)) as temp:
            temp.write_text(json.dumps({**asdict(answer), "sha256": _hash_answer(answer)}), encoding="utf-8")


def _hash_answer(answer: Answer) -> str:
    return hashlib.sha256(json.dumps(asdict(answer)).encode()).hexdigest()
