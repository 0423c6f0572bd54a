"""A number with its noun, for messages and pages."""


def number_of(count: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless the number is 1.

    >>> number_of(1, "episode"), number_of(1200, "date")
    ('1 episode', '1,200 dates')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
