"""Values, links and choices as people read them: units, directions of texts, and nothing that leads to nothing."""

import pytest

from turret_pipeline.dashboard.evidence import link_evidence
from turret_pipeline.dashboard.filters import FIELDS_SHOWN, Choice, FilterPanel
from turret_pipeline.dashboard.formats import FORMATS, MISSING, describe_interval
from turret_pipeline.dashboard.state import PageState
from turret_pipeline.reports.report.model import Finding
from turret_pipeline_tests.dashboard.published import get_page


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 s"), (0.4567, "0.457 s"), (119, "119 s"), (136, "2.3 min"), (598.8, "10 min"), (1422, "24 min"),
        (7200, "2.0 h"), (86_400, "24 h"), (172_800, "2.0 days"), (8_640_000_000, "100,000 days"),
    ],
)  # fmt: skip
def test_a_duration_has_the_digits_that_a_person_would_say(seconds: float, words: str) -> None:
    assert FORMATS["seconds"](seconds) == words


def test_a_similarity_always_has_two_digits_and_an_interval_its_unit() -> None:
    assert [FORMATS["similarity"](value) for value in (0.4, 1.0, None)] == ["0.40", "1.00", MISSING]
    assert describe_interval(-0.009, 0.0142) == "95 % interval -0.9 to +1.4 percentage points"
    assert describe_interval(None, None) == "too few to compare"


def panel(*counts: int, chosen: int = -1) -> FilterPanel:
    """A panel of fields f0, f1 ... with one value each, in so many sessions."""
    fields = [(f"f{number}", (Choice("x", "", number == chosen, "", n),)) for number, n in enumerate(counts)]
    return FilterPanel(None, None, (), tuple(fields), ())


def test_the_filter_folds_fields_of_few_sessions_but_none_that_is_chosen() -> None:
    many = panel(1, 9, 9, 9, 2, 9, 9, 9, 9, 9, 3)
    assert [name for name, _ in many.other_segments] == ["f0", "f4", "f10"]
    assert len(many.main_segments) == FIELDS_SHOWN
    assert [name for name, _ in panel(1, 9, 9, 9, 2, 9, 9, 9, 9, 9, 3, chosen=0).other_segments] == ["f4", "f10"]
    assert panel(*range(FIELDS_SHOWN + 1)).other_segments == ()  # a single field is not worth a click
    assert panel().main_segments == ()


def test_texts_of_people_have_the_direction_of_their_language(dashboard: str) -> None:
    for path, cells in (("exchanges", '<td dir="auto">'), ("texts?field=feedback", '<td dir="auto">')):
        page = get_page(f"{dashboard}/sample/{path}").raise_for_status().text
        assert page.count(cells) == page.split("<tbody>")[1].count("<tr>") > 5
        assert "<td><bdi><a href=" in page  # a label beside it is in a direction of its own
    session = get_page(f"{dashboard}/sample/sessions/s_ce7fa65081").raise_for_status().text
    assert '<p class="text" dir="auto">' in session


@pytest.mark.parametrize(
    ("count", "words", "path"),
    [(12, "These 12 exchanges", "exchanges"), (1, "This exchange", "exchanges"), (0, "The topic", "topics/prompt-1")],
)
def test_no_finding_promises_a_list_of_nothing(count: int, words: str, path: str) -> None:
    finding = Finding("segment", "A sentence.", "a week", count, 20, evidence={"topic": "prompt-1"})
    url, name = link_evidence(finding, PageState("one", ""))
    assert name == words
    assert url.startswith(f"/one/{path}")
