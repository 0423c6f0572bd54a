"""The assessment of a run: every number and series in the run's report."""

from dataclasses import dataclass

import pandas as pd

from backtests.evidence import metrics
from backtests.evidence.attribution import Attribution, attribution
from backtests.evidence.conclusion import Conclusion, conclude
from backtests.evidence.entries import (
    Observed,
    acted_on,
    is_inconclusive,
    of_absorption,
    of_own_states,
)
from backtests.evidence.held import held_by_class, traded_by_session
from backtests.evidence.k_choice import by_k
from backtests.evidence.lead_lag import LeadLag, lead_lag
from backtests.evidence.luck import NO_LOG, Logged, Luck, luck
from backtests.evidence.metrics import Drawdown
from backtests.evidence.own_mix import excess_of_mix
from backtests.evidence.revision import by_revision
from backtests.evidence.robustness import by_choice
from backtests.evidence.timing_split import TimingSplit, timing_split
from backtests.plural import number_of
from backtests.progress import Progress, silent
from backtests.runs import Run, check_run
from signals.explanation import Explanation, explain_all
from signals.summary import Summarised, Summary


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Robustness(Summarised):
    """The metrics of a run under other assumptions, in several tables.

    The tables come from :func:`backtests.evidence.k_choice.by_k`,
    :func:`backtests.evidence.revision.by_revision` and
    :func:`backtests.evidence.robustness.by_choice`.
    """

    by_k: pd.DataFrame
    by_revision: pd.DataFrame
    by_choice: pd.DataFrame

    def _summary(self) -> Summary:
        facts = {
            table: number_of(len(getattr(self, table)), "row")
            for table in ("by_k", "by_revision", "by_choice")
        }
        return Summary(title="Robustness, three tables", facts=facts)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Assessment(Summarised):
    """A finished run with every number and series that its report shows.

    Attributes
    ----------
    strategy, benchmark, bills
        Mappings from the name of each metric to its value.
        :func:`backtests.evidence.metrics.of_run` and :func:`backtests.evidence.metrics.of_returns`
        compute these values.
    below_a_year
        True if the returns cover less than a year, which is too short for yearly metrics.
    regimes, years
        Tables from :func:`backtests.evidence.metrics.by_regime` and
        :func:`backtests.evidence.metrics.by_year`. The table ``years`` has the columns
        ``strategy``, ``benchmark`` and ``bills``.
    drawdowns
        The deepest drawdowns, sorted by depth.
    absorption
        The number of episodes of the regime ABSORPTION, and the number of times that ABSORPTION
        began.
    own_states
        The number of episodes of the strategy's active states, and the number of times that these
        states began. All active states count as one state. None if the strategy has no states.
    inconclusive
        True if the run has too few episodes for a conclusion about its timing.
    explanations
        The explanation of each signal at the last session.
    growth
        The value of an investment at each close, in USD. The investment is 1 USD at the close of
        the first session. The columns are ``strategy``, ``benchmark`` and ``bills``.
    held, traded
        Tables from :func:`backtests.evidence.held.held_by_class` and
        :func:`backtests.evidence.held.traded_by_session`.
    earned_under
        The regime under which each session's return was earned, for all sessions of the history.
    conclusion
        The main tests of the run.
    luck
        Tests whether luck can explain the Sharpe ratio. If ``robustness`` is None, the comparison
        with a constant mix of SPY and bills is left out.
    timing
        The mean return, split into the return of bills, tilt, timing and costs.
    lead_lag
        The information ratio for each lag between decision and fill. None if ``robustness`` is
        None, if the strategy has no timing, or if the run is too short.
    robustness
        The run's metrics under other assumptions; None if they were not computed.
    """

    run: Run
    strategy: dict[str, object]
    benchmark: dict[str, object]
    bills: dict[str, object]
    below_a_year: bool
    regimes: pd.DataFrame
    years: pd.DataFrame
    drawdowns: tuple[Drawdown, ...]
    attribution: Attribution
    absorption: Observed
    own_states: Observed | None
    inconclusive: bool
    explanations: tuple[Explanation, ...]
    growth: pd.DataFrame
    held: pd.DataFrame
    traded: pd.Series
    earned_under: pd.Series
    conclusion: Conclusion
    luck: Luck
    timing: TimingSplit
    lead_lag: LeadLag | None
    robustness: Robustness | None

    def _summary(self) -> Summary:
        from backtests.report.notebook import summary_of_assessment

        return summary_of_assessment(self)


