"""The numbers of a comparison as plain data, for ``compare --json`` and for the page."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, fields
from pathlib import Path
from typing import Any

from backtests.config import RunConfig
from backtests.evidence import metrics
from backtests.evidence.bootstrap import COVERAGE, COVERAGE_SOURCE, Coverage, Interval
from backtests.evidence.comparison import Compared, Comparison
from backtests.evidence.entries import observed_in
from backtests.evidence.own_mix import Rival
from backtests.evidence.pair import Pair
from backtests.evidence.placebo import Placebo
from backtests.evidence.placebo_rank import leaning_said
from backtests.evidence.saved import SHOWN as SHOWN_OF_SAVED
from backtests.evidence.saved import Repeated
from backtests.evidence.settings import SettingChange, changes, strategy_said
from backtests.format import percent
from backtests.history.origin import stale_warning
from backtests.report.luck_numbers import lead_lag_numbers, table_luck_numbers, timing_numbers
from backtests.report.plain import plain
from signals.params import parameters
from signals.regimes import Regime
from signals.universe import HINDSIGHT

SHOWN = (
    "total_return",
    "cagr",
    "volatility",
    "sharpe",
    "sortino",
    "max_drawdown",
    "calmar",
    "exposure",
    "turnover",
    "costs",
)


def comparison_numbers(
    comparison: Comparison, repeated: Mapping[str, Repeated] | None = None
) -> dict[str, dict[str, Any]]:
    """Return the numbers of each strategy as fractions; an undefined number is None.

    ``repeated`` maps the label of each finished run to its repetition on current data. If there are
    two rows, the entry ``pair`` of the first row compares the two rows.
    """
    pair = comparison.pair
    return {
        label: plain(
            _entry(row)
            | _timed(row)
            | {
                "luck": table_luck_numbers(comparison.luck, label),
                "pair": _pair(pair, row, repeated or {}) if pair and pair.first == label else None,
                "saved": _saved((repeated or {}).get(label)),
            }
        )
        for label, row in comparison.rows.items()
    }


def _pair(pair: Pair, row: Compared, repeated: Mapping[str, Repeated]) -> dict[str, Any]:
    """Return the comparison of two rows; yearly numbers are None for runs shorter than a year."""
    short = row.below_a_year
    return {
        "against": pair.second,
        "settings": _settings((*pair.settings, *_windows(pair, repeated))),
        "excess": _ends(pair.excess, short=short),
        "sharpe": _ends(pair.sharpe, short=short),
        "p_value": None if short or pair.test is None else pair.test.p_value,
    }


def _windows(pair: Pair, repeated: Mapping[str, Repeated]) -> tuple[SettingChange, ...]:
    """Return the dates that differ between two finished runs: the start, the end, or both.

    The two rows are compared on the sessions that both runs have.
    """
    if not {pair.first, pair.second} <= repeated.keys():
        return ()
    one, other = (repeated[label].saved.described for label in (pair.first, pair.second))
    return tuple(
        SettingChange(path=key, first=one[key], second=other[key])
        for key in ("start", "end")
        if one[key] != other[key]
    )


def _settings(found: tuple[SettingChange, ...]) -> list[dict[str, Any]]:
    """Return the settings that differ between two rows, as plain data; file paths become text."""
    values = ({"path": c.path, "first": c.first, "second": c.second} for c in found)
    return [{k: str(v) if isinstance(v, Path) else v for k, v in one.items()} for one in values]


def _saved(repeated: Repeated | None) -> dict[str, Any] | None:
    """Return the saved numbers of a finished run, and the numbers of its repetition."""
    if repeated is None:
        return None
    saved = repeated.saved
    return {
        "folder": str(saved.folder),
        "source": saved.described["source"],
        "labels": saved.config.labels and str(saved.config.labels),
        **{key: saved.described[key] for key in ("run_id", "version", "start", "end")},
        "same": repeated.is_same,
        "changed_from": repeated.changed_from,
        "largest_difference": repeated.largest,
        "own": {name: saved.numbers.get(name) for name in SHOWN_OF_SAVED},
        "again": repeated.again,
    }


def _timed(row: Compared) -> dict[str, Any]:
    return {
        "lead_lag": lead_lag_numbers(row.lead_lag),
        "timing": timing_numbers(row.timing, below_a_year=row.below_a_year),
    }


def about(comparison: Comparison) -> dict[str, Any]:
    """Return facts about the whole comparison: its sessions, its history and its statistics."""
    run = next(iter(comparison.rows.values())).run
    history = run.history
    equity, returns = run.result.equity, run.result.returns
    absorption = observed_in(run, comparison.regime, (Regime.ABSORPTION,))
    placebos = [row.placebo_rank.placebo for row in comparison.rows.values()]
    ranked_by = [placebo.kind for placebo in placebos if placebo is not None]
    return plain(
        {
            "start": equity.index[0],
            "end": equity.index[-1],
            "sessions": len(returns),
            "below_a_year": metrics.is_short(returns),
            "source": history.source,
            "simulated": history.is_simulated,
            "stale": stale_warning(history) if run.config.end is None else None,
            "level": comparison.level,
            "reps": comparison.reps,
            "coverage": coverage_said(),
            "leaning": leaning_said() if "resampled" in ranked_by else None,
            "lags": sorted({row.run.config.lag for row in comparison.rows.values()}),
            "hindsight": HINDSIGHT,
            "ranked": len(ranked_by),
            "notes": list(comparison.notes),
            "absorption_episodes": absorption.episodes,
            "absorption_entered": absorption.entered,
        }
    )


def _entry(row: Compared) -> dict[str, Any]:
    run, seen = row.run, row.observed
    equity, everything = run.result.equity, metrics.of_run(run)
    return {
        "line": strategy_said(run.strategy),
        "link": run.strategy.link,
        "kind": row.kind,
        "regime_model": run.config.regime_model,
        "params": parameters(run.strategy),
        "settings": _changed(run.config),
        "source": run.history.source,
        "simulated": run.simulated,
        "start": equity.index[0],
        "end": equity.index[-1],
        "sessions": len(run.result.returns),
        **{key: everything[key] for key in SHOWN},
        "intervals": _intervals(row),
        "mix": {"share": row.mix.share, **_rival(row, row.mix)},
        "equal_weight": None if row.equal_weight is None else _rival(row, row.equal_weight),
        "placebo": _placebo(row.placebo_rank.placebo),
        "alpha": None if row.alpha is None else asdict(row.alpha),
        "coverage": {name: asdict(measured) for name, measured in COVERAGE.items()},
        "baskets": _placebo(row.baskets),
        "placebo_note": row.placebo_rank.note,
        "episodes": None if seen is None else seen.episodes,
        "entered": None if seen is None else seen.entered,
        "conclusion": row.conclusion,
        "notes": list(run.result.notes),
    }


def _changed(config: RunConfig) -> list[dict[str, Any]]:
    """Return the settings that differ from the defaults of the strategy and its regime model.

    A parameter without a default is left out.
    """
    kept = {key: getattr(config, key) for key in ("strategy", "regime_model", "labels", "source")}
    fixed = {f.name for f in fields(config.strategy_class()) if _has_no_default(f)}
    for table, given in (("params", config.params), ("universe", config.universe.sleeves)):
        kept[table] = {name: value for name, value in given.items() if name in fixed}
    return _settings(changes(config, RunConfig(**kept)))


def _has_no_default(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


#: Names of intervals in :func:`coverage_said`, by key of the interval.
_SAID = {"sharpe": "Sharpe", "excess_mix": "over own mix", "alpha": "alpha"}


def coverage_said() -> str:
    """Return sentences on how often 95 % intervals contained the true value in simulations."""
    parts = "; ".join(f"{said} {_shares(COVERAGE[name])} %" for name, said in _SAID.items())
    return (
        "Simulated markets show how many of the 95 % intervals contain the true value. The "
        "simulated market A has no regimes. The simulated market B has regimes of about 400 "
        "sessions. In the simulated market C, the mean returns of the regimes are twice as far "
        "apart as in market B. Percentage of intervals that contain the true value, in the markets "
        f"A, B and C: {parts} ({COVERAGE_SOURCE})."
    )


def _shares(measured: Coverage) -> str:
    return ", ".join(percent(share, 0) for share in asdict(measured).values())


def _intervals(row: Compared) -> dict[str, dict[str, float | None]]:
    """Return the estimate and the bounds of each interval.

    If the run is shorter than a year, the estimate and the bounds are None.
    """
    return {name: _ends(i, short=row.below_a_year) for name, i in row.intervals.items()}


def _ends(interval: Interval, *, short: bool) -> dict[str, float | None]:
    return {end: None if short else getattr(interval, end) for end in ("estimate", "low", "high")}


def _rival(row: Compared, other: Rival) -> dict[str, object]:
    figures = metrics.of_returns(other.returns, row.run.bills, row.run.benchmark)
    return {name: figures[name] for name in ("cagr", "sharpe", "max_drawdown")}


def _placebo(placebo: Placebo | None) -> dict[str, Any] | None:
    if placebo is None:
        return None
    return {key: getattr(placebo, key) for key in ("kind", "statistic", "rank", "p_value", "n")}
