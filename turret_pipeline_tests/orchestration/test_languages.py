"""A run over texts in several languages."""

import json
from pathlib import Path

import pytest

from turret_pipeline_tests.commands import open_published, run_job

pytestmark = pytest.mark.slow

THINGS = {
    "en": ["phone", "camera", "printer", "keyboard", "laptop", "tablet", "speaker", "screen"],
    "de": ["Handy", "Kamera", "Drucker", "Tastatur", "Laptop"],
    "fi": ["kamerasta", "puhelimesta", "tulostimesta"],
}
FORMS = {
    ("en", "refund"): [
        "I want my money back for the {}",
        "Please refund the {} that I sent back",
        "No refund for my {}",
    ],
    ("en", "story"): ["Write a story about {} in a forest", "Tell me a fairy tale with {}", "Make up a tale of {}"],
    ("de", "refund"): ["Ich möchte mein Geld zurück für {}", "Bitte erstatten Sie mir das Geld für {}"],
    ("de", "story"): ["Schreibe eine Geschichte über {} im Wald", "Erzähle mir ein Märchen mit {}"],
    ("fi", "story"): ["Kirjoita minulle pitkä tarina {}", "Kerro lapsille uusi satu {} metsässä"],
}


def write_prompts(path: Path) -> None:
    """A file of prompts; each has its language and subject."""
    rows = [
        {"language_of_text": language, "subject": subject, "prompt": form.format(thing)}
        for (language, subject), forms in FORMS.items()
        for form in forms
        for thing in THINGS[language]
    ]
    lines = (
        json.dumps(
            {
                "name": "user_prompt",
                "session_id": f"s{at}",
                "user_id": f"u{at % 9}",
                "timestamp": f"2026-03-01T10:{at // 60:02}:{at % 60:02}Z",
                "metadata": row,
            }
        )
        for at, row in enumerate(rows)
    )
    path.write_text("\n".join(lines), encoding="utf-8")


def test_topics_are_subjects_in_all_languages_that_a_model_reads(tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.jsonl"
    write_prompts(prompts)
    summary = run_job(tmp_path / "data", prompts)
    with open_published(tmp_path / "data") as connection:
        pairs = connection.execute(
            "select metadata->>'language_of_text', metadata->>'subject', topic_id, outcome "
            "from marts.event_topics join marts.events using (event_id) group by all"
        ).fetchall()
        languages = connection.execute(
            "select language, text_count, embedding_model is not null, assigned_share from marts.field_languages"
        ).fetchall()
    found: dict[str | None, set[tuple[str, str]]] = {}
    for language, subject, topic_id, _ in pairs:
        found.setdefault(topic_id, set()).add((language, subject))
    assert found.pop(None) == {("fi", "story")}
    assert {subject for both in found.values() for _, subject in both} == {"refund", "story"}
    for both in found.values():
        assert {language for language, _ in both} == {"en", "de"}, found
        assert len({subject for _, subject in both}) == 1, found
    assert {outcome for language, *_, outcome in pairs if language == "fi"} == {"unreadable"}
    assert languages == [("en", 48, True, 1.0), ("de", 20, True, 1.0), ("fi", 6, False, 0.0)]
    assert "Languages: English 64.9%, German 27.0%, Finnish 8.1% (unreadable); read by" in " ".join(summary.split())
    assert "8% of the events are unreadable" in " ".join(summary.split())
