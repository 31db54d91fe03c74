"""Events of simulated sessions for the benchmark `scale`: seeded, with realistic short prompts that repeat as in life.

A prompt is an intent in one of its wordings, about one of its things, often with an opening and a closing. How often
the distinct prompts occur follows Zipf's law: few are asked all the time, most once.
"""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import IntArray

EVENTS_PER_PROMPT = 2.3
"""A prompt, its answer, and at three of ten answers a copy of it."""

PROMPTS_PER_SESSION = 3.0
MAX_PROMPTS = 30
DAYS = 60
START = 1_780_272_000
"""1 June 2026, as seconds."""

EXPONENT, OFFSET = 0.7, 20.0
"""The weight of the prompt at a rank is (rank + OFFSET) ** -EXPONENT."""

SESSIONS_PER_USER = 5
SESSIONS_AT_ONCE = 100_000

OPENINGS = ("", "hi, ", "hello! ", "please help: ", "quick question: ", "hey there, ", "sorry, ", "urgent: ", "ok so ")
CLOSINGS = ("", "?", " please", " thanks", " asap", ", any idea?", " today", " for my team", " if possible", " again")
WORDINGS = {
    "billing": (
        "why was I charged twice for {}",
        "refund the payment for {}",
        "where is the invoice for {}",
        "the bill for {} is wrong",
    ),
    "login": ("I cannot log in to {}", "reset my password for {}", "{} says my account is locked", "two factor for {}"),
    "export": ("export {} as a spreadsheet", "download all of {}", "save {} to a file", "send me {} as pdf"),
    "write": ("write an email about {}", "draft a short post on {}", "rewrite this text about {}", "summary of {}"),
    "code": ("fix the error in {}", "write a python function for {}", "why does {} crash", "write a test for {}"),
    "travel": ("plan a weekend in {}", "cheap flights to {}", "hotels near {}", "what should I see in {}"),
    "cook": ("a recipe with {}", "how long do I cook {}", "vegetarian dinner with {}", "what goes well with {}"),
    "health": ("is {} dangerous", "what helps against {}", "how long does {} last", "should I see a doctor for {}"),
    "ship": ("where is my order of {}", "the parcel with {} is late", "return {}", "change the address for {}"),
    "learn": ("explain {} simply", "what is {}", "give an example of {}", "quiz me about {}"),
    "meet": ("schedule a meeting about {}", "cancel the call on {}", "who attends the meeting on {}", "agenda for {}"),
    "data": ("chart {} by month", "compare {} with last year", "sql query for {}", "average of {} per customer"),
}
THINGS = {
    "billing": ("the pro plan", "march", "my subscription", "the add-on", "two seats", "the annual plan"),
    "login": ("the dashboard", "my workspace", "the mobile app", "the admin page", "single sign-on", "the portal"),
    "export": ("my contacts", "the report", "all invoices", "the audit log", "the survey", "our tickets"),
    "write": ("the launch", "a delay", "our holiday hours", "a price change", "the new hire", "an outage"),
    "code": ("the date parser", "a sort", "the login form", "a regex", "the api client", "a csv reader"),
    "travel": ("Lisbon", "Kyoto", "Oslo", "Mexico City", "Cape Town", "Hanoi"),
    "cook": ("lentils", "salmon", "aubergine", "leftover rice", "tofu", "sweet potatoes"),
    "health": ("a headache", "back pain", "a cough", "poor sleep", "a rash", "a sore throat"),
    "ship": ("shoes", "a lamp", "the desk", "two books", "a jacket", "the headphones"),
    "learn": ("photosynthesis", "inflation", "recursion", "the french revolution", "entropy", "compound interest"),
    "meet": ("the budget", "hiring", "the roadmap", "the offsite", "quarterly goals", "the contract"),
    "data": ("revenue", "churn", "signups", "ticket volume", "active users", "refunds"),
}
SHARED = ("number {}", "from unit {}", "in room {}", "with code {}", "for client {}")
"""What makes the rare prompts distinct: a detail with a number."""


