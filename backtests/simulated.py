"""The label of simulated data.

The module loads no library, so that commands that only read it start fast.
"""

#: Label of every page, table and file with simulated data.
SIMULATED = "SIMULATED"


def source_said(source: str) -> str:
    """Return SIMULATED for a simulated history, else the name of the source."""
    return SIMULATED if source == "simulated" else source
