"""The Dagster resource of all assets: the settings in force, and the data folder that they name.

Each setting is a field of the resource's configuration, so that the UI shows it and the launchpad can change it for one
run. Secrets are left out: they come from the environment or turret.toml and are never shown.
"""

import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args, get_origin

import dagster as dg
import polars as pl
from pydantic import Field, PrivateAttr, create_model
from pydantic.fields import FieldInfo

from turret_pipeline.config.outcomes import DeclaredOutcomes
from turret_pipeline.config.pipeline import Settings, load_settings
from turret_pipeline.config.setting_problems import SECRETS
from turret_pipeline.events.formats.mapping import ColumnMapping
from turret_pipeline.ingest.part_notes import INGEST_MERGES
from turret_pipeline.ingest.parts import PartStore
from turret_pipeline.models.embedder import Execution
from turret_pipeline.orchestration.fingerprint import compute_fingerprint
from turret_pipeline.orchestration.run_history import prune_run_history
from turret_pipeline.progress import Progress
from turret_pipeline.shards.local import LOCAL
from turret_pipeline.shards.shard import Engine
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.storage.damage import find_damage, repair_all
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.lake import Lake
from turret_pipeline.storage.remote_data import PIECES, RemoteData, open_remote_data
from turret_pipeline.storage.vectors import VectorStore
from turret_pipeline.topics.edits import Edits
from turret_pipeline.topics.embedding.model_names import AUTO, CASCADE
from turret_pipeline.topics.embedding.readers import READING
from turret_pipeline.topics.lifecycle.scrub_state import scrub_state
from turret_pipeline.topics.lifecycle.state import TopicState


