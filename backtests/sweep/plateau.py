"""Compare neighbouring configurations: a good result among bad results is probably luck."""

import numpy as np

from backtests.sweep.design import Design


def mean_of_neighbours(made: Design, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the mean value of the neighbours of each configuration in ``at``.

    In a full grid, a neighbour differs by one step in one numeric parameter; all other parameters
    are equal. If the design is not a full grid, the neighbours are the nearest configurations: two
    configurations for each numeric parameter. Neighbours have equal values of all parameters that
    are not numbers, such as the name of a scale. Distances between configurations use ranks: each
    value is replaced by its rank, from 0 (lowest value) to 1 (highest value). Undefined values are
    left out of the mean. If there is no neighbour, the mean is NaN.

    ``values`` has one number for each configuration of the design. ``at`` contains row numbers of
    configurations in the design.
    """
    numeric = [i for i, level in enumerate(made.levels) if _is_numeric(level)]
    near = _in_grid(made, at, numeric) if made.full else _nearest(made, at, numeric)
    found = np.where(near >= 0, values[near], np.nan)
    known = np.isfinite(found)
    count = known.sum(axis=1)
    total = np.where(known, found, 0.0).sum(axis=1)
    mean: np.ndarray = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def _is_numeric(level: tuple[object, ...]) -> bool:
    named = any(isinstance(value, bool | str) for value in level)
    return len(level) > 1 and not named


def _in_grid(made: Design, at: np.ndarray, numeric: list[int]) -> np.ndarray:
    """Return the row numbers of neighbours in a full grid.

    A neighbour beyond an edge of the grid has the row number −1.
    """
    sizes = [len(level) for level in made.levels]
    strides = [int(np.prod(sizes[i + 1 :], dtype=np.int64)) for i in range(len(sizes))]
    near = np.full((len(at), 2 * len(numeric)), -1, dtype=np.int64)
    for column, axis in enumerate(numeric):
        level = made.rows[at, axis]
        up, down = level + 1 < sizes[axis], level > 0
        near[up, 2 * column] = at[up] + strides[axis]
        near[down, 2 * column + 1] = at[down] - strides[axis]
    return near


def _nearest(made: Design, at: np.ndarray, numeric: list[int]) -> np.ndarray:
    """For each configuration in ``at``, return the row numbers of the nearest configurations.

    Neighbours have equal values of all parameters that are not numbers. The row number of a missing
    neighbour is −1.
    """
    from scipy.spatial import KDTree

    wanted = 2 * len(numeric)
    if not numeric:
        return np.full((len(at), 1), -1, dtype=np.int64)
    scale = np.array([max(len(level) - 1, 1) for level in made.levels], dtype=np.float64)
    points = made.rows / scale
    named = [i for i in range(len(scale)) if i not in numeric]
    # Configurations are far apart if they differ in a parameter whose values are not numbers.
    points[:, named] = 1e6 * made.rows[:, named]
    near = np.full((len(at), wanted), -1, dtype=np.int64)
    distance, found = KDTree(points).query(points[at], k=min(wanted + 1, len(points)))
    near_by = (distance[:, 1:] < 1e5) & (found[:, 1:] < len(points))
    near[:, : found.shape[1] - 1] = np.where(near_by, found[:, 1:], -1)
    return near
