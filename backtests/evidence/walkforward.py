"""A walk-forward: each year uses the parameters that scored best in earlier years.

Every combination of parameters in a grid is run as a backtest. The refit date is the first session
of a calendar year. On the refit date, the combination with the best past score is chosen for the
year. The choice for a year uses only returns of earlier years. The spliced backtest is one
simulation that trades the decisions of all years. So a change of parameters has trading costs.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from backtests.calendar import all_sessions
from backtests.config import SETTINGS, RunConfig
from backtests.engine.simulate import Result
from backtests.evidence.metrics import cagr, max_drawdown, sharpe
from backtests.evidence.variation import check_kernel
from backtests.history.panel import History
from backtests.parameter_paths import Values, config_with, listed, split
from backtests.pipeline import (
    check_config,
    history_of,
    read,
    run_on,
    strategy_and_weights,
    trade,
    trade_curves,
)
from backtests.runs import Run
from backtests.simulated import label_of
from backtests.window import SHORTEST, window
from signals.errors import ConfigError, shown
from signals.params import check_whole
from signals.reading import Reading
from signals.summary import Summarised, Summary
from strategies import decide

#: A function that computes a score from simple daily returns. The second argument of the function
#: contains the returns of bills on the same sessions. A higher score is better.
Chooser = Callable[[pd.Series, pd.Series], float]
Rows = TypeVar("Rows", pd.Series, pd.DataFrame)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WalkForward(Summarised):
    """The result of a walk-forward, with scores for comparison.

    In each year, the spliced backtest uses the parameters chosen for this year. The plain backtest
    uses the configuration without the grid. By default, a score is a yearly Sharpe ratio over
    bills. The parameter ``chooser`` of :func:`walk_forward` can replace the Sharpe ratio by another
    score. ``in_sample``, ``out_of_sample``, ``plain`` and the metrics in ``candidates`` all use the
    returns after the first refit date.

    Attributes
    ----------
    choices
        One row per year. The first columns are the parameters chosen at the year's first session.
        ``in_sample`` is the past score that decided the choice of the parameters. ``out_of_sample``
        is the score of the spliced backtest in the year of the row.
    candidates
        One row for each combination, in the order of the grid. The columns are the parameters,
        ``sharpe`` (a yearly ratio), ``cagr`` and ``max_drawdown`` (both fractions). ``sharpe``,
        ``cagr`` and ``max_drawdown`` do not depend on ``chooser``. A candidate is already invested
        at the first refit date, because it runs from the start of the sample. The spliced and the
        plain backtest begin in cash and pay for their first purchases.
    in_sample
        The highest score among candidates. The in-sample score is too high, because the same
        returns decide the choice and the score.
    out_of_sample, plain
        The scores of the spliced backtest and of the plain backtest.
    run
        The spliced backtest from the first refit date on. In each year, the decisions and the
        ``state`` of the run are those of the candidate chosen for the year. The configuration, the
        strategy and the reading are those of the plain backtest, but the spliced backtest has a
        separate id.
    """

    choices: pd.DataFrame
    candidates: pd.DataFrame
    in_sample: float
    out_of_sample: float
    plain: float
    run: Run

    @property
    def result(self) -> Result:
        """The simulation of the spliced backtest."""
        return self.run.result

    def _summary(self) -> Summary:
        names = list(self.choices.columns[:-2])
        label = label_of(self.run.simulated)
        last = ", ".join(f"{name} {self.choices[name].iloc[-1]}" for name in names)
        return Summary(
            title=f"{label}walk-forward of {self.run.label}: {len(self.choices)} years, "
            f"{len(self.candidates)} candidates; yearly scores after the first choice",
            facts={
                "best in hindsight": f"{self.in_sample:.2f}",
                "chosen each year": f"{self.out_of_sample:.2f}",
                "plain configuration": f"{self.plain:.2f}",
                "last choice": last,
            },
        )


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    """One combination of the grid, with the results of its backtest.

    ``refits`` contains the candidate's weights at each refit date.
    """

    params: dict[str, Any]
    returns: pd.Series
    bills: pd.Series
    decided: pd.DataFrame
    refits: pd.DataFrame
    state: pd.Series | None


@dataclass(frozen=True, kw_only=True)
class _Choice:
    """The candidate that is used in the year of a refit date, and the candidate's past score."""

    refit: pd.Timestamp
    candidate: _Candidate
    score: float