def growth_of_run(run: Run) -> pd.DataFrame:
    """Return, for each close, the value of 1 USD that was invested at the first session's close."""
    ones = pd.DataFrame(1.0, index=[run.sessions[0]], columns=run.returns.columns)
    return pd.concat([ones, (1 + run.returns).cumprod()])


def assess(
    run: Run,
    *,
    robustness: bool = True,
    log: Logged = NO_LOG,
    progress: Progress = silent,
) -> Assessment:
    """Return the assessment of a finished run.

    Parameters
    ----------
    robustness
        If False, every metric that needs another simulation is left out.
    log
        The trials in the log of earlier parameter sweeps, for example from
        :func:`backtests.sweep.trial_log.other_trials`. Logged trials raise the hurdle of the Sharpe
        ratio.
    progress
        A function that receives the name of each step and the number of completed parts.

    Raises
    ------
    ConfigError
        Raised if ``run`` is not a run, or if the user redefined a signal after the run.
    SimulationError
        Raised if the portfolio's value falls to 0 USD or below in one of the simulations.
    """
    check_run(run, "the run")
    progress("metrics")
    returns, bills, benchmark = run.result.returns, run.bills, run.benchmark
    regime, lag, history = run.reading.regime, run.config.lag, run.history
    start = pd.Timestamp(run.sessions[0])
    explained = explain_all(run.reading.evaluations, history.panel, history.known)
    tested = luck(
        run.excess,
        mix=excess_of_mix(run) if robustness else None,
        log=log,
    )
    by_lag, few = lead_lag(run) if robustness else None, is_inconclusive(run)
    return Assessment(
        run=run,
        strategy=metrics.of_run(run),
        benchmark=metrics.of_returns(benchmark, bills, benchmark, start),
        bills=metrics.of_returns(bills, bills, benchmark, start),
        below_a_year=metrics.is_short(returns),
        regimes=metrics.by_regime(returns, bills, regime, benchmark, lag),
        years=metrics.by_year(run.returns),
        drawdowns=tuple(metrics.worst_drawdowns(returns, start=start)),
        attribution=_attributed(run),
        absorption=of_absorption(run),
        own_states=of_own_states(run),
        inconclusive=few,
        explanations=tuple(explained.values()),
        growth=growth_of_run(run),
        held=held_by_class(run.result, run.config.universe.classes),
        traded=traded_by_session(run.result),
        earned_under=acted_on(regime, lag),
        conclusion=conclude(run.returns, tested, by_lag, few=few),
        luck=tested,
        timing=timing_split(run),
        lead_lag=by_lag,
        robustness=_robustness(run, progress) if robustness else None,
    )


def _attributed(run: Run) -> Attribution:
    """Return the attribution. If the run is shorter than a year, yearly metrics are NaN."""
    config, result = run.config, run.result
    parts = attribution(
        result,
        run.history.closes,
        config.costs,
        run.reading.regime,
        lag=config.lag,
        classes=config.universe.classes,
    )
    if not metrics.is_short(result.returns):
        return parts
    yearly = ["volatility", "turnover", "cost"]
    for table in (parts.by_regime, parts.by_sleeve, parts.by_year):
        table[yearly] = float("nan")
    parts.total[yearly] = float("nan")
    return parts


def _robustness(run: Run, progress: Progress) -> Robustness:
    return Robustness(
        by_k=by_k(run, progress),
        by_revision=by_revision(run, progress),
        by_choice=by_choice(run, progress),
    )
