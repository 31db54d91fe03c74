"""Tables of published runs, and of the checks of the published file."""

from turret_pipeline.tables.contract import Column, Table, boolean, integer, number, text, timestamp

PIPELINE_RUNS = Table(
    "pipeline_runs",
    "One row per published run.",
    ("run_id",),
    (
        text("run_id", "Id of the run"),
        integer("run_number", "Position of the run among the published runs, from 1; runs are in this order"),
        timestamp("started_at", "Time at which the run started (UTC)"),
        timestamp("published_at", "Time at which its tables were published (UTC)"),
        integer("event_count", "Accepted events"),
        integer("topic_count", "Active topics"),
        number("no_topic_share", "Share of the pairs of event and text field without a topic", nullable=True),
        text("embedding_model", "Model of the embeddings"),
        text("settings_sha256", "Hash of the settings that change the published tables"),
        text("package_version", "Version of the pipeline"),
        text("input_sha256", "Hash of the landing files; with settings and code it shows if a run has anything to do"),
        text("code_sha256", "Hash of the pipeline's code and models"),
        Column(
            "edits",
            "texts",
            "Topic edits that the run applied, of topics that are shown; null if they were not recorded yet",
            nullable=True,
        ),
        text("topic_state_id", "State of the topics from which the next run continues"),
    ),
)

REPORT_LINES = Table(
    "report_lines",
    "One row per sentence of the report on all data of the published run.",
    ("answer", "line_number"),
    (
        text("answer", "Question: what_people_talk_about, what_changed, where_it_fails, or for_whom_it_differs"),
        integer("line_number", "Position of the sentence in its answer, from 1"),
        text(
            "kind",
            "Kind of finding, such as growing_week or declined; note (on what could not be decided), or nothing (no "
            "finding, with the reason)",
        ),
        text("sentence", "The sentence"),
        text("period", "Days that it is about; null for other lines than findings", nullable=True),
        text("field", "Text field, or the enum field of a segment", nullable=True),
        text("topic_id", "Topic that it is about", nullable=True),
        text("label", "Label of the topic, or theme", nullable=True),
        integer("count", "What is counted", nullable=True),
        integer("total", "Of how many", nullable=True),
        integer("other_count", "What is counted of what it is compared with; null if nothing is", nullable=True),
        integer("other_total", "Of how many", nullable=True),
        number("difference_low", "Lower end of the 95 % confidence interval of the difference", nullable=True),
        number("difference_high", "Upper end of that interval", nullable=True),
        number("q_value", "Q-value within the whole report; null for a plain count", nullable=True),
        text("evidence", "Filters that select what is counted, as a JSON object", nullable=True),
    ),
)

QUALITY_CHECKS = Table(
    "quality_checks",
    "One row per check of a built table in the published run.",
    ("table_name", "check_name"),
    (
        text("table_name", "Table that was checked"),
        text("check_name", "Name of the check"),
        boolean("is_passed", "True if the check passed"),
        boolean("is_blocking", "True if a failure would have stopped publishing"),
    ),
)
