"""Texts and charts for the page of the trial, on additional evidence that decides no claim."""

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import pandas as pd

from backtests.format import MISSING, fixed, is_missing, percent, text, thousands
from backtests.report.lines_chart import lines_chart
from backtests.report.svg import PANEL
from backtests.report.thesis_charts import Mark, rows_chart
from backtests.report.timeline import Marked, timeline
from backtests.thesis.calibration import Calibration
from backtests.thesis.claim import QUANTITY_FLAGS
from backtests.thesis.cross_section import CrossSection
from backtests.thesis.episodes import EpisodeAccount
from backtests.thesis.evalues import CONVINCING, PRIMARY, Accumulated
from backtests.thesis.event_tables import SurpriseStudy
from backtests.thesis.filings import FilingStudy
from backtests.thesis.rivals import Rivals
from backtests.thesis.trial import Trial
from signals.reading import Reading
from signals.regimes import Regime

#: Widths of the timeline: first for a wide screen and paper, then for a phone.
WIDTHS = (760.0, PANEL)
#: Largest number of bond deals that the page lists.
DEALS = 12
#: Text in place of the bounds of a confidence set without bounds.
NO_BOUNDS = "[no bounds]"
_FIRST = 3  # the page names at most three asset classes per episode, the earliest peak first
#: Asset classes in the chart of responses by session, with the shortest duration first.
_DRAWN = ("memory", "broad", "software", "crypto")


def timelines(trial: Trial, label: str) -> list[str]:
    """Return a wide and a narrow timeline of the regime, of flags and of dated episodes.

    If no regime and no flag of :data:`QUANTITY_FLAGS` is known, the list is empty.
    """
    lanes = _lanes(trial.sample.reading)
    if not lanes:
        return []
    spans = [
        Marked(number=n, start=pd.Timestamp(a.episode.start), end=pd.Timestamp(a.episode.end))
        for n, a in enumerate(trial.episodes, start=1)
    ]
    now = text(trial.sample.reading.regime.iloc[-1])
    name = f"{label}timeline of regimes and of flags that use no prices; the regime now is {now}"
    return [timeline(lanes, spans, width, name) for width in WIDTHS]


def _lanes(reading: Reading) -> dict[str, pd.Series]:
    """Return a series of True and False for each regime and each flag of :data:`QUANTITY_FLAGS`.

    The series of a regime is True while the regime applies. The series of a flag is True while the
    flag is on. All series begin at the first session at which the regime or one of the flags is
    known. If no session has a known regime or flag, the result is empty.
    """
    flags = [name for name in QUANTITY_FLAGS if name in reading.flags]
    seen = reading.regime.notna() | reading.flags[flags].notna().any(axis=1)
    if not seen.any():
        return {}
    start = seen.idxmax()
    regime = reading.regime.loc[start:]
    lanes = {name.value: regime == name.value for name in Regime}
    on = reading.flags[flags].loc[start:].fillna(False).astype(bool)
    return lanes | {f"flag {name}": on[name] for name in flags}


def responses_view(study: FilingStudy | None, event: str, label: str) -> dict[str, Any] | None:
    """Return charts and a table of the responses to capex filings or releases.

    ``event`` is the word for one event: ``filing`` or ``release``. If ``study`` is None, the result
    is None.
    """
    if study is None:
        return None
    states = list(dict.fromkeys(study.responses.index.get_level_values("state")))
    classes = list(dict.fromkeys(study.responses.index.get_level_values("class")))
    marks = {c: [_mark(_row(study.responses, (c, s))) for s in states] for c in classes}
    surprise = study.surprises.describe()
    name = f"{label}response of asset classes to a {event} with a capex surprise, by idle capital"
    return {
        "study": study,
        "event": event,
        "firms": ", ".join(study.firms),
        "surprise": {key: fixed(surprise[key]) for key in ("mean", "std", "min", "max")},
        "chart": rows_chart(marks, states, name, "percentage points per σ of surprise"),
        "paths": [_path(study, s, event, label) for s in states],
        "states": states,
        "rows": [(c, [cell for s in states for cell in _cells(study, (c, s))]) for c in classes],
    }


def _mark(row: pd.Series) -> Mark:
    return Mark(value=row["estimate"], low=row["low"], high=row["high"])


def _row(table: pd.DataFrame, key: tuple[str, str]) -> pd.Series:
    """Return the numbers in a table's row for an asset class and a state.

    If the table has no row for the class and the state, every number is NaN.
    """
    return table.reindex([key]).iloc[0]


def _cells(study: FilingStudy, key: tuple[str, str]) -> list[str]:
    """Return a response, the number of filings, and the response on control dates, as texts."""
    response, control = _row(study.responses, key), _row(study.controls, key)
    return [_bounded(_mark(response)), fixed(response["n"], 0), _bounded(_mark(control))]


