"""Contract of the signals: signs that an exchange went wrong, with reasons."""

from turret_pipeline.tables.contract import Column, Table, boolean, text

REPHRASED, CORRECTED, DECLINED, UNANSWERED = "rephrased", "corrected", "declined", "unanswered"
ABANDONED, REPEATED_LATER, BADLY_RATED, STRUGGLE = "abandoned", "repeated_later", "badly_rated", "struggle"

SIGNALS: dict[str, str] = {
    REPHRASED: "The session's next prompt says nearly the same, by its meaning and its words, and is not a follow-up",
    CORRECTED: "The session's next prompt objects to the answer: it was wrong, or not what was asked",
    DECLINED: "The first answer refuses: for reasons of policy, safety, law, role or ability",
    UNANSWERED: "No answer follows, or an error, or the first answer says that nothing was found, known or understood",
    ABANDONED: "The session ends within abandoned_seconds after the exchange, which was declined or follows an "
    "exchange that was rephrased or corrected",
    REPEATED_LATER: "The same user asks about the same topic in another session within 7 days",
    BADLY_RATED: "The rating is in the lowest two fifths of its scale, the smallest usual one with all ratings",
}
"""Signals of an exchange, with what they mean."""

SIGNALS_OF_STRUGGLE = tuple(signal for signal in SIGNALS if signal != REPEATED_LATER)
"""A person who comes back to a topic often just uses the product: in star_dev, 79 % of the exchanges are repeated."""

HELD_BACK_PRECISION = {
    REPHRASED: (13, 4),
    CORRECTED: (5, 3),
    DECLINED: (4, 1),
    UNANSWERED: (14, 12),
    STRUGGLE: (33, 21),
}
"""Exchanges that were found among those held back when the rules were written, and how many of them are right
(benchmarks/signals.py)."""


def _columns_of(signal: str, meaning: str) -> tuple[Column, Column]:
    return (
        boolean(f"is_{signal}", f"{meaning}. Null if not decided", nullable=True),
        text(
            f"{signal}_reason",
            "Evidence, why the signal is not decided, or that a person marked it as wrong; else null",
            nullable=True,
        ),
    )


EXCHANGE_SIGNALS = Table(
    "exchange_signals",
    "One row per exchange: signs that it went wrong, each true, false or not decided.",
    ("exchange_id",),
    (
        text("exchange_id", "Exchange: the event_id of its prompt"),
        *(column for signal, meaning in SIGNALS.items() for column in _columns_of(signal, meaning)),
        boolean(
            "is_struggle",
            "True with any of the signals but repeated_later, which is often plain use; false if some of these are "
            "decided and none is true, else null",
            nullable=True,
        ),
        text("struggle_reason", "Names of the signals that are true, or why nothing is decided", nullable=True),
    ),
)
