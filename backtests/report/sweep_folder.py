"""Write the files of a sweep's findings into its folder."""

import json
from typing import Any

from backtests.atomic import write_text
from backtests.config import RunConfig
from backtests.config_file import labelled_toml
from backtests.parameter_paths import config_with
from backtests.progress import Progress, silent
from backtests.report.sweep_numbers import sweep_numbers
from backtests.report.sweep_page import write_sweep_page
from backtests.sweep.findings import Findings
from backtests.sweep.folder import BEST, PAGE, SUMMARY
from backtests.sweep.sweep import Swept


def write_findings(swept: Swept, found: Findings, progress: Progress = silent) -> dict[str, Any]:
    """Write the summary, the best configuration and the page; return the numbers.

    Each file is replaced either completely or not at all.
    """
    numbers = sweep_numbers(swept, found)
    write_text(swept.folder / SUMMARY, json.dumps(numbers, indent=2) + "\n")
    best = labelled_toml(best_config(swept, found), simulated=swept.base.simulated)
    write_text(swept.folder / BEST, best)
    progress("page")
    write_sweep_page(swept, found, numbers, swept.folder / PAGE)
    return numbers


def best_config(swept: Swept, found: Findings) -> RunConfig:
    """Return the best configuration; its start date is the first session of the sweep.

    With this start date, ``drypowder run --config`` computes the same numbers as the sweep.
    """
    config = config_with(swept.request.config, swept.case.design.values(found.best))
    return config.model_copy(update={"start": swept.case.index[0].date()})
