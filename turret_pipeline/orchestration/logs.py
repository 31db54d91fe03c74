"""The log of runs on the console, whose lines no name or text can forge."""

import copy
import logging

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
