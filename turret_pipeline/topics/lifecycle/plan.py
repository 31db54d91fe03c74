"""How a run goes about the topics, and which run it is."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from turret_pipeline.topics.edits import NO_EDITS, Edits
from turret_pipeline.topics.tracking.reconcile import Options


@dataclass(frozen=True)
class Run:
    """Who makes a change, and when."""

    run_id: str
    started_at: dt.datetime


@dataclass(frozen=True)
class Plan:
    """The method's options, a person's edits, and whether to start over with the ids carried across.

    ``types`` are the types of the fields there are, by name.
    """

    options: Options
    edits: Edits = NO_EDITS
    refit: bool = False
    types: Mapping[str, str] = dataclasses.field(default_factory=dict)
