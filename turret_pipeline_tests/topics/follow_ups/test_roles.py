"""Where the texts of topics stand in sessions in; subjects and what carries them on out."""

import pytest

from turret_pipeline.topics.edits import CONTINUATION, SUBJECT, Role
from turret_pipeline.topics.follow_ups.roles import judge
from turret_pipeline_tests.topics.follow_ups.dialogues import dialogues, statements, topic_id, turns


def carried_on(*sessions: str, before: dict[str, Role] | None = None) -> str:
    """Letters of the topics that are continuations."""
    verdicts = judge(turns(*sessions), before or {})
    letters = sorted({letter for session in sessions for letter in session} - {".", "_"})
    return "".join(letter for letter in letters if verdicts[str(topic_id(letter))].role == CONTINUATION)


@pytest.mark.parametrize("seed", range(5))
def test_topics_that_open_no_session_carry_on(seed: int) -> None:
    assert carried_on(*dialogues(300, seed)) == "efghxyz"


def test_a_topic_that_opens_some_sessions_carries_on_where_what_was_before_goes_on_after_it() -> None:
    given = dialogues(600)
    opened = [f"x{session[1:]}" if at % 5 == 0 else session for at, session in enumerate(given)]
    verdict = judge(turns(*opened), {})["prompt-24"]
    assert verdict.role == CONTINUATION
    assert "what was spoken of before goes on after it" in verdict.reason


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("longest", [1, 2, 4, 12])
def test_where_every_turn_states_a_subject_all_are_subjects(seed: int, longest: int) -> None:
    assert carried_on(*statements(800, seed, longest=longest)) == ""


def test_sessions_of_one_turn_say_nothing_against_a_topic() -> None:
    assert carried_on(*"aabbbbbbbc" * 40) == ""


def test_a_few_short_sessions_are_not_enough() -> None:
    assert carried_on("ax", "bx", "cx") == ""
    assert carried_on(*["ax", "bx"] * 20) == "x"


def test_a_greeting_is_no_subject_and_what_follows_it_is() -> None:
    given = [f"q{session}" if at % 3 else session for at, session in enumerate(dialogues(600))]
    verdicts = judge(turns(*given), {})
    assert carried_on(*given) == "efghqxyz"
    assert verdicts["prompt-17"].reason == (
        "Opens 400 sessions, which go on as others begin: a greeting, and no subject."
    )


def test_what_is_in_every_session_tells_none_from_another() -> None:
    chance = dialogues(600)
    everywhere = [f"{'q' * (at % 2)}{session[0]}q{session[1:]}q" for at, session in enumerate(chance)]
    verdict = judge(turns(*everywhere), {})["prompt-17"]
    assert (verdict.role, verdict.reason[:27]) == (CONTINUATION, "Is in 100% of the sessions,")


def test_the_reason_gives_the_counts() -> None:
    verdicts = judge(turns(*["axx", "bxx"] * 30), {})
    assert verdicts["prompt-24"].reason == (
        "Opens 0 sessions where chance would have 40: it answers or goes on, and is no subject."
    )
    assert verdicts["prompt-1"].reason == "Opens 30 sessions where chance would have 10."
    assert judge(turns("ab"), {})["prompt-1"].reason == "Opens 1 session where chance would have 0.5."


def test_a_role_is_held_until_the_evidence_is_clear() -> None:
    few = ["ax", "xa"] * 5 + ["axx"] * 30  # x opens (5 + 1) / (25 + 1) of what chance would give: 0.23
    assert carried_on(*few) == "x"
    assert carried_on(*few, before={"prompt-24": SUBJECT}) == ""
    clear = ["ax"] * 100
    assert carried_on(*clear, before={"prompt-24": SUBJECT}) == "x"
    more = ["ax", "xa"] * 6 + ["axx"] * 30  # 7 / 27: 0.26
    assert carried_on(*more) == ""
    assert carried_on(*more, before={"prompt-24": CONTINUATION}) == "x"
    assert carried_on(*["ax", "xa"] * 50, before={"prompt-24": CONTINUATION}) == ""


@pytest.mark.parametrize("seed", range(3))
def test_other_sessions_of_the_same_kind_change_no_role(seed: int) -> None:
    before: dict[str, Role] = {one: verdict.role for one, verdict in judge(turns(*dialogues(300, seed)), {}).items()}
    after = judge(turns(*dialogues(150, seed + 100)), before)
    assert {one: verdict.role for one, verdict in after.items()} == before


def test_texts_without_a_topic_are_left_out() -> None:
    assert carried_on(*[session.replace("y", ".") for session in dialogues(300)]) == "efghxz"
    assert judge(turns(".", "_", ".."), {}) == {}
    assert judge(turns(), {}) == {}
