"""Parsing of blocks into part files, in worker processes.

Workers import this module, so it imports only what parsing needs.
"""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from turret_pipeline.events.parsing import ParseOptions, parse_block
from turret_pipeline.events.rows import Block


class BlockCounts(NamedTuple):
    """Rows of a block, and those of them that became events after a repair."""

    row_count: int
    repaired_count: int


def part_writing_jobs(
    blocks: Iterator[Block], options: ParseOptions, folder: Path
) -> Iterator[Callable[[], BlockCounts]]:
    """One job per block, which writes the block's parts to the folder and returns its counts."""
    for number, block in enumerate(blocks):
        yield functools.partial(_write_parts, block, options, folder, number)


def _write_parts(block: Block, options: ParseOptions, folder: Path, number: int) -> BlockCounts:
    parsed = parse_block(block, options)
    frames = {
        "events": parsed.events,
        "rejected": parsed.rejected,
        "scrubbed": parsed.scrubbed,
        "identities": parsed.identities,
    }
    for kind, frame in frames.items():
        if frame.height:
            frame.write_parquet(folder / f"{kind}-{number:05}.parquet", compression="lz4", statistics=False)
    return BlockCounts(parsed.row_count, parsed.repaired_count)
