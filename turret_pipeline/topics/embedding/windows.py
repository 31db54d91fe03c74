"""Windows of a long text, each short enough to be read whole by an embedding model."""

from collections.abc import Iterator, Sequence

from turret_pipeline.topics.embedding.passages import count_pieces, split_passages

WINDOW_PIECES = 200
"""Estimated word pieces of a window. The default model reads 256; rare words have more pieces than estimated."""

MAX_WINDOWS = 20
"""Windows that are read of a text, about 3,000 words. What comes after hardly moves their mean, and costs time."""


def split_into_windows(text: str) -> list[str]:
    """The text in consecutive windows of whole sentences where possible; the text itself if it fits into one."""
    if len(text) <= WINDOW_PIECES or count_pieces(text) <= WINDOW_PIECES:
        return [text]
    windows: list[list[str]] = [[]]
    size = 0
    for part in _cut_long_passages(split_passages(text)):
        pieces = count_pieces(part)
        if windows[-1] and size + pieces > WINDOW_PIECES:
            windows.append([])
            size = 0
        windows[-1].append(part)
        size += pieces
    return [" ".join(window) for window in windows]


def _cut_long_passages(passages: Sequence[str]) -> Iterator[str]:
    """The passages, those longer than a window cut between words, or anywhere in scripts without spaces."""
    for passage in passages:
        if count_pieces(passage) <= WINDOW_PIECES:
            yield passage
            continue
        words = [word[at : at + WINDOW_PIECES] for word in passage.split() for at in range(0, len(word), WINDOW_PIECES)]
        start = size = 0
        for at, word in enumerate(words):
            pieces = count_pieces(word)
            if size + pieces > WINDOW_PIECES and at > start:
                yield " ".join(words[start:at])
                start, size = at, 0
            size += pieces
        yield " ".join(words[start:])
