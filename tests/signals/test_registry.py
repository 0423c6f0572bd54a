"""Who votes on the regime, and how many votes it takes, as stated before any return was seen."""

import signals
from signals.regimes import Votes


def test_the_voters() -> None:
    """A vote changes the regime and most numbers; CONTRIBUTING.md says what goes with it."""
    assert set(signals.voters()) == {
        "dry_powder",
        "funding",
        "capex",
        "cost_of_capital",
        "inverse_qe",
        "duration",
        "crypto_probe",
        "fading_momentum",
        "policy",
        "bathtub",
    }


def test_a_regime_needs_five_views() -> None:
    assert Votes(voters=()).min_views == 5
