"""The error for a claim that a history cannot test."""

from signals.errors import DataError


class NotTestable(DataError):  # noqa: N818 - it is also a verdict, not only an error
    """A history is too short to test a claim, or lacks data; the message gives the reason."""
