"""The thesis and its rival explanations, compared as forecasters of weekly returns.

Every forecaster predicts next week's return of SPY and of bitcoin, each minus the return of bills.
At the end of each week, every forecaster estimates a regression from all returns known so far. All
forecasters forecast the same weeks, and are compared by the squared error.

All rules were fixed before any result was seen. If a rival explanation forecasts as well as the
thesis, the forecasts of the thesis are not evidence for the thesis.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.evidence.bootstrap import block_length
from backtests.evidence.metrics import YEAR
from backtests.thesis.betting import outperformance
from backtests.thesis.errors import NotTestable
from backtests.thesis.sample import LAG, Sample
from backtests.thesis.weeks import week_ends
from signals.errors import DrypowderError
from signals.regimes import REGIMES, Regime

TARGETS = ("SPY", "BTC-USD")
#: The forecaster whose forecast is the mean of all past returns. All other forecasters are compared
#: with :data:`CONSTANT`.
CONSTANT = "constant"
#: The gauges (measures of signals) that each forecaster uses, as pairs of signal and gauge.
GAUGES = {
    "thesis": (("absorption", "u"), ("dry_powder", "share")),
    "supply alone": (("bathtub", "change"),),
    "policy path": (("policy", "shock"),),
}
#: Number of returns that must be known before the first forecast.
FEWEST_WEEKS = 104
#: Number of forecasts in the calibration period, before all other forecasts. The calibration period
#: determines a limit. Later differences of losses are clipped at the limit.
CALIBRATION = 52
#: Level of the model confidence set: the probability that the set contains the best forecaster.
LEVEL = 0.90
RESAMPLES = 1000
SEED = 0
#: Differences of losses are clipped at this number of standard deviations.
CLIP = 3.0

#: Mapping from forecaster to a table of sessions × predictors, as known at each close.
Predictors = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, kw_only=True, eq=False)
class Rivals:
    """How well each forecaster predicts each target.

    Attributes
    ----------
    table
        One row for each target and forecaster. ``loss`` is the mean squared error of the forecasts,
        in squared percentage points. ``r2`` is the reduction of the loss in %, compared with the
        loss of the forecaster ``constant``. ``in_set`` is True if the 90 % model confidence set
        contains the forecaster. ``mcs_p`` is the forecaster's p-value in the model confidence set.
        ``e_value`` is the evidence that the forecaster is better than ``constant``. ``weeks`` is
        the number of forecasts, and ``start`` is the session of the first forecast.
    notes
        One sentence for each forecaster or target that was left out.
    method
        How the forecasters are compared.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]
    method: str = (
        "Each forecast is a least-squares forecast from all known returns. Forecasts are compared "
        "by the squared error. The model confidence set follows Hansen, Lunde and Nason (2011), "
        "Econometrica 79, with a stationary bootstrap. The e-value follows Choe and Ramdas (2024), "
        "Operations Research 72, and uses clipped differences of losses."
    )


def compare_rivals(sample: Sample) -> Rivals:
    """Return the comparison of all forecasters on both targets, SPY and bitcoin.

    A forecaster or target with missing data is left out, and a note gives its name. Raises
    NotTestable if no target has enough weeks.
    """
    gauges, without_gauge = gauge_predictors(sample)
    states, without_state = _price_only(sample)
    tables, notes = {}, [*without_gauge, *without_state]
    for target in TARGETS:
        try:
            predictors = {**gauges, "trend": trend(sample, target), **states}
            made, short = forecasts(sample, target, predictors)
            tables[target] = judge_forecasts(made)
            notes += short
        except NotTestable as error:
            notes.append(f"{target} is left out: {error}")
    if not tables:
        raise NotTestable(f"no return can be forecast: {'; '.join(notes)}")
    table = pd.concat(tables, names=["target", "rival"])
    return Rivals(table=table, notes=tuple(notes))


