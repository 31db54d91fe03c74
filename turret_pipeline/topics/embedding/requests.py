"""The request in a long text: what a person wants, beside the document that it is about.

The request mostly stands first or last, and is a question, a wish or an instruction in the first person. This is only
used for texts longer than a window: shorter ones are read as a whole, which groups them better (measured on sets with
known intents).
"""

import re
from collections.abc import Sequence

from turret_pipeline.topics.embedding.passages import count_words, split_passages

MIN_SENTENCE_WORDS, MAX_SENTENCE_WORDS = 3, 60
"""Words of a sentence that can state a request: "Any ideas?" does not, and a longer one is a document."""

EDGE_PASSAGES = 3
"""Passages at the beginning and at the end of a text among which a request is expected."""

EDGE_BONUS, END_BONUS = 0.5, 1.0
"""Advantage of passages near the beginning or end, and of the first and last, over others that look as much like a
request."""

MIN_SCORE = 1.0
"""Score of a passage that can be a request, or a part of one: one sign of it."""

MAX_REQUESTS = 2
"""Places that may look equally like the request. More of them are part of a document."""

_QUESTION_END = ("?", "\uff1f", "؟")
_WISH = re.compile(
    r"\bi(?:'m| am)? (?:just )?(?:want|need|wanna|have to|wish|looking for|trying to|wondering|hoping|can't|cannot)\b|"
    r"\b(?:i'd|i would) (?:like|love|prefer)\b|\b(?:can|could|would|will) (?:you|i)\b|"
    r"\bhow (?:do|can|should|would) i\b|\b(?:help|tell|show) me\b",
    re.IGNORECASE,
)
_INSTRUCTION = re.compile(
    r"^\W*(?:(?:hi|hello|hey|please|so|and|but|also|ok|okay|now|then)\b\W*)*(?:help|tell|show|give|write|make|create|"
    r"explain|find|translate|summari[sz]e|fix|list|describe|generate|rewrite|let me|suggest|compare|draft|calculate|"
    r"convert|answer|edit|improve|shorten|proofread|extract|classify|analy[sz]e|act as|review|check|"
    r"correct|paraphrase)\b",
    re.IGNORECASE,
)
_OPEN_QUESTION = re.compile(
    r"^\W*(?:what|why|how|when|where|which|who|is|are|do|does|did|can)\b.*\w$", re.I | re.DOTALL
)
"""A question without its mark: no sentence of a document ends without one."""

_PERSON = re.compile(r"\bi\b(?![.)\]`])|\b(?:my|me|mine)\b", re.IGNORECASE)
"""First person singular: documents say "we"."""


def score_request(sentence: str) -> float:
    """Sum of the signs that a sentence is a request, from 0 to 6."""
    if not MIN_SENTENCE_WORDS <= count_words(sentence) <= MAX_SENTENCE_WORDS:
        return 0.0
    is_question = sentence.rstrip("\"'”\u2019)] ").endswith(_QUESTION_END) or bool(_OPEN_QUESTION.search(sentence))
    has_wish, has_instruction = bool(_WISH.search(sentence)), bool(_INSTRUCTION.search(sentence))
    return 2.0 * is_question + 2.0 * has_wish + has_instruction + bool(_PERSON.search(sentence))


def find_request(text: str) -> str:
    """The passages of a long text that look most like a request; nothing if none does, or too many do."""
    passages = split_passages(text)
    scores = [score_request(passage) for passage in passages]
    ranks = [score + _edge_bonus(at, len(scores)) if score >= MIN_SCORE else 0.0 for at, score in enumerate(scores)]
    best = max(ranks, default=0.0)
    if best == 0:
        return ""
    spans = sorted({_extend(scores, at) for at, rank in enumerate(ranks) if rank == best})
    if len(spans) > MAX_REQUESTS:
        return ""
    return "\n".join(" ".join(passages[start:end]) for start, end in spans)


def _edge_bonus(at: int, count: int) -> float:
    distance = min(at, count - 1 - at)
    return END_BONUS if distance == 0 else EDGE_BONUS if distance < EDGE_PASSAGES else 0.0


def _extend(scores: Sequence[float], at: int) -> tuple[int, int]:
    """Range of a request with the adjacent passages that look like a part of it."""
    start, end = at, at + 1
    while start > 0 and at - start < EDGE_PASSAGES - 1 and scores[start - 1] >= MIN_SCORE:
        start -= 1
    while end < len(scores) and end - at < EDGE_PASSAGES and scores[end] >= MIN_SCORE:
        end += 1
    return start, end
