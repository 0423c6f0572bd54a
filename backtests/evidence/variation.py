"""A finished run, simulated again with other decisions or other settings."""

import pandas as pd

from backtests.engine.simulate import Result
from backtests.evidence.metrics import headline
from backtests.pipeline import trade
from backtests.runs import Run


def varied(run: Run, decided: pd.DataFrame, **changed: object) -> Result:
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
    The new result. If decisions and settings are unchanged, the run's existing result is returned.
    """
    config = run.config.model_copy(update=changed)
    if config == run.config and decided.equals(run.decided):
        return run.result
    return trade(config, run.strategy, run.history, decided, run.sessions)


def varied_headline(run: Run, decided: pd.DataFrame, **changed: object) -> dict[str, float]:
    """Return the metrics of :func:`headline` for the result of :func:`varied`."""
    result = varied(run, decided, **changed)
    return headline(result.returns, run.bills, result.exposure)