def gauge_predictors(sample: Sample) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Return the gauges of each rival in :data:`GAUGES`, and one note for each missing rival."""
    found, notes = {}, []
    for name, gauges in GAUGES.items():
        try:
            found[name] = pd.DataFrame({gauge: sample.gauge(sig, gauge) for sig, gauge in gauges})
        except NotTestable as error:
            notes.append(f"{name} is left out: {error}")
    return found, notes


def _price_only(sample: Sample) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Return, for each price-only regime model, 1.0 in the regime ABSORPTION and 0.0 in others.

    The result is NaN if the regime is unknown.
    """
    found, notes = {}, []
    for name, model in REGIMES.items():
        if not model.price_only:
            continue
        try:
            known = model().classify(sample.history.panel, sample.reading.evaluations).regime
        except DrypowderError as error:
            notes.append(f"{name} is left out: {error}")
            continue
        bad = (known == Regime.ABSORPTION).astype("float64").where(known.notna())
        found[name] = pd.DataFrame({"bad": bad})
    return found, notes


def trend(sample: Sample, target: str) -> pd.DataFrame:
    """Return the sign of the target's return over bills in the past year, as known at each close.

    Reference
        Moskowitz, Ooi and Pedersen (2012), "Time Series Momentum", JFE 104: the sign of the past
        12-month excess return forecasts the next return. A year has 252 sessions here.
    """
    sample.asset(target)
    known, growth = sample.history.panel[target], _growth(sample)
    past = known / known.shift(YEAR) - growth / growth.shift(YEAR)
    return pd.DataFrame({"sign": np.sign(past)})


def _growth(sample: Sample) -> pd.Series:
    """Return, at each session, the value of one dollar held in bills since the history began."""
    return (1 + sample.bills.fillna(0.0)).cumprod().where(sample.bills.notna())


def targets(sample: Sample, target: str) -> pd.DataFrame:
    """Return the weekly returns over bills that the forecasters predict.

    Each row belongs to one complete week. The index of the row is the last session of the week, and
    the forecast is made at this session. ``return`` is the simple return minus the return of bills,
    in %; NaN if a close is missing. The return begins at the close :data:`LAG` sessions after the
    last session of the forecast's week. The return ends at the close :data:`LAG` sessions after the
    last session of the next week. The column ``origin`` is the position of the session at which the
    forecast is made. The column ``complete`` is the position of the session at which the return
    ends.
    """
    sample.asset(target)
    sessions = sample.sessions
    index = week_ends(sessions)
    origin = sessions.get_indexer(index)
    start, end = origin + LAG, np.append(origin[1:], len(sessions)) + LAG
    values = pd.DataFrame({"asset": sample.history.closes[target], "bills": _growth(sample)})
    padded = values.reset_index(drop=True)
    grown = padded.reindex(end).to_numpy() / padded.reindex(start).to_numpy()
    excess = 100 * (grown[:, 0] - grown[:, 1])
    return pd.DataFrame({"return": excess, "origin": origin, "complete": end}, index=index)


def forecasts(
    sample: Sample, target: str, predictors: Predictors
) -> tuple[pd.DataFrame, list[str]]:
    """Return the forecasts of all forecasters for a target, and notes about missing forecasters.

    The table has one row for each week in which every forecaster makes a forecast. ``return`` is
    the realised return over bills, in %; NaN if the return is not yet known. Each further column
    belongs to one forecaster, and contains its forecasts in %. A forecast uses only data that are
    known when the forecast is made.

    Parameters
    ----------
    predictors
        The predictors of each forecaster. A forecaster with too few weeks is left out, because all
        forecasters must forecast the same weeks.
    """
    weeks = targets(sample, target)
    known = {name: frame.reindex(weeks.index) for name, frame in predictors.items()}
    views = {name: frame.notna().all(axis=1) for name, frame in known.items()}
    held = {name: int((view & weeks["return"].notna()).sum()) for name, view in views.items()}
    short = [name for name, count in held.items() if count < FEWEST_WEEKS + CALIBRATION]
    kept = [name for name in known if name not in short]
    whole = pd.DataFrame({name: views[name] for name in kept}, index=weeks.index).all(axis=1)
    rows = weeks[whole]
    made = {name: _expanding(rows, known[name][whole].to_numpy()) for name in kept}
    made[CONSTANT] = _expanding(rows, np.empty((len(rows), 0)))
    table = pd.DataFrame({"return": rows["return"], **made}, index=rows.index)
    notes = [f"{name} is left out for {target}: only {held[name]} weeks" for name in short]
    return table.dropna(subset=[CONSTANT]), notes