def list_prompts(count: int) -> list[str]:
    """Distinct prompts, in a seeded random order: those with a number only if there are not enough others."""
    plain = [
        f"{opening}{wording.format(thing)}{closing}"
        for intent, wordings in WORDINGS.items()
        for wording, thing, opening, closing in itertools.product(wordings, THINGS[intent], OPENINGS, CLOSINGS)
    ]
    details = (
        f"{text} {detail.format(number)}" for number in itertools.count(1) for detail in SHARED for text in plain
    )
    prompts = np.array(list(itertools.islice(itertools.chain(plain, details), max(count, len(plain)))), dtype=object)
    order = np.random.default_rng(0).permutation(prompts.size)[:count]
    return list(prompts[order])


def write_events(path: Path, events: int, prompts: Sequence[str], first_session: int = 0, seed: int = 5) -> int:
    """Write JSON lines of about this many events, of sessions numbered from ``first_session``; return their number."""
    generator, written = np.random.default_rng((seed, first_session)), 0
    sessions = max(round(events / EVENTS_PER_PROMPT / PROMPTS_PER_SESSION), 1)
    users = max((first_session or sessions) // SESSIONS_PER_USER, 1)
    with path.open("w", encoding="utf-8") as file:
        for first in range(first_session, first_session + sessions, SESSIONS_AT_ONCE):
            count = min(SESSIONS_AT_ONCE, first_session + sessions - first)
            for line in _simulate_sessions(np.arange(first, first + count), users, prompts, generator):
                file.write(line + "\n")
                written += 1
    return written


def _simulate_sessions(
    sessions: IntArray, users: int, prompts: Sequence[str], generator: np.random.Generator
) -> Iterator[str]:
    turns = np.minimum(generator.geometric(1 / PROMPTS_PER_SESSION, sessions.size), MAX_PROMPTS)
    session = np.repeat(sessions, turns)
    cumulated = np.cumsum((np.arange(len(prompts)) + OFFSET) ** -EXPONENT)
    chosen = np.searchsorted(cumulated, generator.random(session.size) * cumulated[-1], side="right")
    frame = pl.DataFrame(
        {
            "session": session,
            "user": np.repeat((users * generator.random(sessions.size) ** 2).astype(np.int64), turns),
            "started": np.repeat(generator.random(sessions.size) * DAYS * 86_400, turns),
            "gap": generator.exponential(90, session.size) + 5,
            "prompt": pl.Series(prompts).gather(chosen),
            "latency": np.round(generator.exponential(1, session.size), 3),
            "tokens": generator.integers(20, 900, session.size),
            "is_copied": generator.random(session.size) < 0.3,
        }
    ).with_columns(
        turn=pl.int_range(pl.len()).over("session"), at=pl.col("started") + pl.col("gap").cum_sum().over("session")
    )
    return iter(_format_events(frame).sort("session", "turn", "step")["line"].to_list())


def _format_events(turns: pl.DataFrame) -> pl.DataFrame:
    """A row per event: session, turn, step and line."""
    plans = pl.lit(pl.Series(["free", "team", "business"]))
    plan = plans.gather((pl.col("user") % 3).cast(pl.Int64)).alias("plan")
    metadata = {
        "prompt_sent": [pl.col("prompt")],
        "answer_shown": [pl.col("latency"), pl.col("tokens")],
        "answer_copied": [pl.lit("button").alias("source")],
    }
    parts = []
    for step, (event, fields) in enumerate(metadata.items()):
        rows = turns.filter("is_copied") if event == "answer_copied" else turns
        at = pl.from_epoch((START + pl.col("at") + 2 * step).cast(pl.Int64)).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        line = pl.struct(
            pl.concat_str(pl.lit("e"), "session", pl.lit("-"), "turn", pl.lit(f"-{step}")).alias("event_id"),
            pl.lit(event).alias("name"),
            pl.concat_str(pl.lit("s"), "session").alias("session_id"),
            pl.concat_str(pl.lit("u"), "user").alias("user_id"),
            at.alias("timestamp"),
            pl.struct(plan, *fields).alias("metadata"),
        )
        parts.append(
            rows.select("session", "turn", pl.lit(step).alias("step"), line.struct.json_encode().alias("line"))
        )
    return pl.concat(parts)
