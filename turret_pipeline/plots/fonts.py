"""Which fonts the texts of pictures are drawn with, and which labels they can draw."""

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
"""Families that have what matplotlib's own font lacks, of Linux, Windows and macOS; those that are installed are taken
for it in this order."""


@functools.cache
def families(fallbacks: tuple[str, ...] = FALLBACKS) -> tuple[str, ...]:
    """The font families of texts: the usual one, and those installed of the fallbacks."""
    from matplotlib import rcParams
    from matplotlib.font_manager import get_font_names

    installed = set(get_font_names())
    return (*rcParams["font.family"], *(name for name in fallbacks if name in installed))


@functools.cache
def _letters(names: tuple[str, ...]) -> frozenset[int]:
    """The letters that these families have."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    paths = {findfont(FontProperties(family=[name])) for name in names}
    return frozenset(code for path in paths for code in get_font(path).get_charmap())


def readable(label: str, node_id: str, names: tuple[str, ...] | None = None) -> str:
    """The label; after its id where it has letters that no font here has, which a picture shows as boxes."""
    if label.isascii() or label == node_id:
        return label
    known = _letters(families() if names is None else names)
    told = (letter for letter in unicodedata.normalize("NFC", label) if letter.isprintable() and not letter.isspace())
    return label if all(ord(letter) in known for letter in told) else f"{node_id}: {label}"
