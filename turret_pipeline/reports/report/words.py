"""Words of the report's sentences: counts with their total, and certainty."""

from turret_pipeline.journeys.facts import percent


def plural(count: int, noun: str) -> str:
    """A count with its noun, such as 1 session or 12 sessions."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def share_of(count: int, total: int, noun: str = "") -> str:
    """A count of a total with its share, such as 12 of 40 sessions (30%)."""
    of = plural(total, noun) if noun else f"{total:,}"
    return f"{count:,} of {of} ({percent(count / total if total else 0)})"


def name_texts(field: str) -> str:
    """Noun for one text of a field."""
    return "prompt" if field == "prompt" else f"{field} text"


def q_text(q_value: float) -> str:
    """A q-value with three decimals."""
    return "q under 0.001" if q_value < 0.001 else f"q {q_value:.3f}"


def certainty(q_value: float, period: object) -> str:
    """The q-value and the period of a finding, in parentheses."""
    return f"({q_text(q_value)}, {period})"
