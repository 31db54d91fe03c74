"""Roles of topics by the positions of their texts in sessions."""

import random

import pytest

from turret_pipeline.topics.edits import CONTINUATION, SUBJECT, Role
from turret_pipeline.topics.follow_ups.roles import classify_roles
from turret_pipeline_tests.topics.follow_ups.dialogues import dialogues, statements, topic_id, turns


def follow_ups(*sessions: str, previous: dict[str, Role] | None = None) -> str:
    """Letters of the topics that are follow-ups."""
    decisions = classify_roles(turns(*sessions), previous or {})
    letters = sorted({letter for session in sessions for letter in session} - {".", "_"})
    return "".join(letter for letter in letters if decisions[str(topic_id(letter))].role == CONTINUATION)


@pytest.mark.parametrize("seed", range(5))
def test_topics_that_open_no_session_are_follow_ups(seed: int) -> None:
    assert follow_ups(*dialogues(300, seed)) == "efghxyz"


@pytest.mark.parametrize("every", [5, 2])
def test_a_topic_that_opens_sessions_is_a_follow_up_if_the_topic_before_it_tells_what_comes_next(every: int) -> None:
    given = [f"x{session[1:]}" if at % every == 0 else session for at, session in enumerate(dialogues(600))]
    decision = classify_roles(turns(*given), {})["prompt-24"]
    assert decision.role == CONTINUATION
    assert decision.reason.startswith(f"Starts {600 // every} sessions; ")
    assert decision.reason.endswith(". The topic before it tells more about what comes next than it does.")


def test_a_place_that_requests_of_all_subjects_name_is_a_follow_up_although_it_opens_many_sessions() -> None:
    given = [
        f"p{session}" if at % 3 == 0 else f"{session[0]}p{session[1:]}" for at, session in enumerate(dialogues(600))
    ]
    assert follow_ups(*given) == "efghpxyz"


@pytest.mark.parametrize("seed", range(3))
def test_requests_that_come_back_after_others_are_subjects(seed: int) -> None:
    rng = random.Random(seed)
    pairs = ["ab", "cd", "ef", *"abcdef"]
    given = ["".join(rng.choice(pairs) for _ in range(rng.randint(1, 2))) for _ in range(800)]
    assert follow_ups(*given) == ""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("longest", [1, 2, 4, 12])
def test_if_every_turn_states_a_subject_all_topics_are_subjects(seed: int, longest: int) -> None:
    assert follow_ups(*statements(800, seed, longest=longest)) == ""


def test_sessions_of_one_turn_make_no_follow_ups() -> None:
    assert follow_ups(*"aabbbbbbbc" * 40) == ""


def test_a_few_short_sessions_are_not_enough() -> None:
    assert follow_ups("ax", "bx", "cx") == ""
    assert follow_ups(*["ax", "bx"] * 20) == "x"


def test_a_greeting_is_a_follow_up_and_the_topic_after_it_a_subject() -> None:
    given = [f"q{session}" if at % 3 else session for at, session in enumerate(dialogues(600))]
    decisions = classify_roles(turns(*given), {})
    assert follow_ups(*given) == "efghqxyz"
    assert decisions["prompt-17"].reason == (
        "Starts 400 sessions that continue the way other sessions begin: a greeting."
    )


def test_a_name_that_people_give_in_most_sessions_is_a_follow_up() -> None:
    rng = random.Random(0)

    def name() -> str:
        return rng.choices(["nm", "n"], [0.4, 0.6])[0]  # m often comes after n, so that n itself tells something

    given = [
        f"{session[0]}{name()}{session[1:]}" if rng.random() < 0.6 else name() + session for session in dialogues(600)
    ]
    without_names = statements(400, topics="abcd")
    assert follow_ups(*given, *without_names) == "efghmnxyz"
    reason = classify_roles(turns(*given, *without_names), {})["prompt-14"].reason
    assert reason == "Occurs in 67% of the sessions, and earlier topics continue after it."


def test_the_reason_gives_the_counts() -> None:
    decisions = classify_roles(turns(*["axx", "bxx"] * 30), {})
    assert decisions["prompt-24"].reason == (
        "Starts 0 sessions; 40 would be usual for how often it comes later: too few for a subject."
    )
    assert decisions["prompt-1"].reason == "Starts 30 sessions; 10 would be usual for how often it comes later."
    one = classify_roles(turns("ab"), {})["prompt-1"].reason
    assert one == "Starts 1 session; 0.5 would be usual for how often it comes later."


def test_a_role_is_kept_until_the_evidence_is_clear() -> None:
    few = ["ax", "xa"] * 5 + ["axx"] * 30  # x opens (5 + 1) / (25 + 1) of what chance would give: 0.23
    assert follow_ups(*few) == "x"
    assert follow_ups(*few, previous={"prompt-24": SUBJECT}) == ""
    clear = ["ax"] * 100
    assert follow_ups(*clear, previous={"prompt-24": SUBJECT}) == "x"
    more = ["ax", "xa"] * 6 + ["axx"] * 30  # 7 / 27: 0.26
    assert follow_ups(*more) == ""
    assert follow_ups(*more, previous={"prompt-24": CONTINUATION}) == "x"
    assert follow_ups(*["ax", "xa"] * 50, previous={"prompt-24": CONTINUATION}) == ""


@pytest.mark.parametrize("seed", range(3))
def test_similar_sessions_change_no_role(seed: int) -> None:
    decisions = classify_roles(turns(*dialogues(300, seed)), {})
    previous: dict[str, Role] = {topic: decision.role for topic, decision in decisions.items()}
    after = classify_roles(turns(*dialogues(150, seed + 100)), previous)
    assert {topic: decision.role for topic, decision in after.items()} == previous


def test_texts_without_a_topic_are_left_out() -> None:
    assert follow_ups(*[session.replace("y", ".") for session in dialogues(300)]) == "efghxz"
    assert classify_roles(turns(".", "_", ".."), {}) == {}
    assert classify_roles(turns(), {}) == {}
