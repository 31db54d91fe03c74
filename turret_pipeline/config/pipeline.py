"""Settings of the pipeline: environment variables TURRET_* over turret.toml over the defaults here.

Belongs here: every value that a person may change, with its meaning and limits. Not here: constants of a method.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from turret_pipeline.config.loading import (
    AbsolutePath,
    CommaSeparated,
    LayeredSettings,
    check_url,
    load_model,
    read_toml,
    reject_unknown_variables,
)
from turret_pipeline.config.outcomes import DeclaredOutcomes
from turret_pipeline.config.setting_problems import (
    COLLECTOR,
    DASHBOARD,
    PREFIX,
    TABLES_OF_OTHERS,
    describe_setting_problem,
    describe_unknown_name,
)
from turret_pipeline.errors import TurretError
from turret_pipeline.events.formats import AUTO, INPUT_FORMATS, Format
from turret_pipeline.events.formats.mapping import ColumnMapping, select_format
from turret_pipeline.events.formats.times import find_zone
from turret_pipeline.tables import FIELD_TYPES
from turret_pipeline.topics.embedding import model_names

if TYPE_CHECKING:
    from turret_pipeline.topics.options import TopicOptions


class Settings(LayeredSettings):
    """Settings of a run. Every name is also an environment variable with the prefix TURRET_."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    data_dir: AbsolutePath = Field(Path("data"), description="Folder of everything that the pipeline writes")
    object_store: str = Field(
        "",
        description="Place on an object store that holds parts, vectors and topic states, so that other machines "
        "continue from them: s3://BUCKET/PREFIX (the service and the credentials come from the variables "
        "AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), or a folder of a shared file "
        "system, such as /mnt/turret; empty: the data folder alone",
    )
    inputs: CommaSeparated = Field(
        [],
        description="Files, folders or globs of new events, separated by commas; default: the folder landing in "
        "data_dir",
    )
    input_format: str = Field(
        AUTO,
        description="Format of all new rows (see `turret formats`); auto: the mapping for rows that it fits, and for "
        "each other row the format that its keys fit",
    )
    mapping: ColumnMapping | None = Field(
        None,
        description='Columns of a row by their role, for example {"event_name": "action", "user_id": "customer.id"}; '
        "also event_at, received_at, event_id, session_id, and metadata (a list; default: every other column); for "
        "calls of models and chats, prompt, generation, messages, message_author, message_text and others. "
        '"=Clicked" is a constant; `turret inspect FILE` suggests a mapping',
    )
    input_time_zone: str = Field(
        "UTC",
        description="Time zone of times in new rows that have none, such as Europe/Zurich; formats whose times are "
        "known to be UTC stay UTC",
    )
    session_gap_minutes: float = Field(
        30, gt=0, description="A gap of this length ends a session, for events without a session id"
    )
    abandoned_seconds: float = Field(
        60,
        gt=0,
        description="A session that ends at most this long after a refused, repeated or corrected prompt was abandoned",
    )
    missing_times: Literal["chats", "file", "refuse"] = Field(
        "chats",
        description="Events without a time that get the modification time of their file, and are marked: chats: "
        "messages of chat transcripts, which rarely have times; file: all; refuse: none. Other events without a time "
        "are rejected",
    )
    keep_tool_calls: bool = Field(
        True, description="Calls of tools become events named tool:NAME; false: they are left out"
    )
    clock_tolerance_minutes: float = Field(
        10, ge=0, description="An event this much later than its receipt is marked: its clock is ahead"
    )
    resolve_identities: bool = Field(
        True,
        description="Ids that the input says are of one person (sign-in, alias, merge) become one user; false: each id "
        "stays a user of its own",
    )
    field_types: dict[str, str] = Field(
        {},
        description='Types by field, such as {"plan": "enum"}; they win over `turret fields set`, '
        "which wins over detection",
    )
    field_limit: int = Field(
        2000,
        ge=1,
        description="Maximum number of metadata fields; beyond it, objects with the most keys become one structured "
        "field each",
    )
    embedding_model: str = Field(
        model_names.AUTO,
        min_length=1,
        description=f"auto: {model_names.ENGLISH} for English, and multilingual for other texts; multilingual: "
        f"Universal Sentence Encoder for all texts; {model_names.ENGLISH}: English texts only; or name or folder of "
        "another sentence-transformers model. Another value finds all topics anew",
    )
    embedding_prefix: str = Field(
        "",
        description='Text before each text, for a model that needs an instruction such as "query: "; the packaged '
        "models need none. Another value finds all topics anew",
    )
    embedding_device: str = Field("auto", description="Device of the model: auto, cpu, cuda, mps ...")
    embedding_method: Literal["auto", "full", "cascade", "static"] = Field(
        "auto",
        description="full: the model embeds every distinct text; cascade: it embeds a sample and the texts whose topic "
        "is doubtful, and a student that learns from the sample embeds the others; static: the student embeds all but "
        f"the sample; auto: full up to {model_names.MAX_FULL_TEXTS:,} distinct texts, then cascade. Vectors by the "
        "model are kept, those by a student only for the method that made them",
    )
    embedding_precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="Precision of a sentence-transformers model: bfloat16: more than twice as fast on processors that "
        "have it (AVX512-BF16, AMX), and slower on others; auto: half precision on a GPU, and on a processor float32, "
        "but for the cascade bfloat16 where the processor has it",
    )
    embedding_threads: int | None = Field(
        None, ge=1, description="Threads of the embedding model; default: one for each processor core"
    )
    embedding_batch_texts: int | None = Field(
        None,
        ge=1,
        description="Texts that a sentence-transformers model reads at once; fewer need less memory; default: 64, on a "
        "GPU 1024",
    )
    topic_granularity: float = Field(
        1.0,
        gt=0,
        le=10,
        description="Below 1: fewer and broader topics, above 1: more and finer ones; known topics change only with "
        "`turret topics refit`",
    )
    topic_min_texts: int = Field(
        5,
        ge=2,
        description="Minimum number of distinct texts of a topic; texts with equal vectors count once; known topics "
        "change only with `turret topics refit`",
    )
    topic_floor: float = Field(
        0.67,
        ge=0,
        le=1,
        description="A text has no topic if its mean cosine to its nearest texts is below this share of what is usual "
        "in its topic, and many of these have other topics; 0: no text is an outlier; assigned texts change only with "
        "`turret topics refit`",
    )
    topic_max_clustered: int = Field(
        200_000,
        ge=1000,
        description="Topics of a field are found from at most this many distinct texts, near-duplicates counted once; "
        "further ones get the topic of the most similar of these",
    )
    label_excluded_words: CommaSeparated = Field(
        [],
        description="Words that are never in the label of a topic, such as the company's own name, separated by "
        "commas; topics that have a label keep it",
    )
    prompt_events: CommaSeparated = Field(
        [],
        description="Names of the events that are prompts, separated by commas; default: events with a text in a field "
        "such as prompt or question (table exchange_roles says which)",
    )
    answer_events: CommaSeparated = Field(
        [],
        description="Names of the events that are answers; default: events with a text in a field such as generation "
        "or answer, or named like one",
    )
    feedback_events: CommaSeparated = Field(
        [], description="Names of the events that are feedback; default: events named like it, or with a rating"
    )
    outcomes: DeclaredOutcomes = Field(
        DeclaredOutcomes(),
        description='Events that say how an exchange turned out, for example {"resolved": "answer_copied"}: an '
        "exchange is resolved if one of the events follows in its session before the prompts turn to another topic",
    )
    week_start: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = Field(
        "monday", description="First day of the weeks that tables and reports compare"
    )
    time_zone: str = Field("UTC", description="Time zone of these weeks, such as Europe/Zurich")
    trend_days: int = Field(
        7,
        ge=1,
        description="Number of last days that trends compare with the days before; whole weeks even out weekdays",
    )
    privacy_min_users: int = Field(
        1,
        ge=1,
        description="Privacy threshold: topics and journey figures of fewer users are suppressed; raise it to 5 or "
        "more before sharing tables. Smaller topics become one topic Other per field, without examples; transitions "
        "of fewer users lead to (other); loops, paths, segments and outcomes of fewer users are left out; events "
        "without a user do not count",
    )
    scrub_emails: bool = Field(
        True, description="E-mail addresses in metadata and rejected rows become <EMAIL> before anything is stored"
    )
    scrub_phones: bool = Field(True, description="Phone numbers become <PHONE>")
    scrub_cards: bool = Field(True, description="Payment card numbers with a valid check digit become <CARD>")
    scrub_ibans: bool = Field(True, description="Bank account numbers (IBAN) with valid check digits become <IBAN>")
    scrub_ips: bool = Field(True, description="IP addresses (versions 4 and 6) become <IP>")
    scrub_national_ids: bool = Field(
        True, description="Social security, tax and passport numbers after a word for them become <NATIONAL_ID>"
    )
    scrub_keys: bool = Field(True, description="API keys, tokens, passwords, and logins in addresses become <KEY>")
    user_id_salt: Annotated[SecretStr, Field(min_length=8)] | None = Field(
        None,
        description="If set, user ids are hashed with it before they are stored; keep it: with another salt every "
        "user is new",
    )
    retention_days: int | None = Field(
        None,
        ge=1,
        description="If set, a run erases events older than this number of days, and rejected rows of files read "
        "longer ago, also from files in landing; default: nothing is erased for its age",
    )
    llm_model: str = Field("", description="LLM that labels new and changed topics; empty: keyword labels")
    llm_base_url: str | None = Field(
        None,
        description="OpenAI-compatible endpoint of the LLM, for example http://localhost:11434/v1; default: OpenAI",
    )
    llm_api_key: SecretStr | None = Field(
        None, description="Key of that endpoint; default for OpenAI: the variable OPENAI_API_KEY"
    )
    llm_price_input: float = Field(0, ge=0, description="Dollars per million input tokens; 0: unknown")
    llm_price_output: float = Field(0, ge=0, description="Dollars per million output tokens; 0: unknown")
    llm_timeout_seconds: float = Field(30, gt=0, description="Deadline for a complete answer of the LLM")
    seed: int = Field(0, ge=0, description="Seed of everything random")
    engine: Literal["local", "ray"] = Field(
        "local",
        description="Where the reading of files, embedding and the shards of tables run: local: on this machine; ray: "
        "on a Ray cluster, whose machines get their work through object_store or, without one, through data_dir, which "
        "they must then share. The tables are the same",
    )
    ray_address: str = Field(
        "auto",
        min_length=1,
        description="HOST:PORT of the head of the Ray cluster; auto: that of the variable RAY_ADDRESS, or else the one "
        "that runs on this machine",
    )
    run_history: int = Field(
        50, ge=1, description="Number of finished runs whose logs and metadata the Dagster UI of the data folder keeps"
    )
    freshness_hours: float = Field(
        26, gt=0, description="The Dagster UI marks the published file as stale if no run has published for that long"
    )
    schedule_cron: str = Field("15 2 * * *", description="When the daily run starts")
    schedule_timezone: str = Field("UTC", description="Time zone of schedule_cron")

    @field_validator("field_types")
    @classmethod
    def _known_types(cls, value: dict[str, str]) -> dict[str, str]:
        for field, kind in value.items():
            if kind not in FIELD_TYPES:
                raise ValueError(f"unknown type {kind!r} of field {field!r}: use {', '.join(FIELD_TYPES)}")
        return value

    @field_validator("input_format")
    @classmethod
    def _known_format(cls, value: str) -> str:
        if value not in INPUT_FORMATS:
            raise ValueError(f"use one of {', '.join(INPUT_FORMATS)}; `turret formats` describes each")
        return value

    @model_validator(mode="after")
    def _format_is_there(self) -> Self:
        select_format(self.input_format, self.mapping)
        return self

    @field_validator("llm_base_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        return check_url(value) if value else None

    @field_validator("input_time_zone", "schedule_timezone", "time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        find_zone(value)
        return value

    @classmethod
    def read_toml_values(cls) -> dict[str, Any]:
        """All values of turret.toml but the tables of others."""
        return {name: value for name, value in read_toml().items() if name not in TABLES_OF_OTHERS}

    @property
    def selected_format(self) -> Format | None:
        """The format of all new rows; None if the format of each row is detected."""
        return select_format(self.input_format, self.mapping)

    @property
    def input_patterns(self) -> list[str]:
        """Files, folders and globs of new events."""
        return self.inputs or [str(self.data_dir / "landing")]

    @property
    def object_store_url(self) -> str:
        """The address that holds the files of data_dir: projects of the collector have one each, below that of all."""
        is_project = self.object_store and self.data_dir.parent.name == "projects"
        return f"{self.object_store.rstrip('/')}/projects/{self.data_dir.name}" if is_project else self.object_store

    @property
    def topic_options(self) -> "TopicOptions":
        """Options of topic discovery."""
        from turret_pipeline.topics.options import TopicOptions

        return TopicOptions(
            self.topic_granularity,
            self.topic_min_texts,
            floor=self.topic_floor,
            seed=self.seed,
            max_clustered=self.topic_max_clustered,
        )

    @property
    def scrubbed_kinds(self) -> frozenset[str]:
        """Kinds of personal data that are replaced before storage, as turret_pipeline.scrubbing names them."""
        from turret_pipeline.scrubbing import KINDS

        return frozenset(kind for kind in KINDS if getattr(self, f"scrub_{kind}s"))

    @property
    def salt(self) -> str | None:
        """The salt of hashed user ids; None if they are stored as sent."""
        return self.user_id_salt.get_secret_value() if self.user_id_salt else None

    def sha256(self) -> str:
        """Hash of the settings that change what is published; folders, devices and schedules do not.

        The salt is hashed separately, because pydantic dumps every secret as the same stars.
        """
        unrelated = {"data_dir", "object_store", "inputs", "embedding_device", "schedule_cron", "schedule_timezone"}
        unrelated |= {"run_history", "freshness_hours", "engine", "ray_address"}
        unrelated |= {"embedding_precision", "embedding_threads", "embedding_batch_texts"}
        costs = {"llm_api_key", "llm_price_input", "llm_price_output", "llm_timeout_seconds"}
        digest = hashlib.sha256(self.model_dump_json(exclude=unrelated | costs).encode())
        if self.user_id_salt:
            digest.update(hashlib.sha256(self.user_id_salt.get_secret_value().encode()).digest())
        return digest.hexdigest()


def reject_unknown_names() -> None:
    """Raise TurretError for a name in turret.toml that nothing reads.

    The collector reads only its own table, to start without the pipeline. Its commands call this first.
    """
    for name, value in read_toml().items():
        if name not in TABLES_OF_OTHERS and name not in Settings.model_fields:
            raise TurretError(describe_unknown_name(name, Settings.model_fields, is_table=isinstance(value, dict)))


def load_settings(**overrides: object) -> Settings:
    """The settings in force. Raises TurretError with one sentence per invalid value."""
    names = {PREFIX + name.upper() for name in Settings.model_fields}
    others = tuple(f"{PREFIX}{name.upper()}_" for name in (COLLECTOR, DASHBOARD))
    reject_unknown_variables(PREFIX, names, but=others)
    return load_model(Settings, overrides, lambda problem: describe_setting_problem(problem, Settings.model_fields))
