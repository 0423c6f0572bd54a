"""Check whether a strategy or a signal meets each rule of its base class."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests import pipeline
from backtests.config import RunConfig
from backtests.history.panel import History
from backtests.history.prices import check_assets
from backtests.plugins.lookahead import first_difference, truncation_faults
from backtests.window import window
from signals.base import Evaluation, Signal, require
from signals.errors import (
    ConfigError,
    DrypowderError,
    LookaheadError,
    MissingSeries,
    SimulationError,
    shown,
)
from signals.evaluations import inputs_of
from signals.explanation import explain
from signals.form import author_code
from signals.reading import Reading
from signals.stays import stays
from strategies import Strategy, decide, state_of
from strategies.base import check_weights, listed


@dataclass(frozen=True, kw_only=True)
class Check:
    """The result of one check of a strategy or a signal; ``error`` is None if the check passes."""

    name: str
    said: str
    error: DrypowderError | None = None

    @property
    def holds(self) -> bool:
        """Whether the strategy or signal passes this check."""
        return self.error is None


def check_strategy(config: RunConfig, history: History) -> list[Check]:
    """Run the strategy of a configuration on a history, and return the results of all checks.

    The assets must have prices, and the history must have the series that the strategy reads. The
    weights must be a table of sessions × assets. Each weight must be finite. The sum of weights and
    the gross exposure must not exceed their limits. An asset without a price must have weight 0.
    Each state must be a string or missing. A backtest must run without an error. Past weights and
    states must not depend on later data. If a check fails, the checks that need its result are left
    out.
    """
    _expect(config, RunConfig, "check_strategy", "config_from({'strategy': YourStrategy})")
    _expect(history, History, "check_strategy", "History.load() or History.simulated()")
    strategy = config.build_strategy()
    panel = history.panel
    checks = [_asked("assets", lambda: _assets(strategy, history))]
    if not checks[0].holds:
        return checks
    reading = pipeline.read(config, history)
    try:
        weights = decide(strategy, reading, panel)
    except DrypowderError as error:
        return [*checks, _failed("weights", error)]
    questions = (
        ("weights", lambda: f"{len(weights):,} sessions × {weights.shape[1]} assets"),
        ("limits", lambda: _limits(strategy, weights)),
        ("unlisted", lambda: _unlisted(strategy, weights, panel)),
        ("state", lambda: _state(strategy, reading, panel)),
        ("backtest", lambda: _backtest(config, history, reading)),
        ("look-ahead", lambda: _lookahead(strategy, config, history, reading)),
    )
    return checks + [_asked(name, question) for name, question in questions]


def check_signal(signal: Signal, config: RunConfig, history: History) -> list[Check]:
    """Run a signal on a history, and return the results of all checks.

    The history must have the inputs of the signal, and the signal must read no other series. The
    gauges, score, flag and thresholds must have the right types. The score and the flag must be
    known at one session or more. :func:`signals.explain` must run without an error. Past results
    must not depend on later data. If a check fails, the checks that need its result are left out.
    """
    _expect(signal, Signal, "check_signal", "YourSignal()")
    _expect(config, RunConfig, "check_signal", "config_from({'strategy': 'cash-heavy'})")
    _expect(history, History, "check_signal", "History.load() or History.simulated()")
    panel = history.panel
    checks = [_asked("inputs", lambda: _inputs(signal, panel))]
    if not checks[0].holds:
        return checks
    try:
        evaluation = signal.evaluate(panel)
    except DrypowderError as error:
        return [*checks, _failed("evaluate", error)]
    questions = (
        ("gauges", lambda: _gauges(evaluation, panel)),
        ("score", lambda: _score(evaluation, panel)),
        ("flag", lambda: _flag(evaluation, panel)),
        ("thresholds", lambda: f"{len(signal.thresholds)}, each for a gauge"),
        ("explain", lambda: _explain(evaluation, history)),
        ("look-ahead", lambda: _lookahead(signal, config, history, None)),
    )
    return checks + [_asked(name, question) for name, question in questions]


def _expect(given: object, kind: type, function: str, cure: str) -> None:
    if not isinstance(given, kind):
        raise ConfigError(
            f"{function}: expected a {kind.__name__}, was {shown(given)}; give {cure}"
        )


def _asked(name: str, question: Callable[[], str]) -> Check:
    try:
        with author_code(name, SimulationError):
            return Check(name=name, said=question())
    except DrypowderError as error:
        return _failed(name, error)


def _failed(name: str, error: DrypowderError) -> Check:
    return Check(name=name, said=" ".join(str(error).split()), error=error)


# --- strategies -----------------------------------------------------------------------------


def _assets(strategy: Strategy, history: History) -> str:
    check_assets(strategy.assets, history)
    require(history.panel, strategy.reads, strategy.name)
    more = f"; the strategy reads {len(strategy.reads)} series" if strategy.reads else ""
    return f"{len(strategy.assets)} with prices{more}"


def _limits(strategy: Strategy, weights: pd.DataFrame) -> str:
    check_weights(weights, strategy.name, strategy.gross_limit)
    gross = float(weights.abs().sum(axis=1).max())
    limit = strategy.gross_limit
    return (
        f"all weights are finite; the largest gross exposure is {gross:.3g}, and the limit is "
        f"{limit:g}"
    )


def _unlisted(strategy: Strategy, weights: pd.DataFrame, panel: pd.DataFrame) -> str:
    held = (weights != 0) & ~listed(panel, strategy.assets)
    if held.to_numpy().any():
        row, column = np.argwhere(held.to_numpy())[0]
        raise SimulationError(
            f"{strategy.name}: expected weight 0 for {weights.columns[column]} on "
            f"{weights.index[row].date()}, was {weights.iloc[row, column]:.6g}; the asset has no "
            "price, so give this share to other assets or to cash"
        )
    return "the weight is 0 where an asset has no price"


def _state(strategy: Strategy, reading: Reading, panel: pd.DataFrame) -> str:
    state = state_of(strategy, reading, panel)
    if state is None:
        return "none: the strategy decides by schedule"
    periods = sum(bool(name) for name, _, _ in stays(state.fillna("")))
    return f"{state.nunique()} states in {periods:,} unbroken periods"


def _backtest(config: RunConfig, history: History, reading: Reading) -> str:
    index = window(config, history, reading)
    run = pipeline.run_on(config, history, reading, index)
    return (
        f"{index[0].date()} to {index[-1].date()}, {len(run.decided):,} decisions, "
        f"{len(run.result.orders):,} orders"
    )


# --- signals --------------------------------------------------------------------------------


def _inputs(signal: Signal, panel: pd.DataFrame) -> str:
    require(panel, signal.inputs, signal.name)
    return f"{len(signal.inputs)} series in the history"


def _gauges(evaluation: Evaluation, panel: pd.DataFrame) -> str:
    """Compare the evaluation with an evaluation on a panel that has only the inputs.

    The column ``BTC-USD@session`` belongs to the input ``BTC-USD``.
    """
    signal = evaluation.signal
    ids = inputs_of(signal, {})
    alone = signal.evaluate(panel[[c for c in panel if str(c).partition("@")[0] in ids]])
    for what in ("gauges", "score", "flag"):
        one, two = (pd.DataFrame(getattr(each, what)) for each in (evaluation, alone))
        if found := first_difference(one, two):
            date, column = found
            raise SimulationError(
                f"{signal.name}: expected the same {what} from a panel with only the inputs, was "
                f"another {column} on {date.date()}; inputs must list every column that your code "
                "reads"
            )
    return f"{', '.join(map(str, evaluation.gauges))}, each with a unit"


def _score(evaluation: Evaluation, panel: pd.DataFrame) -> str:
    _check_known(evaluation, "score", panel)
    return f"the score is known on {evaluation.score.notna().mean():.0%} of the sessions"


def _flag(evaluation: Evaluation, panel: pd.DataFrame) -> str:
    _check_known(evaluation, "flag", panel)
    flag = evaluation.flag
    return (
        f"the flag is known on {flag.notna().mean():.0%} of the sessions; {flag.mean():.0%} of the "
        "known flags are True"
    )


def _check_known(evaluation: Evaluation, what: str, panel: pd.DataFrame) -> None:
    """Raise an error if the score or the flag is missing at every session."""
    if getattr(evaluation, what).notna().any():
        return
    signal = evaluation.signal
    empty = [id for id in inputs_of(signal, {}) if panel[id].isna().all()]
    if empty:
        raise MissingSeries(
            f"{signal.name}: expected a {what} at one session or more, found none, because the "
            f"history has no value of {', '.join(empty)}; import or fetch these series"
        )
    raise SimulationError(
        f"{signal.name}: expected a {what} at one session or more, was missing at all "
        f"{len(panel):,} sessions; the rows of a gauge probably have other dates than the panel, "
        "such as times of day or a time zone, or the history is shorter than a window"
    )


def _explain(evaluation: Evaluation, history: History) -> str:
    last = history.panel.index[-1]
    said = explain(evaluation, history.panel, last, history.known)
    return f"{said.flips or said.reason} ({last.date()})"


def _lookahead(
    thing: Strategy | Signal, config: RunConfig, history: History, reading: Reading | None
) -> str:
    for fault in truncation_faults(thing, config, history, reading=reading):
        raise LookaheadError(str(fault))
    return "none: past results stay the same when later data are cut or replaced"
