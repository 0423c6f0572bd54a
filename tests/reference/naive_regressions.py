"""Least squares with three kinds of errors, and the estimators that are regressions.

They are plain loops over lists; see :mod:`tests.reference.naive_trial`. A regression has one row of
regressors for each observation, with the constant.
"""

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from tests.reference import naive_trial as plain
from tests.reference.naive_trial import NAN, Bounds, Numbers, known


class Estimated(NamedTuple):
    """An estimate, its standard error and degrees of freedom, and the number of observations."""

    value: float
    error: float
    df: float
    n: int


class Fit(NamedTuple):
    """Coefficients, their covariance matrix, the lags, and the number of observations."""

    coefficients: list[float]
    covariance: list[list[float]]
    lags: int
    n: int

    def combined(self, contrast: Numbers) -> tuple[float, float]:
        """Return a linear combination of the coefficients, and its standard error."""
        places = range(len(contrast))
        value = math.fsum(contrast[i] * self.coefficients[i] for i in places)
        squared = math.fsum(
            contrast[i] * contrast[j] * self.covariance[i][j] for i in places for j in places
        )
        return value, math.sqrt(squared)


def least_squares(y: Numbers, x: Sequence[Numbers]) -> tuple[list[float], list[float]]:
    """Return coefficients and residuals from the normal equations; ``x`` has a row for each y."""
    k = len(x[0])
    left = [[math.fsum(row[i] * row[j] for row in x) for j in range(k)] for i in range(k)]
    right = [math.fsum(row[i] * value for row, value in zip(x, y, strict=True)) for i in range(k)]
    b = [float(v) for v in np.linalg.solve(left, right)]
    fitted = [math.fsum(c * v for c, v in zip(b, row, strict=True)) for row in x]
    return b, [value - f for value, f in zip(y, fitted, strict=True)]


def sandwich(x: Sequence[Numbers], middle: np.ndarray, factor: float) -> list[list[float]]:
    """Return factor · (X'X)⁻¹ middle (X'X)⁻¹."""
    rows = np.array(x, dtype=float)
    bread = np.linalg.inv(rows.T @ rows)
    return [[float(v) for v in row] for row in factor * bread @ middle @ bread]


def newey_west(y: Numbers, x: Sequence[Numbers], lags: int | None = None) -> Fit:
    """Return least squares with Bartlett weights 1 − l / (lags + 1) and factor n / (n − k)."""
    n, k = len(y), len(x[0])
    if lags is None:
        lags = min(math.ceil(1.3 * math.sqrt(n)), n - 1)
    b, residuals = least_squares(y, x)
    scores = [np.array(row) * e for row, e in zip(x, residuals, strict=True)]
    middle = np.zeros((k, k))
    for i in range(n):
        for j in range(max(0, i - lags), min(n, i + lags + 1)):
            middle += (1 - abs(i - j) / (lags + 1)) * np.outer(scores[i], scores[j])
    return Fit(b, sandwich(x, middle, n / (n - k)), lags, n)


def fixed_b(level: float, lags: int, n: int) -> float:
    """Return Kiefer and Vogelsang's critical value for the Bartlett kernel."""
    b = (lags + 1) / n  # the bandwidth of weights 1 − l / (lags + 1)
    if level == 0.975:
        return 1.96 + 2.9694 * b + 0.416 * b**2 - 0.5324 * b**3
    return 1.6449 + 2.1859 * b + 0.3142 * b**2 - 0.3427 * b**3


def fixed_b_interval(value: float, error: float, lags: int, n: int) -> Bounds:
    near, far = (fixed_b(level, lags, n) * error for level in (0.95, 0.975))
    return Bounds(value - far, value + far, value - near, value + near)


def fixed_b_p_value(value: float, error: float, lags: int, n: int, sign: int) -> float:
    t = value / error * 1.96 / fixed_b(0.975, lags, n)
    return float(stats.norm.sf(sign * t))


def clustered(y: Numbers, x: Sequence[Numbers], groups: Sequence[Hashable]) -> Fit:
    """Return least squares with errors clustered by group.

    The factor is G / (G − 1) · (n − 1) / (n − k), with G groups. ``lags`` of the fit holds G.
    """
    b, residuals = least_squares(y, x)
    sums: dict[Hashable, np.ndarray] = {}
    for row, e, group in zip(x, residuals, groups, strict=True):
        sums[group] = sums.get(group, np.zeros(len(row))) + np.array(row) * e
    middle = np.zeros((len(b), len(b)))
    for total in sums.values():
        middle += np.outer(total, total)
    n, k, g = len(y), len(b), len(sums)
    factor = g / (g - 1) * (n - 1) / (n - k)
    return Fit(b, sandwich(x, middle, factor), g, n)


