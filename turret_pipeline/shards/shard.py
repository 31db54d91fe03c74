"""A unit of work that any machine can do, any number of times, with the same outcome."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Shard(Generic[T]):
    """A call of ``work(folder, *arguments, **files)``, which writes files to the folder and returns a small value.

    ``work`` is a function of a module, and its files and value depend on its arguments and on the content of ``files``
    alone, so that a shard may run twice. No two shards of a run are equal, nor do two write files of the same name. The
    value is a number, text, or a list or map of these. ``needs_model`` is true for work that keeps an embedding model
    in memory.
    """

    work: Callable[..., T]
    arguments: tuple[Any, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)
    needs_model: bool = False

    def run(self, folder: Path) -> T:
        """Do the work in this process."""
        return self.work(folder, *self.arguments, **self.files)


class Engine(Protocol):
    """Runs shards."""

    def run(self, shards: Iterable[Shard[T]], folder: Path) -> Iterator[T]:
        """The values of all shards, in no particular order, whose files are then in the folder.

        Only a few shards are taken from ``shards`` ahead of time. Raises what the work raises.
        """
        ...

    def close(self) -> None:
        """Free what the engine holds."""
        ...
