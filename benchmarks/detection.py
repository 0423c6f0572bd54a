"""Measure how well regime models find the true regime of the SIMULATED economy.

    python benchmarks/detection.py --seeds 20
    python benchmarks/detection.py --seeds 20 --price-model-seeds 5

Balanced accuracy: the mean of one share for each true state. The share of a state is the fraction
of its sessions at which the model gives this state. Sessions at which the model gives no regime are
left out.

Delay: the median number of sessions from the start of a true stay in ABSORPTION until the model
says ABSORPTION. A missed stay counts as an infinite delay.

False alarm: a run of sessions at which the model says ABSORPTION, although the true state is never
ABSORPTION during the run.

A model that uses only prices has two states, good and bad. The bad state should mean ABSORPTION or
FORCED_SELLING. For such a model, delays and false alarms refer to the bad state. The column "two
states" compares all models by good and bad states.
"""

import argparse

import numpy as np
import pandas as pd

import signals
from backtests.history.panel import History
from signals import Regime

BAD = (Regime.ABSORPTION.value, Regime.FORCED_SELLING.value)
YEAR = 252


def balanced(called: pd.Series, true: pd.Series) -> float:
    """Return the balanced accuracy; a session at which ``called`` is missing is left out."""
    seen = called.notna()
    right = (called[seen].astype(object) == true[seen].astype(object)).groupby(true[seen]).mean()
    return float(right.mean())


def stays(on: pd.Series) -> list[tuple[int, int]]:
    """Return the first and last position of each stay; a stay is a run of sessions in the state."""
    x = np.concatenate(([0], on.to_numpy(dtype=int), [0]))
    return list(
        zip(np.flatnonzero(np.diff(x) == 1), np.flatnonzero(np.diff(x) == -1) - 1, strict=True)
    )


def delays(called: pd.Series, true: pd.Series) -> list[float]:
    """Return the number of sessions until each true stay is found; infinity for a missed stay."""
    on = called.to_numpy(dtype=bool)
    return [
        float(np.flatnonzero(on[first : last + 1])[0]) if on[first : last + 1].any() else np.inf
        for first, last in stays(true)
    ]


def false_alarms(called: pd.Series, true: pd.Series) -> float:
    """Return the number of false alarms per ten years.

    A false alarm is a stay in ``called`` without a true session.
    """
    hit = true.to_numpy(dtype=bool)
    alarms = sum(not hit[first : last + 1].any() for first, last in stays(called))
    return alarms / (len(true) / YEAR / 10)


def of_regime(history: History) -> dict[str, float]:
    assert history.truth is not None
    regime = signals.read(history.panel).regime
    is_called = (regime == Regime.ABSORPTION.value).fillna(False)
    is_true = history.truth == Regime.ABSORPTION.value
    found = delays(is_called, is_true)
    bad = regime.isin(BAD).where(regime.notna())
    return {
        "five states": balanced(regime, history.truth),
        "two states": balanced(bad, history.truth.isin(BAD)),
        "stays": len(found),
        "found": float(np.mean(np.isfinite(found))) if found else np.nan,
        "delay": float(np.median(found)) if found else np.nan,
        "false alarms / decade": false_alarms(is_called, is_true),
    }


def of_price_models(history: History) -> dict[str, dict[str, float]]:
    from signals.regimes import REGIMES, PriceOnly

    assert history.truth is not None
    true = history.truth.isin(BAD)
    rows = {}
    for name, model in REGIMES.items():
        if not issubclass(model, PriceOnly):
            continue
        flag = model().flag(history.panel)
        called = flag.astype(object).where(flag.notna())
        on = flag.fillna(False).astype(bool)
        found = delays(on, true)
        rows[name] = {
            "two states": balanced(called, true),
            "stays": len(found),
            "found": float(np.mean(np.isfinite(found))),
            "delay": float(np.median(found)),
            "false alarms / decade": false_alarms(on, true),
        }
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--price-model-seeds", type=int, default=0)
    given = parser.parse_args()
    rows: dict[tuple[str, str], list[dict[str, float]]] = {}
    for thesis in ("on", "off"):
        for seed in range(max(given.seeds, given.price_model_seeds)):
            history = History.simulated(seed, thesis=thesis == "on")
            if seed < given.seeds:
                rows.setdefault(("regime", thesis), []).append(of_regime(history))
            if seed < given.price_model_seeds:
                for name, row in of_price_models(history).items():
                    rows.setdefault((name, thesis), []).append(row)
    table = pd.DataFrame({key: pd.DataFrame(found).median() for key, found in rows.items()}).T
    table["seeds"] = [len(found) for found in rows.values()]
    print("SIMULATED: medians over seeds of 20 years each")
    print(table.round(2).to_string())


if __name__ == "__main__":
    main()
