"""What assets are handed: the workspace, which knows where everything lies, and how a run tells its progress.

Belongs here: places, the model, the lock. Not here: what any table means.
"""

import datetime as dt
import functools
import hashlib
import importlib.metadata
import io
import json
import uuid
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import duckdb
import polars as pl
from dagster_duckdb import DuckDBResource
from filelock import FileLock, Timeout

from turret_pipeline.config.pipeline import Settings
from turret_pipeline.errors import TurretError
from turret_pipeline.ingest.parts import Sources
from turret_pipeline.models.embedder import load_embedder
from turret_pipeline.storage.atomic_files import atomic_replace, list_leftovers, remove
from turret_pipeline.storage.field_overrides import OverridesFile
from turret_pipeline.storage.lake import Lake, conform
from turret_pipeline.storage.topic_edits import EditsFile
from turret_pipeline.storage.vectors import VectorStore
from turret_pipeline.tables import LAKE_TABLES, Table
from turret_pipeline.topics.edits import Edits
from turret_pipeline.topics.embedding.embedding import Embedder
from turret_pipeline.topics.lifecycle.state import TopicState
from turret_pipeline.topics.tracking.reconcile import Options

T = TypeVar("T")
PROJECT_DIR = Path(__file__).resolve().parents[2]
DBT_DIR = PROJECT_DIR / "dbt_transforms"
LOCK_SECONDS = 5
FOLLOWED = "edits.json"
"""The edits that a topic state was made with, a line each, beside its tables."""


class Progress(Protocol):
    """Tells a person how far long work is."""

    def track(self, title: str, total: int | None, steps: Iterable[int]) -> int:
        """Exhaust ``steps``, each a number of things done out of ``total`` (None: unknown), and return their sum."""
        ...

    def during(self, title: str) -> AbstractContextManager[None]:
        """Say that work whose length is not known goes on, and for how long."""
        ...

    def say(self, sentence: str) -> None:
        """Tell what a person must know before it happens."""
        ...


