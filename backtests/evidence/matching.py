"""The check that tables stand on the same sessions."""

import pandas as pd

from signals.errors import DataError


def check_same_sessions(what: str, index: pd.Index, whose: str, sessions: pd.Index) -> None:
    """Raise DataError unless the index of one table equals the sessions of another.

    ``what`` and ``whose`` name the two in the message, such as "closes" and "the weights".
    """
    if not index.equals(sessions):
        raise DataError(
            f"expected {what} on the {len(sessions)} sessions of {whose}, were on {len(index)} "
            "other sessions; reindex them"
        )
