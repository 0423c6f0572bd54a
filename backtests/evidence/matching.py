"""A check that two tables have the same sessions."""

import pandas as pd

from signals.errors import DataError


def check_same_sessions(what: str, index: pd.Index, whose: str, sessions: pd.Index) -> None:
    """Raise DataError if the index of a table differs from the sessions of another table.

    ``what`` and ``whose`` are the names of the two tables in the message, such as "closes" and "the
    weights".
    """
    if not index.equals(sessions):
        raise DataError(
            f"expected {what} on the {len(sessions)} sessions of {whose}, but the index of "
            f"{what} is different ({len(index)} sessions); reindex {what}"
        )
