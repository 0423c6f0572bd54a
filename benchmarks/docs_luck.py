"""Compute the numbers of docs/luck.md on real strategies and on a planted look-ahead.

The function takes a :class:`benchmarks.docs_flags.Material` and returns Markdown.
"""

from dataclasses import replace

from backtests.config_data import config_from
from backtests.evidence.lead_lag import LeadLag, lead_lag
from backtests.evidence.timing_split import TimingSplit, timing_split
from backtests.history.panel import History
from backtests.pipeline import run, trade
from backtests.runs import Run
from benchmarks.docs_flags import START, Material, table

STRATEGIES = ("near-cash-flow", "cash-heavy", "defensive", "survival", "trend")
#: Lags of the columns, in sessions from decision to fill.
SHOWN = (-5, -1, 0, 1, 2, 5, 10)


def foreseeing(history: History, sessions: int = 1) -> Run:
    """Return a run with look-ahead: the strategy chooses SPY if SPY will rise, else cash.

    The strategy knows the return of one session, ``sessions`` sessions after the decision.
    """
    plain = run(config_from({"strategy": "spy", "start": START}), history)
    rises = history.closes["SPY"].pct_change(fill_method=None).shift(-sessions) > 0
    decided = rises.astype(float).to_frame("SPY").loc[plain.sessions]
    result = trade(plain.config, plain.strategy, history, decided, plain.sessions)
    return replace(plain, decided=decided, result=result)


def row(name: str, found: LeadLag | None, split: TimingSplit) -> tuple[str, ...]:
    """Return the cells of a strategy: information ratios by lag, collapse, tilt and timing."""
    assert found is not None, name
    ratios = (f"{found.ratios[lag]:.2f}" for lag in SHOWN)
    collapse = "fades" if found.collapse is None else f"after {found.collapse}"
    return (name, *ratios, collapse, f"{100 * split.tilt:.1f}", f"{100 * split.timing:.1f}")


def row_of(history: History, name: str) -> tuple[str, ...]:
    """Return the cells of a registered strategy."""
    done = run(config_from({"strategy": name, "start": START}), history)
    return row(f"`{name}`", lead_lag(done), timing_split(done))


def lead_and_lag(m: Material) -> str:
    """Return the table of information ratios by the lag of fills."""
    seer = foreseeing(m.history)
    heads = (f"{lag}" if lag > 0 else f"({lag})" for lag in SHOWN)
    return table(
        ("strategy", *heads, "collapse", "tilt, %", "timing, %"),
        [
            *(row_of(m.history, name) for name in STRATEGIES),
            row("planted look-ahead", lead_lag(seer), timing_split(seer)),
        ],
    )


BLOCKS = {"luck-lead-lag": lead_and_lag}
