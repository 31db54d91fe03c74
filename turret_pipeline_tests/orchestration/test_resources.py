"""The resource of all assets."""

from pathlib import Path

import pytest

from turret_pipeline.config.pipeline import Settings
from turret_pipeline.orchestration.resources import build_workspace
from turret_pipeline.progress import SilentProgress
from turret_pipeline.topics.embedding.model_names import AUTO, ENGLISH, MULTILINGUAL


@pytest.mark.parametrize(
    ("model", "prefix", "name"),
    [
        ("my-model", "query: ", "my-model query: "),
        (AUTO, "", AUTO),
        (ENGLISH, "", ENGLISH),
        (MULTILINGUAL, "", MULTILINGUAL),
    ],
)
def test_only_models_of_a_person_have_the_prefix_and_other_vectors_with_it(
    tmp_path: Path, model: str, prefix: str, name: str
) -> None:
    with_prefix, without = (
        build_workspace(Settings(data_dir=tmp_path, embedding_prefix=given), SilentProgress())
        for given in ("query: ", "")
    )
    assert with_prefix.prefix_of(model) == prefix
    assert with_prefix.name_with_prefix(model) == name
    assert without.name_with_prefix(model) == model
    is_same = with_prefix.vectors(model).folder == without.vectors(model).folder
    assert is_same == (name == model)
