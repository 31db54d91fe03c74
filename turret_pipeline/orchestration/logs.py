"""The log of runs on the console, whose lines no name or text can forge."""

import logging

import dagster as dg

from turret_pipeline.escaping import EscapingFormatter


def _make_logger(context: dg.InitLoggerContext) -> logging.Logger:
    """Dagster's console logger with escaped messages."""
    logger = dg.colored_console_logger.logger_fn(context)
    for handler in logger.handlers:
        handler.setFormatter(EscapingFormatter(handler.formatter or logging.Formatter()))
    return logger


console_logger = dg.LoggerDefinition(
    _make_logger,
    config_schema=dg.colored_console_logger.config_schema,
    description="Dagster's console logger, escaped.",
)
