"""Measure how often the tests of the claims are wrong, and how often they find a true effect.

    python -m benchmarks.trial --economies 200 --write

Each economy is SIMULATED for 20 years, like the default history. With the thesis off, quantities do
not move prices. So a claim about returns counts as supported only by an error of the test. With the
thesis on, the economy follows the thesis, so the share of economies that support a claim is the
power. The script prints a table. With ``--write``, the script also writes
``backtests/thesis/calibration.json``, which the page of the trial shows. ``--years 33`` shows the
effect of more episodes.

The e-values start in the middle of each economy, so that they have half of the years to grow.
"""

import argparse
import json
import os
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from statistics import fmean

import pandas as pd

from backtests.evidence.entries import FEW
from backtests.history.panel import History
from backtests.thesis.calibration import PATH, Calibration, Economies, Tally
from backtests.thesis.claims import CLAIMS
from backtests.thesis.estimators import ESTIMATORS, Estimator
from backtests.thesis.estimators.after_flag import after_flag
from backtests.thesis.estimators.local_projection import local_projection
from backtests.thesis.evalues import accumulate
from backtests.thesis.trial import Trial, try_claims
from benchmarks.pools import add_options, pool_of

#: An e-value of this size rejects the null hypothesis at 5 %.
REJECTS = 20.0
#: The estimators of the trial, without the numbers that only the page shows. Resampled histories
#: take most of the time, so there are only 39. With 39, a p-value of 2.5 % is still possible.
QUICK: dict[str, Estimator] = {
    **ESTIMATORS,
    "after_flag": partial(after_flag, draws=39),
    "local_projection": partial(local_projection, whole=False),
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """For one economy: outcome, estimate and episodes of each claim, and the highest e-values."""

    outcomes: dict[str, str]
    values: dict[str, float]
    episodes: dict[str, int | None]
    highest: dict[str, float]


def find(seed: int, *, thesis: bool, years: int) -> Found:
    """Return the results of the trial in the economy of a seed."""
    warnings.filterwarnings("ignore")
    trial = try_claims(History.simulated(seed, years, thesis=thesis), estimators=QUICK)
    estimated = [verdict for verdict in trial.verdicts if verdict.estimate is not None]
    return Found(
        outcomes={verdict.claim.name: verdict.outcome for verdict in trial.verdicts},
        values={v.claim.name: v.estimate.value for v in estimated if v.estimate},
        episodes={v.claim.name: v.estimate.episodes for v in estimated if v.estimate},
        highest=_highest(trial),
    )


def _highest(trial: Trial) -> dict[str, float]:
    sessions = trial.sample.sessions
    since = pd.Timestamp(sessions[len(sessions) // 2])
    return {bet.name: bet.highest for bet in accumulate(trial.sample, since)}


def tally(name: str, found: Iterable[Found]) -> Tally:
    """Return the outcomes of one claim over economies."""
    judged = [one for one in found if name in one.values]
    outcomes = Counter(one.outcomes[name] for one in judged)
    episodes = [one.episodes[name] for one in judged]
    return Tally(
        judged=len(judged),
        decidable=sum(count is None or count >= FEW for count in episodes),
        supported=outcomes["supported"],
        contradicted=outcomes["contradicted"],
        effect=round(fmean(one.values[name] for one in judged), 4) if judged else None,
    )


def summarise(found: list[Found]) -> Economies:
    """Return the outcomes of all claims over economies."""
    primary = [claim.name for claim in CLAIMS if claim.primary]
    names = [claim.name for claim in CLAIMS if not claim.is_status]
    bets = sorted({name for one in found for name in one.highest})
    return Economies(
        claims={name: tally(name, found) for name in names},
        any_primary=sum(
            any(one.outcomes[name] == "supported" for name in primary) for one in found
        ),
        e_values={
            name: sum(one.highest.get(name, 1.0) >= REJECTS for one in found) for name in bets
        },
    )


def calibrate(economies: int, years: int, workers: int, address: str | None) -> Calibration:
    """Return the outcomes over economies with the thesis off and on."""
    with pool_of(workers, address) as pool:
        kinds = {
            thesis: list(
                pool.map(partial(find, thesis=thesis, years=years), range(economies), chunksize=5)
            )
            for thesis in (False, True)
        }
    return Calibration(
        economies=economies, years=years, off=summarise(kinds[False]), on=summarise(kinds[True])
    )


def show(made: Calibration) -> None:
    """Print the calibration as a table."""
    print(f"SIMULATED, {made.economies} economies of {made.years} years each way")
    print(f"{'claim':36} {'off: sup. con. of':>20} {'on: sup. con. of':>20} {'effect off, on':>20}")
    for name, off in made.off.claims.items():
        on = made.on.claims[name]
        counts = (f"{t.supported:5} {t.contradicted:5} {t.decidable:6}" for t in (off, on))
        effects = "  ".join("–" if t.effect is None else f"{t.effect:.2f}" for t in (off, on))
        print(f"{name:36} {'  '.join(f'{c:>20}' for c in counts)} {effects:>20}")
    print(f"any primary claim supported: off {made.off.any_primary}, on {made.on.any_primary}")
    for name, count in made.off.e_values.items():
        print(f"e-value of {name} ever 20: off {count}, on {made.on.e_values.get(name, 0)}")


def main() -> None:
    """Run this script."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # more threads would only wait
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--economies", type=int, default=200)
    parser.add_argument("--years", type=int, default=20)
    add_options(parser, workers=2)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    made = calibrate(given.economies, given.years, given.workers, given.dask)
    show(made)
    if given.write:
        PATH.write_text(json.dumps(made.model_dump(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    from benchmarks import trial  # a worker finds its functions by this name

    trial.main()
