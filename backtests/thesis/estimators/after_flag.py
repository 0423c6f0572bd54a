"""Returns of shares in the half year after a flag turns on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.evidence.resampling import resample_prices
from backtests.history.bills import YIELD, bill_returns
from backtests.thesis.claim import Claim
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Estimate, Interval
from backtests.thesis.inference import drawn_interval, few_clusters, rank_p_value, t_interval
from backtests.thesis.sample import LAG, Sample
from signals.evaluations import evaluate, inputs_of
from signals.opportunity import BASKET

#: Number of sessions over which the return after an entry is measured.
AHEAD = 126
#: Number of resampled histories, and the seed of the first history.
DRAWS, SEED = 99, 14_000
#: Mean length of a resampled block, in sessions. The price pattern that turns the flag on takes
#: about a quarter of a year. With much shorter blocks, few patterns would remain whole. In a
#: resampled history, the half year after the pattern comes mostly from other dates. So in resampled
#: histories, the flag does not predict returns, as the null hypothesis says.
BLOCK = 63


@dataclass(frozen=True, kw_only=True, eq=False)
class Entries:
    """Returns after each session at which a flag turned on.

    Attributes
    ----------
    returns
        For each entry, the return over bills in the next 126 sessions, in %. An entry is a session
        at which the flag turned on. The index contains the sessions of the entries. An entry is
        left out if the return of one of its 126 sessions is missing.
    places
        The positions of the entries in the history.
    usual
        The mean return over bills in 126 sessions, in %. The mean is taken over all sessions whose
        flag is not NaN.
    """

    returns: pd.Series
    places: np.ndarray
    usual: float

    @property
    def excess(self) -> np.ndarray:
        """The return after each entry minus the usual return."""
        over: np.ndarray = self.returns.to_numpy() - self.usual
        return over

    @property
    def episodes(self) -> np.ndarray:
        """The serial number of each entry's episode, from 0.

        An entry less than 126 sessions after the previous entry belongs to the same episode.
        """
        apart = np.diff(self.places, prepend=self.places[:1]) >= AHEAD
        numbers: np.ndarray = np.cumsum(apart)
        return numbers


def after_flag(claim: Claim, sample: Sample, *, draws: int = DRAWS) -> Estimate:
    """Return SPY's return in the 126 sessions after a flag turns on, minus SPY's usual return.

    Formula
        value = mean of R over the entries − mean of R over all sessions whose flag is not NaN. R is
        SPY's compounded return in 126 sessions minus the compounded return of bills, × 100. An
        entry is a session at which the flag turned on: the flag was off at the previous session.
    Timing
        The flag is known at close t. The return begins at the close of session t +
        :data:`backtests.thesis.sample.LAG`. A return is left out if the history ends before the 126
        sessions are complete.
    NaN
        A window of 126 sessions with a missing return is left out. A session is not an entry if the
        flag was NaN at the previous session.
    Interval
        The flag depends on prices, so shifting its dates would not be a valid test. For a valid
        test, the prices are resampled in blocks of 63 sessions on average. The flag is computed
        again from the resampled prices. If the real history has n entries, n entries are drawn at
        random from each resampled history. A resampled history with fewer than n entries uses all
        its entries. The p-value is the rank of the real history's value among the resampled values,
        as a fraction. Each bound of the interval is the real history's value minus a percentile of
        the resampled values. The interval assumes that a true effect only shifts the distribution
        of the value. A t-interval over episodes is also shown. With few episodes, the t-interval is
        very wide.
    Errors
        NotTestable if no entry has a known return, if SPY has no prices, or if the flag is always
        NaN. NotTestable is also raised if too few resampled histories have an entry, see
        :func:`null_values`.
    Reference
        Politis and Romano (1994), JASA 89; Davison and Hinkley (1997), Bootstrap Methods, 5.2.

    Parameters
    ----------
    draws
        Number of resampled histories. If there are fewer than 39 histories, every p-value is above
        2.5 %.
    """
    assert claim.condition is not None  # every claim with this estimator names a flag
    forward = forward_over_bills(sample.asset("SPY"), sample.bills)
    true = entries_of(forward, sample.flag(claim.condition))
    if not len(true.returns):
        raise NotTestable(
            f"expected at least one {AHEAD}-session return after the flag of {claim.condition} "
            "turned on, found none; add history"
        )
    others = [_redrawn(sample, claim.condition, SEED + draw) for draw in range(draws)]
    drawn = null_values(others, len(true.returns))
    value = float(true.excess.mean())
    return Estimate(
        value=value,
        interval=inverted(value, drawn),
        tests={"resampled histories": rank_p_value(value, drawn, claim.sign)},
        error=float(np.std(drawn, ddof=1)),
        df=float("inf"),
        observations=len(true.returns),
        counted="entries",
        episodes=int(true.episodes[-1]) + 1,
        start=sample.flag(claim.condition).dropna().index[0],
        end=sample.sessions[-1],
        method=f"The test uses {draws} resampled histories. The mean length of a resampled block "
        f"is {BLOCK} sessions (stationary bootstrap, Politis and Romano 1994). The flag is "
        "computed again on each history.",
        beside=_by_episodes(true),
        shown=true.returns.to_frame("return after the flag").assign(usual=true.usual),
        notes=(
            f"The flag turned on in {len(drawn)} of {draws} resampled histories, so the smallest "
            f"possible p-value is {1 / (1 + len(drawn)):.3f}.",
        ),
    )


def forward_over_bills(returns: pd.Series, bills: pd.Series) -> pd.Series:
    """Return the compounded return over bills, × 100, in the 126 sessions after each close."""
    grown = [np.log1p(series).rolling(AHEAD).sum().shift(-AHEAD) for series in (returns, bills)]
    over: pd.Series = 100 * (np.expm1(grown[0]) - np.expm1(grown[1]))
    return over


def entries_of(forward: pd.Series, flag: pd.Series) -> Entries:
    """Return the returns after a flag turned on, and the usual return.

    Parameters
    ----------
    forward
        The return after each close, see :func:`forward_over_bills`.
    flag
        The flag as known at each close: 1.0 (on), 0.0 (off) or NaN. ``flag`` and ``forward`` have
        the same sessions.
    """
    earned = forward.shift(-LAG)
    turned = (flag == 1.0) & (flag.shift() == 0.0) & earned.notna()
    return Entries(
        returns=earned[turned],
        places=np.flatnonzero(turned),
        usual=float(earned[flag.notna()].mean()),
    )


def null_values(others: Sequence[Entries], entries: int) -> np.ndarray:
    """Return, for each resampled history, the mean return after entries minus the usual return.

    An entry is a session at which the flag turned on. The usual return of a history is the mean
    over all sessions whose flag is not NaN. ``entries`` is the number of entries that the function
    draws at random from each history. If a history has fewer entries than ``entries``, the function
    uses all entries of the history. A mean of many entries varies less than a mean of few entries.
    So the value of the real history and the resampled values should use the same number of entries.
    A history without an entry is left out.

    Raises
    ------
    NotTestable
        Raised if fewer than half of the histories, or fewer than two histories, have an entry.
    """
    rng = np.random.default_rng(SEED)
    found = [other.excess for other in others if len(other.returns)]
    if 2 * len(found) < len(others) or len(found) < 2:
        raise NotTestable(
            f"the flag turned on in only {len(found)} of {len(others)} resampled histories"
        )
    values = [rng.permutation(excess)[:entries].mean() for excess in found]
    return np.array(values, dtype=np.float64)


def inverted(value: float, drawn: np.ndarray) -> Interval:
    """Return the confidence interval of an effect, by inverting the test with resampled values.

    The interval assumes that an effect only shifts the distribution of the values.
    """
    null = drawn_interval(drawn)
    return Interval(
        low=value - null.high,
        high=value - null.low,
        low90=value - null.high90,
        high90=value - null.low90,
    )


def _redrawn(sample: Sample, flag: str, seed: int) -> Entries:
    """Resample the prices of the history, compute the flag from them, and return the entries."""
    evaluations = sample.reading.evaluations
    signal = evaluations[flag].signal
    among = {name: evaluation.signal for name, evaluation in evaluations.items()}
    used = {YIELD, "SPY", *inputs_of(signal, among)}
    history = sample.history
    first = history.closes[list(BASKET)].dropna(how="all").index[0]
    panel = history.panel[[c for c in history.panel if str(c).removesuffix("@session") in used]]
    closes = history.closes[[c for c in history.closes if c in used]]
    new_panel, new_closes = resample_prices(
        panel.loc[first:],
        closes.loc[first:],
        block=BLOCK,
        seed=seed,
        since=sample.flag(flag).dropna().index[0],
    )
    parts = {name: among[name] for name in signal.parts}
    again = evaluate(new_panel, {**parts, flag: signal})[flag].flag
    forward = forward_over_bills(
        new_closes["SPY"].pct_change(fill_method=None), bill_returns(new_panel[YIELD])
    )
    return entries_of(forward, again.astype("Float64").astype("float64"))


def _by_episodes(true: Entries) -> dict[str, Interval]:
    """Return the t-interval from the means of the episodes; no interval if there is one episode."""
    means = pd.Series(true.excess).groupby(true.episodes).mean().to_numpy()
    error, df = few_clusters(means)
    if not df:
        return {}
    return {"t-test of episodes": t_interval(float(means.mean()), error, df)}