def cr2(
    y: Numbers, x: Sequence[Numbers], groups: Sequence[Hashable], contrast: Numbers
) -> tuple[float, float]:
    """Return the error of a contrast by CR2, and its degrees of freedom by Bell and McCaffrey.

    With the hat matrix H, the residuals of each cluster are multiplied by (I − H of the cluster) to
    the power −½, in the sense of a generalised inverse. The degrees of freedom assume independent
    observations with equal variance. The result is NaN and 0 if a column has fewer than two
    clusters.
    """
    rows = np.array(x, dtype=float).reshape(len(y), len(contrast))
    for column in range(len(contrast)):
        if len({g for row, g in zip(x, groups, strict=True) if row[column]}) < 2:
            return NAN, 0.0
    bread = np.linalg.inv(rows.T @ rows)
    rest = np.eye(len(y)) - rows @ bread @ rows.T
    residuals = rest @ np.array(y)
    squared, columns = 0.0, []
    for group in dict.fromkeys(groups):
        inside = [i for i, g in enumerate(groups) if g == group]
        values, vectors = np.linalg.eigh(rest[np.ix_(inside, inside)])
        roots = [v**-0.5 if v > 1e-10 else 0.0 for v in values]
        adjust = vectors @ np.diag(roots) @ vectors.T
        weight = adjust @ rows[inside] @ bread @ np.array(contrast)
        squared += float(weight @ residuals[inside]) ** 2
        columns.append(rest[:, inside] @ weight)
    products = np.array(columns) @ np.array(columns).T
    df = float(np.trace(products) ** 2 / (products**2).sum())
    return math.sqrt(squared), df


def complete(*columns: Numbers) -> list[list[float]]:
    """Return the rows without a NaN."""
    rows = [list(row) for row in zip(*columns, strict=True)]
    return [row for row in rows if len(known(row)) == len(row)]


class Response(NamedTuple):
    """The response while idle capital is ample, and the difference: while depleted minus ample."""

    ample: Estimated
    difference: Estimated


def local_projection(
    response: Numbers,
    impulse: Numbers,
    depleted: Numbers,
    controls: Sequence[Numbers] = (),
    lags: int | None = None,
) -> Response:
    """Regress the response on 1, depleted, impulse, impulse × depleted, and the controls.

    The errors are Newey and West's. Degrees of freedom are infinite.
    """
    rows = complete(response, impulse, depleted, *controls)
    y = [row[0] for row in rows]
    x = [[1.0, row[2], row[1], row[1] * row[2], *row[3:]] for row in rows]
    fit = newey_west(y, x, lags)
    unit = [[float(i == place) for i in range(len(x[0]))] for place in (2, 3)]
    ample, difference = (Estimated(*fit.combined(c), math.inf, fit.n) for c in unit)
    return Response(ample, difference)


class Nested(NamedTuple):
    """Out-of-sample R² in percent, their difference, and Clark and West's terms."""

    small: float
    large: float
    difference: float
    adjusted: list[float]


def _predict(rows: Sequence[Numbers], x: Numbers) -> float:
    """Return the forecast at x of a regression on rows of (y, regressors), constant included."""
    b, _ = least_squares([row[0] for row in rows], [[1.0, *row[1:]] for row in rows])
    return math.fsum(c * v for c, v in zip(b, [1.0, *x], strict=True))


def nested_forecast(
    target: Numbers,
    small: Sequence[Numbers],
    added: Sequence[Numbers],
    first: int,
    horizon: int = 4,
) -> Nested:
    """Forecast with expanding windows, and compare with the mean of the known targets.

    ``target[i]`` is known at row ``i + horizon``. The forecast at row i uses the rows that are
    known at i. The first forecast needs ``first`` such rows.
    """
    columns = [target, *small, *added]
    errors: list[tuple[float, float, float, float]] = []
    for i in range(len(target)):
        now = [column[i] for column in columns]
        past = complete(*(column[: max(0, i - horizon + 1)] for column in columns))
        if len(known(now)) < len(now) or len(past) < first:
            continue
        narrow = _predict([row[: 1 + len(small)] for row in past], now[1 : 1 + len(small)])
        wide = _predict(past, now[1:])
        constant = plain.mean([row[0] for row in past])
        errors.append((now[0] - constant, now[0] - narrow, now[0] - wide, narrow - wide))
    none, one, two = (math.fsum(row[k] ** 2 for row in errors) for k in range(3))
    terms = [e1**2 - (e2**2 - gap**2) for _, e1, e2, gap in errors]
    r2 = [100 * (1 - sse / none) for sse in (one, two)]
    return Nested(r2[0], r2[1], r2[1] - r2[0], terms)


