"""Compute the numbers of docs/flags.md and docs/few-episodes.md, with a function for each block.

Every function takes a :class:`Material` and returns Markdown. ``benchmarks/docs_numbers.py`` writes
the blocks into the pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd

import signals
from backtests.config_data import config_from
from backtests.evidence.metrics import cagr
from backtests.history.panel import History
from backtests.pipeline import run
from backtests.thesis.events import Episode, read_events
from signals import Absorption, Capex, Convexity, DryPowder, Opportunity, evaluate
from signals.catalog import ttm_id, year_ago_id
from signals.reading import Reading
from signals.regimes import Regime

YEARS = range(2014, 2026)
KS = (0.08, 0.085, 0.09, 0.10, 0.11)
#: If fewer than this number of sessions lie between two stays, both stays belong to one episode.
QUARTER = 63
#: A flag still counts if it turns on within this number of sessions after an episode's end.
AFTER = 5
START = "2015-01-01"

#: The dated episodes of the trial that end before 2026, the year of the essay, by name.
EPISODES = {episode.name: episode for episode in read_events().episodes if episode.end.year < 2026}
#: Columns of the table of episodes. ``convexity`` is left out, because its flag is always missing.
WATCHED = tuple(name for name in signals.SIGNALS if name != "convexity")


@dataclass(frozen=True)
class Material:
    """The input of all functions: real history, and the results of all signals on it."""

    history: History

    @cached_property
    def reading(self) -> Reading:
        """The results of all signals on the whole history."""
        return signals.read(self.history.panel)

    @cached_property
    def gauges(self) -> pd.DataFrame:
        """The gauges of ``absorption``."""
        return Absorption().evaluate(self.history.panel).gauges


def table(header: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    """Return a Markdown table."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def stays(on: pd.Series) -> list[tuple[pd.Timestamp, pd.Timestamp, int]]:
    """Return the first session, the last session and the length of each stay of a flag."""
    held = on.fillna(False).astype(bool)
    number = (held & ~held.shift(fill_value=False)).cumsum()[held]
    return [(p.index[0], p.index[-1], len(p)) for _, p in number.groupby(number)]


def episodes(on: pd.Series) -> int:
    """Return the number of episodes; stays less than a quarter apart belong to one episode."""
    ends = [pd.DatetimeIndex([first, last]) for first, last, _ in stays(on)]
    at = [on.index.get_indexer(pair) for pair in ends]
    return sum(bool(after[0] - before[1] > QUARTER) for before, after in pairwise(at)) + bool(at)


def flags_table(m: Material) -> str:
    """Return a table of the signals: first flag, stays, and % of days on, by year."""
    header = ("signal", "first view", "on-episodes", "stays", "median sessions of a stay")
    return table(
        (*header, "days on, %, by year 2014 → 2025"),
        [(f"`{name}`", *_flag_row(flag)) for name, flag in m.reading.flags.items()],
    )


def _flag_row(flag: pd.Series) -> tuple[object, ...]:
    seen, found = flag.dropna(), stays(flag)
    by_year = [seen[pd.DatetimeIndex(seen.index).year == year] for year in YEARS]
    days = " ".join("·" if part.empty else f"{100 * part.mean():.0f}" for part in by_year)
    first = seen.index[0].date() if len(seen) else "none"
    middle = f"{np.median([n for _, _, n in found]):.0f}" if found else ""
    return first, episodes(flag), len(found), middle, days


def capex_line(m: Material) -> str:
    """Return capital spending as known at three dates, and when ``capex`` had no flag."""
    level = Capex().evaluate(m.history.panel).gauges["level"]
    dates = ("2024-02-15", "2025-02-14", "2025-12-31")
    known = ", ".join(f"{level.loc[date]:.1f} bn USD on {date}" for date in dates)
    flag = m.reading.flags["capex"]
    gaps = stays(flag.loc[flag.first_valid_index() :].isna())
    spans = " and ".join(f"{first.date()} to {last.date()}" for first, last, _ in gaps)
    return (
        f"Known capital expenditure of the five firms over the trailing year: {known}. The "
        f"flag of `capex` is missing from {spans}, because figures of a year earlier are missing."
    )


def regime_table(m: Material) -> str:
    """Return a table with the episodes, stays and sessions of each regime."""
    regime = m.reading.regime.loc[m.reading.regime.first_valid_index() :]
    label = regime.fillna("none")
    number = (label != label.shift()).cumsum()
    lengths = label.groupby(number).size()
    without = int(regime.isna().sum())
    said = (
        f"The regime is known at every session from {regime.index[0].date()} on"
        + (f", except {without} sessions" if without else "")
        + f". It changed {len(lengths) - 1} times, and the median stay in a regime lasted "
        f"{lengths.median():.0f} sessions. Two stays in the same regime count as one episode if "
        f"fewer than {QUARTER} sessions are between them.\n\n"
    )
    rows = [
        (r.value, episodes(regime == r.value), len(stays(regime == r.value)),
         f"{(regime == r.value).sum():,}")
        for r in Regime
    ]  # fmt: skip
    return said + table(("regime", "episodes", "stays", "sessions"), rows)


