"""Options that all commands of `turret journeys` have."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from turret_pipeline.cli.journey_query import JourneyQuery
from turret_pipeline.cli.options import DataDirOption
from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.errors import TurretError

Dimension = Annotated[
    str | None,
    typer.Option(
        "--dimension",
        help="A text field or event_name, or user: before either to join all sessions of a user.  "
        "[default: the text field of prompts, or else the one with most events]",
    ),
]
Since = Annotated[
    str | None, typer.Option("--since", help="Only sessions that begin on or after this day, such as 2026-03-01.")
]
Until = Annotated[
    str | None, typer.Option("--until", help="Only sessions that begin on or before this day (setting time_zone).")
]
Segment = Annotated[
    list[str] | None,
    typer.Option(
        "--segment",
        help="Only sessions with this value of an enum field, such as plan=team; repeatable, and of two values of one "
        "field either counts.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, all rows.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="As CSV, all rows.")]
Top = Annotated[int, typer.Option("--top", min=1, help="Maximum number of rows in a table.")]
Name = Annotated[
    str, typer.Argument(metavar="NAME", help="A topic's id or label, an event's name, or a unique part of it.")
]


def build_query(
    dimension: Dimension = None,
    since: Since = None,
    until: Until = None,
    segment: Segment = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    data_dir: DataDirOption = None,
) -> JourneyQuery:
    """The query that the common options describe. Raises TurretError if one of them is invalid."""
    from turret_pipeline.reports.published_tables import PublishedTables
    from turret_pipeline.reports.scope import parse_scope

    if as_json and as_csv:
        raise TurretError("--json and --csv cannot be combined: choose one of them.")
    settings = load_settings(data_dir=data_dir)
    published = PublishedTables.of_settings(settings)
    scope = parse_scope(since, until, segment or [], settings.time_zone)
    known_dimension = published.resolve_dimension(dimension)
    return JourneyQuery(published, known_dimension, scope, published.sessions(scope), as_json, as_csv)


def query_options(*, without: tuple[str, ...] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorator that gives a command the options of ``build_query``, except ``without``, and passes it the query.

    The command takes the query as its first parameter, named ``query``.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True).parameters
        common = {
            name: option
            for name, option in inspect.signature(build_query, eval_str=True).parameters.items()
            if name not in without
        }

        @functools.wraps(command)
        def run_query(**options: Any) -> None:  # noqa: ANN401
            query = build_query(**{name: options.pop(name) for name in common})
            command(query, **options)

        parameters = [option for name, option in own.items() if name != "query"] + list(common.values())
        run_query.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run_query.__annotations__ = {option.name: option.annotation for option in parameters}
        return run_query

    return decorate
