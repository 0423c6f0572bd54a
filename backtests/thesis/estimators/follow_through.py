"""Link L11: whether breakouts keep their gain less often while a flag is on."""

import pandas as pd

from backtests.evidence.entries import episodes_of, gaps_of
from backtests.thesis.claim import Claim
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Estimate
from backtests.thesis.inference import Clusters, shifted, welch
from backtests.thesis.parts import SHIFTED, by_episode, by_shift, estimate_of
from backtests.thesis.sample import Sample
from signals.universe import UNIVERSE

#: A breakout is a close above the highest close of the previous 60 sessions.
HIGH = 60
#: A breakout keeps its gain if the close 31 sessions later is higher than the breakout's close.
LATER = 31
#: Smallest number of breakouts in each state of the flag, on and off.
FEWEST = 50


def breakouts(closes: pd.DataFrame) -> pd.DataFrame:
    """Return, for each session, the number of breakouts and the number that keep their gain.

    ``closes`` are in USD, sessions × assets. The columns of the result are ``kept`` and ``count``.
    A breakout is left out if the close 31 sessions later is missing.
    """
    breakout = closes > closes.shift(1).rolling(HIGH).max()
    later = closes.shift(-LATER)
    judged = breakout & later.notna()
    return pd.DataFrame(
        {
            "kept": (judged & (later > closes)).sum(axis=1),
            "count": judged.sum(axis=1),
        }
    ).astype("float64")


def follow_through(claim: Claim, sample: Sample) -> Estimate:
    """Return the estimate of a claim about breakouts, see :func:`kept_of`.

    The breakouts of all assets in :data:`UNIVERSE` are counted.
    """
    assert claim.condition is not None
    held = [ticker for ticker in UNIVERSE if ticker in sample.history.closes]
    return kept_of(claim, sample.history.closes[held], sample.flag(claim.condition))


def kept_of(claim: Claim, closes: pd.DataFrame, flag: pd.Series) -> Estimate:
    """Return an estimate of how a flag changes the % of breakouts that keep their gain.

    The share is the % of breakouts that keep their gain. The estimate is the share while the flag
    is on minus the share while the flag is off, in percentage points. The flag is known at the
    close of the breakout. The test shifts the dates of the flag, see
    :func:`backtests.thesis.estimators.conditional.difference_of`. The tested value of a session is
    ``kept`` − fraction × ``count``. ``count`` is the session's number of breakouts, and ``kept`` is
    the number of breakouts that keep their gain. The fraction is the sum of ``kept`` divided by the
    sum of ``count``, over all sessions with a known flag. A second interval treats each episode and
    each gap between episodes as one cluster. The second interval needs at least two episodes and
    two gaps.
    """
    numbers = {"on": flag, "episode": episodes_of(flag), "gap": gaps_of(flag)}
    table = breakouts(closes).assign(**numbers).dropna(subset="on")
    table = table[table["count"] > 0]
    on = table["on"] == 1.0
    if table["count"][on].sum() < FEWEST or table["count"][~on].sum() < FEWEST:
        raise NotTestable(
            f"expected at least {FEWEST} breakouts with the condition on and {FEWEST} with the "
            f"condition off, found {table['count'][on].sum():.0f} and "
            f"{table['count'][~on].sum():.0f}; add history"
        )
    return _estimate(claim, table)


def _estimate(claim: Claim, table: pd.DataFrame) -> Estimate:
    groups = [Clusters.of(table["kept"], table["count"], table[by]) for by in ("episode", "gap")]
    value = 100 * (groups[0].mean - groups[1].mean)
    share = table["kept"].sum() / table["count"].sum()
    surplus = table["kept"] - share * table["count"]
    parts = [by_shift(shifted(surplus, table["on"], welch), value, claim.sign, SHIFTED)]
    if min(len(group.counts) for group in groups) > 1:
        parts.append(by_episode(value, 100.0, claim.sign, *groups))
    return estimate_of(
        value,
        parts,
        observations=int(table["count"][table["on"] == 1.0].sum()),
        counted="breakouts",
        episodes=table["episode"].nunique(),
        start=table.index[0],
        end=table.index[-1],
        shown=_by_state(table),
    )


def _by_state(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with one row for each state of the flag.

    The column ``share`` is the % of breakouts that keep their gain. The column ``count`` is the
    number of breakouts.
    """
    sums = table.groupby(table["on"].map({1.0: "on", 0.0: "off"}))[["kept", "count"]].sum()
    return pd.DataFrame({"share": 100 * sums["kept"] / sums["count"], "count": sums["count"]})
