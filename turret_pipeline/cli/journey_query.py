"""What questions about journeys have in common: their options, the sessions they are about, the form of the answer."""

import dataclasses
import datetime as dt
import functools
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import polars as pl
import typer

from turret_pipeline.cli.console import new_console
from turret_pipeline.cli.journey_views import write_rows
from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.errors import TurretError
from turret_pipeline.tables import EVENT_NAME, USER

if TYPE_CHECKING:
    from turret_pipeline.reports.journey_queries import Node, Published, Scope

Dimension = Annotated[
    str | None,
    typer.Option(
        "--dimension",
        help="A text field, event_name, or either with user: before it, where all sessions of a user are one.  "
        "[default: the text field with most events]",
    ),
]
Since = Annotated[str | None, typer.Option("--since", help="First day on which sessions begin, such as 2026-03-01.")]
Until = Annotated[str | None, typer.Option("--until", help="Last day on which sessions begin (UTC).")]
Segment = Annotated[
    list[str] | None,
    typer.Option("--segment", help="Only sessions of this value of an enum field: plan=team. May be given again."),
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, all rows.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="As CSV, all rows.")]
Top = Annotated[int, typer.Option("--top", min=1, help="Rows that a table shows at most.")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="The data folder.  [default: data]")]
Name = Annotated[str, typer.Argument(help="A topic or an event: its id, its name, or a part of it that is unique.")]


