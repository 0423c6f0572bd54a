"""The order of classes by duration. The duration spread needs all classes of both its groups."""

import numpy as np
import pytest

from backtests.history.panel import History
from signals import Duration
from signals.duration import LONG, SHORT
from signals.universe import CLASSES, DURATION, members, session_close_id

#: First word of the description of a class, by rank.
WORDS = ("short", "middle", "long", "longest")


def test_the_order_holds_the_classes_that_have_a_duration() -> None:
    assert list(DURATION) == list(CLASSES)[: list(CLASSES).index("metals")]
    assert list(DURATION.values()) == sorted(DURATION.values())
    for name, rank in DURATION.items():
        assert CLASSES[name].split(":")[0] == WORDS[rank]


def test_the_spread_compares_classes_shorter_and_longer_than_the_broad_market() -> None:
    assert SHORT == ("memory", "defensive")
    assert LONG == ("software", "speculative", "crypto")


@pytest.mark.parametrize("name", [*SHORT, *LONG])
def test_without_a_class_there_is_no_spread(name: str) -> None:
    panel = History.simulated(years=6).panel.iloc[-200:].copy()
    whole = Duration().gauges(panel)["spread"]
    columns = [session_close_id(t) if name == "crypto" else t for t in members(name)]
    panel.loc[panel.index[-30] :, columns] = np.nan
    spread = Duration().gauges(panel)["spread"]
    assert whole.iloc[-60:].notna().all()
    assert spread.iloc[:-30].equals(whole.iloc[:-30])
    assert spread.iloc[-28:].isna().all()  # closes of shares count one session later
