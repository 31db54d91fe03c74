"""Numbers as people write them: 1,234.5, 1 234,5, .5, -3 %, $1,200 and 12,50 €."""

import polars as pl

_SIGN = "[+\u2212-]?"
_PLAIN = r"(0|[1-9]\d*)(\.\d*)?|\.\d+"
_SPACE = "[ \u00a0\u2009\u202f'\u2019]"
_UNIT = r"[%$€£¥]"

PLAIN_NUMBER = rf"^\s*[+-]?({_PLAIN})([eE][+-]?\d+)?\s*$"
"""A number as programs write it. '007', 'nan' and '1_000' do not count as numbers."""

THOUSANDS_COMMA = r"\d{1,3}(,\d{3})+(\.\d+)?"
DECIMAL_COMMA = rf"((0|[1-9]\d*),(\d{{1,2}}|\d{{4,}})|0,\d+|\d{{1,3}}({_SPACE}\d{{3}})+,\d+|\d{{1,3}}(\.\d{{3}})+,\d+)"
"""One comma that cannot separate thousands. One between groups of three digits separates thousands: 1,234."""

_GROUPED = rf"[1-9]\d{{0,2}}(,\d{{3}})+(\.\d+)?|[1-9]\d{{0,2}}({_SPACE}\d{{3}})+(\.\d+)?|{DECIMAL_COMMA}"
_WRITTEN = rf"^\s*{_SIGN}({_UNIT}\s?)?{_SIGN}({_PLAIN}|{_GROUPED})(\s?{_UNIT})?\s*$"


def parse_numbers(texts: pl.Series) -> pl.Series:
    """The number of each text; null if it is none.

    Percent and currency signs are left out: '5 %' is 5. Letters are not, because numbers of other units do not compare.
    """
    is_plain = texts.str.contains(PLAIN_NUMBER)
    plain = pl.select(pl.when(is_plain).then(texts.str.strip_chars()).cast(pl.Float64, strict=False)).to_series()
    at = (~is_plain & texts.str.contains(_WRITTEN)).fill_null(value=False).arg_true()
    return plain.scatter(at, _read_written(texts.gather(at))) if len(at) else plain


def _read_written(texts: pl.Series) -> pl.Series:
    bare = texts.str.replace_all(rf"{_UNIT}|\s|{_SPACE}", "").str.replace("\u2212", "-")
    text = pl.col("text")
    decimal_comma = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    read = pl.when(has_decimal_comma(pl.col("written"))).then(decimal_comma).otherwise(text.str.replace_all(",", ""))
    return pl.DataFrame({"written": texts, "text": bare}).select(read.cast(pl.Float64, strict=False)).to_series()


def has_decimal_comma(text: pl.Expr) -> pl.Expr:
    """True for numbers with a decimal comma."""
    return text.str.contains(rf"^[^\d]*{DECIMAL_COMMA}[^\d]*$")


def has_thousands_comma(text: pl.Expr) -> pl.Expr:
    """True for numbers whose commas separate thousands."""
    return text.str.contains(rf"^[^\d]*{THOUSANDS_COMMA}[^\d]*$") & ~has_decimal_comma(text)


def number_unit(text: pl.Expr) -> pl.Expr:
    """The percent or currency sign of a number; null if it has none."""
    return text.str.extract(rf"({_UNIT})")
