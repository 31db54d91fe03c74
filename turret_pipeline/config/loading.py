"""What the settings of the pipeline and of the collector have in common: their sources, types and sentences.

Belongs here: how a value is found and refused. Not here: any setting.
"""

import difflib
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

from pydantic import AfterValidator, BeforeValidator, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsError

from turret_pipeline.errors import TurretError

TOML_FILE = "turret.toml"
S = TypeVar("S", bound=BaseSettings)


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _absolute(value: Path) -> Path:
    return value.expanduser().absolute()


def web_address(value: str) -> str:
    """The address. ValueError where it is none."""
    if not value.startswith(("http://", "https://")):
        raise ValueError("it is no address that begins with http:// or https://")
    return value


Words = Annotated[list[str], NoDecode, BeforeValidator(_split)]
"""A list, or text with commas."""

AbsolutePath = Annotated[Path, AfterValidator(_absolute)]


def loaded(settings: type[S], overrides: Mapping[str, object], sentence: Callable[[dict[str, Any]], str]) -> S:
    """The settings in force. Raises TurretError with a sentence for each value that is wrong."""
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return settings(**cast("dict[str, Any]", given))
    except ValidationError as error:
        raise TurretError(" ".join(sentence(dict(problem)) for problem in error.errors())) from None
    except (SettingsError, ValueError) as error:
        raise TurretError(f"The configuration cannot be read: {error}. Mend {TOML_FILE} or the variable.") from None


def refuse_unknown_variables(prefix: str, known: Collection[str], but: str | None = None) -> None:
    """TurretError where a variable begins with the prefix and is no setting, unless it begins with ``but``."""
    for name in sorted(os.environ):
        if name.startswith(prefix) and name not in known and not (but and name.startswith(but)):
            hint = did_you_mean(name, known) or f"Known are {', '.join(sorted(known))}."
            raise TurretError(f"The environment variable {name} is no setting. {hint.strip()}")


def did_you_mean(name: str, known: Collection[str]) -> str:
    """A question with a space before it, where a known name is near; else nothing."""
    near = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {near[0]}?" if near else ""


def verdict(problem: Mapping[str, Any]) -> str:
    """What pydantic says is wrong with a value."""
    return str(problem["msg"]).removeprefix("Value error, ")
