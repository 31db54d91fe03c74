"""Shared by the settings of the pipeline and of the collector: sources, types and error messages.

Belongs here: how a value is found and rejected. Not here: any setting.
"""

import difflib
import os
import tomllib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

from pydantic import AfterValidator, BeforeValidator, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsError,
)

from turret_pipeline.errors import TurretError

TOML_FILE = "turret.toml"
S = TypeVar("S", bound=BaseSettings)


def split_list(value: object) -> object:
    """The items of a text with commas between them, without spaces around them; any other value as it is."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _absolute(value: Path) -> Path:
    return value.expanduser().absolute()


def check_url(value: str) -> str:
    """The address. Raises ValueError unless it starts with http:// or https://."""
    if not value.startswith(("http://", "https://")):
        raise ValueError("use an address that starts with http:// or https://")
    return value


CommaSeparated = Annotated[list[str], NoDecode, BeforeValidator(split_list)]
"""A list, or text with commas between its items."""

AbsolutePath = Annotated[Path, AfterValidator(_absolute)]


class LayeredSettings(BaseSettings):
    """Settings whose sources are, in order of precedence: arguments, environment, turret.toml."""

    @classmethod
    def read_toml_values(cls) -> dict[str, Any]:
        """The values that turret.toml has for it. Raises ValueError if the file is invalid."""
        raise NotImplementedError

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The sources in order of precedence."""
        return init_settings, env_settings, InitSettingsSource(settings_cls, cls.read_toml_values())


def read_toml() -> dict[str, Any]:
    """Content of turret.toml in the current folder; empty without the file. Raises ValueError if it is not TOML."""
    file = Path(TOML_FILE)
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}


def load_model(settings: type[S], overrides: Mapping[str, object], sentence: Callable[[dict[str, Any]], str]) -> S:
    """The settings in force. Raises TurretError with one sentence per invalid value."""
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return settings(**cast("dict[str, Any]", given))
    except ValidationError as error:
        raise TurretError(" ".join(sentence(dict(problem)) for problem in error.errors())) from None
    except (SettingsError, ValueError) as error:
        raise TurretError(
            f"Cannot read the configuration: {error}. Fix {TOML_FILE} or the environment variable."
        ) from None


def reject_unknown_variables(prefix: str, known: Collection[str], but: tuple[str, ...] = ()) -> None:
    """Raise TurretError for an unknown variable with the prefix, unless it starts with one of ``but``."""
    for name in sorted(os.environ):
        if name.startswith(prefix) and name not in known and not name.startswith(but):
            hint = suggest(name, known) or f"Known variables: {', '.join(sorted(known))}."
            raise TurretError(f"Unknown environment variable {name}. {hint.strip()}")


def suggest(name: str, known: Collection[str]) -> str:
    """A question after a space (" Did you mean plan?") if a known name is similar; else an empty text."""
    near = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {near[0]}?" if near else ""


def describe_problem(problem: Mapping[str, Any]) -> str:
    """Pydantic's message about an invalid value."""
    return str(problem["msg"]).removeprefix("Value error, ")
