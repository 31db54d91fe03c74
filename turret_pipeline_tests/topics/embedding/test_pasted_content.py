"""Pasted documents, code, logs, mail and signatures beside a request."""

import pytest

from turret_pipeline.topics.embedding.pasted_content import remove_pasted_content

ASKED = "Please summarize this report for me."
DOCUMENT = "The river rises in the hills and flows through three towns before it reaches the sea in the north. " * 3


@pytest.mark.parametrize(
    "form",
    [
        '{asked} """{document}"""',
        "{asked}\n```\n{document}\n```",
        "<document>\n{document}\n</document>\n{asked}",
        "{asked}\n---\n{document}\n---",
        "{asked} --- {document}",
        "---\n{document}\n---\n{asked}",
        "{asked}\n---\n{document}\n---\n{document}\n---",
        "{asked}\nText:\n{document}",
        "{asked} \u201c{document}\u201d",
        "{asked}\n\nOn Mon, Jan 5, 2026 at 10:00 AM Ann Lee <ann@example.com> wrote:\n> {document}",
        "{asked}\n\nBest regards,\nAnn Lee\nAcme Ltd.",
        "{asked} Best regards, Ann Lee",
        "User: {asked}",
        "[agent] {asked}",
        "data:image/png;base64,{encoded} {asked}",
        "2026-01-05 10:00:00 ERROR cannot connect\n{asked}\n2026-01-05 10:00:01 ERROR cannot connect",
        "{asked} at com.acme.Main.run(Main.java:12) at com.acme.Main.main(Main.java:3)",
    ],
)
def test_what_is_pasted_beside_a_request_is_left_out(form: str) -> None:
    text = form.format(asked=ASKED, document=DOCUMENT, encoded="iVBORw0KGgo" * 20)
    assert " ".join(remove_pasted_content(text).split()) == ASKED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hi",
        f'"""{DOCUMENT}"""',
        f"Text: {DOCUMENT}",
        f"Fix: ```{DOCUMENT}```",
        f"Text: {DOCUMENT} Can you tell me what this text says?",
        'Translate "good morning" into Thai.',
        "Best regards, Ann",
        "User:",
        "deadbeef" * 20,
        "Где моя карта?",
        "Write a mail that ends with best regards, and " + "say more of it " * 20,
    ],
)
def test_a_text_of_which_no_request_would_be_left_stays(text: str) -> None:
    assert remove_pasted_content(text) == text
