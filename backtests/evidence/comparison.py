"""The comparison of strategies: for each strategy its tests, and the portfolios to beat.

:mod:`backtests.evidence.comparing` computes the comparison.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from backtests.atomic import expanded
from backtests.evidence.alpha import Alpha
from backtests.evidence.bootstrap import Interval
from backtests.evidence.entries import Observed, timing_conclusion
from backtests.evidence.lead_lag import LeadLag
from backtests.evidence.metrics import is_short
from backtests.evidence.own_mix import Rival
from backtests.evidence.pair import Pair
from backtests.evidence.placebo import Placebo
from backtests.evidence.placebo_rank import PlaceboRank
from backtests.evidence.table_luck import TableLuck
from backtests.evidence.timing_split import TimingSplit
from backtests.runs import Run
from signals.regimes import REGIMES
from signals.summary import Summarised, Summary
from strategies import STRATEGIES, kind_of

UNPLACED = PlaceboRank(placebo=None, method="not_drawn")


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One strategy in a comparison, with its tests and the portfolios that it should beat.

    Attributes
    ----------
    mix
        A constant mix of SPY and bills with the strategy's mean net exposure. The mean net exposure
        is known only at the end of the backtest.
    equal_weight
        Equal weights of the strategy's assets; None if the strategy has fewer than two assets.
    intervals
        Intervals of the strategy's Sharpe ratio, and of its advantage over ``spy``, ``bills``,
        ``mix`` and ``equal_weight``. :func:`backtests.evidence.bootstrap.compare_returns` describes
        the intervals.
    alpha, baskets, observed
        The results of :func:`own_alpha`, :func:`random_baskets` and :func:`of_own_states` for the
        strategy.
    lead_lag, timing
        The results of :func:`lead_lag` and :func:`timing_split` for the strategy.
    placebo_rank
        The rank of the strategy's timing among placebos.
    """

    run: Run
    mix: Rival
    equal_weight: Rival | None
    intervals: dict[str, Interval]
    alpha: Alpha | None
    baskets: Placebo | None
    observed: Observed | None
    lead_lag: LeadLag | None
    timing: TimingSplit
    placebo_rank: PlaceboRank = UNPLACED

    @property
    def below_a_year(self) -> bool:
        """Whether the run has less than a year of returns, too few for yearly metrics."""
        return is_short(self.run.result.returns)

    @property
    def kind(self) -> str:
        """The kind of the strategy: ``thesis``, ``baseline``, ``challenger`` or ``own``.

        A challenger follows a published rule that does not use the thesis. A strategy is also a
        challenger if its regime model reads only prices. An ``own`` strategy comes from the user.
        """
        if self.run.config.strategy not in STRATEGIES:
            return "own"
        price_only = REGIMES[self.run.config.regime_model].price_only
        return "challenger" if price_only else kind_of(self.run.strategy)

    @property
    def conclusion(self) -> str:
        """The conclusion about the strategy's timing, in words."""
        placebo = self.placebo_rank.placebo
        if self.placebo_rank.method == "no_timing":
            return "no timing"
        p_value, count = (None, 0) if placebo is None else (placebo.p_value, placebo.n)
        return timing_conclusion(self.observed, p_value, count)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Comparison(Summarised):
    """The comparison of strategies on the same sessions.

    Attributes
    ----------
    rows
        A mapping from label to strategy, in the requested order.
    regime
        The regime at each close, from the default regime model and the signals of the first row.
    level, reps, notes
        ``level`` is the confidence level of the intervals, a fraction. ``reps`` is the number of
        resamples. ``notes`` has a note for each regime model that was left out, with the reason. If
        the rows had different windows, a note states the common window. If a row has sessions
        without a regime, a note counts these sessions.
    luck
        Tests whether luck can explain the Sharpe ratios of the rows.
    pair
        The direct comparison of two rows. None if the number of rows is not two.
    """

    rows: dict[str, Compared]
    regime: pd.Series
    level: float
    reps: int
    notes: tuple[str, ...]
    luck: TableLuck
    pair: Pair | None

    @property
    def metrics(self) -> pd.DataFrame:
        """The metrics of each run, as in :attr:`Run.metrics`: metrics × labels."""
        return pd.DataFrame({label: row.run.metrics for label, row in self.rows.items()})

    def save(self, page: Path | str) -> None:
        """Write the page of ``drypowder compare``; an existing page is replaced.

        ``page`` is a file that ends in .html, or a folder for the file ``compare.html``. Another
        kind of file, such as ``compare.pdf``, raises ConfigError.
        """
        from backtests.report.notebook import save_comparison

        save_comparison(self, expanded(page))

    def _summary(self) -> Summary:
        from backtests.report.notebook import summary_of_comparison

        return summary_of_comparison(self)


def growth_of_rows(comparison: Comparison) -> pd.DataFrame:
    """Return the value of 1 USD invested at the first session's close: sessions × strategies."""
    equity = pd.DataFrame({label: row.run.result.equity for label, row in comparison.rows.items()})
    return equity / equity.iloc[0]
