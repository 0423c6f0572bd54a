"""The error for a claim that a history cannot test."""

from signals.errors import DataError


class NotTestable(DataError):  # noqa: N818 - a verdict can also be "not testable yet"
    """A history is too short to test a claim, or lacks data; the message gives the reason."""