class Silent:
    """Progress for nobody."""

    def during(self, title: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """Say nothing."""
        return nullcontext()

    def track(self, title: str, total: int | None, steps: Iterable[int]) -> int:  # noqa: ARG002
        """Exhaust ``steps`` and return their sum."""
        return sum(steps)

    def say(self, sentence: str) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Workspace:
    """The data folder and the settings in force; the one resource of all assets."""

    settings: Settings
    progress: Progress = field(default_factory=Silent)
    run_id: str = "none"

    @property
    def root(self) -> Path:
        """The data folder."""
        return self.settings.data_dir

    @property
    def lake(self) -> Lake:
        """Tables between the stages."""
        return Lake(self.root / "lake")

    @property
    def sources(self) -> Sources:
        """Parts of the landing files that were read."""
        return Sources(self.lake.root / "parts")

    @property
    def vectors(self) -> VectorStore:
        """Vectors of the model in force."""
        return VectorStore(self.lake.root / "embeddings", self.settings.embedding_model)

    @property
    def llm_names(self) -> Path:
        """Names of topics that an LLM was asked for."""
        return self.lake.root / "llm_names"

    @property
    def states(self) -> Path:
        """Topic states, each a folder named by its content."""
        return self.root / "state"

    @property
    def edits_file(self) -> EditsFile:
        """Where a person's decisions about topics are kept."""
        return EditsFile(self.root / "topic_edits.jsonl")

    @property
    def overrides_file(self) -> OverridesFile:
        """Where the types of fields that a person set are kept."""
        return OverridesFile(self.root / "field_types.jsonl")

    @functools.cached_property
    def field_types(self) -> dict[str, str]:
        """Types that a person set, by field: the setting wins over the file; read once for a run."""
        kept = {field: override.type for field, override in self.overrides_file.read().items()}
        return {**kept, **self.settings.field_types}

    @property
    def topic_options(self) -> Options:
        """How topics are found, by the settings in force."""
        asked = self.settings
        return Options(asked.topic_granularity, asked.topic_min_texts, floor=asked.topic_floor, seed=asked.seed)

    @functools.cached_property
    def edits(self) -> Edits:
        """What a person has decided about topics; read once, so that a run follows and notes the same decisions."""
        return self.edits_file.read()

    @property
    def quality_dir(self) -> Path:
        """Data Docs of Great Expectations."""
        return self.root / "quality"

    @property
    def figures_dir(self) -> Path:
        """Pictures of the last run."""
        return self.root / "figures"

    @property
    def published(self) -> Path:
        """The DuckDB file that people query."""
        return self.root / "warehouse" / "turret.duckdb"

    @property
    def build(self) -> Path:
        """The DuckDB file that this run builds and checks before it is published."""
        return self.published.with_name(f"build-{self.run_id}.duckdb")

    def warehouse(self, path: Path) -> DuckDBResource:
        """A DuckDB file as a resource; ``get_connection`` opens it to write."""
        return DuckDBResource(database=str(path))

    def embedder(self) -> Embedder:
        """The model in force, loaded."""
        return load_embedder(self.settings.embedding_model, self.settings.embedding_device)

    def save_state(self, state: TopicState, shown: TopicState, edits: Edits) -> None:
        """Keep a state to continue from once it is published, and write what is shown of it to the lake.

        The lake says of which state it is when all its tables are written: the half of a killed run is never published.
        With it stands what the state was made with, for it may be published later: of ``edits`` those of topics that
        are shown. All of them are kept with the state, which is not published.
        """
        tables = {name: _parquet(conform(LAKE_TABLES[name], getattr(state, name))) for name in TopicState.tables()}
        state_id = hashlib.sha256(b"".join(tables.values())).hexdigest()[:24]
        with atomic_replace(self.states / state_id) as folder:
            folder.mkdir()
            for name, content in tables.items():
                (folder / f"{name}.parquet").write_bytes(content)
            (folder / FOLLOWED).write_text(json.dumps(edits.lines()), encoding="utf-8")
        remove(self._state_note)
        for name in tables:
            self.lake.write(name, getattr(shown, name))
        made = {
            "topic_state_id": state_id,
            "embedding_model": self.settings.embedding_model,
            "edits": edits.about(set(shown.topic_definitions["topic_id"])).lines(),
            **self.fingerprint(),
        }
        with atomic_replace(self._state_note) as aside:
            aside.write_text(json.dumps(made), encoding="utf-8")

    @property
    def _state_note(self) -> Path:
        return self.lake.root / "topic_state.json"

    def lake_state(self) -> dict[str, Any]:
        """The topic state that the lake's tables show, and what it was made with, by columns of ``pipeline_runs``.

        TurretError where the tables are not whole.
        """
        if not self._state_note.exists():
            raise TurretError(
                f"The topics in {self.lake.root} are not whole: materialize the assets group:topics, or turret run."
            )
        made: dict[str, Any] = json.loads(self._state_note.read_text(encoding="utf-8"))
        return made

    def published_state(self) -> tuple[TopicState, str | None]:
        """The topics that were last published, and the model that they were found with."""
        last = self.last_run()
        if last is None:
            return TopicState.empty(), None
        folder = self.states / last["topic_state_id"]
        if not folder.is_dir():
            raise TurretError(
                f"The topic state {last['topic_state_id']} of the published file {self.published} "
                f"is gone from {self.states}. Restore it, or remove {self.published} to find topics anew."
            )
        files = {table: folder / f"{table}.parquet" for table in TopicState.tables()}
        tables = {table: pl.read_parquet(file, glob=False) for table, file in files.items() if file.exists()}
        return TopicState.read(tables), str(last["embedding_model"])

    def last_run(self) -> dict[str, str] | None:
        """The last published run, its columns as text; none before the first."""
        runs = self.runs()
        return None if runs is None else {name: str(value) for name, value in runs.row(-1, named=True).items()}

    def runs(self) -> pl.DataFrame | None:
        """Table ``pipeline_runs`` as published, oldest first; none before the first run."""
        if not self.published.exists():
            return None
        with open_to_read(self.published) as connection:
            frame: pl.DataFrame = connection.sql("select * from marts.pipeline_runs order by published_at, run_id").pl()
            return frame

    def published_until(self) -> dt.datetime | None:
        """The latest event that was published."""
        if self.last_run() is None:
            return None
        with open_to_read(self.published) as connection:
            latest: dt.datetime | None = connection.execute(
                "select max(event_at) from marts.events where not is_time_assumed and not is_time_ahead"
            ).fetchall()[0][0]
            return latest

    def published_table(self, table: Table) -> pl.DataFrame:
        """A table of the published file; without a row where nothing, or no such table, was published yet."""
        if not self.published.exists():
            return table.empty()
        with open_to_read(self.published) as connection:
            found = connection.execute(
                "select count(*) from information_schema.columns where table_schema = 'marts' and table_name = ? "
                "and list_contains(?, column_name)",
                [table.name, table.schema.names()],
            ).fetchall()
            if found[0][0] < len(table.columns):
                return table.empty()
            frame: pl.DataFrame = connection.sql(
                f"select {', '.join(table.schema.names())} from marts.{table.name}"
            ).pl()
            return conform(table, frame.select(pl.col(name).cast(kind) for name, kind in table.schema.items()))

    def fingerprint(self) -> dict[str, str]:
        """What decides what a run publishes: landing files read, settings and edits, code."""
        types = json.dumps(self.field_types, sort_keys=True)
        decided = self.settings.sha256() + types + ";".join(self.edits.lines())
        return {
            "input_sha256": self.sources.fingerprint(),
            "settings_sha256": hashlib.sha256(decided.encode()).hexdigest(),
            "code_sha256": code_sha256(),
        }

    def nothing_new(self) -> bool:
        """Whether the published file already says all that a run would."""
        last = self.last_run()
        return last is not None and all(last.get(name) == value for name, value in self.fingerprint().items())

    def sweep(self) -> None:
        """Remove what killed runs left behind, only with the lock held; what this run built stays."""
        built = [file for file in self.published.parent.glob("build-*") if self.run_id not in file.name]
        own = (self.lake.root, self.states, self.published.parent, self.quality_dir, self.figures_dir)
        for leftover in (*built, *(path for folder in own for path in list_leftovers(folder))):
            remove(leftover)

    def forget_states_but(self, state_id: str) -> None:
        """Remove the topic states that no published file continues from."""
        for folder in self.states.glob("*"):
            if folder.name != state_id:
                remove(folder)


def _parquet(frame: pl.DataFrame) -> bytes:
    content = io.BytesIO()
    frame.write_parquet(content)
    return content.getvalue()


@contextmanager
def open_to_read(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a DuckDB file, whoever else holds it.

    A person who opened the file to write locks it for everyone; then a copy is read.
    """
    copy = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error:
        copy.write_bytes(path.read_bytes())
        connection = duckdb.connect(str(copy), read_only=True)
    try:
        connection.execute("set timezone = 'UTC'")
        yield connection
    finally:
        connection.close()
        copy.unlink(missing_ok=True)


@functools.cache
def code_sha256() -> str:
    """Hash of this package's code and of the dbt models: other code may publish other numbers."""
    package = sorted((PROJECT_DIR / "turret_pipeline").rglob("*.py"))
    folders = (DBT_DIR / "models", DBT_DIR / "macros", DBT_DIR / "tests")
    models = [*sorted(DBT_DIR.glob("*.yml")), *sorted(file for folder in folders for file in folder.rglob("*.*"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in (*package, *models))).hexdigest()


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """While no other run works in a data folder, which ends when that is killed too. TurretError where one does."""
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(data_dir / ".run.lock", timeout=LOCK_SECONDS):
            yield
    except Timeout:
        raise TurretError(f"Another run works in {data_dir}: wait for it, or give another data folder.") from None


def package_version() -> str:
    """Version of this package."""
    return importlib.metadata.version("turret-pipeline")


def now() -> dt.datetime:
    """The time in UTC: the only clock of the pipeline."""
    return dt.datetime.now(dt.UTC)
