"""Read the finished runs that ``drypowder run`` stores in folders, and compute them again.

A folder has the configuration and the returns of a run, but not the market data. A finished run is
therefore computed again from its configuration and the current market data. If the new returns
differ from the stored returns, the market data or drypowder have changed.
"""

import json
import math
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtests.atomic import expanded
from backtests.config import RunConfig
from backtests.config_data import config_from
from backtests.config_file import read_config
from backtests.evidence import metrics
from backtests.history.panel import History
from backtests.pipeline import run as run_pipeline
from backtests.pipeline import run_on
from backtests.runs import Run
from signals.errors import ConfigError

#: Two daily returns count as equal if they differ by at most this number, because computers round
#: differently.
TOLERANCE = 1e-9
#: Names of the metrics that are shown for the stored run and for the new run.
SHOWN = ("total_return", "cagr", "sharpe", "max_drawdown")
_COLUMNS = ("strategy", "benchmark", "bills")
_REFUSED = "expected the folder of a finished run, as 'drypowder run --out FOLDER' writes it, but"


@dataclass(frozen=True, kw_only=True)
class SavedRun:
    """A finished run, as stored in its folder.

    Attributes
    ----------
    folder
        The folder.
    config, returns
        ``config`` is the configuration, with the start and the end of the run. So a longer history
        does not extend the run. ``returns`` has the columns ``strategy``, ``benchmark`` and
        ``bills``: simple daily returns, as fractions.
    described
        The section ``run`` of ``metrics.json``, with entries such as ``run_id`` and ``version``.
    numbers
        The section ``strategy`` of ``metrics.json``. Rates are fractions; an undefined value is
        None.
    """

    folder: Path
    config: RunConfig
    returns: pd.DataFrame
    described: dict[str, Any]
    numbers: dict[str, Any]

    @cached_property
    def name(self) -> str:
        """Name of the folder."""
        return Path(self.folder).resolve().name

    @property
    def label(self) -> str:
        """The folder's name; ``strategy (folder)`` if the folder's name lacks the strategy."""
        base = self.config.label
        return self.name if base in self.name else f"{base} ({self.name})"


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """A finished run, compared with a new run of the same configuration on current data.

    Attributes
    ----------
    saved
        The finished run.
    again
        A mapping from the names in :data:`SHOWN` to metrics of the new run. The new run has the
        sessions of the stored run. An undefined metric is NaN. None if the history no longer has
        these sessions.
    changed_from
        The first session on which a stored return and a new return differ. The returns of the
        strategy, of the benchmark and of bills are compared. None if all returns are equal.
    largest
        The largest difference between a stored and a new daily return of the strategy, as a
        fraction.
    """

    saved: SavedRun
    again: dict[str, float] | None
    changed_from: pd.Timestamp | None
    largest: float

    @property
    def is_same(self) -> bool:
        """Whether the new returns equal the returns in the folder."""
        return self.again is not None and self.changed_from is None


def read_saved(folder: Path) -> SavedRun:
    """Return the finished run of a folder; if the folder has no such run, ConfigError is raised."""
    folder = expanded(folder)
    if folder.is_file():
        raise ConfigError(f"{_REFUSED} {folder} is a file; give the folder or a .toml file")
    for name in ("config.toml", "metrics.json", "returns.csv"):
        # Before Python 3.12, Path.is_file fails for a long name.
        if not os.path.isfile(folder / name):
            raise ConfigError(f"{_REFUSED} {folder} has no {name}; give another folder")
    described, numbers = _read_metrics(folder)
    returns = _read_returns(folder / "returns.csv")
    data = read_config(folder / "config.toml")
    if data.get("source") == "frames":
        raise ConfigError(
            f"expected a run that can be computed again, but the run in {folder} used DataFrames; "
            "compare it in Python: backtests.compare_runs([first, second])"
        )
    window = {"start": str(described["start"]), "end": str(described["end"])}
    return SavedRun(
        folder=folder,
        config=config_from({**data, **window}),
        returns=returns,
        described=described,
        numbers=numbers,
    )


def _read_metrics(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        found = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        described, numbers = dict(found["run"]), dict(found["strategy"])
        for key in ("run_id", "start", "end", "version", "source"):
            str(described[key])
        for name in SHOWN:
            float(numbers[name] or 0)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise ConfigError(
            f"{_REFUSED} {folder / 'metrics.json'} is damaged; run it again from config.toml"
        ) from None
    return described, numbers


def _read_returns(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, index_col="date", parse_dates=["date"])
        table.index = pd.DatetimeIndex(table.index)  # an unreadable date raises ValueError
        return table[list(_COLUMNS)].astype("float64")
    except (OSError, ValueError, KeyError):
        raise ConfigError(f"{_REFUSED} {path} is damaged; run it again from config.toml") from None


def repeat(saved: SavedRun, run: Run, history: History) -> Repeated:
    """Return a finished run, compared with a new run of the same configuration on current data.

    ``run`` is a new run of the same configuration. If the sessions of ``run`` and ``saved`` differ,
    the function simulates ``run`` again on the sessions of ``saved``. ``history`` contains all
    available sessions, including sessions after the end of ``run``.
    """
    again = _on_own_sessions(saved, run, history)
    if again is None:
        return Repeated(saved=saved, again=None, changed_from=None, largest=math.nan)
    new = again.returns
    equal = np.isclose(new, saved.returns, rtol=0, atol=TOLERANCE, equal_nan=True).all(axis=1)
    changed = new.index[np.flatnonzero(~equal)]
    gaps = (new["strategy"] - saved.returns["strategy"]).abs()
    return Repeated(
        saved=saved,
        again=_numbers(again),
        changed_from=None if changed.empty else pd.Timestamp(changed[0]),
        largest=float(gaps.max()),
    )


def _on_own_sessions(saved: SavedRun, run: Run, history: History) -> Run | None:
    """Return ``run`` on the sessions of ``saved``; None if the history's sessions differ."""
    index = pd.DatetimeIndex(history.panel.index)
    first, last = (pd.Timestamp(str(saved.described[end])) for end in ("start", "end"))
    own = index[(index >= first) & (index <= last)]
    if not own[1:].equals(pd.DatetimeIndex(saved.returns.index)):
        return None
    if own.equals(run.sessions):
        return run
    if own[-1] <= run.history.panel.index[-1]:
        return run_on(saved.config, run.history, run.reading, own)
    return run_pipeline(saved.config, history)


def _numbers(run: Run) -> dict[str, float]:
    everything = metrics.of_run(run)
    return {name: float(everything[name]) for name in SHOWN}  # type: ignore[arg-type]
