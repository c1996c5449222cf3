"""The line of templates that something inherits from. No Django here: rows and objects are asked alike."""

from collections.abc import Callable, Iterator

__all__ = ("lineage",)


def lineage[T](first: T | None, parent_of: Callable[[T], T | None]) -> Iterator[T]:
    """
    Yield `first`, its parent, that one's parent and so on; nothing for None.

    Each once: netbox-routing lets session templates refer to each other in a circle.
    """
    seen: set[T] = set()
    while first is not None and first not in seen:
        seen.add(first)
        yield first
        first = parent_of(first)
