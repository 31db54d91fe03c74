"""Users, their sessions and the events of these, drawn from the phrases: the sample before anything is spoilt."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import cast
from uuid import UUID

import behaviour
import phrases

DAYS, USERS, SESSIONS = 60, 300, 970
FIRST_DAY = datetime(2026, 8, 1, tzinfo=UTC)
GROWTH_STARTS = 31  # the 1st of September, as days after FIRST_DAY

WEEKDAYS = (1.0, 1.05, 1.1, 1.0, 0.85, 0.35, 0.25)
HOURS = (1, 0, 0, 0, 1, 2, 6, 16, 34, 46, 44, 36, 22, 32, 42, 38, 30, 20, 12, 9, 9, 7, 4, 2)
SESSION_LENGTHS = (41, 18, 14, 10, 7, 4, 2.5, 1.5, 1, 1)  # of 1 to 10 prompts
FOLLOW_UP_SHARE, GREETING_SHARE = 0.52, 0.015  # of later prompts, of first prompts
SAME_TOPIC_WEIGHT, NEXT_WEIGHT, FAVOURITE_FACTOR = 25.0, 45.0, 3.0  # against about 100 for all topics together
MODEL_SPEED = {"wren-small": 0.6, "wren-large": 1.0, "heron-1": 1.7}

Event = dict[str, object]


@dataclass(frozen=True)
class User:
    """Somebody who uses the app, with habits."""

    user_id: str
    plan: str
    platform: str
    style: str
    favourites: tuple[str, ...]
    activity: float


@dataclass(frozen=True)
class Row:
    """One line to be written: an event with what was planted in it, or a raw line that is no event."""

    at: datetime
    event: Event
    topic: str = ""
    theme: str = ""
    raw: str | None = None

    def line(self) -> str:
        """The text of the line."""
        return json.dumps(self.event, ensure_ascii=False) if self.raw is None else self.raw


def pick(rng: Random, weights: Mapping[str, float]) -> str:
    """One key, by weight."""
    return rng.choices(list(weights), list(weights.values()))[0]


def fill(rng: Random, patterns: Sequence[str], slots: Mapping[str, Sequence[str]]) -> str:
    """One pattern, those with slots more often, its slots filled with fillers that differ within the text."""
    pattern = rng.choices(patterns, [1 + min(text.count("{"), 2) for text in patterns])[0]
    used: list[str] = []

    def filler(match: re.Match[str]) -> str:
        used.append(rng.choice([text for text in slots[match[1]] if text not in used]))
        return used[-1]

    return re.sub(r"\{(\w+)\}", filler, pattern)


def typed(rng: Random, text: str, style: str) -> str:
    """The text as somebody of this typing style would send it: plain, all lower case, or hurried with a slip."""
    if style == "plain":
        return text
    text = text.lower().rstrip(".")
    words = text.split(" ")
    long_words = [index for index, word in enumerate(words) if len(word) > 4 and word.isascii() and word.isalpha()]
    if style == "hurried" and long_words and rng.random() < 0.5:
        index = rng.choice(long_words)
        cut = rng.randrange(1, len(words[index]) - 2)
        word = words[index]
        words[index] = word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :]
    return " ".join(words)


def make_users(rng: Random) -> list[User]:
    """The users: most of them on the free plan and seldom here, some with a paid plan and back every few days."""
    users = []
    for number in range(1, USERS + 1):
        plan = pick(rng, {"free": 0.5, "team": 0.31, "business": 0.19})
        platform = pick(rng, {"web": 0.66, "ios": 0.2, "android": 0.14})
        style = pick(rng, {"plain": 0.64, "lower": 0.25, "hurried": 0.11})
        favourites = tuple(rng.sample(sorted(behaviour.WEIGHTS), 3))
        activity = rng.paretovariate(1.3) * {"free": 0.8, "team": 1.2, "business": 1.5}[plan]
        users.append(User(f"u_{number:04d}", plan, platform, style, favourites, min(activity, 12.0)))
    return users


def growth(day: int) -> float:
    """How known the growing topic is on a day: nearly unknown in August, then more from week to week."""
    return 0.1 if day < GROWTH_STARTS else 0.5 + 0.06 * (day - GROWTH_STARTS)


def topic_weights(user: User, day: int, previous: str) -> dict[str, float]:
    """What a user may ask on a day, after a previous topic ('' at the start of a session)."""
    follows, bias = behaviour.NEXT.get(previous, {}), behaviour.PLAN_BIAS[user.plan]
    weights = {}
    for topic, base in behaviour.WEIGHTS.items():
        weight = base * bias.get(topic, 1.0) * (FAVOURITE_FACTOR if topic in user.favourites else 1.0)
        weight += NEXT_WEIGHT * follows.get(topic, 0.0) + SAME_TOPIC_WEIGHT * (topic == previous)
        weights[topic] = weight * (growth(day) if topic == behaviour.GROWING_TOPIC else 1.0)
    return weights


def session_turns(rng: Random, user: User, day: int) -> list[tuple[str, str, str]]:
    """The prompts of a session as (topic or '', topic being talked about, text)."""
    length = rng.choices(range(1, 11), SESSION_LENGTHS)[0]
    turns: list[tuple[str, str, str]] = []
    current = ""
    while len(turns) < length:
        if not turns and rng.random() < GREETING_SHARE:
            turns.append(("", "", rng.choice(phrases.GREETINGS)))
        elif current and rng.random() < FOLLOW_UP_SHARE:
            turns.append(("", current, typed(rng, rng.choice(phrases.FOLLOW_UPS), user.style)))
        else:
            current = pick(rng, topic_weights(user, day, current))
            text = typed(rng, fill(rng, phrases.PATTERNS[current], phrases.SLOTS), user.style)
            turns.append((current, current, text))
            if rng.random() < behaviour.ENDS.get(current, 0.0):
                break
    return turns


def make_event(rng: Random, name: str, session: tuple[str, User], at: datetime, metadata: Event) -> Event:
    """An event in Turret's shape."""
    return {
        "event_id": f"ev_{rng.getrandbits(48):012x}", "name": name, "session_id": session[0],
        "user_id": session[1].user_id, "timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "metadata": metadata,
    }  # fmt: skip