def _expanding(rows: pd.DataFrame, x: np.ndarray) -> np.ndarray:
    """Return a least-squares forecast for each week, from the returns known at the week's end.

    The regression has a constant. The forecast is NaN until :data:`FEWEST_WEEKS` returns are known.
    """
    y, design = rows["return"].to_numpy(), np.column_stack([np.ones(len(rows)), x])
    usable = np.flatnonzero(~np.isnan(y))
    complete = rows["complete"].to_numpy()[usable]
    out = np.full(len(rows), np.nan)
    for row, origin in enumerate(rows["origin"]):
        past = usable[: np.searchsorted(complete, origin, side="right")]
        if len(past) >= FEWEST_WEEKS:
            out[row] = design[row] @ np.linalg.lstsq(design[past], y[past])[0]
    return out


def judge_forecasts(made: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each forecaster, see :attr:`Rivals.table`.

    ``made`` is the table of :func:`forecasts`. Raises NotTestable if there are too few forecasts.
    """
    complete = made.dropna()
    if len(complete) <= CALIBRATION:
        raise NotTestable(
            f"expected more than {CALIBRATION} complete forecasts, found {len(complete)}"
        )
    losses = complete.drop(columns="return").sub(complete["return"], axis=0) ** 2
    names = list(map(str, losses.columns))
    mean, p_values = losses.mean(), confidence_set(losses)
    return pd.DataFrame(
        {
            "loss": mean,
            "r2": 100 * (1 - mean / mean[CONSTANT]),
            "in_set": p_values > 1 - LEVEL,
            "mcs_p": p_values,
            "e_value": {name: _e_value(losses, name) for name in names},
            "weeks": len(losses),
            "start": losses.index[0],
        }
    )


def confidence_set(losses: pd.DataFrame) -> pd.Series:
    """Return each forecaster's p-value in the model confidence set.

    ``losses`` is a table of weeks × forecasters. Forecasters with equal losses get equal p-values.
    The function subtracts the losses of the last forecaster, :data:`CONSTANT`, from the losses of
    each forecaster. Politis and White's rule gives a block length for each difference. The mean
    block length of the bootstrap is the longest block length among all differences. The seed is
    fixed.

    The statistic ``max`` of Hansen, Lunde and Nason compares each forecaster with the mean of all
    forecasters. With five equal forecasters, the set should contain all five in 90 of 100 simulated
    samples. With the statistic ``max``, the set contains all five equal forecasters in 92 of 100
    samples. With the pairwise statistic, the set contains all five equal forecasters in only 84 to
    88 of 100 samples.
    """
    from arch.bootstrap import MCS

    names = list(map(str, losses.columns))
    table = losses.round(9).T.drop_duplicates()
    if len(table) == 1:
        return pd.Series(1.0, index=names)
    found = MCS(
        table.T,
        size=1 - LEVEL,
        reps=RESAMPLES,
        block_size=_block(table.to_numpy()),
        method="max",
        bootstrap="stationary",
        seed=SEED,
    )
    found.compute()
    p_values = found.pvalues["Pvalue"]
    equal = [(table == losses[name].round(9)).all(axis=1).idxmax() for name in names]
    return pd.Series(p_values.reindex(equal).to_numpy(dtype=np.float64), index=names)


def _block(losses: np.ndarray) -> int:
    """Return the mean length of a block in weeks. ``losses`` is forecasters × weeks."""
    return max(block_length(one - losses[-1]) for one in losses[:-1])


def _e_value(losses: pd.DataFrame, name: str) -> float:
    """Return the evidence (e-value) that a forecaster is better than ``constant``.

    Differences of losses are clipped at :data:`CLIP` standard deviations. The first
    :data:`CALIBRATION` weeks are used only to compute the standard deviation.
    """
    better = (losses[CONSTANT] - losses[name]).to_numpy()
    limit = CLIP * better[:CALIBRATION].std(ddof=1)
    if not limit > 0:
        return 1.0
    return float(outperformance((better[CALIBRATION:] / limit).clip(-1, 1) / 2)[-1])