@dataclass(frozen=True)
class Asked:
    """What a question is about, and in which form it is answered."""

    published: "Published"
    dimension: str
    scope: "Scope"
    sessions: pl.DataFrame
    as_json: bool
    as_csv: bool

    @property
    def min_users(self) -> int:
        """Users below which nothing is told."""
        return self.published.space.settings.privacy_min_users

    def visits(self) -> pl.DataFrame:
        """What these sessions do in the dimension."""
        return self.published.visits(self.dimension, self.sessions)

    def about_dimension(self, dimension: str) -> "Asked":
        """The same question about another dimension."""
        prefix = USER if self.dimension.startswith(USER) else ""
        return dataclasses.replace(self, dimension=prefix + dimension)

    def sequences(self) -> pl.DataFrame:
        """The sessions, or the users where a dimension of users is asked about: sequence_id, user_id."""
        if not self.dimension.startswith(USER):
            return self.sessions.rename({"session_id": "sequence_id"})
        users = self.published.visits(USER + EVENT_NAME, self.sessions)["user_id"].unique().cast(pl.String).sort()
        return pl.DataFrame({"sequence_id": users, "user_id": users})

    def hits(self, nodes: Sequence["Node"]) -> pl.DataFrame:
        """The events that are steps of a funnel."""
        prefix = USER if self.dimension.startswith(USER) else ""
        return self.published.hits(nodes, self.sessions, prefix)

    def segments(self, texts: Sequence[str]) -> tuple["Side", "Side"]:
        """The sessions of a segment, and those of another one, or those of all other values of its field."""
        if len(texts) > 2:
            raise TurretError(f"Two segments are compared, not {len(texts)}: leave some out.")
        one, *more = [Side(text, self._of_segment(text)) for text in texts]
        if not more:
            field, value = segment_of(texts[0])
            valued = self.published.values(field).filter(pl.col("value") != value)
            return one, Side(f"other {field}", self.sessions.join(valued, on="session_id", how="semi"))
        both = one.sessions.join(more[0].sessions, on="session_id", how="semi").height
        if both:
            raise TurretError(
                f"{both:,} sessions are of both {texts[0]} and {texts[1]}: compare two values of one field, "
                "or narrow all sessions down with --segment."
            )
        return one, more[0]

    def _of_segment(self, text: str) -> pl.DataFrame:
        scope = dataclasses.replace(self.scope, segments=(*self.scope.segments, segment_of(text)))
        return self.published.sessions(scope)

    def periods(self, texts: Sequence[str]) -> tuple["Side", "Side"]:
        """The sessions of a period, and those of another one, or those of the same time just before it."""
        if len(texts) > 2:
            raise TurretError(f"Two periods are compared, not {len(texts)}: leave some out.")
        if self.scope.since or self.scope.until:
            raise TurretError("--period says which sessions are compared: leave --since and --until out.")
        first, last = self._period(texts[0])
        before = self._period(texts[1]) if len(texts) > 1 else (first - (last - first), first)
        if before[0] < last and first < before[1]:
            raise TurretError(f"The periods {texts[0]} and {texts[1]} overlap: compare two that do not.")
        begin = self.published.first_day()
        if before[0] < begin and len(texts) == 1:
            note = f"The data begin on {begin:%Y-%m-%d}: the time before {first:%Y-%m-%d} is not as long as the period."
            new_console().print(f"Warning: {note}", style="yellow", soft_wrap=True)
        return self._of_period(first, last), self._of_period(*before)

    def _period(self, text: str) -> tuple[dt.datetime, dt.datetime]:
        """First moment of a period, and the first after it."""
        if match := re.fullmatch(r"([1-9]\d{0,4})d", text):
            end = self.published.day_after_last()
            return end - dt.timedelta(days=int(match[1])), end
        first, mark, last = text.partition("..")
        if not (first and mark and last):
            raise TurretError(
                f"--period {text!r} is none: write FIRST..LAST (2026-03-01..2026-03-31), or 7d for the last seven days."
            )
        period = _moment(first), _moment(last, is_end=True)
        if period[0] >= period[1]:
            raise TurretError(f"--period {text!r} ends before it begins: write the first day first.")
        return period

    def _of_period(self, first: dt.datetime, last: dt.datetime) -> "Side":
        scope = dataclasses.replace(self.scope, since=first, until=last)
        until = (last - dt.timedelta(seconds=1)).date()
        return Side(f"{first:%Y-%m-%d} to {until:%Y-%m-%d}", self.published.sessions(scope))

    def without_few(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows of a funnel, with nulls for figures of too few users to be told."""
        few = (pl.col("user_count") < self.min_users) & (pl.col("session_count") > 0)
        kept = {"step_number", "step", "kind", "id"}
        if self.min_users <= 1:
            return rows
        return rows.with_columns(pl.when(~few).then(name).alias(name) for name in rows.columns if name not in kept)

    def is_told_without_rows(self, title: str, rows: pl.DataFrame, *, compared: int) -> bool:
        """Whether a comparison was answered: as rows for another program, or by a sentence where there are none."""
        if not rows.is_empty():
            return self.is_answered_as_rows(rows)
        few = "too few to compare. Each side needs 10 sessions or moves, of 5 users, for each thing compared"
        none = f"none of {compared:,} differences is clearer than chance (--all shows them)"
        new_console(stderr=self.as_json or self.as_csv).print(f"{title}: {none if compared else few}.", soft_wrap=True)
        if self.as_json or self.as_csv:
            write_rows(rows, as_json=self.as_json)
        return True

    @property
    def whose(self) -> str:
        """What a sequence of the dimension is."""
        return "users" if self.dimension.startswith(USER) else "sessions"

    @property
    def kind(self) -> str:
        """What a node of the dimension is."""
        return "event" if self.dimension.removeprefix(USER) == EVENT_NAME else "topic"

    @property
    def about(self) -> str:
        """Which sessions, in words."""
        scope = self.scope
        parts = [f"{field} = {value}" for field, value in scope.segments]
        parts += [f"from {scope.since:%Y-%m-%d %H:%M}"] if scope.since else []
        parts += [f"before {scope.until:%Y-%m-%d %H:%M}"] if scope.until else []
        return ", ".join(parts)

    def labelled(self, rows: pl.DataFrame, **columns: str) -> pl.DataFrame:
        """The rows with the label of each column of node ids beside it."""
        labels = self.published.labels(self.dimension)
        for column, name in columns.items():
            at = rows.columns.index(column)
            told = rows[column].replace_strict(labels, default=rows[column], return_dtype=pl.String)
            rows = rows.insert_column(at + 1, told.alias(name))
        return rows

    def is_answered_as_rows(self, rows: pl.DataFrame) -> bool:
        """Whether the rows were written for another program. Where there are none, a sentence says so in any case."""
        if rows.is_empty():
            self.say_nothing_fits()
        if self.as_json or self.as_csv:
            write_rows(rows, as_json=self.as_json)
        return self.as_json or self.as_csv or rows.is_empty()

    def say_nothing_fits(self) -> None:
        """Say that no session is asked about."""
        about = f" ({self.about})" if self.about else ""
        new_console().print(f"Nothing to tell: no session of {self.dimension} fits{about}.", soft_wrap=True)

    def title(self, text: str) -> str:
        """A title that says which sessions are meant."""
        return f"{text} ({self.whose} in {self.dimension}{', ' if self.about else ''}{self.about})"


@dataclass(frozen=True)
class Side:
    """Sessions that are compared with others."""

    name: str
    sessions: pl.DataFrame


def ask(
    dimension: Dimension = None,
    since: Since = None,
    until: Until = None,
    segment: Segment = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    data_dir: DataDir = None,
) -> Asked:
    """The question, from the options that all commands have. TurretError says what is wrong with one."""
    from turret_pipeline.orchestration.resources import Workspace
    from turret_pipeline.reports.journey_queries import Published, Scope

    if as_json and as_csv:
        raise TurretError("--json and --csv are two answers: give one of them.")
    published = Published(Workspace(load_settings(data_dir=data_dir)))
    scope = Scope(
        None if since is None else _moment(since),
        None if until is None else _moment(until, is_end=True),
        tuple(segment_of(text) for text in segment or []),
    )
    if scope.since and scope.until and scope.since >= scope.until:
        raise TurretError(
            f"--since {since} is after --until {until}: no session begins between them. Exchange the two."
        )
    fields = [field for field, _ in scope.segments]
    if len(set(fields)) < len(fields):
        raise TurretError("Two --segment of one field exclude each other: give each field once, or use compare.")
    known = published.dimension(dimension)
    return Asked(published, known, scope, published.sessions(scope), as_json, as_csv)


def question(*, without: tuple[str, ...] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command that is handed ``asked``, and has the options of ``ask`` in its place, all but those ``without``."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True).parameters
        common = {
            name: option
            for name, option in inspect.signature(ask, eval_str=True).parameters.items()
            if name not in without
        }

        @functools.wraps(command)
        def asking(**options: Any) -> None:  # noqa: ANN401
            asked = ask(**{name: options.pop(name) for name in common})
            command(asked, **options)

        parameters = [option for name, option in own.items() if name != "asked"] + list(common.values())
        asking.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        asking.__annotations__ = {option.name: option.annotation for option in parameters}
        return asking

    return decorate


def segment_of(text: str) -> tuple[str, str]:
    """Field and value of FIELD=VALUE."""
    field, mark, value = text.partition("=")
    if not (mark and field):
        raise TurretError(f"{text!r} is no segment: write FIELD=VALUE, such as plan=team.")
    return field, value


def _moment(text: str, *, is_end: bool = False) -> dt.datetime:
    """The first moment of a day, or after it; or a moment, in UTC where it does not say its zone."""
    is_day = re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is not None
    is_moment = re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", text) is not None
    try:
        moment = dt.datetime.fromisoformat(text) if is_day or is_moment else None
    except ValueError:
        moment = None
    if moment is None:
        raise TurretError(f"{text!r} is no day: write it as 2026-03-01, or as 2026-03-01T12:00.")
    moment = moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return moment + dt.timedelta(days=1) if is_end and is_day else moment
