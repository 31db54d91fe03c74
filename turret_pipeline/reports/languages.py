"""Languages of a text field, as a line of the summary."""

import duckdb

from turret_pipeline.topics.embedding.model_names import ENGLISH

MIN_SHARE = 0.01
"""Share of events of a language that is shown."""

NAMES = {
    "af": "Afrikaans", "ar": "Arabic", "be": "Belarusian", "bg": "Bulgarian", "bn": "Bengali", "bs": "Bosnian",
    "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French", "gl": "Galician", "he": "Hebrew", "hi": "Hindi",
    "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "kk": "Kazakh",
    "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "mk": "Macedonian", "ms": "Malay", "nl": "Dutch",
    "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak",
    "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish", "ta": "Tamil", "th": "Thai", "tl": "Tagalog", "tr": "Turkish",
    "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
"""English names of languages. Others are shown by their code."""


def describe_languages(connection: duckdb.DuckDBPyConnection, field: str, models: str | None) -> str:
    """Sentence about the languages of a field and the models that read them; empty for English texts alone."""
    rows = connection.execute(
        "select language, event_share, embedding_model from marts.field_languages "
        "where field = ? and event_share >= ? order by event_share desc, language",
        [field, MIN_SHARE],
    ).fetchall()
    if models in {None, ENGLISH} and {language for language, *_ in rows} <= {"en", "unknown"}:
        return ""
    shares = (
        f"{NAMES.get(language, language)} {share:.1%}{'' if model else ' (unreadable)'}"
        for language, share, model in rows
    )
    return f"Languages: {', '.join(shares)}; read by {models}"
