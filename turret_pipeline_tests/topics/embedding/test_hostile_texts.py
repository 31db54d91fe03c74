"""Texts that would keep a careless pattern busy for hours: then this test does not end."""

import polars as pl
import pytest

from turret_pipeline.topics.embedding.preparation import prepare_texts
from turret_pipeline.topics.embedding.windows import MAX_WINDOWS


@pytest.mark.parametrize(
    "part",
    [
        "<a>", "<a ", " \u201cx ", "--- ", "---\n", "```", '""" ', "From: Sent: ", "On 2024 ", "Text: a. ", "regards, ",
        "user: ", "at a(", "2024-01-01 ", "!", " ", "\n", " \n", "a", "a b c d. ", "\u4f60\u597d\u3002",
        'File "a", line 1, in ', "----- original message ", "so and ", "i i'm ",
    ],
)  # fmt: skip
def test_a_text_of_one_repeated_part_is_prepared(part: str) -> None:
    texts = [part * 50_000 + end for end in ("", "x", "</b> y")]
    frame = pl.DataFrame({"field": "prompt", "text_id": ["1", "2", "3"], "text": texts})
    prepared = prepare_texts(frame)
    assert set(prepared["text_id"]) <= {"1", "2", "3"}
    assert all(len(windows) <= MAX_WINDOWS for windows in prepared["windows"])
