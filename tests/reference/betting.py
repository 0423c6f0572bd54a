"""E-values and weekly forecasts as plain loops over weeks, written only from the definitions."""

import math
from collections.abc import Sequence


def wealth(gains: Sequence[float]) -> list[float]:
    """Return the bettor's wealth after each week. Gains lie between -1 and 1."""
    held, path = 1.0, []
    for week, gain in enumerate(gains):
        past = gains[:week]
        mean = sum(past) / (week + 1)
        squares = 1 / 9
        for earlier, value in enumerate(past):
            squares += (value - sum(past[: earlier + 1]) / (earlier + 2)) ** 2
        variance = squares / (week + 1)
        bet = min(max(mean / (variance + mean * mean), 0.0), 0.75)
        held *= 1 + bet * gain
        path.append(held)
    return path


def outperformance(differences: Sequence[float]) -> list[float]:
    """Return the e-value after each week. Differences lie between -1/2 and 1/2."""
    path = []
    for week in range(1, len(differences) + 1):
        seen = differences[:week]
        spread = 0.0
        for place, value in enumerate(seen):
            past = seen[:place]
            guess = sum(past) / len(past) if past else 0.0
            spread += (value - guess) ** 2
        total = 0.0
        for stake in (0.1, 0.2, 0.4, 0.8):
            psi = -math.log(1 - stake) - stake
            total += math.exp(stake * sum(seen) - psi * spread)
        path.append(total / 4)
    return path


def line_through(points: Sequence[tuple[float, float]], at: float) -> float:
    """Return the least-squares line through points (x, y) at a new x.

    If all x are equal, return the mean of y.
    """
    n = len(points)
    mean_x = sum(x for x, _ in points) / n
    mean_y = sum(y for _, y in points) / n
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if spread == 0:
        return mean_y
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    return mean_y + slope * (at - mean_x)
