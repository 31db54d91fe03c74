"""Table [outcomes] of turret.toml: events that say how an exchange turned out."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from turret_pipeline.config.loading import split_list

_EventName = Annotated[str, Field(min_length=1)]


class DeclaredOutcomes(BaseModel):
    """Names of events, each a list or text with commas between its items."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    resolved: Annotated[tuple[_EventName, ...], BeforeValidator(split_list)] = ()
    """Events that follow a prompt that was resolved, such as answer_copied."""
