"""The order in which the prices of asset classes fall during dated episodes of stress."""

import itertools

import numpy as np
import pandas as pd

from backtests.evidence.entries import QUARTER
from backtests.plural import number_of
from backtests.thesis.claim import Claim
from backtests.thesis.episodes import CASCADE, common_trough, levels_of, peaks_before, span_of
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Estimate
from backtests.thesis.events import read_events
from backtests.thesis.inference import few_clusters, t_interval, t_p_value
from backtests.thesis.sample import Sample

#: Number of permutations of class labels.
DRAWS = 9999


def cascade_order(claim: Claim, sample: Sample) -> Estimate:
    """Return how well the order of peaks agrees with the declared order of the classes.

    Kendall's tau-b compares the order of peaks in an episode with the declared order of the
    classes. The estimate is the mean tau-b over all episodes.

    The trough of an episode is the session of the episode with the lowest mean level of the four
    classes. The peak of a class is its highest close in the 63 sessions before the trough. Classes
    with equal dates of peaks are tied; if all four classes are tied, tau is 0. Two episodes with
    troughs less than 63 sessions apart count as one fall, so the second episode is left out. An
    episode is left out if a class lacks a return in the episode or in the 63 sessions before the
    episode. Raises NotTestable if the history is simulated, if a class has no price, or if fewer
    than two episodes remain.
    """
    if sample.is_simulated:
        raise NotTestable("a simulated history has no dated episodes")
    shown, repeated = dated_peaks(sample.classes(CASCADE))
    if len(shown) < 2:
        raise NotTestable(
            f"the history has {number_of(len(shown), 'dated episode')} with prices of all four "
            "classes; at least 2 are needed"
        )
    taus = shown["tau"].to_numpy()
    value = float(taus.mean())
    error, df = few_clusters(taus)
    return Estimate(
        value=value,
        interval=t_interval(value, error, df),
        tests={
            "t over episodes": t_p_value(value, error, df, claim.sign),
            "permuted classes": permuted_p_value(peak_numbers(shown), claim.sign),
        },
        error=error,
        df=df,
        observations=len(taus),
        counted="dated episodes",
        episodes=len(taus),
        start=shown["trough"].min(),
        end=shown["trough"].max(),
        method="The interval is a t interval for the mean tau-b of the episodes (Ibragimov and "
        "Müller, JBES 28, 2010). A second test permutes the labels of the classes within each "
        f"episode, {DRAWS:,} times.",
        shown=shown,
        notes=_left_out(repeated),
    )


def _left_out(repeated: list[str]) -> tuple[str, ...]:
    if not repeated:
        return ()
    return (
        f"Left out: {', '.join(repeated)}. If the troughs of two episodes are less than {QUARTER} "
        "sessions apart, both episodes belong to one fall. Only the earlier of the two episodes is "
        "used.",
    )


def dated_peaks(returns: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return a table of dated episodes, and the names of episodes that repeat an earlier fall.

    If the troughs of two episodes are less than 63 sessions apart, both episodes belong to one
    fall. The table has one row for each fall, with the first episode of the fall. The columns are
    ``trough``, one column for each of the four classes, and ``tau``. The column of a class contains
    the session of its peak. ``returns`` are simple returns, sessions × classes.
    """
    rows: dict[str, dict[str, object]] = {}
    repeated: list[str] = []
    troughs: list[int] = []
    sessions = pd.DatetimeIndex(returns.index)
    for episode in read_events().episodes:
        span = span_of(episode, sessions)
        levels = None if span is None else levels_of(returns, span)
        if levels is None or len(levels.columns) < len(CASCADE):
            continue
        trough = common_trough(levels)
        at = int(sessions.searchsorted(trough))
        if any(abs(at - other) < QUARTER for other in troughs):
            repeated.append(episode.name)
            continue
        troughs.append(at)
        peaks = peaks_before(levels, trough)[list(CASCADE)]
        rows[episode.name] = {"trough": trough, **peaks, "tau": float(tau(_numbers(peaks)))}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("episode"), repeated


def _numbers(peaks: pd.Series) -> np.ndarray:
    return pd.DatetimeIndex(peaks).to_numpy().astype("datetime64[D]").astype(np.int64)


def peak_numbers(shown: pd.DataFrame) -> np.ndarray:
    """Return the dates of peaks in days since 1970; columns are classes in the declared order."""
    return np.array([_numbers(row) for _, row in shown[list(CASCADE)].iterrows()])


def tau(numbers: np.ndarray) -> np.ndarray:
    """Return Kendall's tau-b between the declared order and dates; 0 if all dates are equal.

    The last axis of ``numbers`` contains one date for each class, in days since 1970. The classes
    are in the declared order.
    """
    earlier, later = np.triu_indices(numbers.shape[-1], 1)
    signs = np.sign(numbers[..., later] - numbers[..., earlier])
    untied = np.abs(signs).sum(axis=-1)
    result: np.ndarray = signs.sum(axis=-1) / np.sqrt(np.maximum(untied, 1) * len(earlier))
    return result


def permuted_p_value(numbers: np.ndarray, sign: int, seed: int = 0) -> float:
    """Return the one-sided p-value of the mean tau among permutations of the class labels.

    ``numbers`` contains dates in days since 1970, episodes × classes. The classes are in the
    declared order.
    """
    orders = np.array(list(itertools.permutations(range(numbers.shape[1]))))
    possible = tau(numbers[:, orders])  # episodes × orders
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(orders), size=(DRAWS, len(numbers)))
    drawn = possible[np.arange(len(numbers)), chosen].mean(axis=1)
    true = possible[:, 0].mean()  # the first permutation changes nothing
    return float((1 + (sign * drawn >= sign * true - 1e-12).sum()) / (1 + DRAWS))
