"""Charts for the page of ``flags``: a timeline of all flags, and one chart for each signal.

The charts are SVG and need no library. If the history is simulated, the caller must pass a name
that begins with SIMULATED.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np
import pandas as pd

from backtests.report.panel_rows import Line, Panel, Strip
from backtests.report.panels import panels
from backtests.report.theme import (
    FLAGS,
    MOST_LINES,
    NO_REGIME,
    REGIMES,
    css_lines,
    css_states,
    shown_regime,
)
from backtests.store.batch import unit_of
from signals.base import Evaluation, Signal
from signals.catalog import CATALOG, is_year_ago
from signals.hysteresis import Threshold, flag_words
from signals.reading import Reading
from signals.regimes import Votes
from signals.summary import exact, with_unit

#: Largest number of sessions whose values the page of flags shows at the mouse pointer.
MOST_DAYS = 1000
#: Largest number of names in the title of a panel.
_NAMED = 4
#: Inputs in one panel differ in size by at most this factor. With a larger factor, one line would
#: look flat.
_RATIO = 8.0


def first_regime(reading: Reading) -> pd.Timestamp:
    """Return the first session with a regime.

    If there is no regime, return the first session with a known flag. If no flag is known, return
    the first session of the reading.
    """
    for known in (reading.regime.notna(), reading.flags.notna().any(axis=1)):
        if known.any():
            return _first(known)
    return pd.Timestamp(reading.regime.index[0])


def deciding_gauges(signal: Signal) -> list[str]:
    """Return the names of a signal's main gauge and of its gauges with thresholds."""
    return list(dict.fromkeys([signal.headline, *(t.gauge for t in signal.thresholds)]))


def by_unit(ids: Iterable[str]) -> dict[str, list[str]]:
    """Group inputs by unit. If more than 12 inputs have the same unit, leave these inputs out."""
    grouped: dict[str, list[str]] = {}
    for id in ids:
        grouped.setdefault(unit_of(id), []).append(id)
    return {unit: mine for unit, mine in grouped.items() if len(mine) <= MOST_LINES}


def _first(known: pd.Series) -> pd.Timestamp:
    """Return the first session at which a series is True.

    If the series is never True, return its first session.
    """
    return pd.Timestamp(known.index[int(np.argmax(known.to_numpy(dtype=bool)))])


def is_silent(reading: Reading, name: str) -> bool:
    """Return True if the regime model is ``votes`` and the signal does not vote."""
    return isinstance(reading.model, Votes) and name not in reading.votes


def flag_rows(reading: Reading) -> dict[str, pd.Series]:
    """Return the states of each flag for a timeline: ``on``, ``off`` or ``no view``.

    Flags that vote on the regime come first. The rows begin at :func:`first_regime`.
    """
    flags = reading.flags.loc[first_regime(reading) :]
    names = sorted(map(str, flags), key=lambda name: name not in reading.votes)
    return {name: flag_words(flags[name]) for name in names}


def regime_strip(title: str, regime: pd.Series, height: int = 16) -> Strip:
    """Return a strip with the regime of each session; a missing regime is ``no regime``."""
    colours = {shown_regime(name): c for name, c in css_states(REGIMES).items()}
    states = regime.astype(object).fillna(NO_REGIME)
    return Strip(title=title, states=states, colours=colours, height=height)


def flags_timeline(reading: Reading, name: str, most: int) -> str:
    """Return a timeline with one strip for the regime and one for each flag.

    If votes decide the regime, the name of a signal without a vote is in brackets. The page shows
    the values of at most ``most`` sessions at the mouse pointer. See :func:`flag_rows` for the
    order and the first session.
    """
    strips = [regime_strip("regime", reading.regime.loc[first_regime(reading) :], height=26)]
    for signal, states in flag_rows(reading).items():
        title = f"({signal})" if is_silent(reading, signal) else signal
        strips.append(Strip(title=title, states=states, colours=css_states(FLAGS), height=14))
    return panels(name, strips, most=most)


