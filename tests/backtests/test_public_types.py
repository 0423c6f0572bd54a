"""The types of ``backtests`` in a user's type checker: mypy checks each ``assert_type``."""

from typing import assert_type

import pandas as pd
import pytest

import backtests
from backtests.evidence.assessment import Assessment
from backtests.history.panel import History
from backtests.runs import Run
from signals.errors import ConfigError


def test_the_names_of_the_package_have_their_types() -> None:
    history = backtests.History.simulated(years=3)
    finished = backtests.run(backtests.config_from({"strategy": "spy"}), history)
    assessment = backtests.assess(finished, robustness=False)
    assert type(assert_type(history, History)) is backtests.History
    assert type(assert_type(finished, Run)) is backtests.Run
    assert type(assert_type(finished.result.returns, pd.Series)) is pd.Series
    assert type(assert_type(assessment, Assessment)) is Assessment


def test_a_name_in_place_of_a_configuration_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected a RunConfig, was 'spy'; make one with"):
        backtests.run("spy")  # type: ignore[arg-type]
