"""Contract of the signals: signs that an exchange went wrong, with reasons."""

from turret_pipeline.tables.contract import Column, Table, boolean, integer, number, text

REPHRASED, CORRECTED, DECLINED, UNANSWERED = "rephrased", "corrected", "declined", "unanswered"
ABANDONED, REPEATED_LATER, BADLY_RATED, STRUGGLE = "abandoned", "repeated_later", "badly_rated", "struggle"

SIGNALS: dict[str, str] = {
    REPHRASED: "The session's next prompt says nearly the same, by its meaning and its words, and is not a follow-up",
    CORRECTED: "The session's next prompt objects to the answer: it was wrong, or not what was asked",
    DECLINED: "The first answer refuses: for reasons of policy, safety, law, role or ability",
    UNANSWERED: "No answer follows, or an error, or the first answer says that nothing was found, known or understood",
    ABANDONED: "The session ends within abandoned_seconds after the exchange, which was declined or follows an "
    "exchange that was rephrased or corrected",
    REPEATED_LATER: "The same user asks about the same topic in another session within 7 days; not decided in the "
    "last 7 days of the data",
    BADLY_RATED: "The rating is in the lowest two fifths of its scale, the smallest usual one with all ratings",
}
"""Signals of an exchange, with what they mean."""

RESOLVED = "resolved"
"""The only good sign: a declared outcome."""

SIGNALS_OF_STRUGGLE = tuple(signal for signal in SIGNALS if signal != REPEATED_LATER)
"""A person who comes back to a topic often just uses the product: in star_dev, 79 % of the exchanges are repeated."""

HELD_BACK_PRECISION = {
    REPHRASED: (13, 4),
    CORRECTED: (7, 3),
    DECLINED: (4, 1),
    UNANSWERED: (13, 11),
    STRUGGLE: (32, 20),
}
"""Exchanges that were found among those held back when the rules were written, and how many of them are right
(benchmarks/signals.py)."""


MARKABLE = "Evidence, why the signal is not decided, or that a person marked it as wrong; else null"


def _columns_of(signal: str, meaning: str, reason: str = MARKABLE) -> tuple[Column, Column]:
    return (
        boolean(f"is_{signal}", f"{meaning}. Null if not decided", nullable=True),
        text(
            f"{signal}_reason",
            reason,
            nullable=True,
        ),
    )


EXCHANGE_SIGNALS = Table(
    "exchange_signals",
    "One row per exchange: signs that it went wrong, and declared outcomes, each true, false or not decided.",
    ("exchange_id",),
    (
        text("exchange_id", "Exchange: the event_id of its prompt"),
        *(column for signal, meaning in SIGNALS.items() for column in _columns_of(signal, meaning)),
        boolean(
            "is_struggle",
            "True with any of the signals but repeated_later, which is often plain use; null if none of these is "
            "decided, or none is true and the next prompt or the answer is in a language without rules; else false",
            nullable=True,
        ),
        text("struggle_reason", "Names of the signals that are true, or why nothing is decided", nullable=True),
        *_columns_of(
            RESOLVED,
            "An event that the setting outcomes declares follows in the session before the prompts turn to another "
            "topic. Times decide: an event at the time of a prompt follows it",
            "The event, or why it is not decided; else null",
        ),
    ),
)

SIGNALS_OF_TOPICS = (*SIGNALS, STRUGGLE, RESOLVED)
"""Signals of which topic_signals has the shares."""

_REST = "the rest: the other topics of the field, the topic's other weeks, or its other values of the segment field"
_NO_REST = "null if either has fewer than 10 exchanges or is of fewer than 5 users (sessions, if the user is unknown)"

TOPIC_SIGNALS = Table(
    "topic_signals",
    "One row per topic and signal, over all of the topic's exchanges, those of a week, or those of a segment.",
    ("topic_id", "signal", "week_start_date", "segment_field", "segment_value"),
    (
        text("field", "Text field of the prompts"),
        text("topic_id", "Topic that the prompts are about, with follow-ups"),
        text("signal", f"Signal of exchange_signals: {', '.join(SIGNALS_OF_TOPICS)}"),
        Column(
            "week_start_date",
            "date",
            "First day of the week (settings week_start and time_zone); null for all weeks. Weeks are those of "
            "topic_weeks",
            nullable=True,
        ),
        text("segment_field", "Enum field of the exchanges, or model; null for all segments", nullable=True),
        text(
            "segment_value",
            "Its value when the prompt was sent, or else that of the answer; null for all segments",
            nullable=True,
        ),
        integer("exchange_count", "Exchanges in which the signal is decided, at least 1"),
        integer("signal_count", "Of these, exchanges with the signal"),
        number("signal_share", "signal_count divided by exchange_count"),
        number(
            "share_low",
            "Lower end of its 95 % confidence interval. It allows for exchanges of one user that are alike, except if "
            "all or none have the signal",
        ),
        number("share_high", "Upper end of that interval"),
        number("base_share", f"Share with the signal in {_REST}; {_NO_REST}", nullable=True),
        number("difference", "signal_share minus base_share", nullable=True),
        number("difference_low", "Lower end of its 95 % confidence interval", nullable=True),
        number("difference_high", "Upper end of that interval", nullable=True),
        number(
            "q_value",
            "Benjamini-Hochberg q-value of the difference, over all signals of the field's topics, of their weeks, or "
            "of their segments: of rows with at most 0.05, 5 % are expected to be chance. Null if nothing is compared. "
            "Rows that would show fewer users than privacy_min_users, with the signal or without it, are left out, "
            "each signal by itself: struggle minus its parts may be of fewer",
            nullable=True,
        ),
    ),
)
