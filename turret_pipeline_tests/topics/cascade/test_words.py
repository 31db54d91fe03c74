"""Words and phrases of texts as hashes."""

import numpy as np

from turret_pipeline.topics.cascade.words import hash_word, read_words, select_frequent, split_words


def test_case_punctuation_and_digits_do_not_matter() -> None:
    assert split_words("Refund order 12, PLEASE!") == split_words("refund Order 977 please") == [
        "refund", "order", "0", "please",
    ]  # fmt: skip


def test_scripts_without_spaces_are_read_letter_by_letter() -> None:
    assert split_words("退款 now") == ["退", "款", "now"]


def test_a_text_without_words_is_its_own_only_word() -> None:
    assert split_words("?!") == ["?!"]


def test_phrases_are_words_and_pairs_with_the_edges_of_the_text() -> None:
    rows = read_words(["pay bill", "bill pay", "pay"])
    found = rows.phrases()
    assert found.counts.tolist() == [5, 5, 3]
    first, second, third = (set(found.hashes[found.starts[at] : found.starts[at + 1]].tolist()) for at in range(3))
    assert len(first & second) == 2, "the words are equal, but no pair is"
    assert len(first & third) == 2, "the word, and that the text begins with it"


def test_words_are_counted_in_a_vocabulary() -> None:
    rows = read_words(["pay pay bill", "rent"])
    vocabulary = np.sort(np.array([hash_word("pay"), hash_word("bill")], dtype=np.uint64))
    counts = rows.count_in(vocabulary).toarray()
    assert sorted(counts[0].tolist()) == [1, 2]
    assert counts[1].tolist() == [0, 0]
    assert rows.count_in(np.array([], dtype=np.uint64)).shape == (2, 0)
    assert read_words([]).phrases().count_in(vocabulary).shape == (0, 2)


def test_the_most_frequent_hashes_are_selected() -> None:
    rows = read_words(["a a a b b c", "b d"])
    hashes, shares = select_frequent(rows, most=2, min_count=2)
    assert set(hashes.tolist()) == {hash_word("a"), hash_word("b")}
    np.testing.assert_allclose(shares, [3 / 8, 3 / 8])
    assert select_frequent(rows, most=9, min_count=4)[0].tolist() == []