class Workspace(dg.ConfigurableResource):  # type: ignore[type-arg]  # it provides itself
    """The settings and the data folder of a run. Make one with ``build_workspace``, which adds a field per setting."""

    progress: dg.ResourceDependency[Progress]

    secrets: ClassVar[dict[str, object]] = {}
    _settings: Settings | None = PrivateAttr(None)
    _run_id: str = PrivateAttr("none")
    _repair_count: int = PrivateAttr(0)

    @contextlib.contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Workspace"]:
        """Validate the settings, lock the data folder, repair it, and remove what killed and outdated runs left."""
        self._run_id = context.run.run_id if context.run else "none"
        with self.data.lock(), contextlib.closing(self.shard_engine):
            if self.remote is not None:
                self.remote.pull()
            self._repair_count = repair_all(find_damage(self.data), self._warn)
            self.data.remove_leftovers(self._run_id)
            if context.instance is not None:
                prune_run_history(context.instance, self.data.dagster_home, self.settings.run_history)
            yield self

    def _warn(self, sentence: str) -> None:
        self.progress.say(f"Warning: {sentence}")

    @property
    def was_repaired(self) -> bool:
        """True if stored files were damaged at the begin of this run: then it makes all tables again."""
        return self._repair_count > 0

    @property
    def settings(self) -> Settings:
        """The settings in force. Raises TurretError if the launchpad gave an invalid value."""
        if self._settings is None:
            values = {name: getattr(self, name) for name in Settings.model_fields if name not in self.secrets}
            self._settings = load_settings(**values, **self.secrets)
        return self._settings

    @functools.cached_property
    def data(self) -> DataDir:
        """The data folder."""
        return DataDir(self.settings.data_dir)

    @functools.cached_property
    def remote(self) -> RemoteData | None:
        """The data folder with the object store that it shares with other machines; None if the setting is empty."""
        return open_remote_data(self.settings.object_store_url, self.data, self.progress, INGEST_MERGES)

    def share(self, *, is_final: bool = False) -> None:
        """Store what this run made so far on the object store, if there is one. Needs the lock of the data folder."""
        if self.remote is not None:
            self.remote.commit(self._run_id, is_final=is_final)

    @property
    def lake(self) -> Lake:
        """Parquet tables between the stages."""
        return self.data.lake

    @property
    def parts(self) -> PartStore:
        """The parts of the landing files that were read."""
        return PartStore(self.data.parts, self.shard_engine)

    @functools.cached_property
    def shard_engine(self) -> Engine:
        """The engine that runs the shards of this run. Raises TurretError if the libraries for it are missing."""
        if self.settings.engine == "local":
            return LOCAL
        from turret_pipeline.shards.ray_engine import open_ray_engine

        store = self.settings.object_store_url
        url = f"{store}/{PIECES}" if store else str(self.data.pieces.resolve())
        return open_ray_engine(self.settings.ray_address, url, self.progress.say)

    def prefix_of(self, model: str) -> str:
        """The text before each text for this model; none for the packaged models."""
        return "" if model in {AUTO, *READING} else self.settings.embedding_prefix

    def name_with_prefix(self, model: str) -> str:
        """Name of a model and its prefix: with another prefix, a model gives other vectors."""
        prefix = self.prefix_of(model)
        return f"{model} {prefix}" if prefix else model

    def vectors(self, model: str, method: str = CASCADE) -> VectorStore:
        """Vectors by one model, made with the prefix in force, and by the method in force or else this one."""
        setting = self.settings.embedding_method
        return self.data.vectors(self.name_with_prefix(model), method if setting == AUTO else setting)

    @property
    def execution(self) -> Execution:
        """Settings of how the embedding model is run."""
        settings = self.settings
        return Execution(settings.embedding_threads, settings.embedding_batch_texts, settings.embedding_precision)

    def look_up_vectors(self, text_ids: pl.Series, model: str) -> FloatArray:
        """Vectors of texts by one model, in their order. Raises TurretError if one is missing."""
        return self.vectors(model).vectors_of(text_ids)

    @property
    def build(self) -> Path:
        """The DuckDB file that this run builds and checks before it is published."""
        return self.data.warehouse.build_path(self._run_id)

    @functools.cached_property
    def overridden_types(self) -> dict[str, str]:
        """Field types that a person set: the setting field_types wins over `turret fields set`."""
        return self.data.field_overrides.read_types(self.settings.field_types)

    @functools.cached_property
    def edits(self) -> Edits:
        """A person's edits of topics, read once, so that a run follows and notes the same edits."""
        return self.data.topic_edits.read()

    @functools.cached_property
    def signal_marks(self) -> pl.DataFrame:
        """A person's judgements of signals, read once, so that a run follows and notes the same marks."""
        return self.data.signal_marks.read()

    def published_topics(self) -> tuple[TopicState, str | None]:
        """The topic state to continue from, and the model of its vectors; empty and None before the first run."""
        last = self.data.warehouse.last_run()
        if last is None:
            return TopicState.empty(), None
        state = self.data.topic_states.read(last["topic_state_id"])
        if self.data.is_stricter:
            state = scrub_state(state, self.settings.scrubbed_kinds, has_salt=self.settings.salt is not None)
        return state, str(last["embedding_model"])

    def next_run_number(self) -> int:
        """The number of the run that will be published next."""
        last = self.data.warehouse.last_run()
        return 1 if last is None else int(last["run_number"]) + 1

    def fingerprint(self) -> dict[str, str]:
        """Hashes of input, settings and code."""
        wrong = self.signal_marks.filter(~pl.col("is_right")).select("exchange_id", "signal").rows()
        return compute_fingerprint(self.settings, self.overridden_types, self.edits, wrong, self.parts)

    def is_up_to_date(self) -> bool:
        """True if a run would publish the same tables again, and the tables of the lake are there."""
        last = self.data.warehouse.last_run()
        if self.data.tombstones.pending() or not self.lake.path("events").exists():
            return False
        return last is not None and all(last.get(name) == value for name, value in self.fingerprint().items())


def build_workspace(settings: Settings, progress: Progress) -> Workspace:
    """The resource with a field per setting, at the values in force; secrets and what may hold a login are left out."""
    # whoever may change the address of the LLM, the store or the cluster could send its key or all data anywhere
    secrets = {*SECRETS, "llm_base_url", "object_store", "ray_address"}
    secrets |= {"inputs"} if any("@" in address for address in settings.inputs) else set()  # with a login
    values = settings.model_dump(mode="json", exclude=secrets)
    if settings.mapping is not None:  # Dagster allows no null within a map
        values["mapping"] = settings.mapping.model_dump(mode="json", exclude_none=True)
    fields: dict[str, Any] = {
        name: (_config_type(info), Field(values[name], description=info.description))
        for name, info in Settings.model_fields.items()
        if name not in secrets
    }
    model = create_model("Workspace", __base__=Workspace, **fields)
    model.secrets = {name: getattr(settings, name) for name in secrets}
    return model(**values, progress=dg.ResourceDefinition.hardcoded_resource(progress))


def _config_type(info: FieldInfo) -> Any:  # noqa: ANN401
    """The type of a setting in Dagster's configuration, which has no paths, literals and nested models."""
    annotation = info.annotation
    if annotation is Path or get_origin(annotation) is Literal:
        return str
    if annotation is DeclaredOutcomes:
        return dict[str, Any]
    if ColumnMapping in get_args(annotation):
        return dict[str, Any] | None
    return annotation
