"""Words that grew within a growing topic."""

import polars as pl

from turret_pipeline.reports.report.new_words import find_new_words


def texts(*rows: tuple[str | None, str, bool]) -> pl.DataFrame:
    """Rows of text, person and is_recent."""
    return pl.DataFrame(rows, {"text": pl.String, "person": pl.String, "is_recent": pl.Boolean}, orient="row")


OLD = [("describe a lamp", f"u{number}", False) for number in range(4)]
NEW = [(f"Photo of a {thing}", f"u{number}", True) for number, thing in enumerate("lamp chair lamp rug lamp".split())]


def test_words_that_most_recent_texts_share_are_named_with_their_counts() -> None:
    assert find_new_words(texts(*OLD, *NEW), 1) == [
        '"of" (5 of 5 texts, after 0 of 4)',
        '"photo" (5 of 5 texts, after 0 of 4)',
    ]


def test_a_word_that_was_as_frequent_before_is_not_named() -> None:
    rows = [*OLD, *(("describe a lamp", f"u{number}", True) for number in range(9))]
    assert find_new_words(texts(*rows), 1) == []


def test_a_word_needs_five_persons_or_as_many_as_the_threshold() -> None:
    by_few = [(text, f"u{number % 4}", is_recent) for number, (text, _, is_recent) in enumerate(NEW)]
    assert find_new_words(texts(*OLD, *by_few), 1) == []
    assert find_new_words(texts(*OLD, *NEW), 6) == []


def test_a_word_counts_once_per_text_in_any_case_and_texts_may_be_missing() -> None:
    rows = [(f"PHOTO, photo {number}", f"u{number}", True) for number in range(5)]
    found = find_new_words(texts(*OLD, *rows, (None, "u9", True)), 1)
    assert found == ['"photo" (5 of 5 texts, after 0 of 4)']


def test_without_earlier_texts_everything_is_new_and_nothing_is_named() -> None:
    assert find_new_words(texts(*NEW), 1) == []
    assert find_new_words(texts(), 1) == []


def test_the_order_of_rows_does_not_matter() -> None:
    assert find_new_words(texts(*NEW, *OLD)[::-1], 1) == find_new_words(texts(*NEW, *OLD), 1)
