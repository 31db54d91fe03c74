"""Parsing of blocks into part files, as shards.

Workers import this module, so it imports only what parsing needs.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from turret_pipeline.events.parsing import ParseOptions, parse_block
from turret_pipeline.events.rows import Block
from turret_pipeline.shards.shard import Shard


class BlockCounts(NamedTuple):
    """Rows of a block, and those of them that became events after a repair."""

    row_count: int
    repaired_count: int


def list_part_shards(blocks: Iterator[Block], options: ParseOptions) -> Iterator[Shard[tuple[int, int]]]:
    """One shard per block, which writes the block's parts and returns BlockCounts."""
    for number, block in enumerate(blocks):
        yield Shard(_write_parts, (block, options, number))


def _write_parts(folder: Path, block: Block, options: ParseOptions, number: int) -> BlockCounts:
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