def walk_forward(
    config: RunConfig,
    grid: Mapping[str, Values],
    history: History | None = None,
    *,
    first_years: int = 5,
    purge: int = 21,
    chooser: Chooser = sharpe,
) -> WalkForward:
    """Return a walk-forward: each year uses the parameters that scored best on earlier data.

    Parameters
    ----------
    config
        The configuration to run. Values of the grid replace parameters of this configuration.
    grid
        A mapping from the path of a parameter to the values to try, such as ``{"dry_powder.k":
        [0.09, 0.11]}``. Arrays and Series count as lists. :mod:`backtests.parameter_paths` lists
        the paths. ``lag``, ``band`` and costs are refused, because one simulation trades all years.
        Every combination of values is a candidate.
    history
        The history; by default the history that the configuration chooses.
    first_years
        Number of whole calendar years before the first choice.
    purge
        The choice at a refit date ignores the returns of the last ``purge`` sessions before this
        date. With monthly decisions, a position on the refit date can be up to about 21 sessions
        old. A purge of 21 sessions leaves out the earlier returns of this position.
    chooser
        A function that computes a score from the daily returns of a strategy and of bills. The
        highest score wins. Among equal scores, the first candidate wins. A NaN score wins only if
        all scores are NaN.

    Notes
    -----
    The backtest begins in cash on the first refit date. The choice at a refit date uses the returns
    before this date, without the last ``purge`` sessions. A newly chosen candidate decides at the
    close of the refit date. The new candidate's decision is filled ``lag`` sessions later. The old
    candidate's decisions from before the refit date stay in force until the new decision is filled.
    Before the first fill of the run, the portfolio is in cash.

    Raises
    ------
    ConfigError, DataError, SimulationError
        Raised if the grid is empty, or if a name or a value is refused. Raised if the history is
        too short, or if a candidate cannot be run.

    References
    ----------
    Pardo (1992), "Design, Testing, and Optimization of Trading Systems", on walk-forward analysis.
    López de Prado (2018), "Advances in Financial Machine Learning", chapter 7, on purging.
    """
    check_whole("first_years", first_years, 1)
    check_whole("purge", purge, 0)
    offered = combinations(config, grid)
    ids = dict.fromkeys(id for each in (config, *(c for _, c in offered)) for id in each.series())
    history = history_of(config, history, tuple(ids))
    reading = read(config, history)
    index = window(config, history, reading)
    refits = refit_dates(index, first_years, purge)
    readings = {_reading_key(config): reading}
    plain = run_on(config, history, reading, index[index >= refits[0]])
    check_kernel(plain)
    tried = list(_try(offered, history, readings, index, refits))
    chosen = list(_choose(tried, refits, purge, chooser))
    assets = dict.fromkeys(ticker for each in tried for ticker in each.decided.columns)
    run = _spliced(plain, chosen, list(assets))
    judged = [_after(each, refits[0]) for each in tried]
    return WalkForward(
        choices=_choices(chosen, run, chooser),
        candidates=_candidates(judged),
        in_sample=_best([chooser(each.returns, each.bills) for each in judged])[1],
        out_of_sample=chooser(run.result.returns, run.bills),
        plain=chooser(plain.result.returns, plain.bills),
        run=run,
    )


def combinations(
    config: RunConfig, grid: Mapping[str, Values]
) -> list[tuple[dict[str, Any], RunConfig]]:
    """Return every combination of a grid's values, with its configuration.

    The values of the last key of the grid vary fastest. An empty grid, an unknown name, an invalid
    value, ``lag``, ``band`` or a cost raises ConfigError.
    """
    check_config(config)
    if not isinstance(grid, Mapping) or not grid:
        was = "the grid is empty" if isinstance(grid, Mapping) else f"the grid was {shown(grid)}"
        raise ConfigError(
            f"expected a grid with at least one parameter, but {was}; give values to "
            "try, such as {'volatility': [0.1, 0.2]}"
        )
    lists = {name: listed(values) for name, values in grid.items()}
    for name, values in lists.items():
        if isinstance(values, str) or not isinstance(values, Sequence) or not len(values):
            raise ConfigError(
                f"expected a list of values to try for {name}, was {shown(values)}; give at least "
                "one value in a list"
            )
        if name in SETTINGS or split(name)[0] == "costs":
            raise ConfigError(
                f"expected a parameter that can change from year to year, was {name!r}; lag, "
                f"band and costs are the same in all years; set {name} in the configuration"
            )
    named = [dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values())]
    return [(params, config_with(config, params)) for params in named]


def _reading_key(config: RunConfig) -> str:
    """Return a text that identifies the signals and the regime model of a configuration."""
    return repr((config.build_signals(), config.build_model()))


def refit_dates(index: pd.DatetimeIndex, first_years: int, purge: int) -> pd.DatetimeIndex:
    """Return the first session of each calendar year after ``first_years`` whole years.

    If there are too few sessions before or after the first refit date, ConfigError is raised.
    """
    calendar = all_sessions()
    starts_year = index[0] == calendar[calendar.year == index[0].year][0]
    first = index[0].year + first_years + (not starts_year)
    opens = np.append(False, index.year[1:] != index.year[:-1])
    refits = index[opens & (index.year >= first)]
    at = int(index.searchsorted(refits[0])) if len(refits) else len(index)
    if len(index) - at < SHORTEST:
        raise ConfigError(
            f"expected {first_years} whole calendar years before the first choice and a month "
            f"after the choice, but the sessions are from {index[0].date()} to "
            f"{index[-1].date()}; lower `first_years` or use a longer history"
        )
    if at - 1 - purge < SHORTEST:
        raise ConfigError(
            f"expected `purge` to leave at least {SHORTEST} of the {at - 1} returns before the "
            f"first refit date {refits[0].date()}, `purge` was {purge}; lower `purge`"
        )
    return refits


