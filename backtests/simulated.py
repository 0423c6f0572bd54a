"""The label of simulated data.

The module loads no library, so a command that needs only the label starts fast.
"""

from pathlib import Path

#: Label of every page, table and file with simulated data.
SIMULATED = "SIMULATED"


def source_said(source: str) -> str:
    """Return SIMULATED for a simulated history, else the name of the source."""
    return SIMULATED if source == "simulated" else source


def label_of(simulated: bool) -> str:
    """Return the start of every title: SIMULATED for a simulated history, else an empty text."""
    return f"{SIMULATED}: " if simulated else ""


def in_reports(name: str, *, simulated: bool) -> Path:
    """Return the folder ``reports/NAME``, or ``reports/SIMULATED-NAME`` for simulated data."""
    return Path("reports") / (f"{SIMULATED}-{name}" if simulated else name)
