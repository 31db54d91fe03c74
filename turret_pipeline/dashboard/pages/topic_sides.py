"""Two segments whose topics are compared."""

import itertools
from dataclasses import dataclass

import polars as pl

from turret_pipeline.dashboard.formats import describe_change
from turret_pipeline.dashboard.page import Page
from turret_pipeline.dashboard.pages.journey_parts import read_segments
from turret_pipeline.dashboard.projects import Snapshot
from turret_pipeline.dashboard.tables import Row
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.scope import format_segment, parse_segment
from turret_pipeline.reports.topic_figures import TopicField, compare_topic_segments

MAX_PAIRED = 4
"""Values of an enum field up to which each pair of them has a link; others are chosen from lists."""


@dataclass(frozen=True)
class Sides:
    """Two values of an enum field: sessions with the first are compared with those with the second."""

    first: tuple[str, str]
    second: tuple[str, str]

    @property
    def titles(self) -> tuple[str, str]:
        """Both in words."""
        return " = ".join(self.first), " = ".join(self.second)

    def link_first(self, page: Page) -> dict[str, list[str]]:
        """Parameters of a list of the first side."""
        return {"segment": [*page.state.segments, format_segment(*self.first)]}

    def link_second(self, page: Page) -> dict[str, list[str]]:
        """Parameters of a list of the second side."""
        return {"segment": [*page.state.segments, format_segment(*self.second)]}

    def describe_difference(self, row: Row) -> str:
        """Both shares, the interval of their difference, and its q-value."""
        return describe_change(row, (f"with {self.titles[0]}", f"with {self.titles[1]}"))


def read_sides(page: Page) -> Sides | None:
    """The two segments in the URL, if both are given. Raises TurretError if one is invalid, or there are more."""
    texts = page.state.get_all("compare_segment")
    if len(texts) > 2:
        raise TurretError(f"Too many segments to compare ({len(texts)}): choose two.")
    return Sides(*map(parse_segment, texts)) if len(texts) == 2 else None


def read_compared(page: Page, field: TopicField, sides: Sides) -> pl.DataFrame:
    """The figures of all topics of the field on both sides."""
    scope = page.state.scope()
    return page.remember(
        "compared topics",
        lambda: compare_topic_segments(page.published, field, scope, sides.first, sides.second),
        field,
        sides,
    )


def list_segment_choices(published: Snapshot) -> list[tuple[str, str]]:
    """The most common values of each enum field, as in a URL and in words."""
    return published.remember("segment choices", lambda: read_segments(published))


def list_segment_pairs(page: Page) -> list[tuple[str, list[tuple[str, str]]]]:
    """For each enum field with few values the pairs of them, in words and as the URL that compares them."""
    sql = """
        select field, list(value order by n desc, value) as found
        from (select field, value, count(*) as n from marts.session_values group by field, value)
        group by field having count(*) between 2 and ? order by field
    """
    rows = page.published.remember("segment pairs", lambda: page.published.query(sql, MAX_PAIRED).rows())
    return [
        (field, [_link_pair(page, field, pair) for pair in itertools.combinations(values, 2)]) for field, values in rows
    ]


def _link_pair(page: Page, field: str, pair: tuple[str, str]) -> tuple[str, str]:
    segments = [format_segment(field, value) for value in pair]
    return " and ".join(pair), page.state.change(compare_segment=segments, sort=None, order=None)
