"""The primary claims for other values of k: each k has its own flags and its own verdicts."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.evidence.k_choice import KS
from backtests.report.thesis_words import k_said
from backtests.thesis.errors import NotTestable
from backtests.thesis.other_k import SHOWN, table_of, with_k
from backtests.thesis.sample import Sample
from backtests.thesis.trial import judge_claims
from backtests.thesis.verdicts import Verdict
from signals.dry_powder import DryPowder
from tests.thesis import factory


def test_the_primary_claims_and_the_states_of_idle_capital_are_shown() -> None:
    assert [claim.name for claim in SHOWN] == [
        "crypto-below-spy",
        "short-duration-first",
        "cash-heavy-beats-its-mix",
        "idle-capital-depleted",
        "capital-absorbed",
    ]


@pytest.mark.parametrize("k", KS)
def test_the_flags_are_those_of_the_signal_with_this_k(sample: Sample, k: float) -> None:
    flag = DryPowder(k=k).evaluate(sample.history.panel).flag.astype("Float64").astype("float64")
    pd.testing.assert_series_equal(
        with_k(sample, k).flag("dry_powder"), flag, check_names=False, check_freq=False
    )


def test_a_higher_k_leaves_less_idle_capital_and_more_absorption(sample: Sample) -> None:
    absorbed = [with_k(sample, k).flag("absorption").sum() for k in (0.07, 0.09, 0.12)]
    assert absorbed[0] < absorbed[1] < absorbed[2]


def test_the_strategy_of_a_claim_follows_the_regime_of_its_k(sample: Sample) -> None:
    weight = {
        k: with_k(sample, k).run("cash-heavy@quantities").result.weights["SPY"]
        for k in (0.07, 0.12)
    }
    assert weight[0.12].mean() < weight[0.07].mean() - 0.05


def test_the_default_k_gives_the_verdicts_of_the_trial(sample: Sample) -> None:
    chosen = [claim for claim in SHOWN if claim.name == "crypto-below-spy" or claim.is_status]
    found = table_of({0.09: judge_claims(with_k(sample, 0.09), chosen)})
    declared = table_of({0.09: judge_claims(sample, chosen)})
    pd.testing.assert_frame_equal(found, declared)


def test_a_history_without_idle_capital_has_no_other_k(sample: Sample) -> None:
    kept = {n: e for n, e in sample.reading.evaluations.items() if n != "dry_powder"}
    bare = replace(sample, reading=replace(sample.reading, evaluations=kept))
    with pytest.raises(NotTestable, match="lacks series that dry_powder needs"):
        with_k(bare, 0.08)


def test_the_sentence_names_verdicts_and_signs_that_change() -> None:
    records = factory.by_k().reset_index().to_dict(orient="records")
    rows = [{str(key): value for key, value in record.items()} for record in records]
    same = [row for row in rows if row["k"] != KS[0]]
    assert k_said(same) == "No verdict changes with k."
    first = same[0]
    assert not np.isnan(first["estimate"])
    other = {**first, "k": 0.12, "outcome": "supported", "estimate": -first["estimate"]}
    assert k_said([*same, other]) == (
        f"The verdict changes with k for: {first['claim']}. "
        f"The sign of the estimate changes with k for: {first['claim']}."
    )


def test_a_verdict_without_an_estimate_has_no_numbers() -> None:
    untested = Verdict(claim=SHOWN[0], outcome="not testable yet", reason="no price")
    row = table_of({0.08: [untested]}).iloc[0]
    assert row["outcome"] == "not testable yet"
    assert row.drop("outcome").isna().all()
