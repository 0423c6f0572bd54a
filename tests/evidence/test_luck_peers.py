"""Deflated Sharpe ratio and PBO compared with ffn and vectorbt, which use the same formulas.

ffn uses unbiased estimates of skewness and kurtosis, and drops surplus sessions at the end.
vectorbt uses the same moments as drypowder, but it subtracts a constant rate in place of each
session's bill return.
"""

import math

import ffn
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from backtests.evidence.deflation import deflate, deflated_2014
from backtests.evidence.overfitting import block_moments, overfitting
from backtests.evidence.track_record import TrackRecord

DAYS = pd.bdate_range("2015-01-02", periods=1280)
TRIALS = pd.DataFrame(
    np.random.default_rng(2).standard_t(4, (1280, 12)) * 0.01 + np.linspace(0, 6e-4, 12),
    index=DAYS,
    columns=[f"trial {i}" for i in range(12)],
)
SHARPES = (TRIALS.mean() / TRIALS.std()).to_numpy()
NAME = f"trial {np.argmax(SHARPES)}"
BEST = TRIALS[NAME]


def unbiased(track: TrackRecord, values: pd.Series) -> TrackRecord:
    return TrackRecord(
        n=track.n,
        sharpe=track.sharpe,
        skewness=float(stats.skew(values, bias=False)),
        kurtosis=float(stats.kurtosis(values, bias=False)) + 3,
    )


def test_ffn_has_the_same_expected_maximum_and_deflated_sharpe_ratio_of_2014() -> None:
    track = TrackRecord.from_returns(BEST)
    found = deflate(track, SHARPES, len(SHARPES))
    hurdle = ffn.calc_expected_max_sharpe(12, SHARPES.std(ddof=1))
    assert found.expected_maximum == pytest.approx(hurdle)
    theirs = ffn.calc_deflated_sharpe_ratio(BEST, SHARPES, nperiods=252, annualized_trials=False)
    ours = deflated_2014(unbiased(track, BEST), hurdle)
    assert ours == pytest.approx(theirs, abs=1e-12)
    assert found.probability_2014 == pytest.approx(theirs, abs=2e-3)  # ours has biased moments
    assert found.probability_2014 != theirs


def test_vectorbt_has_the_same_deflated_sharpe_ratio_of_2014() -> None:
    import vectorbt as vbt

    theirs = TRIALS.vbt.returns(freq="1D", year_freq="252 days").deflated_sharpe_ratio(ddof=1)
    ours = deflate(TrackRecord.from_returns(BEST), SHARPES, len(SHARPES)).probability_2014
    assert vbt.__version__
    assert ours == pytest.approx(float(theirs[NAME]), abs=1e-12)


def test_ffn_has_the_same_probability_of_overfitting_for_every_combination() -> None:
    theirs = ffn.calc_prob_backtest_overfitting(TRIALS, n_blocks=8, full_output=True)
    ours = overfitting(block_moments(TRIALS.to_numpy().T, 8))
    assert len(ours.logits) == math.comb(8, 4)
    assert ours.probability == pytest.approx(theirs["pbo"], abs=1e-12)
    assert sorted(ours.logits) == pytest.approx(sorted(theirs["logits"]), abs=1e-9)
    assert ours.ranks.mean() == pytest.approx(theirs["mean_oos_rank"])


def test_surplus_sessions_are_cut_at_the_other_end() -> None:
    surplus = TRIALS.iloc[:-3]
    theirs = ffn.calc_prob_backtest_overfitting(surplus, n_blocks=8, full_output=True)
    first = overfitting(block_moments(surplus.iloc[:1272].to_numpy().T, 8))
    last = overfitting(block_moments(surplus.to_numpy().T, 8))
    assert sorted(first.logits) == pytest.approx(sorted(theirs["logits"]), abs=1e-9)
    assert last.in_sample.mean() != pytest.approx(first.in_sample.mean(), abs=1e-9)
