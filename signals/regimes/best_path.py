"""A compiled loop over sessions that finds the best path of a statistical jump model.

The package jumpmodels is slower than the compiled loop, because it makes several NumPy calls for
each session. The compiled loop gives exactly the path of jumpmodels, and exactly the same sum of
losses and penalties.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
from numba import njit


@contextmanager
def fast_paths() -> Iterator[None]:
    """Make jumpmodels use :func:`best_path` until the ``with`` block ends.

    No other thread may use jumpmodels during the block, because the block patches the package.
    """
    from jumpmodels import jump

    with patch.object(jump, "dp", best_path):
        yield


def best_path(
    loss: np.ndarray, penalty: np.ndarray, return_value_mx: bool = False
) -> tuple[np.ndarray, float] | np.ndarray:
    """Return the path of states with the smallest sum of losses and penalties, and this sum.

    Parameters
    ----------
    loss
        Loss of each session in each state, sessions × states. NaN means an impossible state.
    penalty
        Table of states × states: the penalty of a change from the row's state to the column's
        state.
    return_value_mx
        If True, return a table of sessions × states instead of the path. The cell of session t and
        state s is the smallest sum of losses and penalties over all paths to state s at session t.
    """
    sums = _smallest_sums(np.where(np.isnan(loss), np.inf, loss), penalty)
    if return_value_mx:
        return sums
    path = _path(sums, penalty)
    return path, float(sums[-1, path[-1]])


@njit(cache=True)
def _smallest_sums(loss: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    sums = loss.copy()
    for t in range(1, len(loss)):
        for state in range(loss.shape[1]):
            sums[t, state] += (sums[t - 1] + penalty[:, state]).min()
    return sums


@njit(cache=True)
def _path(sums: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """Return the states of the best path, which is computed backwards from the last session."""
    path = np.empty(len(sums), dtype=np.int64)
    path[-1] = sums[-1].argmin()
    for t in range(len(sums) - 1, 0, -1):
        path[t - 1] = (sums[t - 1] + penalty[:, path[t]]).argmin()
    return path