def _bounded(mark: Mark, digits: int = 1) -> str:
    """Return a number with its interval, as text. An unbounded interval is described in words."""
    if is_missing(mark.value):
        return MISSING
    bounds = f"[{fixed(mark.low, digits)}, {fixed(mark.high, digits)}]"
    return f"{fixed(mark.value, digits)} {NO_BOUNDS if math.isinf(mark.low) else bounds}"


def events_view(events: pd.DataFrame | None) -> list[tuple[str, list[str]]]:
    """Return a row for each kind of dated event: number of events, first day and last day."""
    if events is None:
        return []
    return [
        (str(kind), [thousands(row["events"]), str(row["first"].date()), str(row["last"].date())])
        for kind, row in events.iterrows()
    ]


def deals_view(deals: pd.DataFrame | None) -> dict[str, Any] | None:
    """Return the number of all bond deals, and rows on the newest; None if ``deals`` is None."""
    if deals is None:
        return None
    newest = deals.iloc[::-1][:DEALS]
    days = pd.DatetimeIndex(newest.index).date
    rows = [(str(day), _deal(row)) for day, (_, row) in zip(days, newest.iterrows(), strict=True)]
    return {"n": len(deals), "rows": rows}


def _deal(row: pd.Series) -> list[str]:
    news = {"FOMC statement": row["near"], "own earnings release": row["reported"]}
    said = ", ".join(what for what, near in news.items() if near) or "none"
    size, response = fixed(row["size"] / 1e9, 1), fixed(row["response"], 1)
    return [str(row["issuer"]), size, response, said]


def surprises_view(study: SurpriseStudy | None, label: str) -> dict[str, Any] | None:
    """Return a chart and a table of responses to policy surprises, or None if ``study`` is None."""
    if study is None:
        return None
    table = study.responses
    marks = {str(name): _mark(row) for name, row in table.iterrows()}
    name = f"{label}response of asset classes to a policy surprise"
    drawn = {said: [mark] for said, mark in marks.items()}
    return {
        "instrument": study.instrument,
        "strength": fixed(table["strength"].max(), 1),
        "chart": rows_chart(drawn, ["response"], name, "percentage points per 10 basis points"),
        "rows": [
            (said, [_bounded(mark, 2), str(table["n"][said])]) for said, mark in marks.items()
        ],
    }


def shares_view(found: CrossSection | None) -> dict[str, Any] | None:
    """Return the rank correlation in each state, and the stocks of long and of short duration.

    The newest ranking by duration divides the stocks into thirds: long, middle and short duration.
    If ``found`` is None, the result is None.
    """
    if found is None:
        return None
    thirds = {
        third: ", ".join(map(str, found.now.index[found.now["third"] == third]))
        for third in ("long", "short")
    }
    return {
        "found": found,
        "thirds": thirds,
        "range": {
            "low": fixed(found.now["duration"].min(), 1),
            "high": fixed(found.now["duration"].max(), 1),
            "error": fixed(found.now["error"].median(), 1),
        },
        "rows": [(str(state), _correlation(row)) for state, row in found.correlations.iterrows()],
    }


def _correlation(row: pd.Series) -> list[str]:
    counts = [fixed(row[name], 0) for name in ("months", "clusters", "shares")]
    return [_bounded(_mark(row), 2), *counts]


def _path(study: FilingStudy, state: str, event: str, label: str) -> str:
    held = [(c, state) for c in _DRAWN if (c, state) in study.path.columns]
    path = study.path[held].set_axis([c for c, _ in held], axis=1)
    name = f"{label}cumulative response before and after a {event}, by session, {state}"
    return lines_chart(path, name, unit=f"{state}: percentage points per σ of surprise")


def episodes_view(accounts: Sequence[EpisodeAccount]) -> dict[str, Any] | None:
    """Return the list of episodes, and tables of flags, classes and strategies in the episodes."""
    if not accounts:
        return None
    return {
        "list": [_listed(number, account) for number, account in enumerate(accounts, start=1)],
        "numbers": [(number, a.episode.title) for number, a in enumerate(accounts, start=1)],
        "leads": _across([a.flag_leads for a in accounts], text),
        "falls": _across([a.falls["drawdown"].to_dict() for a in accounts], _points),
        "strategies": _across([a.strategies for a in accounts], _points),
    }


def _points(value: float | None) -> str:
    return percent(value, 0)


def _across(records: Sequence[Any], form: Any) -> list[tuple[str, list[str]]]:
    """Return a table with a row for each name and a column for each record."""
    names = dict.fromkeys(name for record in records for name in record)
    return [(name, [form(record.get(name)) for record in records]) for name in names]


