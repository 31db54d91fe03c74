"""300 exchanges of public dialogues with the classes that two readers gave them, before any rule was written.

100 exchanges each of llm_arena, star_dev and multiwoz_dev: about half drawn at random, the others where something may
have gone wrong (the next prompt is like this one, or begins like an objection; the answer has a negation; the session
ends without thanks). ``weight`` is the inverse of the chance to be drawn. Two readers read each exchange with two
before and two after it; a third decided the 18 of 1,500 labels on which they differed. Every second exchange is held
back.

- rephrased: the next prompt asks for the same again, because the answer did not give it. Another item, the next step or
  an answer to a question of the assistant is none.
- corrected: the next prompt says that the answer was wrong or not what was asked. A change of one's own wish is none.
- declined: the answer refuses, for reasons of policy, safety, law, role or ability.
- unanswered: the answer does not give what was asked: an error, nothing found or available, not known, not understood.
- dissatisfied: the readers' overall judgement after the answer.

llm_arena has no answers, so declined and unanswered are unknown there.
"""

import json
from pathlib import Path

import polars as pl

CLASSES = ("rephrased", "corrected", "declined", "unanswered", "dissatisfied")
DEVELOPMENT, HELD_BACK = "development", "held_back"


def load_labels(data: str) -> pl.DataFrame:
    """Labels of one data set: event_id (of the prompt), half, weight, and a boolean per class; null if unknown."""
    rows = json.loads(Path(__file__).with_suffix(".json").read_text())
    columns = {name: [row[name] for row in rows if row["data"] == data] for name in ("event_id", "half", "weight")}
    labels = {
        name: [None if name in row["unknown"] else name in row["classes"] for row in rows if row["data"] == data]
        for name in CLASSES
    }
    schema = {"event_id": pl.String, "half": pl.String, "weight": pl.Float64} | dict.fromkeys(CLASSES, pl.Boolean)
    return pl.DataFrame(columns | labels, schema)
