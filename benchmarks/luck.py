"""Measure how often the tests of luck find an edge: in pure noise, and with a planted edge.

    python -m benchmarks.luck [--seeds 500] [--trials 100] [--years 10] [--write]

Each seed makes the given number of trials with daily returns from a Student distribution with four
degrees of freedom. The trials of a world are unrelated, or correlated like variants of one another.
The best trial is chosen by its Sharpe ratio and tested. In the worlds with an edge, one trial has a
true yearly Sharpe ratio above 0.

The script prints a table of shares of seeds. The share of a test says how often the test finds the
chosen trial better than luck, at the 5 % level. "edge chosen" is the share in which the chosen
trial is the trial with the edge. "PBO" is the mean probability of overfitting.

The columns "own error" use the standard error of the chosen track record. These columns need the
number of independent trials. :mod:`backtests.evidence.effective_trials` estimates this number for
the hurdle. The columns with "rank" use :func:`effective_rank` instead. ``--write`` puts the table
into docs/luck.md.

References
----------
Roy and Vetterli (2007), "The effective rank", EUSIPCO.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backtests.evidence.deflation import deflate
from backtests.evidence.effective_trials import effective_trials, standardised
from backtests.evidence.entries import SIGNIFICANT
from backtests.evidence.overfitting import block_moments, overfitting
from backtests.evidence.track_record import TrackRecord
from benchmarks.docs_numbers import ROOT, with_block

PAGE, BLOCK = Path("docs/luck.md"), "luck-calibration"
YEAR = 252


@dataclass(frozen=True, kw_only=True)
class World:
    """True yearly Sharpe ratio of one trial, and correlation between all trials."""

    edge: float
    correlation: float

    def returns(self, rng: np.random.Generator, trials: int, sessions: int) -> np.ndarray:
        """Return daily returns over bills, trials × sessions; the first trial has the edge."""
        alone = rng.standard_t(4, (trials, sessions)) / math.sqrt(2)
        shared = rng.standard_t(4, sessions) / math.sqrt(2)
        rho = self.correlation
        values: np.ndarray = 0.01 * (math.sqrt(rho) * shared + math.sqrt(1 - rho) * alone)
        values[0] += 0.01 * self.edge / math.sqrt(YEAR)
        return values


WORLDS = (
    World(edge=0.0, correlation=0.0),
    World(edge=0.0, correlation=0.5),
    World(edge=0.0, correlation=0.9),
    World(edge=1.0, correlation=0.0),
    World(edge=1.5, correlation=0.0),
    World(edge=1.0, correlation=0.9),
)
COLUMNS = (
    *("verdict", "2026", "own error", "own error, rank", "2014", "edge chosen"),
    *("PBO", "independent", "rank"),
)


def effective_rank(returns: np.ndarray) -> float:
    """Return the effective rank of the trials' correlation matrix: exp(−Σ p ln p).

    Each p is an eigenvalue of the matrix, divided by the sum of all eigenvalues. The effective rank
    is N for N uncorrelated trials and 1 for equal trials. The effective rank is at most the number
    of sessions minus 1. ``returns`` is an array of trials × sessions. Trials with constant returns
    are left out.
    """
    values = standardised(np.atleast_2d(returns)).astype(np.float64)
    if len(values) < 2:
        return 1.0
    inner = values @ values.T if len(values) <= values.shape[1] else values.T @ values
    shares: np.ndarray = np.linalg.eigvalsh(inner)
    shares = shares[shares > np.max(shares) * 1e-7]
    shares /= shares.sum()
    return max(1.0, float(np.exp(-(shares * np.log(shares)).sum())))


def measured(world: World, seed: int, trials: int, sessions: int) -> list[float]:
    """Return the results of the tests for the best trial of one seed, in the order of COLUMNS."""
    returns = world.returns(np.random.default_rng(seed), trials, sessions)
    sharpes = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
    best = int(np.argmax(sharpes))
    effective, rank = effective_trials(returns, draws=1000), effective_rank(returns)
    track = TrackRecord.from_returns(returns[best])
    found, by_rank = deflate(track, sharpes, effective), deflate(track, sharpes, rank)
    return [
        float(found.is_significant),
        float(found.probability >= 1 - SIGNIFICANT),
        float(found.of_own_error >= 1 - SIGNIFICANT),
        float(by_rank.of_own_error >= 1 - SIGNIFICANT),
        float(found.probability_2014 >= 1 - SIGNIFICANT),
        float(best == 0),
        overfitting(block_moments(returns)).probability,
        effective,
        rank,
    ]


def table(seeds: int, trials: int, sessions: int) -> str:
    """Return the table as text: one row for each world."""
    lines = [
        f"| true Sharpe of one trial | correlation | {' | '.join(COLUMNS)} |",
        f"| {' | '.join(['---'] * (2 + len(COLUMNS)))} |",
    ]
    for world in WORLDS:
        drawn = [measured(world, seed, trials, sessions) for seed in range(seeds)]
        *shares, pbo, effective, rank = np.mean(drawn, axis=0)
        cells = [*(f"{100 * share:.1f} %" for share in shares), f"{pbo:.2f}"]
        cells += [f"{effective:.0f}", f"{rank:.0f}"]
        if not world.edge:
            cells[5] = "–"
        lines.append(f"| {world.edge:.1f} | {world.correlation:.1f} | {' | '.join(cells)} |")
        print(lines[-1], file=sys.stderr)
    said = f"{seeds} seeds of {trials} trials over {sessions} sessions."
    return "\n".join([said, "", *lines])


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute and print the table; with ``--write``, also write the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args(arguments)
    content = table(given.seeds, given.trials, given.years * YEAR)
    print(content)
    if given.write:
        page = ROOT / PAGE
        page.write_text(with_block(page.read_text("utf-8"), BLOCK, content), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
