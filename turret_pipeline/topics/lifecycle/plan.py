"""Inputs of a run that updates topics: its id and time, options, and edits by a person."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from turret_pipeline.topics.edits import NO_EDITS, Edits
from turret_pipeline.topics.embedding.embedding import Embedder
from turret_pipeline.topics.embedding.model_names import AUTO
from turret_pipeline.topics.options import TopicOptions


@dataclass(frozen=True)
class Run:
    """Id, start and number of a pipeline run."""

    run_id: str
    started_at: dt.datetime
    run_number: int = 1


@dataclass(frozen=True)
class Plan:
    """Options of topic discovery, edits by a person, and whether to refit.

    ``types`` has the type of each field, by name; ``embedding_model`` is the setting. With ``find_embedder``, which
    gives the model of a name, labels are rated by the model; it is called only if there are topics to label.
    ``excluded_words`` are never in a label.
    """

    options: TopicOptions
    edits: Edits = NO_EDITS
    refit: bool = False
    types: Mapping[str, str] = dataclasses.field(default_factory=dict)
    embedding_model: str = AUTO
    find_embedder: Callable[[str], Embedder] | None = None
    excluded_words: tuple[str, ...] = ()
