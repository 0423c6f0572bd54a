"""Compute the numbers of docs/flags.md about scales of idle capital and flags without a scale.

Every function takes a :class:`benchmarks.docs_flags.Material` and returns Markdown.
"""

from typing import Any

import pandas as pd

import signals
from backtests.config import RunConfig
from backtests.config_data import config_from
from backtests.evidence import metrics
from backtests.history.panel import History
from backtests.pipeline import run
from benchmarks.docs_flags import START, Material, spans, stays, table
from signals import DryPowder, Funding, OutsideCapital, flags_by_scale
from signals.regimes import Regime, Votes
from signals.scales import TITLES
from strategies import STRATEGIES

YEARS = range(2009, 2026)
NEW = ("funding", "outside_capital", "leverage")
BANK_ASSETS = {"dry_powder": {"scale": "bank_assets"}}


def new_flags(m: Material) -> str:
    """Return a table of the flags that need no k, with the periods in which each flag was on."""
    return table(
        ("signal", "first view", "on"),
        [
            (f"`{name}`", flag.dropna().index[0].date(), spans(flag) or "never")
            for name, flag in ((name, m.reading.flags[name]) for name in NEW)
        ],
    )


def new_facts(m: Material) -> str:
    """Return a list of hits and misses: what the flags did in known episodes of market stress."""
    return "\n".join(
        f"- {line}" for line in (*_of_price(m), *_of_payers(m), *_of_leverage(m), _of_vote(m))
    )


def _of_price(m: Material) -> tuple[str, ...]:
    panel, flag = m.history.panel, m.reading.flags["funding"]
    high = _sofr_above(panel)
    dash = high.loc["2020-02-19":"2020-03-23"].mean()
    reserves = 100 * panel["WRESBAL"] / 1e3 / panel["TLAACBW027SBOG"]
    spike = Funding().evaluate(panel).gauges["sofr_spread"].loc["2019-09-18"]
    return (
        f"SOFR was above the rate on reserves on {high.loc['2019'].mean():.0f} % of the sessions "
        f"of 2019 and on {high.loc['2025'].mean():.0f} % of the sessions of 2025. The flag "
        f"`funding` was on for {_days(flag, '2019'):.0f} % of the sessions of 2019 and for "
        f"{_days(flag, '2025'):.0f} % of the sessions of 2025; sessions without a view are left "
        "out. Measured by the price, reserves were less scarce in 2025 than in 2019.",
        f"In the repo spike of 2019-09-17, SOFR was {spike:.0f} bp above the rate on reserves. "
        f"The flag had been on since {_since(flag, '2019-09-17')}.",
        f"In 2025 the flag turned on at {_since(flag, '2025-12-01')}, before the Fed ended the "
        "runoff of its bonds on 2025-12-01. `dry_powder` turned on earlier "
        f"({_since(m.reading.flags['dry_powder'], '2025-12-01')}).",
        f"Reserves known at the close were {reserves.loc['2019-09-30']:.1f} % of bank assets on "
        f"2019-09-30 and {reserves.loc['2025-11-07']:.1f} % on 2025-11-07.",
        "`funding` was off in the dash for cash of 2020. SOFR was above the rate on reserves on "
        f"{dash:.0f} % of the sessions of that episode. So the flag missed the worst shortage of "
        "cash in the sample.",
    )


def _of_payers(m: Material) -> tuple[str, ...]:
    gauges = OutsideCapital().evaluate(m.history.panel).gauges
    whole = gauges[gauges["firms"] == len(OutsideCapital().firms)]
    last = gauges.iloc[-1]
    return (
        "`outside_capital` was never on: taken together, the five firms never spent more than they "
        "earned. The gap is capital spending minus cash flow, in % of capital spending. The first "
        f"session with data of all five firms is {whole.index[0].date()}; on this day, the gap was "
        f"{_minus(whole['gap'].iloc[0])} %. At the last session, the gap was "
        f"{_minus(last['gap'])} %. In the last year, spending grew more than cash flow: "
        f"{last['marginal']:.0f} % of the added spending was not covered by added cash flow. By "
        "this measure, the firms did not yet need outside capital.",
    )


def _of_leverage(m: Material) -> tuple[str, ...]:
    flag = m.reading.flags["leverage"]
    return (
        f"`leverage` was on for {_days(flag, '2022'):.0f} % of the sessions of 2022 and for "
        f"{_days(flag, '2008'):.0f} % of those of 2008. It was also on for "
        f"{_days(flag, '2019'):.0f} % of 2019 and {_days(flag, '2023'):.0f} % of 2023, when "
        "shares rose. The flag is late, because it compares margin debt with the debt a year "
        "earlier.",
    )


