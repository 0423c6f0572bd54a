"""Simulate a finished run again with other decisions or other settings.

The compiled simulation computes all variations of a run. Before each table of variations,
:func:`check_kernel` checks that the compiled simulation reproduces the run itself. So only the
changed decisions or settings make a variation differ from the run.
"""

from collections.abc import Sequence

import pandas as pd

from backtests.engine.batch import Variant
from backtests.engine.kernel import Curves, check_agreement, simulate_variants
from backtests.engine.simulate import Result
from backtests.evidence.metrics import headline
from backtests.pipeline import trade_curves
from backtests.runs import Run


def check_kernel(run: Run) -> None:
    """Raise SimulationError unless the compiled simulation reproduces the equity of a run.

    :func:`backtests.engine.kernel.check_agreement` states the tolerance.
    """
    again = trade_curves(run.config, run.strategy, run.history, run.decided, run.sessions)
    check_agreement(again.equity, run.result, run.label)


def varied(run: Run, decided: pd.DataFrame, **changed: object) -> Result | Curves:
    """Return the simulation of a run with other decisions or other settings.

    Parameters
    ----------
    run
        A finished run.
    decided
        Target weights at the decision sessions, as in :attr:`backtests.runs.Run.decided`.
    **changed
        Changed settings of :class:`backtests.config.RunConfig`.

    Returns
    -------
    The result of the compiled simulation. If nothing changes, the result of the run itself is
    returned.
    """
    config = run.config.model_copy(update=changed)
    if config == run.config and decided.equals(run.decided):
        return run.result
    return trade_curves(config, run.strategy, run.history, decided, run.sessions)


def varied_together(run: Run, variants: Sequence[tuple[pd.DataFrame, int]]) -> list[Curves]:
    """Return simulations of a run with other decisions and lags, in the order of ``variants``.

    Each variant consists of the target weights at the decision sessions, and a lag in sessions. The
    market data are prepared once for all variants.
    """
    config, strategy = run.config, run.strategy
    return simulate_variants(
        [
            Variant(
                weights=decided,
                costs=config.costs,
                lag=lag,
                band=config.band,
                gross_limit=strategy.gross_limit,
            )
            for decided, lag in variants
        ],
        run.history.closes.loc[run.sessions],
        run.result.bills,
        capital=config.initial_capital,
        name=strategy.name,
    )


def varied_headline(run: Run, decided: pd.DataFrame, **changed: object) -> dict[str, float]:
    """Return the headline metrics of a run with other decisions or other settings."""
    result = varied(run, decided, **changed)
    return headline(result.returns, run.bills, result.exposure)
