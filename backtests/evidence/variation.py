"""The simulation of a run with other decisions or another configuration."""

import pandas as pd

from backtests.engine.simulate import Result
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
    The new result. Where decisions and configuration equal the run's, it is the run's result,
    without another simulation.
    """
    config = run.config.model_copy(update=changed)
    if config == run.config and decided.equals(run.decided):
        return run.result
    index = pd.DatetimeIndex(run.result.equity.index)
    return trade(config, run.strategy, run.history, decided, index)
