"""Log of the servers: nothing that a request or an event contains reaches a terminal as it is."""

import copy
import logging
from typing import Any

from uvicorn.config import LOGGING_CONFIG
from uvicorn.logging import DefaultFormatter

from turret_pipeline.escaping import EscapingFormatter


def build_log_config() -> dict[str, Any]:
    """uvicorn's configuration of logging, with this package's log beside its own."""
    config = copy.deepcopy(LOGGING_CONFIG)
    config["formatters"]["default"] = {"()": f"{__name__}.make_log_formatter"}
    config["loggers"]["turret_pipeline"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    return config


def make_log_formatter() -> logging.Formatter:
    """Formatter of a server's log; logging and uvicorn call it by name."""
    return EscapingFormatter(DefaultFormatter("%(asctime)s %(levelprefix)s %(message)s"))