def _of_vote(m: Material) -> str:
    others = tuple(name for name in signals.voters() if name != "funding")
    without = Votes(voters=others).classify(m.history.panel, m.reading.evaluations).regime
    changed = int((without.fillna("none") != m.reading.regime.fillna("none")).sum())
    return f"Without the vote of `funding`, {changed} sessions would have another regime."


def _minus(value: float, digits: int = 0) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def _since(flag: pd.Series, day: str) -> str:
    """Return the first session of the flag's stay that contains ``day``."""
    at = pd.Timestamp(day)
    return str(next(first for first, last, _ in stays(flag) if first <= at <= last).date())


def _sofr_above(panel: pd.DataFrame) -> pd.Series:
    spread = Funding().evaluate(panel).gauges["sofr_spread"].dropna()
    return 100 * (spread > 0).astype(float)


def _days(flag: pd.Series, year: str) -> float:
    """Return the share of a year's sessions on which a flag was on, in %.

    Sessions with an unknown flag are left out.
    """
    return 100 * float(flag.loc[year].dropna().astype(float).mean())


def scales_by_year(m: Material) -> str:
    """Return a table by year: how often each scale's flag was on, and the mean of each measure."""
    panel, flags = m.history.panel, flags_by_scale(m.reading.evaluations)
    reserves = panel["WRESBAL"] / 1e3
    shares = [100 * reserves / panel[id] for id in ("GDP", "TLAACBW027SBOG")]
    high = _sofr_above(panel)
    rows = [
        (
            year,
            *(_cell(100 * flags[name].dropna().astype(float), year) for name in TITLES),
            *(_cell(share, year, 1) for share in shares),
            _cell(high, year),
        )
        for year in YEARS
    ]
    known = ("reserves, % of GDP", "reserves, % of bank assets", "SOFR above, % of sessions")
    return table(("year", *(f"by {title}, %" for title in TITLES.values()), *known), rows)


def _cell(values: pd.Series, year: int, digits: int = 0) -> str:
    part = values[pd.DatetimeIndex(values.index).year == year].dropna()
    return "·" if part.empty else f"{part.mean():.{digits}f}"


def scales_on(m: Material) -> str:
    """Return a table with the periods in which each scale says that idle capital is depleted."""
    flags = flags_by_scale(m.reading.evaluations)
    rows = [(title, spans(flags[name])) for name, title in TITLES.items()]
    return table(("scale", "depleted"), rows)


def regimes_without_k(m: Material) -> str:
    """Return the number of sessions in each regime, for two scales: k · GDP and bank assets."""
    chosen = signals.default_signals() | {"dry_powder": DryPowder(scale="bank_assets")}
    other = signals.read(m.history.panel, chosen)
    regimes = m.reading.regime, other.regime
    changed = int((regimes[0].fillna("none") != regimes[1].fillna("none")).sum())
    rows = [
        (r.value, *(f"{int((regime == r.value).sum()):,}" for regime in regimes)) for r in Regime
    ]
    head = ("regime", "sessions, k · GDP", "sessions, bank assets")
    return (
        f"With bank assets in place of k · GDP, {changed:,} of {int(regimes[0].notna().sum()):,} "
        "sessions have another regime. The flag `absorption` is then on in these periods: "
        f"{spans(other.flags['absorption'])}.\n\n{table(head, rows)}"
    )


def strategies_without_k(m: Material) -> str:
    """Return a table with the figures of each thesis strategy, on the same two scales."""
    names = [name for name, strategy in STRATEGIES.items() if strategy.link]
    names += [f"{name}@quantities" for name in names if STRATEGIES[name].follows_regime]
    rows = [(f"`{name}`", *with_and_without(m.history, name)) for name in names]
    heads = [f"{what}, {scale}" for what in _FIGURES for scale in ("k · GDP", "bank assets")]
    return table(("strategy", *heads), rows)


_FIGURES = {"CAGR, %": "cagr", "Sharpe": "sharpe", "drawdown, %": "max_drawdown"}


def with_and_without(history: History, name: str) -> list[str]:
    """Return the cells of a strategy: each figure on k · GDP, then on bank assets."""
    given: dict[str, Any] = {"strategy": name, "start": START}
    both = [_figures(config_from(given | more), history) for more in ({}, {"signals": BANK_ASSETS})]
    return [
        _minus(figures[key], 2) if key == "sharpe" else _minus(100 * figures[key], 1)
        for key in _FIGURES.values()
        for figures in both
    ]


def _figures(config: RunConfig, history: History) -> dict[str, float]:
    done = run(config, history)
    result = done.result
    return metrics.headline(result.returns, result.bills, result.exposure)


BLOCKS = {
    "flags-new": new_flags,
    "flags-new-facts": new_facts,
    "flags-scales-on": scales_on,
    "flags-scales": scales_by_year,
    "flags-without-k-regimes": regimes_without_k,
    "flags-without-k-strategies": strategies_without_k,
}