def event_slope(responses: Numbers, surprises: Numbers, quarters: Sequence[Hashable]) -> Estimated:
    """Return the slope of responses on surprises; each quarter is one cluster, see :func:`cr2`."""
    y, x = list(responses), [[1.0, surprise] for surprise in surprises]
    b, _ = least_squares(y, x)
    return Estimated(b[1], *cr2(y, x, quarters, [0.0, 1.0]), len(y))


def event_response(
    responses: Numbers,
    surprises: Numbers,
    quarters: Sequence[Hashable],
    depleted: Numbers | None = None,
) -> Estimated:
    """Return the slope of responses on surprises, with a cluster for each quarter.

    Events with a NaN are left out. With ``depleted``, return the slope while depleted minus the
    slope while not depleted. The two slopes count as independent, and Welch's formula gives the
    degrees of freedom.
    """
    state = [1.0] * len(responses) if depleted is None else depleted
    slopes = []
    for wanted in (1.0,) if depleted is None else (1.0, 0.0):
        there = [
            i
            for i, pair in enumerate(zip(responses, surprises, strict=True))
            if state[i] == wanted and len(known(pair)) == 2
        ]
        y, x = [responses[i] for i in there], [surprises[i] for i in there]
        slopes.append(event_slope(y, x, [quarters[i] for i in there]))
    if depleted is None:
        return slopes[0]
    on, off = slopes
    squared = on.error**2 + off.error**2
    df = squared**2 / (on.error**4 / on.df + off.error**4 / off.df)
    return Estimated(on.value - off.value, math.sqrt(squared), df, on.n + off.n)


def average_response(responses: Numbers, quarters: Sequence[Hashable]) -> Estimated:
    """Return the mean of responses; each quarter is one cluster. Events with NaN are left out."""
    there = [i for i, response in enumerate(responses) if response == response]
    y = [responses[i] for i in there]
    error, df = cr2(y, [[1.0]] * len(y), [quarters[i] for i in there], [1.0])
    return Estimated(plain.mean(y), error, df, len(y))


class Instrumented(NamedTuple):
    """The ratio of two covariances, the F of the first stage, and the ends of the 95 % set."""

    value: float
    strength: float
    low: float
    high: float


def instrumented(y: Numbers, x: Numbers, z: Numbers, quarters: Sequence[Hashable]) -> Instrumented:
    """Return the slope of y on x with the instrument z, and Anderson and Rubin's set.

    The set holds each slope β at which the t-test of y − βx on z does not reject. A search finds
    its ends: it goes outwards from the ratio to the first rejected slope, and then uses bisection.
    An end is infinite if no slope is rejected up to a million standard errors away.
    """
    means = [plain.mean(column) for column in (y, x, z)]
    of_y, of_x = (
        math.fsum((b - means[2]) * (a - mean) for a, b in zip(column, z, strict=True))
        for column, mean in ((y, means[0]), (x, means[1]))
    )
    value, first = of_y / of_x, event_slope(x, z, quarters)

    def rejected(beta: float) -> bool:
        fit = event_slope([a - beta * b for a, b in zip(y, x, strict=True)], z, quarters)
        return bool(abs(fit.value / fit.error) > stats.t.ppf(0.975, fit.df))

    def end(sign: int) -> float:
        step = 0.001
        while not rejected(value + sign * step):
            step *= 1.1
            if step > 1e6:
                return sign * math.inf
        near, far = step / 1.1, step
        for _ in range(60):
            middle = (near + far) / 2
            near, far = (near, middle) if rejected(value + sign * middle) else (middle, far)
        return value + sign * near

    return Instrumented(value, (first.value / first.error) ** 2, end(-1), end(1))


class Kink(NamedTuple):
    """Slope of the cost on u below the knee, the change of the slope there, and weeks used."""

    slope: float
    kink: float
    n: int


def kink(cost: Numbers, u: Numbers, horizon: int = 13, knee: float = 0.5) -> Kink:
    """Regress changes of the cost over ``horizon`` weeks on those of u and of max(0, u − knee)."""
    beyond = [max(0.0, v - knee) if v == v else NAN for v in u]
    changes = [
        [NAN] * horizon + [c[i] - c[i - horizon] for i in range(horizon, len(c))]
        for c in (cost, u, beyond)
    ]
    rows = complete(*changes)
    b, _ = least_squares([row[0] for row in rows], [[1.0, *row[1:]] for row in rows])
    return Kink(b[1], b[2], len(rows))
