"""A small sweep on a simulated history, shared by the tests of sweeps."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backtests.config import RunConfig
from backtests.config_data import config_from
from backtests.history.panel import History
from backtests.pipeline import history_of
from backtests.sweep.axis import parse_axis
from backtests.sweep.case import Case, case_of
from backtests.sweep.request import Request, planned, request_of
from backtests.sweep.sweep import Means, Swept, sweep

MEANS = Means()
#: Eight years, so that sixteen blocks of the history have enough sessions.
BASE = {"strategy": "near-cash-flow", "source": "simulated", "years": 8, "seed": 3}
#: Two values for each stage of a configuration.
SETS = (
    *("dry_powder.k=0.08,0.09", "regime.confirm=5,10", "volatility=0.2,0.25"),
    *("schedule.offset=0,5", "band=0,0.02"),
)


def config(**changed: Any) -> RunConfig:
    return config_from({**BASE, **changed})


def request(*sets: str, table: Mapping[str, Any] | None = None, **changed: Any) -> Request:
    return request_of(config(**changed), table or {}, [parse_axis(s) for s in sets or SETS])


def history() -> History:
    return history_of(config())


def case(*sets: str, table: Mapping[str, Any] | None = None, **changed: Any) -> Case:
    asked = request(*sets, table=table, **changed)
    setting, made = planned(asked)
    return case_of(asked.config, setting, made, history_of(asked.config))[0]


def swept(folder: Path, *sets: str, means: Means = MEANS, **changed: Any) -> Swept:
    return sweep(request(*sets, **changed), folder, means)
