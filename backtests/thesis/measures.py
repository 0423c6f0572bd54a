"""The values that each claim is about, and the claim's flag for each value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from backtests.evidence.entries import QUARTER
from backtests.evidence.metrics import YEAR
from backtests.evidence.own_mix import mix_of
from backtests.thesis.claim import Claim
from backtests.thesis.cross_section import long_less_short
from backtests.thesis.sample import Sample
from backtests.thesis.weeks import WEEKS_A_YEAR, at_week_starts, week_ends, weekly
from signals.errors import ConfigError, unknown

#: Factor from a daily fraction to percentage points a year.
YEARLY = 100.0 * YEAR


@dataclass(frozen=True, kw_only=True, eq=False)
class Measure:
    """The values that a claim is about, and the claim's flag for each value.

    Attributes
    ----------
    values
        One value for each session or week; a missing value is NaN.
    on
        The claim's flag for each value: 1.0 (on), 0.0 (off) or NaN. The flag was known before the
        value's session or week began. For a claim about a strategy, ``on`` is 1.0 if the strategy
        was in an active state, see :meth:`backtests.thesis.sample.Sample.acting`.
    scale
        The factor that converts the mean of the values into the claim's unit.
    counted
        ``sessions`` or ``weeks``.
    held, excess
        ``held`` is a strategy's weight of SPY at the close before each session. ``excess`` is SPY's
        return over bills. Only the claim about ``cash-heavy@quantities`` has ``held`` and
        ``excess``, because this strategy computes its weight of SPY from quantities alone. For all
        other claims, ``held`` and ``excess`` are None.
    """

    values: pd.Series
    on: pd.Series
    scale: float
    counted: str
    held: pd.Series | None = None
    excess: pd.Series | None = None

    @property
    def quarter(self) -> int:
        """Number of values in a quarter of a year."""
        return WEEKS_A_YEAR // 4 if self.counted == "weeks" else QUARTER


def measure(claim: Claim, sample: Sample) -> Measure:
    """Return the values that a claim is about; raise NotTestable if data are missing.

    The values are looked up by the name of the claim. An unknown name raises ConfigError. A claim
    about a strategy must have no condition. Any other claim must have a condition. A wrong
    condition raises ConfigError.
    """
    if claim.name not in MEASURES:
        raise ConfigError(f"{unknown('claim', claim.name, MEASURES)}; keep the claim's name")
    if claim.name in OF_STRATEGIES and claim.condition is not None:
        raise ConfigError(
            f"{claim.name}: expected `condition` to be None, was {claim.condition}; the claim is "
            "about all sessions of a strategy, so set `condition` to None, and use the estimator "
            "mean"
        )
    if claim.name not in OF_STRATEGIES and claim.condition is None:
        raise ConfigError(
            f"{claim.name}: expected `condition` to name a signal, was None; name a signal, "
            "such as absorption"
        )
    return MEASURES[claim.name](claim, sample)


def _daily(claim: Claim, sample: Sample, returns: pd.Series) -> Measure:
    assert claim.condition is not None
    on = sample.condition(claim.condition)
    return Measure(values=returns, on=on, scale=YEARLY, counted="sessions")


def _weekly(claim: Claim, sample: Sample, values: pd.Series, scale: float) -> Measure:
    """Return weekly values; the condition of a week is the condition at its first session.

    If the condition is NaN at the first session, the condition is NaN for the week.
    """
    assert claim.condition is not None
    on = at_week_starts(sample.condition(claim.condition), values.index)
    return Measure(values=values, on=on, scale=scale, counted="weeks")


def _crypto_less_spy(claim: Claim, sample: Sample) -> Measure:
    return _daily(claim, sample, sample.asset_class("crypto") - sample.asset("SPY"))


def _memory_less_crypto(claim: Claim, sample: Sample) -> Measure:
    return _daily(claim, sample, sample.asset_class("memory") - sample.asset_class("crypto"))


def _metals_less_bills(claim: Claim, sample: Sample) -> Measure:
    return _daily(claim, sample, sample.asset_class("metals") - sample.bills)


def _long_less_short_shares(claim: Claim, sample: Sample) -> Measure:
    return _daily(claim, sample, long_less_short(sample))


def _cost_of_capital(claim: Claim, sample: Sample) -> Measure:
    """Return weekly changes, in percentage points, of the real yield plus the credit spread."""
    cost = sample.series("DFII10") + sample.series("BAA10Y")
    at_ends = cost.reindex(week_ends(pd.DatetimeIndex(cost.index)))
    return _weekly(claim, sample, at_ends.diff(), float(WEEKS_A_YEAR))


def _comovement(claim: Claim, sample: Sample) -> Measure:
    """Return, for each week, the standardised return of SPY times the standardised return of TLT.

    The mean of the product over all weeks is the correlation of the two weekly returns.
    """
    both = pd.DataFrame({t: weekly(sample.asset(t)) for t in ("SPY", "TLT")}).dropna()
    standard = (both - both.mean()) / both.std(ddof=0)
    return _weekly(claim, sample, standard["SPY"] * standard["TLT"], 1.0)


def _near_cash_flow(claim: Claim, sample: Sample) -> Measure:
    return _strategy_less_mix(sample, "near-cash-flow@quantities")


def _cash_heavy(claim: Claim, sample: Sample) -> Measure:
    measured = _strategy_less_mix(sample, "cash-heavy@quantities")
    weight = sample.run("cash-heavy@quantities").result.weights["SPY"]
    sessions = measured.values.index
    return replace(
        measured,
        held=weight.shift(1).reindex(sessions),
        excess=(sample.asset("SPY") - sample.bills).reindex(sessions),
    )


def _strategy_less_mix(sample: Sample, strategy: str) -> Measure:
    """Return a strategy's daily returns minus the returns of a constant mix of SPY and bills.

    The weight of SPY in the mix is the strategy's mean net exposure, limited to the range from 0 to
    1, see :func:`backtests.evidence.own_mix.mix_of`.
    """
    run = sample.run(strategy)
    held = run.result.returns.iloc[run.config.lag :]
    return Measure(
        values=held - mix_of(run).returns.reindex(held.index),
        on=sample.acting(strategy).reindex(held.index),
        scale=YEARLY,
        counted="sessions",
    )


MEASURES: Mapping[str, Callable[[Claim, Sample], Measure]] = {
    "crypto-below-spy": _crypto_less_spy,
    "crypto-weaker-than-usual": _crypto_less_spy,
    "crypto-weaker-while-reserves-scarce": _crypto_less_spy,
    "long-shares-fall-behind": _long_less_short_shares,
    "memory-over-crypto": _memory_less_crypto,
    "metals-are-no-shelter": _metals_less_bills,
    "cost-rises-while-absorbed": _cost_of_capital,
    "correlation-higher-while-absorbed": _comovement,
    "cash-heavy-beats-its-mix": _cash_heavy,
    "near-cash-flow-beats-its-mix": _near_cash_flow,
}
#: The claims that compare a strategy with a constant mix, on all sessions of the strategy.
OF_STRATEGIES = ("cash-heavy-beats-its-mix", "near-cash-flow-beats-its-mix")
