"""The figures of the main pages, computed in the background when a run has published: their first visitor waits less.

Requests go on meanwhile, and show the new file at once.
"""

import logging
import os
import threading
from collections.abc import Callable

from turret_pipeline.dashboard.projects import Project, Projects
from turret_pipeline.errors import TurretError

logger = logging.getLogger(__name__)

PATHS = (
    "",
    "topics",
    "journeys",
    "sessions",
    "exchanges",
    "users",
    "journeys/transitions",
    "journeys/paths",
    "journeys/matrix",
)
"""The pages, without any filter, those that are opened first in front."""

SECONDS_BETWEEN_LOOKS = 1.0
NICENESS = 10


class WarmUp:
    """A thread that looks for new publications of open projects, and of a project that is the only one."""

    def __init__(self, projects: Projects, build: Callable[[Project, str], object]) -> None:
        self._projects, self._build = projects, build
        self._done: dict[str, object] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="warm-up", daemon=True)

    def start(self) -> None:
        """Begin, with a low priority."""
        self._thread.start()

    def stop(self) -> None:
        """End after the page that is computed now."""
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        if hasattr(os, "setpriority"):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        while not self._stopped.is_set():
            for project in self._projects.values():
                if project.is_open or len(self._projects) == 1:
                    self._compute(project)
            self._stopped.wait(SECONDS_BETWEEN_LOOKS)

    def _compute(self, project: Project) -> None:
        """Build the pages of a project unless those of its publication were."""
        identity = project.data.warehouse.identity()
        if identity is None or self._done.get(project.name) == identity:
            return
        self._done[project.name] = identity
        for path in PATHS:
            if self._stopped.is_set() or project.data.warehouse.identity() != identity:
                return
            try:
                self._build(project, path)
            except TurretError as error:  # such as no journeys yet: visitors are told
                logger.debug("The page %r of %r was not computed in advance: %s", path, project.name, error)
            except Exception:  # a bug of one page, which its visitors see; the others go on
                logger.exception("The page %r of %r was not computed in advance", path, project.name)
