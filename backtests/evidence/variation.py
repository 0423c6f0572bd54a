"""A run traded with something changed; a case that equals the run is not simulated again."""

import pandas as pd

from backtests.engine.simulate import Result
from backtests.pipeline import trade
from backtests.runs import Run


def varied(run: Run, decided: pd.DataFrame, **changed: object) -> Result:
    """Return what comes of a run with other decisions or other values in its configuration.

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
    The run's own result where neither the decisions nor the configuration differ from the run's.
    """
    config = run.config.model_copy(update=changed)
    if config == run.config and decided.equals(run.decided):
        return run.result
    index = pd.DatetimeIndex(run.result.equity.index)
    return trade(config, run.strategy, run.history, decided, index)
