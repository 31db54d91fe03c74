"""The picture of what changed, from a report."""

from turret_pipeline.orchestration.assets.publish import draw_report_changes
from turret_pipeline.plots.canvas import BLUE, GREY
from turret_pipeline.reports.report.model import CHANGED, FAILS, Answer, FieldTopics, Finding, Report, TopicShift

MONTH, WEEK, RUN = "2026-08-31 to 2026-09-27", "2026-09-21 to 2026-09-27", "this run"


def claim(topic_id: str, period: str) -> Finding:
    return Finding("growing", f"{topic_id} grew.", period, 10, 100, field="prompt", topic_id=topic_id)


def make_report(*answers: Answer, topics: int = 4) -> Report:
    shifts = tuple(
        TopicShift("prompt", f"t-{n}", f"Topic {n}", MONTH, "2026-08-03 to 2026-08-30", 0.2, 0.1, 0.05, 0.15)
        for n in range(topics)
    )
    return Report(None, "", 100, 50, 20, (FieldTopics("prompt", 100, 0, 0, ()),), answers, shifts)


def test_only_claims_about_the_periods_that_are_shown_are_blue() -> None:
    changed = Answer(CHANGED, (claim("t-0", WEEK), claim("t-2", MONTH), claim("t-1", RUN), claim("t-2", WEEK)))
    figure = draw_report_changes(make_report(changed, Answer(FAILS, (claim("t-3", MONTH),))))
    (axis,) = figure.axes
    colours = [line.get_color() for line in axis.lines if line.get_marker() == "o"]
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert labels[0] == "Topic 2"
    assert colours == [BLUE, GREY, GREY, GREY]


def test_without_a_claim_about_these_periods_the_picture_says_so() -> None:
    figure = draw_report_changes(make_report(Answer(CHANGED, (claim("t-0", WEEK), claim("t-1", RUN)))))
    assert figure.texts[1].get_text() == (
        "2026-08-31 to 2026-09-27 after 2026-08-03 to 2026-08-30; the report tells of none of these changes"
    )


def test_without_shifts_a_picture_is_drawn() -> None:
    assert not draw_report_changes(make_report(topics=0)).axes[0].lines
