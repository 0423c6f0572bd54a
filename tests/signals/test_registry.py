"""The signals that vote on the regime, and the number of votes.

Both were fixed before any return was seen.
"""

import signals
from signals.regimes import Votes


def test_the_voters() -> None:
    """A new vote changes the regime and most numbers. CONTRIBUTING.md lists what else to change."""
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
