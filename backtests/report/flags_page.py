"""The page of flags: the regime, why, and a chart of every signal."""

from pathlib import Path
from typing import Any

import pandas as pd

import signals
from backtests.atomic import write_text
from backtests.history.origin import SIMULATED, stale_warning
from backtests.history.panel import History
from backtests.report.charts import html_of, regime_chart, signal_chart
from backtests.report.docstring import sections
from backtests.report.reading import read_at
from backtests.report.theme import framed, rendered
from signals.base import WITHOUT

#: Stretches of a composite without some component that the page lists.
STRETCHES = 5


def write_flags_page(history: History, session: Any, path: Path) -> None:
    """Write one self-contained page: the votes, and each signal's chart and definition.

    Parameters
    ----------
    history
        Nothing after the session is read.
    session
        The session whose close the page speaks of.
    path
        The file, replaced when it exists.
    """
    past = history.until(session)
    chosen = signals.default_signals()
    label = f"{SIMULATED}: " if history.source == "simulated" else ""
    said = read_at(history, session, chosen)
    reading = signals.read(past.panel, chosen)
    entries = [
        {
            "name": name,
            "link": signal.link,
            "definition": definition(signal),
            "stretches": stretches(signal, past.panel),
            "chart": html_of(
                signal_chart(signal, past.panel, f"{label}{name}"), with_library=False
            ),
            **said["signals"][name],
        }
        for name, signal in chosen.items()
    ]
    section = rendered(
        "flags.html.j2",
        said=said,
        simulated=bool(label),
        stale=stale_warning(history) if session == history.panel.index[-1] else None,
        timeline=html_of(regime_chart(reading, f"{label}regime and votes"), with_library=True),
        entries=entries,
    )
    write_text(path, framed(f"{label}flags, {said['as_of']}", section))


def definition(signal: signals.Signal) -> list[tuple[str, str]]:
    """Return the parts of a signal's docstring: heading and text, the first under ``what``."""
    return sections(type(signal).__doc__ or "")


def stretches(signal: signals.Signal, panel: pd.DataFrame) -> list[str]:
    """Return the last stretches on which a composite lacked components, newest first, in words."""
    if not signal.components:
        return []
    lacking = signal.gauges(panel)[WITHOUT].fillna("")
    lacking = lacking.loc[signal.score(panel).first_valid_index() :]
    number = (lacking != lacking.shift()).cumsum()
    runs = [run for _, run in lacking.groupby(number) if run.iloc[0]]
    return [
        f"{run.index[0].date()} to {run.index[-1].date()} without {run.iloc[0]}"
        for run in runs[::-1][:STRETCHES]
    ]
