"""Long lists in parts: a statement takes only so many parameters."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
# Well below what either database accepts, and above what a page or a batch of an import holds.
SIZE = 5000


def batches(items: Iterable[T], size: int = SIZE) -> Iterator[Sequence[T]]:
    """`items` in lists of at most `size`."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part
