"""Stages give the same weights as single runs, and compute each distinct part only once."""

from unittest.mock import patch

import numpy as np
import pandas as pd

from backtests.parameter_paths import config_with
from backtests.pipeline import history_of, read, state_and_weights
from backtests.sweep.stages import Stages
from signals.base import Signal
from signals.regimes import Votes
from strategies import NearCashFlow
from tests.sweep.world import SETS, case, config


def test_decided_weights_equal_those_of_a_run() -> None:
    made = case(*SETS)
    stages = Stages(made)
    for at in (0, 13, 31):
        values = made.design.values(at)
        changed = config_with(config(), values)
        history = history_of(changed)
        reading = read(changed, history)
        strategy = changed.build_strategy()
        _, expected = state_and_weights(changed, strategy, reading, history.panel, made.index)
        pd.testing.assert_frame_equal(stages.decided(made.base.changed(values)), expected)


def test_each_distinct_stage_is_made_once() -> None:
    """The 32 configurations need 2 sets of signals, 4 readings and 8 tables of weights."""
    made = case(*SETS)
    stages = Stages(made)
    evaluated: list[str] = []
    evaluate, classify, weigh = Signal.evaluate, Votes.classify, NearCashFlow.weights

    def counted(self: Signal, *given: object) -> object:
        evaluated.append(self.name)
        return evaluate(self, *given)  # type: ignore[arg-type]

    with (
        patch.object(Signal, "evaluate", counted),
        patch.object(Votes, "classify", autospec=True, side_effect=classify) as classified,
        patch.object(NearCashFlow, "weights", autospec=True, side_effect=weigh) as weighed,
    ):
        tables = [stages.decided(made.base.changed(made.design.values(i))) for i in range(32)]
    assert evaluated.count("dry_powder") == 2
    assert evaluated.count("absorption") == 2  # it contains dry_powder
    assert evaluated.count("capex") == 1
    assert classified.call_count == 4
    assert weighed.call_count == 8
    assert len({id(table) for table in tables}) == 16  # lag, band and costs share a table


def test_the_order_of_the_configurations_does_not_matter() -> None:
    made = case(*SETS)
    forward, backward = Stages(made), Stages(made)
    ahead = [forward.decided(made.base.changed(made.design.values(i))) for i in range(32)]
    for i in np.random.default_rng(0).permutation(32).tolist():
        back = backward.decided(made.base.changed(made.design.values(i)))
        pd.testing.assert_frame_equal(back, ahead[i])
