"""Windows of long texts, and the request in them."""

import pytest

from turret_pipeline.topics.embedding.passages import count_pieces
from turret_pipeline.topics.embedding.requests import find_request
from turret_pipeline.topics.embedding.windows import WINDOW_PIECES, split_into_windows

DOCUMENT = "The river rises in the hills. It flows through three towns and reaches the sea in the north. " * 20


@pytest.mark.parametrize("text", [DOCUMENT, "word " * 1000, "\u4f60\u597d" * 500, "x" * 5000, "Привет мир. " * 200])
def test_a_long_text_is_read_in_windows_without_a_gap(text: str) -> None:
    windows = split_into_windows(text)
    assert len(windows) > 1
    assert max(map(count_pieces, windows)) <= WINDOW_PIECES
    assert "".join("".join(windows).split()) == "".join(text.split())


@pytest.mark.parametrize("text", ["", "Hi", "Where is\nmy card?"])
def test_a_short_text_is_its_own_window(text: str) -> None:
    assert split_into_windows(text) == [text]


@pytest.mark.parametrize("form", ["{asked} {document}", "{document} {asked}", "{document}\n{asked}\n{document}"])
def test_the_request_is_found_beside_a_document(form: str) -> None:
    for asked in ("Can you tell me what this means?", "My card was stolen.", "Please summarize this report for me."):
        assert find_request(form.format(asked=asked, document=DOCUMENT)) == asked


def test_a_document_has_no_request() -> None:
    assert find_request(DOCUMENT) == ""
    assert find_request("") == ""
