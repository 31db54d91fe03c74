"""Worst-case inputs of each decoder and parser, found from the registries of the code."""

import functools
import importlib
import inspect
import pkgutil
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from turret_pipeline.scrubbing import KINDS, scrub_text
from turret_pipeline_tests.benchmarks.complexity_bodies import list_file_cases, list_http_cases
from turret_pipeline_tests.benchmarks.complexity_inputs import PUMPS, Case, pump
from turret_pipeline_tests.benchmarks.complexity_rows import list_row_cases

PURE_PACKAGES = (
    *("escaping", "json_repair", "scrubbing", "events", "fields", "ingest", "collector.wire", "collector.projects"),
    *("topics.embedding", "topics.labels", "journeys", "reports", "signals", "config.addresses"),
)
"""Packages and modules whose functions work on texts of events, files and addresses."""


EXEMPT: Mapping[str, str] = {
    "signals.literals.list_needed": "takes patterns of this package",
    "signals.literals._read_escape": "takes patterns of this package",
}
"""Functions that take a text and are not measured, with the reason."""


def list_cases() -> list[Case]:
    """All cases, in a fixed order."""
    return [
        *_list_text_cases(),
        *_list_scrubbing_cases(),
        *list_row_cases(),
        *list_file_cases(),
        *list_http_cases(),
    ]


def list_modules() -> Iterator[types.ModuleType]:
    """All modules of PURE_PACKAGES."""
    for name in PURE_PACKAGES:
        module = importlib.import_module(f"turret_pipeline.{name}")
        yield module
        for found in pkgutil.walk_packages(getattr(module, "__path__", []), f"{module.__name__}."):
            yield importlib.import_module(found.name)


def list_text_functions() -> dict[str, tuple[Callable[[Any], object], type]]:
    """Functions that take one text or bytes and need nothing else, with the type that they take, by name."""
    functions: dict[str, tuple[Callable[[Any], object], type]] = {}
    for module in list_modules():
        for name, function in vars(module).items():
            if not inspect.isfunction(function) or function.__module__ != module.__name__:
                continue
            required = [each for each in inspect.signature(function).parameters.values() if each.default is each.empty]
            kind = _find_kind(function, required)
            if kind is not None:
                functions[f"{module.__name__.removeprefix('turret_pipeline.')}.{name}"] = (function, kind)
    return functions


def _find_kind(function: Callable[..., object], required: list[inspect.Parameter]) -> type | None:
    if len(required) != 1 or required[0].kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
        return None
    try:
        annotation = typing.get_type_hints(function).get(required[0].name)
    except (NameError, TypeError):  # imported for the type checker only
        annotation = {"str": str, "bytes": bytes}.get(str(required[0].annotation))
    is_union = typing.get_origin(annotation) in {types.UnionType, typing.Union}
    choices = typing.get_args(annotation) if is_union else (annotation,)
    return next((kind for kind in (str, bytes) if kind in choices), None)


def _list_text_cases() -> Iterator[Case]:
    for name, (function, kind) in list_text_functions().items():
        for text in () if name in EXEMPT else PUMPS:
            yield Case(f"{name}: {text!r}", _make_pump(text, kind), functools.partial(_call, function))


def _make_pump(text: str, kind: type) -> Callable[[int], Any]:
    if kind is bytes:
        return lambda size: pump(text, size).encode("utf-8", "surrogatepass")
    return lambda size: pump(text, size)


def _call(function: Callable[[Any], object], given: object) -> object:
    """The result of the function, with all steps of a generator."""
    result = function(given)
    return list(result) if inspect.isgenerator(result) else result


def _list_scrubbing_cases() -> Iterator[Case]:
    for kind in sorted(KINDS):
        for text in PUMPS:
            yield Case(f"scrub_text {kind}: {text!r}", _make_pump(text, str), functools.partial(_scrub, kind))


def _scrub(kind: str, text: str) -> object:
    return scrub_text(text, [kind])
