"""The declared claims of the thesis: they are complete, and their conditions use no returns."""

from dataclasses import replace

import pytest

from backtests.thesis.claim import QUANTITY_FLAGS, UNITS
from backtests.thesis.claims import CLAIMS
from signals.catalog import CATALOG
from signals.errors import ConfigError
from signals.registry import default_signals
from signals.universe import UNIVERSE

LINKS = {f"L{n}" for n in range(1, 16)}
#: Overnight rates between banks, and the rates that the Fed pays.
OVERNIGHT = {"SOFR", "EFFR", "TGCR", "IOER", "IORB"}
CRYPTO = next(claim for claim in CLAIMS if claim.name == "crypto-below-spy")


def test_each_link_has_at_least_one_claim() -> None:
    assert {claim.link for claim in CLAIMS} == LINKS


def test_the_primary_claims_are_the_essays_three() -> None:
    primary = {claim.name: claim.link for claim in CLAIMS if claim.primary}
    assert primary == {
        "crypto-below-spy": "L9",
        "short-duration-first": "L8",
        "cash-heavy-beats-its-mix": "L13",
    }


def test_names_are_unique() -> None:
    assert len({claim.name for claim in CLAIMS}) == len(CLAIMS)


def test_states_of_the_world_are_statuses() -> None:
    links = {claim.link for claim in CLAIMS if claim.is_status}
    assert links == {"L2", "L3", "L5", "L6", "L10"}
    assert all(claim.is_status for claim in CLAIMS if claim.link == "L2")


@pytest.mark.parametrize("name", QUANTITY_FLAGS)
def test_flags_of_quantities_read_no_price_of_an_asset(name: str) -> None:
    """A yield, an index and a credit spread are prices. An overnight rate is not one of them."""
    signals = default_signals()
    parts = (signals[name], *(signals[part] for part in getattr(signals[name], "parts", ())))
    inputs = {id for signal in parts for id in signal.inputs}
    assert not inputs & set(UNIVERSE)
    prices = {id for id in inputs if CATALOG[id].unit in ("%", "index", "percentage points")}
    assert prices <= OVERNIGHT


def test_claims_after_earlier_verdicts_are_eight_and_never_primary() -> None:
    late = {claim.name for claim in CLAIMS if claim.after_verdicts}
    assert len(late) == 8
    assert not any(claim.primary for claim in CLAIMS if claim.after_verdicts)
    with pytest.raises(ConfigError, match="`primary` to be false if `after_verdicts` is true, but"):
        replace(CRYPTO, after_verdicts=True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"condition": "crypto_probe"}, "expected `condition` to be one of dry_powder, funding"),
        ({"condition": "absorbtion"}, "did you mean 'absorption'"),
        ({"smallest": None}, "expected `smallest` above zero"),
        ({"smallest": -1.0}, "expected `smallest` above zero"),
        ({"argument": ""}, "a `unit` and an `argument`"),
        ({"estimator": "status"}, "expected `condition` to name a signal"),
        ({"estimator": "meen"}, "expected estimator as"),
        ({"smallest": float("nan")}, "expected `smallest` above zero"),
        ({"smallest": float("inf")}, "expected `smallest` above zero and finite"),
        ({"link": "L99"}, "unknown link of crypto-below-spy: 'L99'; did you mean 'L9'"),
        ({"name": ""}, "claim: expected `name` as text, was empty; state it"),
        ({"statement": " "}, "crypto-below-spy: expected `statement` as text, was empty"),
        ({"estimand": ""}, "expected `estimand` as text, was empty"),
        ({"refuted_by": ""}, "expected `refuted_by` as text, was empty"),
    ],
)
def test_a_contradictory_declaration_is_refused(changed: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        replace(CRYPTO, **changed)  # type: ignore[arg-type]


def test_a_condition_that_the_estimator_ignores_is_refused() -> None:
    """Otherwise, the verdict would be about other dates than the dates in the claim."""
    for name in ("capex-filings-hurt-long-duration", "crypto-leads", "price-of-capital-is-convex"):
        declared = next(claim for claim in CLAIMS if claim.name == name)
        with pytest.raises(ConfigError, match="takes no condition, but `condition` is absorption"):
            replace(declared, condition="absorption")


@pytest.mark.parametrize("name", ["short-duration-first", "breakouts-fail", "patience-is-paid"])
def test_an_estimator_that_needs_a_condition_names_what_is_missing(name: str) -> None:
    declared = next(claim for claim in CLAIMS if claim.name == name)
    with pytest.raises(ConfigError, match="expected `condition` to name a signal, was None"):
        replace(declared, condition=None)


def test_the_unit_is_the_estimators_unit() -> None:
    """Tau is at most 1, so tau can never reach a smallest effect of 10 points a year."""
    with pytest.raises(ConfigError, match="rank_order, expected the unit 'tau', was 'percentage"):
        replace(CRYPTO, estimator="rank_order")
    changed = replace(CRYPTO, estimator="rank_order", unit="tau", smallest=0.5)
    assert changed.unit == UNITS["rank_order"]


def test_only_opportunity_may_condition_on_prices() -> None:
    beyond: set[str | None] = {
        claim.condition
        for claim in CLAIMS
        if not claim.is_status and claim.condition not in (None, *QUANTITY_FLAGS)
    }
    assert beyond == {"opportunity"}


def test_a_claim_states_what_refutes_it() -> None:
    assert all(claim.refuted_by for claim in CLAIMS)
