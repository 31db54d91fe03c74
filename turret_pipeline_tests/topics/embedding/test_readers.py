"""Models that read the texts of a field, and vectors in one space."""

import numpy as np
import polars as pl
import pytest

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline.topics.embedding.model_names import AUTO, ENGLISH, MULTILINGUAL
from turret_pipeline.topics.embedding.readers import (
    REFERENCE_TEXTS,
    map_vectors,
    measure_reading,
    plan_reading,
    read_vectors,
    select_texts_of_models,
)


def languages(**counts: int) -> pl.Series:
    """Languages of texts; ``none`` for texts without one."""
    return pl.Series(
        [None if name == "none" else name for name, count in counts.items() for _ in range(count)], dtype=pl.String
    )


def ids(count: int) -> pl.Series:
    return pl.Series("text_id", [f"t{number:05}" for number in range(count)])


@pytest.mark.parametrize(
    ("given", "setting", "known", "name", "models"),
    [
        (languages(en=3), AUTO, None, ENGLISH, [ENGLISH] * 3),
        (
            languages(en=2, de=1, none=1),
            AUTO,
            None,
            f"{ENGLISH} + {MULTILINGUAL}",
            [ENGLISH] * 2 + [MULTILINGUAL, ENGLISH],
        ),
        (languages(en=1, fi=1), AUTO, None, ENGLISH, [ENGLISH, None]),
        (languages(en=1, de=10), AUTO, None, MULTILINGUAL, [MULTILINGUAL] * 11),
        (languages(en=1, de=9), AUTO, None, f"{ENGLISH} + {MULTILINGUAL}", [ENGLISH] + [MULTILINGUAL] * 9),
        (languages(en=3), AUTO, MULTILINGUAL, MULTILINGUAL, [MULTILINGUAL] * 3),
        (languages(de=2), AUTO, ENGLISH, f"{ENGLISH} + {MULTILINGUAL}", [MULTILINGUAL] * 2),
        (languages(en=2), AUTO, "another-model", ENGLISH, [ENGLISH] * 2),
        (languages(en=1, de=1), ENGLISH, MULTILINGUAL, ENGLISH, [ENGLISH, None]),
        (languages(en=1, de=1, fi=1), MULTILINGUAL, None, MULTILINGUAL, [MULTILINGUAL] * 2 + [None]),
        (languages(en=1, fi=1), "another-model", None, "another-model", ["another-model"] * 2),
        (languages(), AUTO, None, ENGLISH, []),
    ],
)
def test_each_text_is_read_by_the_first_model_that_knows_its_language(
    given: pl.Series, setting: str, known: str | None, name: str, models: list[str | None]
) -> None:
    reading = plan_reading(given, setting, known)
    assert reading.models == models
    assert reading.name == name
    assert reading.is_read.tolist() == [model is not None for model in models]


def test_the_other_model_also_embeds_texts_from_which_the_map_is_learned() -> None:
    reading = plan_reading(languages(en=REFERENCE_TEXTS + 5, de=2, fi=1), AUTO)
    text_ids = ids(len(reading.models))
    needed = select_texts_of_models(text_ids, reading)
    assert needed[ENGLISH].to_list() == text_ids[: REFERENCE_TEXTS + 5].to_list()
    assert needed[MULTILINGUAL].sort().to_list() == [*text_ids[:REFERENCE_TEXTS], *text_ids[-3:-1]]
    only = plan_reading(languages(en=3), AUTO)
    assert {model: found.to_list() for model, found in select_texts_of_models(ids(3), only).items()} == {
        ENGLISH: ["t00000", "t00001", "t00002"]
    }


def two_spaces(count: int) -> tuple[FloatArray, FloatArray]:
    """Vectors of the same texts in 6 and in 4 dimensions; the second are a linear map of the first."""
    rng = np.random.default_rng(1)
    sources = normalize_rows(rng.normal(size=(count, 6)))
    return sources, normalize_rows(sources[:, :4] @ np.linalg.qr(rng.normal(size=(4, 4)))[0])


def test_the_map_takes_vectors_to_the_space_of_the_other_model() -> None:
    sources, targets = two_spaces(400)
    mapped = map_vectors(sources[300:], sources[:300], targets[:300])
    assert mapped.dtype == np.float32
    assert np.allclose(np.linalg.norm(mapped, axis=1), 1, atol=1e-6)
    assert (mapped * targets[300:]).sum(axis=1).mean() > 0.95
    order = np.random.default_rng(2).permutation(300)
    assert np.allclose(map_vectors(sources[300:], sources[order], targets[order]), mapped, atol=1e-5)


def test_vectors_of_all_texts_are_in_the_space_of_the_main_model_in_the_order_of_the_texts() -> None:
    multilingual, english = two_spaces(300)
    reading = plan_reading(pl.Series(["en", "de", "fi"] * 100), AUTO)
    text_ids = ids(300)

    def look_up(wanted: pl.Series, model: str) -> FloatArray:
        rows = [int(one[1:]) for one in wanted]
        assert model == MULTILINGUAL or all(row % 3 == 0 for row in rows)
        return (multilingual if model == MULTILINGUAL else english)[rows]

    found = read_vectors(text_ids, reading, look_up)
    assert found.shape == (200, 4)
    assert np.array_equal(found[::2], english[::3])
    assert (found[1::2] * english[1::3]).sum(axis=1).mean() > 0.9


def test_how_well_a_language_is_read() -> None:
    assert measure_reading(ENGLISH, "en") == 1
    assert measure_reading(ENGLISH, "de") == 0
    assert (measure_reading(MULTILINGUAL, "de") or 0) > 0.7
    assert measure_reading("another-model", "de") is None
    assert measure_reading(ENGLISH, None) is None
