"""Commands of every day start fast, because they load no library for backtests or statistics."""

import os
import subprocess
import sys
from pathlib import Path

#: Libraries that take long to load.
HEAVY = {"arch", "matplotlib", "numba", "plotly", "quantstats", "scipy", "statsmodels", "vectorbt"}
SCRIPT = """
import sys
from backtests.cli.app import command

for arguments in (["list"], ["data"], ["flags"], ["today", "cash-heavy"], ["run"]):
    print(command(arguments), sorted(set(sys.argv[1:]) & set(sys.modules)), file=sys.stderr)
"""


def test_daily_commands_load_no_heavy_library(store: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, *HEAVY],
        env={**os.environ, "DRYPOWDER_STORE": str(store)},
        capture_output=True,
        text=True,
        check=True,
    )
    said = [line for line in done.stderr.splitlines() if line.endswith("]")]
    assert said == ["0 []", "0 []", "0 []", "0 []", "2 []"]  # run without a strategy is refused