def signal_panels(
    evaluation: Evaluation, inputs: pd.DataFrame, start: pd.Timestamp, name: str
) -> str:
    """Return a chart of a signal: the main gauge, each gauge with a threshold, and the inputs.

    ``inputs`` has a row for each session, and a column for each series that the signal reads. The
    chart begins at ``start``. If no drawn gauge has a value at ``start``, the chart begins at the
    first value of these gauges. The background is coloured while the flag is on. If more than 12
    inputs have the same unit, the chart leaves these inputs out.
    """
    signal, gauges = evaluation.signal, evaluation.gauges
    deciding = deciding_gauges(signal)
    known = gauges[deciding].notna().any(axis=1)
    start = max(start, _first(known))
    rows: list[Panel] = []
    for gauge in deciding:
        thresholds = [t for t in signal.thresholds if t.gauge == gauge]
        unit = signal.unit(gauge)
        line = Line(name=gauge, values=gauges[gauge].loc[start:], colour="var(--c0)")
        rows.append(
            Panel(
                title=", ".join(filter(None, [gauge, unit])),
                unit=unit,
                lines=[line],
                levels=[level for t in thresholds for level in levels_of(t, unit)],
                height=170,
            )
        )
    rows += _of_inputs(inputs.loc[start:])
    on = evaluation.flag.loc[start:].fillna(False).astype(bool)
    shading = Strip(
        title="flag",
        states=on.map({True: "flag on", False: "flag off"}),
        colours={"flag on": css_states(FLAGS)["on"]},
    )
    return panels(name, rows, shading=shading, most=MOST_DAYS)


def levels_of(threshold: Threshold, unit: str) -> list[tuple[str, float]]:
    """Return the name and the value of each level at which a flag turns on or off.

    If both levels are equal, the list has one entry.

    >>> t = Threshold(gauge="u", enter=0.5, leave=0.4, above=True)
    >>> levels_of(t, "fraction")
    [('on above 0.5', 0.5), ('off below 0.4', 0.4)]
    """
    on, off = ("above", "below") if threshold.above else ("below", "above")
    if threshold.enter == threshold.leave:
        level = with_unit(exact(threshold.enter), unit)
        return [(f"on {on} {level}, off {off} it", threshold.enter)]
    return [
        (with_unit(f"on {on} {exact(threshold.enter)}", unit), threshold.enter),
        (with_unit(f"off {off} {exact(threshold.leave)}", unit), threshold.leave),
    ]


def _of_inputs(inputs: pd.DataFrame) -> list[Panel]:
    """Return panels of the inputs. All inputs of a panel have the same unit and similar sizes.

    Companies' amounts of the year before are in separate panels. Amounts in millions of USD are
    shown in billions.
    """
    rows = []
    for unit, all_ids in by_unit(inputs.columns).items():
        factor, shown = (0.001, "USD billions") if unit == "USD millions" else (1.0, unit)
        groups = [list(ids) for _, ids in groupby(sorted(all_ids, key=is_year_ago), is_year_ago)]
        rows += [
            Panel(
                title=f"{_named(ids)}, {shown}",
                unit=shown,
                lines=[
                    Line(name=id, values=factor * inputs[id], colour=colour)
                    for id, colour in zip(ids, css_lines(), strict=False)
                ],
                height=100,
            )
            for group in groups
            for ids in _by_size(inputs[group])
        ]
    return rows


def _by_size(inputs: pd.DataFrame) -> list[list[str]]:
    """Return groups of inputs of similar size.

    The size of an input is its largest absolute value. In a group, the largest size is at most 8
    times the smallest size.
    """
    sizes = inputs.abs().max().fillna(0.0)
    groups: list[list[str]] = []
    for id in sizes.sort_values(ascending=False, kind="stable").index:
        if not groups or sizes[id] * _RATIO < sizes[groups[-1][0]]:
            groups.append([])
        groups[-1].append(id)
    order = list(inputs.columns)
    ordered = [sorted(group, key=order.index) for group in groups]
    return sorted(ordered, key=lambda group: order.index(group[0]))


def _named(ids: Sequence[str]) -> str:
    """Return the title and the id of one series, or the ids of several series."""
    if len(ids) == 1 and ids[0] in CATALOG:
        return f"input {CATALOG[ids[0]].title} ({ids[0]})"
    return f"inputs {', '.join(ids[:_NAMED])}{' …' * (len(ids) > _NAMED)}"
