"""Compare the compiled simulation with ``simulate`` on thousands of random cases.

    python -m benchmarks.parity
    python -m benchmarks.parity --examples 200

Hypothesis draws weights, gaps and ends of prices, short positions, flips, lags, bands, costs and
gross limits, as in ``tests/engine/cases.py``. Each case is simulated once by ``simulate`` and
twice by the compiled loops: with daily figures, and with metrics. Equity must agree to a relative
1e-12 at every close. The metrics must agree with those of ``evidence/metrics.py``. If both refuse a
case, the messages must be equal. The script reduces the first failure to a small case, shows this
case, and ends with an error.
"""

import argparse
import time
from collections import Counter

from hypothesis import HealthCheck, given, settings

from backtests.engine.simulate import Result
from tests.engine.cases import Case, answer, any_case
from tests.engine.test_kernel import agree_with
from tests.engine.test_many import batched, check_against


def compare(examples: int, seen: Counter[str]) -> None:
    """Compare random cases; an AssertionError shows the smallest case that differs."""

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=any_case())
    def one(case: Case) -> None:
        result = answer(case.engine)
        agree_with(result, case)
        check_against(result, batched(case), 0)
        seen.update(kinds(case, result))

    one()


def kinds(case: Case, result: Result | str) -> list[str]:
    """Return the features that a case contains, for the summary."""
    holds = {
        "cases": True,
        "with short positions": bool((case.weights < 0).any(axis=None)),
        "with missing prices": bool(case.prices.isna().any(axis=None)),
        "with a lag above 1": case.lag > 1,
        "with a band": case.band > 0,
        "with a gross limit above 1": case.gross_limit > 1,
        "ruined, with equal messages": not isinstance(result, Result),
    }
    return [name for name, true in holds.items() if true]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--examples", type=int, default=2000)
    given = parser.parse_args()
    seen: Counter[str] = Counter()
    start = time.perf_counter()
    compare(given.examples, seen)
    for name, count in seen.most_common():
        print(f"{count:6d} {name}")
    print(f"all agree to 1e-12, after {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
