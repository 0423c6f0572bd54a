"""Compute the stages before the simulation: signals, regime and weights."""

import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pandas as pd

from backtests.engine.schedule import Schedule
from backtests.pipeline import decisions
from backtests.sweep.case import Case
from backtests.sweep.setting import Setting
from signals.base import Evaluation, Signal
from signals.evaluations import Evaluations
from signals.reading import Reading
from signals.regimes import Classification, RegimeModel
from strategies import decide, state_of

#: Largest number of evaluations of signals that a process stores. Each evaluation needs about 0.3
#: MB.
KEPT = 256
#: Largest number of classifications (the regime of each session) that a process stores.
_REGIMES = 16


class Stages:
    """Compute the target weights of many configurations, one after the other.

    Evaluations of signals are stored, so only a changed signal is evaluated again. If a signal uses
    a changed signal, both signals count as changed. A stored regime is reused if the regime model
    and the evaluations that the model uses are the same. Target weights are reused as long as the
    signals, the regime model and the strategy stay the same. :attr:`spent` contains the seconds
    spent on each stage.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.spent: dict[str, float] = {}
        self._evaluations: OrderedDict[Any, Evaluation] = OrderedDict()
        self._regimes: OrderedDict[Any, tuple[Any, Classification]] = OrderedDict()
        self._reading: tuple[Any, Reading] | None = None
        self._weights: tuple[Any, tuple[pd.Series | None, pd.DataFrame]] | None = None
        self._decided: dict[Schedule, pd.DataFrame] = {}

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Measure the seconds of a ``with`` block, and add them to the time of a stage."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.spent[stage] = self.spent.get(stage, 0.0) + time.perf_counter() - began

    def decided(self, setting: Setting) -> pd.DataFrame:
        """Return the target weights of a configuration at its decision sessions.

        :func:`backtests.pipeline.state_and_weights` gives the same weights. Configurations that
        differ only in lag, band or costs share one table of target weights.
        """
        state, weights = self._weighed(setting)
        if setting.schedule not in self._decided:
            with self.timed("strategy"):
                when = decisions(setting.strategy, state, self.case.index, setting.schedule)
                self._decided[setting.schedule] = weights.loc[when]
        return self._decided[setting.schedule]

    def _weighed(self, setting: Setting) -> tuple[pd.Series | None, pd.DataFrame]:
        reading = self._read(setting)
        if self._weights is None or not _same(self._weights[0], (reading, setting.strategy)):
            with self.timed("strategy"):
                state = state_of(setting.strategy, reading, self.case.panel)
                weights = decide(setting.strategy, reading, self.case.panel)
                made = state, weights.loc[self.case.index]
            self._weights = (reading, setting.strategy), made
            self._decided.clear()
        return self._weights[1]

    def _read(self, setting: Setting) -> Reading:
        if self._reading is None or self._reading[0] != (setting.signals, setting.regime):
            evaluations = self._evaluated(setting.signals, setting.regime)
            classified = self._classified(setting.regime, evaluations)
            voters = self.case.voters
            reading = Reading(**vars(classified), evaluations=evaluations, voters=voters)
            self._reading = (setting.signals, setting.regime), reading
        return self._reading[1]

    def _evaluated(self, chosen: Mapping[str, Signal], model: RegimeModel) -> Evaluations:
        """Compute the signals that the regime model needs, and return the evaluations."""
        keys = {name: _key(name, chosen) for name in chosen}
        earlier = {n: self._evaluations[key] for n, key in keys.items() if key in self._evaluations}
        evaluations = Evaluations(self.case.panel, chosen, earlier)
        with self.timed("signals"):
            for name in model.rests_on:
                if name in chosen:
                    _keep(self._evaluations, keys[name], evaluations[name], KEPT)
                    self._keep_parts(name, chosen, evaluations)
        return evaluations

    def _keep_parts(self, name: str, chosen: Mapping[str, Signal], made: Evaluations) -> None:
        for part in chosen[name].parts:
            if part in chosen:
                _keep(self._evaluations, _key(part, chosen), made[part], KEPT)
                self._keep_parts(part, chosen, made)

    def _classified(self, model: RegimeModel, made: Evaluations) -> Classification:
        """Return the regime; reuse the cached regime if model and evaluations are unchanged."""
        with self.timed("regime"):
            used = [made[name] for name in model.rests_on if name in made]
            key = (model, *map(id, used))
            if key not in self._regimes:
                # Also store the evaluations. Otherwise, Python could give the id of a deleted
                # object to a new object.
                _keep(self._regimes, key, (used, model.classify(self.case.panel, made)), _REGIMES)
            return self._regimes[key][1]


def _key(name: str, chosen: Mapping[str, Signal]) -> Any:
    """Return a signal's cache key: name, signal object, and the keys of the component signals."""
    parts = chosen[name].parts
    return name, chosen[name], tuple(_key(part, chosen) for part in parts if part in chosen)


def _keep(store: OrderedDict[Any, Any], key: Any, value: Any, most: int) -> None:
    """Store a value, and delete the oldest value if ``store`` has more than ``most`` values."""
    store[key] = value
    store.move_to_end(key)
    if len(store) > most:
        store.popitem(last=False)


def _same(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    return one[0] is other[0] and one[1] == other[1]
