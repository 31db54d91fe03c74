"""Pages that are computed in advance when a run has published."""

import time
from collections.abc import Callable
from pathlib import Path

from turret_pipeline.config.dashboard import DashboardSettings
from turret_pipeline.dashboard.projects import Project, Projects
from turret_pipeline.dashboard.warm_up import PATHS, WarmUp
from turret_pipeline.errors import TurretError
from turret_pipeline_tests.benchmarks.published_lake import Size, write_published

SIZE = Size(sessions=20, users=5, topics=3)


def wait_until(is_fulfilled: Callable[[], bool]) -> bool:
    ends_at = time.monotonic() + 20
    while not is_fulfilled() and time.monotonic() < ends_at:
        time.sleep(0.05)
    return is_fulfilled()


def test_each_publication_of_the_only_project_is_computed_once(tmp_path: Path) -> None:
    write_published(tmp_path, SIZE)
    built: list[str] = []
    warm_up = WarmUp(Projects(DashboardSettings(data_dir=tmp_path)), lambda _, path: built.append(path))

    warm_up.start()
    assert wait_until(lambda: built == list(PATHS))
    write_published(tmp_path, SIZE, run_number=2)
    assert wait_until(lambda: built == [*PATHS, *PATHS])
    warm_up.stop()


def test_several_projects_wait_for_their_first_visitor_and_a_failing_page_stops_nothing(tmp_path: Path) -> None:
    write_published(tmp_path / "a", SIZE)
    write_published(tmp_path / "b", SIZE)
    projects = Projects(DashboardSettings(projects={"a": tmp_path / "a", "b": tmp_path / "b"}))
    built: list[tuple[str, str]] = []

    def build(project: Project, path: str) -> None:
        built.append((project.name, path))
        if path == "topics":
            raise TurretError("no topics")

    projects["b"].current()
    warm_up = WarmUp(projects, build)
    warm_up.start()
    assert wait_until(lambda: len(built) == len(PATHS))
    warm_up.stop()

    assert {name for name, _ in built} == {"b"}