def _listed(number: int, account: EpisodeAccount) -> dict[str, Any]:
    episode = account.episode
    recovered = account.falls["recovered"] if len(account.falls) else pd.Series(dtype=object)
    return {
        "number": number,
        "title": episode.title,
        "kind": episode.kind,
        "dates": " to ".join(dict.fromkeys((str(episode.start), str(episode.end)))),
        "regime": account.regime_before or "no regime",
        "order": ", ".join(account.order[:_FIRST]) or MISSING,
        "recovered": f"{int(recovered.notna().sum())} of {len(recovered)}",
        "source": episode.source,
    }


def rivals_said(rivals: Rivals | None) -> list[str]:
    """Return sentences on how the trial compares rival models, and the notes on the comparison."""
    if rivals is None:
        return []
    return [f"{said.rstrip('.')}." for said in (rivals.method, *rivals.notes) if said]


def rival_views(rivals: Rivals | None, label: str) -> list[dict[str, Any]]:
    """Return a chart and a table for each target that the rival models forecast."""
    if rivals is None:
        return []
    return [
        _rivals_of(str(target), table.droplevel("target"), label)
        for target, table in rivals.table.groupby(level="target", sort=False)
    ]


def _rivals_of(target: str, table: pd.DataFrame, label: str) -> dict[str, Any]:
    rows = {str(name): [Mark(value=float(r2))] for name, r2 in table["r2"].items()}
    name = f"{label}out-of-sample R² of each forecast of {target}"
    return {
        "target": target,
        "weeks": int(table["weeks"].iloc[0]),
        "start": str(pd.Timestamp(table["start"].iloc[0]).date()),
        "chart": rows_chart(rows, ["R²"], name, "percent of the squared error"),
        "rows": [(str(name), _rival(row)) for name, row in table.iterrows()],
    }


def _rival(row: pd.Series) -> list[str]:
    return [
        fixed(row["r2"], 2),
        f"{row['loss']:.5f}" if row["loss"] < 0.1 else fixed(row["loss"], 3),
        "yes" if row["in_set"] else "no",
        fixed(row["mcs_p"], 2),
        fixed(row["e_value"], 2),
    ]


def calibration_view(trial: Trial) -> dict[str, Any] | None:
    """Return each claim's verdict, and how often simulated economies gave each verdict."""
    found = trial.calibration
    if found is None:
        return None
    reached = {name: count / found.economies for name, count in found.off.e_values.items()}
    claims = [share for name, share in reached.items() if name in PRIMARY]
    strategies = [share for name, share in reached.items() if name not in PRIMARY]
    return {
        "found": found,
        "any_primary": percent(found.off.any_primary / found.economies),
        "any_primary_on": percent(found.on.any_primary / found.economies),
        "reached": percent(max(claims, default=None)),
        "reached_by_strategies": percent(max(strategies, default=None)),
        "rows": [
            (v, _tallied(found, v.claim.name)) for v in trial.verdicts if not v.claim.is_status
        ],
    }


def _tallied(found: Calibration, name: str) -> list[str]:
    """Return how often a claim was supported, contradicted and decidable, as percentages.

    A claim is decidable if it could be tested and had enough episodes. The first three percentages
    are for simulated economies in which the thesis is false. The last three percentages are for
    simulated economies in which the thesis is true. If the claim is newer than the simulations, the
    result is empty.
    """
    if name not in found.off.claims and name not in found.on.claims:
        return []
    cells = []
    for economies in (found.off, found.on):
        tally = economies.claims.get(name)
        for count in ("supported", "contradicted", "decidable"):
            share = None if tally is None else getattr(tally, count) / found.economies
            cells.append(percent(share, 0))
    return cells


def e_value_views(accumulated: Sequence[Accumulated], label: str) -> list[dict[str, Any]]:
    """Return a chart and a table of e-values for each start date."""
    by_date = groupby(sorted(accumulated, key=lambda a: a.since), key=lambda a: a.since)
    return [_since(str(since.date()), list(bets), label) for since, bets in by_date]


def _since(since: str, bets: Sequence[Accumulated], label: str) -> dict[str, Any]:
    paths = pd.DataFrame({bet.name: bet.path for bet in bets if bet.name in PRIMARY})
    name = f"{label}e-values of the main claims since {since}, with a line at {CONVINCING:g}"
    drawn = len(paths) > 1
    return {
        "since": since,
        "chart": lines_chart(paths, name, log=True, level=CONVINCING) if drawn else "",
        "rows": [_bet(bet) for bet in bets],
    }


def _bet(bet: Accumulated) -> tuple[str, ...]:
    said = f"{bet.what}; no bet: {bet.note}" if bet.note else bet.what
    values = (fixed(bet.e_value), fixed(bet.highest))
    return (bet.name, said, str(bet.weeks), str(bet.clipped), *values)
