"""Languages of texts."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.tables import TEXTS
from turret_pipeline.topics.embedding.languages import add_languages, detect_languages

ENGLISH = ["Where is the parcel that I ordered last week?", "Please cancel the order that I placed yesterday."]
GERMAN = ["Wo ist das Paket, das ich letzte Woche bestellt habe?", "Bitte stornieren Sie meine gestrige Bestellung."]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH[0], "en"),
        (GERMAN[0], "de"),
        ("¿Dónde está el paquete que pedí la semana pasada?", "es"),
        ("先週注文した荷物はどこですか", "ja"),
        ("上周订购的包裹在哪里", "zh"),
        ("Где посылка, которую я заказал на прошлой неделе?", "ru"),
        ("أين الطرد الذي طلبته الأسبوع الماضي؟", "ar"),
        ("12345 + 99", None),
        ("\U0001f44d!!", None),
        ("", None),
    ],
)
def test_the_language_of_a_text(text: str, language: str | None) -> None:
    assert detect_languages([text]) == [language]


def test_a_short_text_is_in_a_language_that_the_field_certainly_has() -> None:
    alone, *_ = detect_languages(["alarm on"])
    assert alone != "en"
    assert detect_languages(["alarm on", *ENGLISH * 5])[0] == "en"
    assert detect_languages(["alarm on"], ["en"] * 10) == ["en"]


def test_a_text_in_another_script_keeps_its_language_in_an_english_field() -> None:
    assert detect_languages(["أضف أغنية Matt Murphy", *ENGLISH * 50])[0] == "ar"


def test_the_order_of_the_texts_does_not_matter() -> None:
    texts = [*ENGLISH * 5, *GERMAN * 5, "alarm on", "ok", "?"]
    found = detect_languages(texts)
    assert detect_languages(texts[::-1]) == found[::-1]
    assert set(found[:20]) == {"en", "de"}
    assert detect_languages([]) == []


def texts(*rows: tuple[str, str, str]) -> pl.DataFrame:
    return pl.DataFrame([(*row, 1) for row in rows], TEXTS.empty().drop("language").schema, orient="row")


def test_known_texts_keep_their_language() -> None:
    given = texts(("note", "t1", ENGLISH[0]), ("prompt", "t1", ENGLISH[0]), ("prompt", "t2", GERMAN[0]))
    found = add_languages(given, TEXTS.empty())
    assert found["language"].to_list() == ["en", "en", "de"]
    known = found.head(2).with_columns(pl.lit("fr").alias("language"))
    assert add_languages(given, known)["language"].to_list() == ["fr", "fr", "de"]
    unknown = found.with_columns(pl.lit(None, pl.String).alias("language"))
    assert add_languages(given, unknown)["language"].to_list() == [None, None, None]


def test_no_texts_have_no_languages() -> None:
    assert_frame_equal(add_languages(TEXTS.empty().drop("language"), TEXTS.empty()), TEXTS.empty())
