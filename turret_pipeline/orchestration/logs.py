"""The log of runs on the console, whose lines no name or text can forge."""

import contextlib
import copy
import io
import logging
import sys
from collections.abc import Iterator

import dagster as dg

from turret_pipeline.escaping import EscapingFormatter, unescape_markdown

_CHECK = "ASSET_CHECK_EVALUATION"


class PlainFormatter(EscapingFormatter):
    """Formatter that shows descriptions of checks, which are Markdown (``specs.escape_description``), as plain text."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        if _CHECK in record.getMessage():
            record = copy.copy(record)
            record.msg, record.args = unescape_markdown(record.getMessage()), ()
        return super().format(record)


def _make_logger(context: dg.InitLoggerContext) -> logging.Logger:
    """Dagster's console logger with escaped messages."""
    logger = dg.colored_console_logger.logger_fn(context)
    for handler in logger.handlers:
        handler.setFormatter(PlainFormatter(handler.formatter or logging.Formatter()))
    return logger


console_logger = dg.LoggerDefinition(
    _make_logger,
    config_schema=dg.colored_console_logger.config_schema,
    description="Dagster's console logger, escaped.",
)


class _Nowhere(io.TextIOBase):
    """Output that is dropped. A file could be closed while threads of an interrupted dbt still write to it."""

    def write(self, text: str) -> int:
        """Number of characters dropped."""
        return len(text)


@contextlib.contextmanager
def drop_output() -> Iterator[None]:
    """Drop what libraries write to standard output inside the context."""
    with contextlib.redirect_stdout(_Nowhere()):
        yield


def is_output_dropped() -> bool:
    """True inside ``drop_output``: then a library need not write its lines."""
    return isinstance(sys.stdout, _Nowhere)