def episodes_table(m: Material) -> str:
    """Return a table of what each flag did in each episode, with a row for each episode."""
    rows = [
        (one.title, *(_turned(m.reading.flags[s], one) for s in WATCHED), _regimes(m, one))
        for one in EPISODES.values()
    ]
    return table(("episode", *(f"`{s}`" for s in WATCHED), "regime"), rows)


def _turned(flag: pd.Series, episode: Episode) -> str:
    index = flag.index
    start = index.searchsorted(pd.Timestamp(episode.start))
    end = index.searchsorted(pd.Timestamp(episode.end), side="right") + AFTER
    during = flag.iloc[start:end]
    if pd.notna(during.iloc[0]) and during.iloc[0]:
        return "on"
    if during.isna().all():
        return ""
    on = during[during.fillna(False).astype(bool)]
    return f"{on.index[0]:%m-%d}" if len(on) else "–"


def _regimes(m: Material, episode: Episode) -> str:
    index = m.reading.regime.index
    start = index.searchsorted(pd.Timestamp(episode.start))
    end = index.searchsorted(pd.Timestamp(episode.end), side="right") + AFTER
    part = m.reading.regime.iloc[start:end].fillna("none")
    return " → ".join(part[part != part.shift()])


def misses(m: Material) -> str:
    """Return the list of market events that the flags missed."""
    lines = (
        _miss_2022(m),
        _miss_crypto(m),
        _miss_slow(),
        _miss_dash(m),
        _miss_chance(m),
        _miss_convexity(m),
    )
    return "\n".join(f"- {line}" for line in lines)


def _miss_2022(m: Material) -> str:
    idle, regime = m.gauges["idle_share"].loc["2022"], m.reading.regime.loc["2022"]
    share = (regime == Regime.ABSORPTION.value).mean()
    return (
        "The flag `absorption` was off in 2022, because idle capital never fell below "
        f"{idle.min():.1f} % of GDP. The regime was ABSORPTION on {100 * share:.0f} % of the days "
        "of 2022 only because at least half of the votes were on."
    )


def _miss_crypto(m: Material) -> str:
    flags = m.reading.flags
    warned = flags["crypto_probe"].loc["2025-10-10":].fillna(False).astype(bool)
    twin = flags["crypto_forced_selling"]
    luna, ftx = (
        "did not turn on" if _turned(twin, EPISODES[name]) == "–" else "turned on"
        for name in ("luna", "ftx")
    )
    return (
        "The crypto liquidation of 2025-10-10 did not turn on `forced_selling` or "
        "`crypto_forced_selling`. `crypto_probe` turned on later, on "
        f"{warned[warned].index[0].date()}. In the crash of Luna `crypto_forced_selling` {luna}; "
        f"in the failure of FTX it {ftx}."
    )


def _miss_slow() -> str:
    level = signals.ForcedSelling().enter
    return (
        "`forced_selling` stayed off in the yen carry unwind of 2024, the failure of SVB and the "
        f"bear market of 2022. The mean of the signal's z-scores must reach {level:g}, and slow "
        "falls do not reach this level."
    )


def _miss_dash(m: Material) -> str:
    fall = pd.Timestamp(EPISODES["dash-for-cash"].start)
    last = [last for _, last, _ in stays(m.reading.flags["absorption"]) if last < fall][-1]
    return (
        f"`absorption` was on for the last time on {last.date()}, {(fall - last).days} days before "
        "the dash for cash began. The flag turned off because capital spending had stopped growing."
    )


def _miss_chance(m: Material) -> str:
    panel, default = m.history.panel, m.reading.flags["opportunity"]
    [(first, _, length)] = stays(default)
    other = ", ".join(
        str(f.date()) for f, _, _ in stays(Opportunity(members=2).evaluate(panel).flag)
    )
    grown = [_growth(m, members) for members in (1, 2)]
    return (
        f"The flag `opportunity` turned on at {first.date()} and stayed on for {length} sessions. "
        "It turned on shortly before the worst fall of all, and never turned on again. The flag "
        "can turn on only after a deep fall of a basket of speculative assets. The basket must be "
        "as far below its peak as on the worst 10 % of its past sessions. Until 2013 the basket is "
        "MicroStrategy alone. This share fell so far that most later falls of the basket are not "
        "deep enough. "
        f"With `members=2` the flag would have turned on at {other}. The strategy `cash-heavy` "
        f"would then have grown {grown[1]:.1f} % a year since {START}, not {grown[0]:.1f} %. We "
        "tried `members=2` only after we knew which events the flag misses, so this value is not "
        "the default."
    )


