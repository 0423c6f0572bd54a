"""The numbers of docs/flags.md and of the README's last section: a function a block.

Every function takes the history and its reading and returns Markdown. See
``benchmarks/docs_numbers.py``, which writes them into the pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd

import signals
from backtests.config import config_from
from backtests.evidence.metrics import cagr
from backtests.history.panel import History
from backtests.pipeline import run
from signals import Absorption, Capex, Convexity, DryPowder, Opportunity, evaluate
from signals.catalog import ttm_id, year_ago_id
from signals.reading import Reading
from signals.regimes import Regime

YEARS = range(2014, 2026)
KS = (0.08, 0.085, 0.09, 0.10, 0.11)
#: Stays of a state that lie closer than this many sessions are one episode.
QUARTER = 63
#: Sessions after an episode within which a flag still counts as turned on by it.
AFTER = 5
START = "2015-01-01"

#: First and last day of each episode, from the thesis, chosen before any flag was computed.
EPISODES = {
    "taper tantrum": ("2013-05-01", "2013-09-30"),
    "China, August 2015": ("2015-08-01", "2015-08-31"),
    "early 2016": ("2016-01-01", "2016-02-29"),
    "Volmageddon": ("2018-01-01", "2018-02-28"),
    "QT 2018": ("2018-09-20", "2018-12-24"),
    "repo spike": ("2019-09-17", "2019-09-17"),
    "dash for cash": ("2020-02-19", "2020-03-23"),
    "crypto crash 2021": ("2021-05-01", "2021-05-31"),
    "QT bear market": ("2022-01-01", "2022-10-31"),
    "Luna": ("2022-05-01", "2022-05-31"),
    "FTX": ("2022-11-01", "2022-11-30"),
    "SVB": ("2023-03-01", "2023-03-31"),
    "term premium 2023": ("2023-07-31", "2023-10-27"),
    "yen carry": ("2024-07-10", "2024-08-05"),
    "tariffs": ("2025-02-19", "2025-04-08"),
    "crypto liquidation": ("2025-10-10", "2025-10-10"),
}
#: Columns of the table of episodes: every signal that has had a view.
WATCHED = tuple(name for name in signals.SIGNALS if name != "convexity")


@dataclass(frozen=True)
class Material:
    """What the blocks are made of: real history, and its reading by the default signals."""

    history: History

    @cached_property
    def reading(self) -> Reading:
        """The reading of the whole history."""
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
    """Return the stays of a flag: first and last session, and sessions."""
    held = on.fillna(False).astype(bool)
    number = (held & ~held.shift(fill_value=False)).cumsum()[held]
    return [(p.index[0], p.index[-1], len(p)) for _, p in number.groupby(number)]


def episodes(on: pd.Series) -> int:
    """Return how many stays there are when those closer than a quarter are one."""
    ends = [pd.DatetimeIndex([first, last]) for first, last, _ in stays(on)]
    at = [on.index.get_indexer(pair) for pair in ends]
    return sum(bool(after[0] - before[1] > QUARTER) for before, after in pairwise(at)) + bool(at)


def flags_table(m: Material) -> str:
    """Return a row a signal: first view, stays, and days on by year."""
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
    """Return capital spending as known at three dates, and where the capex signal has no view."""
    level = Capex().evaluate(m.history.panel).gauges["level"]
    dates = ("2024-02-15", "2025-02-14", "2025-12-31")
    known = ", ".join(f"{level.loc[date]:.1f} bn USD on {date}" for date in dates)
    flag = m.reading.flags["capex"]
    gaps = stays(flag.loc[flag.first_valid_index() :].isna())
    spans = " and ".join(f"{first.date()} to {last.date()}" for first, last, _ in gaps)
    return (
        f"Trailing capital expenditure of the five, as known: {known}. After its first view the "
        f"`capex` signal has no view from {spans}, because figures of a year earlier are missing."
    )


def regime_table(m: Material) -> str:
    """Return how often each regime was entered, and for how long it stayed."""
    regime = m.reading.regime.loc[m.reading.regime.first_valid_index() :]
    label = regime.fillna("none")
    number = (label != label.shift()).cumsum()
    lengths = label.groupby(number).size()
    without = int(regime.isna().sum())
    said = (
        f"The regime has a view from {regime.index[0].date()} on, "
        + ("on every session" if not without else f"but for {without} sessions")
        + f". It changed {len(lengths) - 1} times and stayed a median of {lengths.median():.0f} "
        f"sessions. Stays less than {QUARTER} sessions apart count as one episode.\n\n"
    )
    rows = [
        (r.value, episodes(regime == r.value), len(stays(regime == r.value)),
         f"{(regime == r.value).sum():,}")
        for r in Regime
    ]  # fmt: skip
    return said + table(("regime", "episodes", "stays", "sessions"), rows)


def episodes_table(m: Material) -> str:
    """Return a row an episode: what each flag did around it."""
    rows = [
        (name, *(_turned(m.reading.flags[s], *days) for s in WATCHED), _regimes(m, *days))
        for name, days in EPISODES.items()
    ]
    return table(("episode", *(f"`{s}`" for s in WATCHED), "regime"), rows)


def _turned(flag: pd.Series, first: str, last: str) -> str:
    index = flag.index
    start = index.searchsorted(pd.Timestamp(first))
    end = index.searchsorted(pd.Timestamp(last), side="right") + AFTER
    during = flag.iloc[start:end]
    if pd.notna(during.iloc[0]) and during.iloc[0]:
        return "on"
    if during.isna().all():
        return ""
    on = during[during.fillna(False).astype(bool)]
    return f"{on.index[0]:%m-%d}" if len(on) else "–"


def _regimes(m: Material, first: str, last: str) -> str:
    index = m.reading.regime.index
    end = index.searchsorted(pd.Timestamp(last), side="right") + AFTER
    part = m.reading.regime.iloc[index.searchsorted(pd.Timestamp(first)) : end].fillna("none")
    return " → ".join(part[part != part.shift()])


def misses(m: Material) -> str:
    """Return what the flags miss, as a list."""
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
        f"By quantities, 2022 has no absorption: idle capital never fell below {idle.min():.1f} % "
        f"of GDP. The votes alone made the regime ABSORPTION on {100 * share:.0f} % of the days "
        "of 2022."
    )


def _miss_crypto(m: Material) -> str:
    flags = m.reading.flags
    warned = flags["crypto_probe"].loc["2025-10-10":].fillna(False).astype(bool)
    twin = flags["crypto_forced_selling"]
    luna, ftx = (
        "turned on" if twin.loc[a:b].fillna(False).any() else "did not turn on"
        for a, b in (EPISODES["Luna"], EPISODES["FTX"])
    )
    return (
        "The crypto liquidation of 2025-10-10 did not turn on `forced_selling` or "
        f"`crypto_forced_selling`. `crypto_probe` warned on {warned[warned].index[0].date()}. In "
        f"Luna `crypto_forced_selling` {luna}; in FTX it {ftx}."
    )


def _miss_slow() -> str:
    level = signals.ForcedSelling().enter
    return (
        "The yen carry of 2024, SVB and the bear market of 2022 show no forced selling, because "
        f"the mean of the z-scores must reach {level:g} and does not in slow falls."
    )


def _miss_dash(m: Material) -> str:
    fall = pd.Timestamp(EPISODES["dash for cash"][0])
    last = [last for _, last, _ in stays(m.reading.flags["absorption"]) if last < fall][-1]
    return (
        f"In the dash for cash `absorption` was on for the last time on {last.date()}, "
        f"{(fall - last).days} days before the fall began: capital spending had stopped growing."
    )


def _miss_chance(m: Material) -> str:
    panel, default = m.history.panel, m.reading.flags["opportunity"]
    once = "; ".join(f"{n} sessions from {first.date()}" for first, _, n in stays(default))
    other = ", ".join(
        str(f.date()) for f, _, _ in stays(Opportunity(members=2).evaluate(panel).flag)
    )
    grown = [_growth(m, members) for members in (1, 2)]
    return (
        f"`opportunity` fired since 2004: {once}. That was shortly before the worst fall of all, "
        "and it never fired again. Its basket begins with MicroStrategy alone, and the fall of "
        "that share sets a decile that no later fall reached. With `members=2` it would have fired "
        f"on {other}, and `cash-heavy` since {START} would have grown {grown[1]:.1f} % a year, not "
        f"{grown[0]:.1f} %. We found that rule after we knew the misses, so it is not the default."
    )


def _growth(m: Material, members: int) -> float:
    given = {"strategy": "cash-heavy", "start": START}
    config = config_from({**given, "signals": {"opportunity": {"members": members}}})
    return 100 * cagr(run(config, m.history).result.returns)


def _miss_convexity(m: Material) -> str:
    counted = Convexity().evaluate(m.history.panel).gauges["excursions"].iloc[-1]
    return (
        f"`convexity` has no estimate: u had {counted:.0f} separate stays above its knee, and the "
        f"signal needs {Convexity().excursions}."
    )


def k_table(m: Material) -> str:
    """Return when idle capital was depleted and capital absorbed, by k."""
    rows = []
    for k in KS:
        powder = DryPowder(k=k)
        signals = {"dry_powder": powder, "absorption": Absorption()}
        flags = (said.flag for said in evaluate(m.history.panel, signals).values())
        rows.append((f"{k:.3f}", *map(_spans, flags)))
    return table(("k", "`dry_powder` on", "`absorption` on"), rows)


def _spans(flag: pd.Series) -> str:
    end = flag.index[-1]
    return "; ".join(
        f"from {a.date()}" if b == end else f"{a.date()} to {b.date()}" for a, b, _ in stays(flag)
    )


FACTORS = (("halved", 0.5), ("as it was", 1.0), ("doubled", 2.0))


def counterfactual_table(m: Material) -> str:
    """Return how long absorption would be on with other capital spending of equal growth."""
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
    """Return the panel with all capital spending times a factor, so that its growth is the same."""
    figures = (ttm_id, year_ago_id)
    ids = [figure("CAPEX", firm) for firm in Capex().firms for figure in figures]
    return panel.assign(**{id: panel[id] * factor for id in ids})


def _of_capex(m: Material) -> str:
    on = m.reading.flags["absorption"].fillna(False).astype(bool)
    powder = DryPowder().evaluate(m.history.panel).gauges
    early, late = m.gauges.loc[on].loc["2018":"2020"], m.gauges.loc[on].loc["2025"]
    nil = (powder["excess_reserves"].loc[early.index] == 0).mean()
    return (
        f"On {100 * nil:.0f} % of the days in 2018 to 2020 on which the flag was on, reserves "
        "above k · GDP were exactly zero. Idle capital was a median of "
        f"{early['idle'].median():.1f} bn USD and u a median of {early['u'].median():.2f} on those "
        f"days, although capital spending was {early['capex_share'].median():.1f} % of GDP. On the "
        "days of 2025 on which it was on, capital spending was "
        f"{late['capex_share'].median():.1f} % of GDP."
    )


def entries_line(m: Material) -> str:
    """Return how often ABSORPTION came up since the first view, for the README."""
    on = m.reading.regime.loc[START:] == Regime.ABSORPTION.value
    flag = m.reading.flags["absorption"].loc[START:]
    return (
        f"ABSORPTION was entered {len(stays(on))} times from 2015 to {on.index[-1].date()}, in "
        f"{episodes(on)} episodes (stays less than a quarter apart are one); by quantities alone "
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
    "readme-entries": entries_line,
}