def _try(
    offered: list[tuple[dict[str, Any], RunConfig]],
    history: History,
    readings: dict[str, Reading],
    index: pd.DatetimeIndex,
    refits: pd.DatetimeIndex,
) -> Iterator[_Candidate]:
    """Yield each simulated candidate.

    Candidates with equal signals and equal regime models share a reading.
    """
    for params, config in offered:
        key = _reading_key(config)
        if key not in readings:
            readings[key] = read(config, history)
        strategy, state, decided = strategy_and_weights(config, history, readings[key], index)
        curves = trade_curves(config, strategy, history, decided, index)
        yield _Candidate(
            params=params,
            returns=curves.returns,
            bills=curves.bills.loc[curves.returns.index],
            decided=decided,
            refits=decide(strategy, readings[key], history.panel).loc[refits],
            state=state,
        )


def _choose(
    tried: list[_Candidate], refits: pd.DatetimeIndex, purge: int, chooser: Chooser
) -> Iterator[_Choice]:
    for refit in refits:
        seen = seen_at(pd.DatetimeIndex(tried[0].returns.index), refit, purge)
        at, score = _best([chooser(each.returns[seen], each.bills[seen]) for each in tried])
        yield _Choice(refit=refit, candidate=tried[at], score=score)


def seen_at(index: pd.DatetimeIndex, refit: pd.Timestamp, purge: int) -> pd.DatetimeIndex:
    """Return the sessions before a refit date, without the last ``purge`` sessions.

    Only returns of these sessions decide the choice of parameters at the refit date.
    """
    before = index[index < refit]
    return before[: len(before) - purge]


def _best(scores: list[float]) -> tuple[int, float]:
    """Return the position and the value of the highest score. The first of equal scores wins."""
    at = int(np.argmax(np.nan_to_num(scores, nan=-np.inf, posinf=np.inf, neginf=-np.inf)))
    return at, float(scores[at])


def _spliced(plain: Run, chosen: list[_Choice], assets: list[str]) -> Run:
    """Return the plain run, simulated again with the decisions of the chosen candidates."""
    changed = [True, *(a.candidate is not b.candidate for a, b in pairwise(chosen))]
    parts = [_decisions(each, anew) for each, anew in zip(chosen, changed, strict=True)]
    decided = pd.concat([part.reindex(columns=assets, fill_value=0.0) for part in parts])
    result = trade(plain.config, plain.strategy, plain.history, decided, plain.sessions)
    states = [_within(c, c.candidate.state) for c in chosen if c.candidate.state is not None]
    spliced = replace(
        plain,
        state=pd.concat(states) if states else None,
        decided=decided,
        spliced=True,
        result=result.with_benchmark(plain.benchmark),
    )
    _ = spliced.run_id  # hash the data now, because the user can change them later
    return spliced


def _decisions(choice: _Choice, anew: bool) -> pd.DataFrame:
    """Return the decisions of the candidate that was chosen for a year.

    ``anew`` is True if the candidate was not used in the year before. A new candidate also makes a
    decision at the close of the refit date.
    """
    rows = _within(choice, choice.candidate.decided)
    if not anew or choice.refit in rows.index:
        return rows
    return pd.concat([choice.candidate.refits.loc[[choice.refit]], rows])


def _within(choice: _Choice, rows: Rows) -> Rows:
    return rows.loc[pd.DatetimeIndex(rows.index).year == choice.refit.year]


def _choices(chosen: list[_Choice], run: Run, chooser: Chooser) -> pd.DataFrame:
    rows = []
    for choice in chosen:
        later = chooser(_within(choice, run.result.returns), _within(choice, run.bills))
        scores = {"in_sample": choice.score, "out_of_sample": later}
        rows.append(choice.candidate.params | scores)
    years = pd.Index([choice.refit.year for choice in chosen], name="year")
    return pd.DataFrame(rows, index=years)


def _after(candidate: _Candidate, refit: pd.Timestamp) -> _Candidate:
    """Return a candidate that contains only the returns after the refit date."""
    later = candidate.returns.index > refit
    return replace(candidate, returns=candidate.returns[later], bills=candidate.bills[later])


def _candidates(tried: list[_Candidate]) -> pd.DataFrame:
    rows = [
        {
            **each.params,
            "sharpe": sharpe(each.returns, each.bills),
            "cagr": cagr(each.returns),
            "max_drawdown": max_drawdown(each.returns).depth,
        }
        for each in tried
    ]
    return pd.DataFrame(rows).rename_axis("candidate")
