"""Secrets and personal data as people and programs write them, and harmless texts that look like them."""

import polars as pl
import pytest

from turret_pipeline.scrubbing import KINDS, scrub_text, scrub_texts
from turret_pipeline_tests.scrubbing.wild import count_results, read_harmless, read_secrets


def scrub(text: str) -> str:
    return scrub_text(text, KINDS)[0]


@pytest.mark.parametrize("half", ["A", "B"])
def test_nine_of_ten_secrets_are_found_and_one_of_a_hundred_harmless_texts_changes_at_most(half: str) -> None:
    results = count_results(half, scrub)
    found, count = results["all secrets"]
    assert found >= 0.9 * count
    unchanged, count = results["harmless"]
    assert unchanged >= 0.99 * count


def test_wild_texts_are_scrubbed_the_same_alone_and_together() -> None:
    texts = [text.text for text in (*read_secrets(), *read_harmless())]
    assert scrub_texts(pl.Series(texts), KINDS).to_list() == [scrub(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail jo\u200b@example.com \uff01", "mail <EMAIL> \uff01"),
        ("\uff21 \uff4a\uff4f\uff20\uff45\uff58\uff0e\uff43\uff4f\uff4d \uff21", "\uff21 <EMAIL> \uff21"),
        ("?u=jo%40example.com&q=a%20b", "?u=<EMAIL>&q=a%20b"),
        ("4111\u00a01111\u00a01111\u00a01111 and 1\u00a0000", "<CARD> and 1\u00a0000"),
        ("SSN \uff11\uff12\uff13-45-6789 ok", "SSN <NATIONAL_ID> ok"),
        ("10%3A30 \u0661\u0662", "10%3A30 \u0661\u0662"),
        ("Passwort: Sommer2024!, danke", "Passwort: <KEY>!, danke"),
        ("Set-Cookie: sid=abc123; Path=/", "Set-Cookie: <KEY>"),
        ("curl -u jo:hunter2 https://x.example", "curl -u <KEY> https://x.example"),
        ("Server=db;Uid=sa;Pwd=top secret;App=x", "Server=db;Uid=sa;Pwd=<KEY>;App=x"),
    ],
)
def test_spellings_are_found_and_the_rest_of_the_text_stays_as_it_was(text: str, expected: str) -> None:
    assert scrub(text) == expected
