"""Changes of a data folder between two runs."""

from pathlib import Path

from turret_pipeline_tests.commands import conversations, write_events


def add_new_file(data: Path) -> Path:
    """Add a second file that no run has read: new sessions and a new subject."""
    garden = [
        {
            "event_id": f"g{number}",
            "name": "prompt_sent",
            "session_id": f"g{number // 2}",
            "user_id": f"u{number}",
            "timestamp": f"2026-03-30T12:{number:02}:00Z",
            "metadata": {"prompt": f"how do I prune the {plant} in my garden in {month}"},
        }
        for number, (plant, month) in enumerate(
            (plant, month)
            for plant in ("roses", "apple tree", "hedge", "vines")
            for month in ("March", "July", "autumn")
        )
    ]
    write_events(data / "landing" / "b.jsonl", [*conversations(36, 12), *garden])
    return data


def forget_checksums(data: Path) -> None:
    """Let changed files pass for those of an earlier version, which wrote no checksums."""
    for file in data.rglob("*checksums.json"):
        file.unlink()
