"""The pictures of the dashboard in README and docs: pages of a finished run on the sample.

`python -m turret_pipeline_tests.docs.screenshots DATA_DIR` takes them again.
"""

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from turret_pipeline_tests.commands import PROJECT
from turret_pipeline_tests.dashboard.conftest import ARGUMENTS, CHROMIUM, run_dashboard

FOLDER = PROJECT / "docs" / "pictures"
WIDTH, COLORS = 1280, 128
RANGE = "since=2026-09-02&until=2026-09-29"
PICTURES = {
    "home": ("", 1080),
    "topics": ("/topics?compare_segment=plan%3Dfree&compare_segment=plan%3Dbusiness", 900),
    "topic": (f"/topics/prompt-3?{RANGE}", 1080),
    "journeys": ("/journeys?node=prompt-10&before=1&after=3", 1000),
}
"""Path below the project and height in pixels of each picture."""


def take_pictures(data_dir: Path) -> None:
    """Write dashboard-<name>.png of each page of the results in a data folder."""
    with run_dashboard(sample=data_dir) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name, (path, height) in PICTURES.items():
            page = browser.new_page(viewport={"width": WIDTH, "height": height})
            page.goto(f"{url}/sample{path}")
            page.wait_for_load_state("networkidle")
            image = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLORS)
            image.save(FOLDER / f"dashboard-{name}.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    take_pictures(Path(sys.argv[1]))
