"""A number with its noun, and a short list of names, for messages and pages."""

from collections.abc import Sequence


def number_of(count: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless the number is 1.

    >>> number_of(1, "episode"), number_of(1200, "date")
    ('1 episode', '1,200 dates')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def joined(names: Sequence[str]) -> str:
    """Return the names with commas, and with "and" before the last name.

    >>> joined(["A"]), joined(["A", "B"]), joined(["A", "B", "C"])
    ('A', 'A and B', 'A, B and C')
    """
    *first, last = names or [""]
    return f"{', '.join(first)} and {last}" if first else last


def some_of(names: Sequence[str]) -> str:
    """Return the first five names, and the number of further names.

    >>> some_of(["A", "B"]), some_of(list("ABCDEFG"))
    ('A, B', 'A, B, C, D, E and 2 more')
    """
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
