"""What a finished run shows: every number and series of its report, computed before it is written.

A run says what happened; its assessment says what that amounts to, where it came from, and how
much of it hangs on single choices.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

from backtests.evidence import metrics
from backtests.evidence.attribution import Attribution, attribution
from backtests.evidence.entries import (
    Observed,
    acted_on,
    is_inconclusive,
    of_absorption,
    of_own_states,
)
from backtests.evidence.k_choice import by_k
from backtests.evidence.metrics import Drawdown
from backtests.evidence.revision import by_revision
from backtests.evidence.robustness import robustness as by_choice
from backtests.evidence.workers import workers_of
from backtests.runs import Run
from signals.explain import Explanation, explain_all


@dataclass(frozen=True, kw_only=True)
class Robustness:
    """What comes of a run when something else is assumed.

    Attributes
    ----------
    by_k
        A row a value of k, see :func:`backtests.evidence.k_choice.by_k`.
    by_revision
        A row a case of a revised series, see :func:`backtests.evidence.revision.by_revision`.
    by_choice
        A row a choice and case, see :func:`backtests.evidence.robustness.robustness`.
    """

    by_k: pd.DataFrame
    by_revision: pd.DataFrame
    by_choice: pd.DataFrame


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """A finished run with every number and series that its report shows.

    Attributes
    ----------
    run
        The run.
    strategy, benchmark, bills
        Metrics by name, see :func:`backtests.evidence.metrics.of_run` and
        :func:`backtests.evidence.metrics.of_returns`.
    below_a_year
        Whether the returns cover less than a year, so that figures a year are NaN.
    regimes
        A row a regime, see :func:`backtests.evidence.metrics.by_regime`.
    years
        Calendar years × strategy, benchmark and bills: each year's own return, a fraction.
    drawdowns
        The deepest ones, deepest first.
    attribution
        Where return, volatility, drawdown, turnover and cost came from.
    absorption, own_states
        How often ABSORPTION came up, and the states in which the strategy acts; None where it has
        none.
    inconclusive
        Whether that is too rarely to conclude anything about timing.
    explanations
        What each signal said at the last session.
    growth
        Sessions × strategy, benchmark and bills: growth of 1 from the close of the first decision.
    earned_under
        The regime that the return into each session of the history was earned under.
    robustness
        The run with something else assumed; None where that was left out.
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
    earned_under: pd.Series
    robustness: Robustness | None


def assess(
    run: Run,
    *,
    robustness: bool = True,
    workers: int = 0,
    progress: Callable[[str], None] = lambda name: None,
) -> Assessment:
    """Assess a finished run.

    Parameters
    ----------
    run
        A finished run.
    robustness
        False leaves out what has to be simulated again.
    workers
        Processes that simulate again; 0 or 1 is this process. Every number is the same. Each
        process first imports and compiles what this one already holds, which takes longer than
        all cases of 20 years; so more than one pays off only where a single case takes seconds.
    progress
        Called with the name of each step.

    Raises
    ------
    SimulationError
        When the run is ruined at the costs, lag or other choice of a case.
    """
    progress("metrics")
    returns, bills, benchmark = run.result.returns, run.bills, run.benchmark
    regime, lag = run.reading.regime, run.config.lag
    sides = pd.DataFrame({"strategy": returns, "benchmark": benchmark, "bills": bills})
    return Assessment(
        run=run,
        strategy=metrics.of_run(run),
        benchmark=metrics.of_returns(benchmark, bills, benchmark),
        bills=metrics.of_returns(bills, bills, benchmark),
        below_a_year=metrics.is_short(returns),
        regimes=metrics.by_regime(returns, bills, regime, benchmark, lag),
        years=metrics.by_year(sides),
        drawdowns=tuple(metrics.worst_drawdowns(returns)),
        attribution=_attributed(run),
        absorption=of_absorption(run),
        own_states=of_own_states(run),
        inconclusive=is_inconclusive(run),
        explanations=_explanations(run),
        growth=_growth(sides, run.result.equity.index[0]),
        earned_under=acted_on(regime, lag),
        robustness=_robustness(run, workers, progress) if robustness else None,
    )


def _attributed(run: Run) -> Attribution:
    """Return where the figures came from; those a year are NaN below a year."""
    config, result = run.config, run.result
    parts = attribution(
        result, run.history.closes, config.costs, run.reading.regime, lag=config.lag
    )
    if not metrics.is_short(result.returns):
        return parts
    unknown = dict.fromkeys(("volatility", "turnover", "cost"), float("nan"))
    return Attribution(
        by_regime=parts.by_regime.assign(**unknown),
        by_sleeve=parts.by_sleeve.assign(**unknown),
        by_year=parts.by_year.assign(**unknown),
        total=parts.total.to_frame().T.assign(**unknown).iloc[0],
    )


def _explanations(run: Run) -> tuple[Explanation, ...]:
    said = explain_all(run.reading.evaluations, run.history.panel, run.history.known)
    return tuple(said.values())


def _growth(returns: pd.DataFrame, start: pd.Timestamp) -> pd.DataFrame:
    """Return growth of 1 from a session on, the one before the first return."""
    first = pd.DataFrame(1.0, index=[start], columns=returns.columns)
    return pd.concat([first, (1 + returns).cumprod()])


def _robustness(run: Run, workers: int, progress: Callable[[str], None]) -> Robustness:
    progress("robustness")
    bare = replace(run, result=replace(run.result, account=None))  # light enough to send
    with workers_of(workers) as pool:
        parts = pool.submit(by_k, bare), pool.submit(by_revision, bare)
        choices = by_choice(bare, pool)
        k, revision = (part.result() for part in parts)
    return Robustness(by_k=k, by_revision=revision, by_choice=choices)
