"""A run with other decisions or another configuration."""

import pandas as pd

from backtests.engine.simulate import Result
from backtests.evidence.metrics import headline
from backtests.pipeline import trade
from backtests.runs import Run


def varied(run: Run, decided: pd.DataFrame, **changed: object) -> Result:
    """Return the simulation of a run with other decisions or other configured values.

    Parameters
    ----------
    run
        A finished run.
    decided
        Target weights at the sessions of decision, as in :attr:`backtests.runs.Run.decided`.
    **changed
        Keys of :class:`backtests.config.RunConfig` and their values.

    Returns
    -------
    The new result, or the run's own result if decisions and configuration are equal to the run's.
    """
    config = run.config.model_copy(update=changed)
    if config == run.config and decided.equals(run.decided):
        return run.result
    return trade(config, run.strategy, run.history, decided, run.sessions)


def varied_headline(run: Run, decided: pd.DataFrame, **changed: object) -> dict[str, float]:
    """Return the figures of :func:`headline` for :func:`varied`."""
    result = varied(run, decided, **changed)
    return headline(result.returns, run.bills, result.exposure)