def prompt_row(rng: Random, session: tuple[str, User], at: datetime, topic: str, text: str) -> Row:
    """The prompt of a turn."""
    user = session[1]
    request_id = str(UUID(int=rng.getrandbits(128), version=4))
    metadata: Event = {"prompt": text, "prompt_chars": len(text), "plan": user.plan, "platform": user.platform}
    event = make_event(rng, "prompt_sent", session, at, metadata | {"request_id": request_id})
    return Row(at, event, topic)


def answer_row(rng: Random, session: tuple[str, User], at: datetime, text: str) -> Row:
    """The answer to a prompt; long prompts and long answers take longer, cached ones no time."""
    tokens = 20 + int(rng.lognormvariate(4.6 + min(len(text), 200) / 200, 0.45))
    model = pick(rng, {"wren-small": 0.45, "wren-large": 0.4, "heron-1": 0.15})
    is_cached = rng.random() < 0.07
    slow = (0.4 + 0.006 * len(text) + 0.007 * tokens) * MODEL_SPEED[model] * rng.lognormvariate(0, 0.3)
    latency = rng.uniform(0.05, 0.3) if is_cached else slow
    metadata: Event = {"latency_seconds": round(latency, 2), "answer_tokens": tokens, "model": model}
    at += timedelta(seconds=1 + int(latency))
    return Row(at, make_event(rng, "answer_shown", session, at, metadata | {"is_cached": is_cached}))


def reaction_rows(rng: Random, session: tuple[str, User], at: datetime, about: str, latency: float) -> list[Row]:
    """What the user does with an answer: copy it, download it, rate it."""
    rows: list[Row] = []
    for name, share in (("answer_copied", 0.2), ("export_downloaded", 0.05), ("feedback_given", 0.13)):
        if not about or rng.random() >= share:
            continue
        at += timedelta(seconds=rng.randint(4, 45))
        theme, metadata = "", cast(Event, {"part": rng.choice(["all", "all", "selection"])})
        if name == "export_downloaded":
            metadata = {"format": pick(rng, {"docx": 4, "pdf": 4, "xlsx": 2, "csv": 1}), "file_kb": rng.randint(9, 420)}
        elif name == "feedback_given":
            likely = behaviour.FEEDBACK_AFTER.get(about, {})
            weights = {key: likely.get(key, 1.0) for key in phrases.FEEDBACK}
            weights["too_slow"] *= 9 if latency > 4 else 1
            theme = pick(rng, weights)
            text = fill(rng, phrases.FEEDBACK[theme], phrases.SLOTS | phrases.FEEDBACK_SLOTS)
            metadata = {"rating": rng.choice(behaviour.RATINGS[theme]), "feedback": typed(rng, text, session[1].style)}
        rows.append(Row(at, make_event(rng, name, session, at, metadata), theme=theme))
    return rows


def session_rows(rng: Random, user: User, at: datetime) -> list[Row]:
    """All events of a session that starts at a time."""
    platform = user.platform if rng.random() < 0.85 else rng.choice(["web", "ios", "android"])
    session = (f"s_{rng.getrandbits(40):010x}", replace(user, platform=platform))
    rows: list[Row] = []
    for topic, about, text in session_turns(rng, user, (at - FIRST_DAY).days):
        rows.append(prompt_row(rng, session, at, topic, text))
        if rng.random() >= 0.02:  # now and then there is no answer
            rows.append(answer_row(rng, session, at, text))
            latency = cast(float, cast(Event, rows[-1].event["metadata"])["latency_seconds"])
            rows += reaction_rows(rng, session, rows[-1].at, about, latency)
        at = rows[-1].at + timedelta(seconds=min(8 + int(rng.lognormvariate(3.6, 0.9)), 900))
    return rows


def clean_rows(rng: Random) -> list[Row]:
    """The events of the whole period before anything is spoilt; every user comes at least once."""
    users = make_users(rng)
    visits = users + rng.choices(users, [user.activity for user in users], k=SESSIONS - USERS)
    day_weights = [WEEKDAYS[(FIRST_DAY.weekday() + day) % 7] * (1 + 0.006 * day) for day in range(DAYS)]
    rows: list[Row] = []
    for user in visits:
        day, hour = rng.choices(range(DAYS), day_weights)[0], rng.choices(range(24), HOURS)[0]
        start = FIRST_DAY + timedelta(days=day, hours=hour, seconds=rng.randrange(3600))
        rows += session_rows(rng, user, start)
    return rows
