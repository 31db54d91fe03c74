"""Tables of the runs that were published, and of the checks that they passed."""

from turret_pipeline.tables.contract import Column, Table, boolean, integer, number, text, timestamp

PIPELINE_RUNS = Table(
    "pipeline_runs",
    "One row per run that was published.",
    ("run_id",),
    (
        text("run_id", "The run"),
        timestamp("started_at", "When it started"),
        timestamp("published_at", "When its tables were published"),
        integer("event_count", "Accepted events"),
        integer("topic_count", "Active topics"),
        number("no_topic_share", "Share of event and text field pairs without a topic", nullable=True),
        text("embedding_model", "Model of the embeddings"),
        text("settings_sha256", "Hash of the settings that change what is published"),
        text("package_version", "Version of the pipeline"),
        text("input_sha256", "Hash of the landing files: with settings and code it says whether there is anything new"),
        text("code_sha256", "Hash of the pipeline's code and models"),
        Column(
            "edits", "texts", "Edits that it followed, of topics that are shown; null: not noted yet", nullable=True
        ),
        text("topic_state_id", "State of the topics that the next run continues from"),
    ),
)

QUALITY_CHECKS = Table(
    "quality_checks",
    "One row per check of a built table in the run that was published.",
    ("table_name", "check_name"),
    (
        text("table_name", "Table that was checked"),
        text("check_name", "What was checked"),
        boolean("is_passed", "Whether it held"),
        boolean("is_blocking", "Whether a failure would have stopped publishing"),
    ),
)
