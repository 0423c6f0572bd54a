"""The page of flags: the regime, why, and a chart of every signal."""

from pathlib import Path
from typing import Any

import signals
from backtests.history.opening import SIMULATED, stale_warning
from backtests.history.panel import History
from backtests.report.charts import html_of, regime_chart, signal_chart
from backtests.report.frame import framed, rendered
from backtests.report.reading import read_at


def write_flags_page(history: History, session: Any, path: Path) -> None:
    """Write one self-contained page: the votes, and each signal's chart and definition.

    Parameters
    ----------
    history
        Nothing after the session is read.
    session
        The session whose close the page speaks of.
    path
        The file, overwritten.
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
    path.write_text(framed(f"{label}flags, {said['as_of']}", section), encoding="utf-8")


def definition(signal: signals.Signal) -> list[tuple[str, str]]:
    """Return the parts of a signal's docstring: heading and text, the first under ``what``."""
    lines = (type(signal).__doc__ or "").replace("``", "").strip().splitlines()
    parts: list[tuple[str, str]] = [("what", "")]
    for line in lines:
        stripped = line.strip()
        if line.startswith("    ") and not line.startswith("        ") and stripped:
            if set(stripped) == {"-"} or stripped in ("Parameters", "Raises"):
                break
            parts.append((stripped, ""))
        elif stripped:
            heading, text = parts[-1]
            parts[-1] = (heading, f"{text} {stripped}".strip())
    return parts