def _growth(m: Material, members: int) -> float:
    given = {"strategy": "cash-heavy", "start": START}
    config = config_from({**given, "signals": {"opportunity": {"members": members}}})
    return 100 * cagr(run(config, m.history).result.returns)


def _miss_convexity(m: Material) -> str:
    counted = Convexity().evaluate(m.history.panel).gauges["excursions"].iloc[-1]
    return (
        "`convexity` has no estimate, so its flag is missing. An estimate needs at least "
        f"{Convexity().excursions} separate periods in which u is above its knee. History has "
        f"{counted:.0f} such periods."
    )


def k_table(m: Material) -> str:
    """Return a table with a row for each k: when ``dry_powder`` and ``absorption`` were on."""
    rows = []
    for k in KS:
        powder = DryPowder(k=k)
        signals = {"dry_powder": powder, "absorption": Absorption()}
        flags = (said.flag for said in evaluate(m.history.panel, signals).values())
        rows.append((f"{k:.3f}", *map(spans, flags)))
    return table(("k", "`dry_powder` on", "`absorption` on"), rows)


def spans(flag: pd.Series) -> str:
    """Return the periods in which a flag was on, as text; empty if there is no such period."""
    end = flag.index[-1]
    return "; ".join(
        f"from {a.date()}" if b == end else f"{a.date()} to {b.date()}" for a, b, _ in stays(flag)
    )


FACTORS = (("halved", 0.5), ("unchanged", 1.0), ("doubled", 2.0))


def counterfactual_table(m: Material) -> str:
    """Return how long ``absorption`` would be on if capital spending were higher or lower."""
    rows = []
    for label, factor in FACTORS:
        panel = times_capex(m.history.panel, factor)
        said = Absorption().evaluate(panel)
        flag, u = said.flag, said.gauges["u"]
        on = flag.fillna(False).astype(bool)
        idle = u.corr(m.gauges["idle_share"].where(u.notna()), method="spearman")
        rows.append((label, int(on.sum()), len(stays(flag)), f"{idle:.2f}".replace("-", "−")))
    head = ("capital spending", "sessions on", "stays", "rank correlation of u with idle capital")
    return _of_capex(m) + "\n\n" + table(head, rows)


def times_capex(panel: pd.DataFrame, factor: float) -> pd.DataFrame:
    """Return the panel with capital spending multiplied by a factor; growth rates are unchanged."""
    figures = (ttm_id, year_ago_id)
    ids = [figure("CAPEX", firm) for firm in Capex().firms for figure in figures]
    return panel.assign(**{id: panel[id] * factor for id in ids})


def _of_capex(m: Material) -> str:
    on = m.reading.flags["absorption"].fillna(False).astype(bool)
    powder = DryPowder().evaluate(m.history.panel).gauges
    early, late = m.gauges.loc[on].loc["2018":"2020"], m.gauges.loc[on].loc["2025"]
    nil = (powder["excess_reserves"].loc[early.index] == 0).mean()
    return (
        "The flag was on in 2018 to 2020 and in 2025. In 2018 to 2020, reserves above k · GDP were "
        f"exactly zero on {100 * nil:.0f} % of the days with the flag on. The median of idle "
        "capital was "
        f"{early['idle'].median():.1f} bn USD and the median of u {early['u'].median():.2f}, "
        f"although capital spending was only {early['capex_share'].median():.1f} % of GDP. On "
        "the days with the flag on in 2025, capital spending was "
        f"{late['capex_share'].median():.1f} % of GDP."
    )


def entries_line(m: Material) -> str:
    """Return a sentence for docs/few-episodes.md: how often ABSORPTION began since 2015."""
    on = m.reading.regime.loc[START:] == Regime.ABSORPTION.value
    flag = m.reading.flags["absorption"].loc[START:]
    return (
        f"ABSORPTION began {len(stays(on))} times from 2015 to {on.index[-1].date()}, in "
        f"{episodes(on)} episodes. Two stays in ABSORPTION count as one episode if they are "
        "less than a quarter apart. The flag `absorption` reads only quantities. It turned on "
        f"{len(stays(flag))} times, in {episodes(flag)} episodes"
    )


BLOCKS = {
    "flags-table": flags_table,
    "flags-capex": capex_line,
    "flags-regime": regime_table,
    "flags-episodes": episodes_table,
    "flags-misses": misses,
    "flags-k": k_table,
    "flags-counterfactual": counterfactual_table,
    "entries": entries_line,
}
