"""A block of a file to its parts: the work of the workers, who import no more than it takes."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

from turret_pipeline.events.parsing import ParseOptions, parse_block
from turret_pipeline.events.rows import Block


def keep_blocks(blocks: Iterator[Block], reading: ParseOptions, folder: Path) -> Iterator[Callable[[], int]]:
    """Jobs that write the parts of each block to a folder and return how many rows it had."""
    for number, block in enumerate(blocks):
        yield functools.partial(_keep, block, reading, folder, number)


def _keep(block: Block, reading: ParseOptions, folder: Path, number: int) -> int:
    parsed = parse_block(block, reading)
    for kind, frame in (("events", parsed.events), ("rejected", parsed.rejected), ("scrubbed", parsed.scrubbed)):
        if frame.height:
            frame.write_parquet(folder / f"{kind}-{number:05}.parquet", compression="lz4", statistics=False)
    return parsed.row_count
