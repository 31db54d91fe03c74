"""The short form of the benchmark of the cascade."""

import numpy as np
import polars as pl
import pytest

from turret_pipeline.topics.cascade import cascade
from turret_pipeline.topics.embedding.texts import text_id
from turret_pipeline_tests.benchmarks.embedding_cascade import compare, vary_prompts
from turret_pipeline_tests.topics.cascade.simple_model import embed, write_texts


def test_the_table_has_the_agreement_of_each_method_with_the_full_model(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cascade, "TRAINING_TEXTS", 200)
    prompts = vary_prompts(write_texts(300), 400)
    assert len(set(prompts)) == 400
    texts = pl.DataFrame({"text_id": [text_id(text) for text in prompts], "text": prompts}).sort("text_id")
    compare(texts, lambda: embed, np.asarray(embed(texts["text"].to_list())), is_timed=False)
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert [line[0] for line in rows] == ["| method", "| full", "| cascade", "| static"]
    equal = [float(line[5]) for line in rows[1:]]
    assert equal[0] == 1 >= equal[1] >= equal[2] > 0.5
