"""Fonts of the figures, and labels that they cannot draw."""

import functools
import unicodedata

FALLBACKS = (
    *("Noto Sans CJK SC", "Noto Sans CJK TC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans SC", "Noto Sans JP"),
    *("Source Han Sans SC", "Source Han Sans CN", "Source Han Sans JP", "Source Han Sans", "WenQuanYi Micro Hei"),
    *("WenQuanYi Zen Hei", "Droid Sans Fallback", "IPAexGothic", "NanumGothic", "Microsoft YaHei", "SimHei"),
    *("Yu Gothic", "Meiryo", "Malgun Gothic", "PingFang SC", "PingFang HK", "Hiragino Sans GB", "Hiragino Sans"),
    *("Heiti TC", "Apple SD Gothic Neo", "Arial Unicode MS", "Noto Sans Arabic", "Geeza Pro", "Noto Sans Hebrew"),
    *("Noto Sans Thai", "Thonburi", "Leelawadee UI", "Noto Sans Devanagari", "Kohinoor Devanagari", "Nirmala UI"),
    *("Noto Sans", "Segoe UI", "Noto Emoji", "Segoe UI Emoji", "Symbola"),
)
"""Fonts of Linux, Windows and macOS with characters that matplotlib's own font lacks, in order of preference."""


@functools.cache
def font_families(fallbacks: tuple[str, ...] = FALLBACKS) -> tuple[str, ...]:
    """Font families of all texts: matplotlib's default, then the installed fallbacks."""
    from matplotlib import rcParams
    from matplotlib.font_manager import get_font_names

    installed = set(get_font_names())
    return (*rcParams["font.family"], *(name for name in fallbacks if name in installed))


@functools.cache
def _code_points(names: tuple[str, ...]) -> frozenset[int]:
    """Code points of the characters in these font families."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    paths = {findfont(FontProperties(family=[name])) for name in names}
    return frozenset(code for path in paths for code in get_font(path).get_charmap())


def drawable_label(label: str, node_id: str, names: tuple[str, ...] | None = None) -> str:
    """The label, preceded by its id if a character of it would be drawn as a box."""
    if label.isascii() or label == node_id:
        return label
    known = _code_points(font_families() if names is None else names)
    visible = (
        letter for letter in unicodedata.normalize("NFC", label) if letter.isprintable() and not letter.isspace()
    )
    return label if all(ord(letter) in known for letter in visible) else f"{node_id}: {label}"
