"""The error for a claim that a history cannot test."""

from signals.errors import DataError


class NotTestable(DataError):  # noqa: N818 - it is an answer as much as an error
    """A history is too short for a claim, or it lacks the claim's data; the message says why."""
