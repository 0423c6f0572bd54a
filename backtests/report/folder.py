"""Write the seven files of a run into a folder, either all of them or none."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.atomic import replacing
from backtests.config_file import labelled_toml
from backtests.evidence.assessment import Assessment
from backtests.progress import Progress, silent
from backtests.report.tearsheet_numbers import metrics_of
from backtests.report.tearsheet_page import write_tearsheet
from backtests.runs import Run
from backtests.simulated import SIMULATED, in_reports
from signals.errors import ConfigError, DataError, shown

FILES = (
    "tearsheet.html",
    "metrics.json",
    "config.toml",
    "returns.csv",
    "weights.csv",
    "orders.csv",
    "flags.csv",
)
_DATES = "%Y-%m-%d"


def default_folder(run: Run) -> Path:
    """Return the default folder of a run."""
    return in_reports(f"{run.label}-{run.run_id}", simulated=run.simulated)


def check_folder(out: Path, label: str, cure: str = "give another folder") -> None:
    """Raise DataError if a run with the label ``label`` cannot be written into ``out``.

    The folder must be missing, be empty, or hold an earlier run with the same label. The label of a
    run is the name of its strategy. If the regime model is not ``votes``, the label ends with ``@``
    and the name of the model. Each error message ends with ``cure``.
    """
    if out.exists() and not out.is_dir():
        raise DataError(f"expected a folder at {out}, was a file; {cure}")
    if not out.exists() or not any(out.iterdir()):
        return
    strange = sorted(p.name for p in out.iterdir() if p.name not in FILES)
    if strange:
        raise DataError(
            f"expected {out} to be empty or to hold an earlier run, but it holds "
            f"{strange[0]!r}; {cure}"
        )
    held = _label_of(out / "metrics.json")
    if held is None:
        raise DataError(
            f"expected {out} to hold an earlier run, but its metrics.json is missing or is not "
            f"from a run; {cure}"
        )
    if held != label:
        raise DataError(
            f"expected {out} to hold an earlier run of {label}, but it holds a run of {held}, "
            f"which would be lost; {cure}"
        )


def _label_of(metrics: Path) -> str | None:
    """Return the label of a finished run; None if ``metrics`` is not the metrics.json of a run."""
    try:
        run = json.loads(metrics.read_text(encoding="utf-8"))["run"]
        return str(run["strategy"]) if "run_id" in run else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def write_run(
    assessment: Assessment, out: Path | str, progress: Progress = silent
) -> dict[str, Any]:
    """Write the seven files of an assessed run into a folder, and return the run's metrics.

    An earlier run with the same label is replaced. The files appear in the folder only when all
    seven files are complete. DataError is raised if the folder cannot be written, holds other
    files, or holds a run with another label. ConfigError is raised if ``assessment`` is not an
    Assessment. After an error, the folder is unchanged.
    """
    if not isinstance(assessment, Assessment):
        raise ConfigError(
            f"expected an assessment, was {shown(assessment)}; make one with backtests.assess(run)"
        )
    folder = Path(out)
    check_folder(folder, assessment.run.label)
    numbers = metrics_of(assessment)
    with replacing(folder) as fresh:
        fresh.mkdir()
        _write_files(assessment, numbers, fresh, progress)
    return numbers


def _write_files(
    assessment: Assessment, numbers: dict[str, Any], folder: Path, progress: Progress
) -> None:
    progress("tables")
    run = assessment.run
    text = json.dumps(numbers, indent=2) + "\n"
    (folder / "metrics.json").write_text(text, encoding="utf-8")
    config = labelled_toml(run.config, simulated=run.simulated)
    (folder / "config.toml").write_text(config, encoding="utf-8")
    tables = {
        "returns.csv": run.returns,
        "weights.csv": run.result.targets.rename_axis("date"),
        "orders.csv": run.result.orders.set_index("date"),
        "flags.csv": flags_table(run),
    }
    for name, table in tables.items():
        labelled = table.assign(source=SIMULATED) if run.simulated else table
        labelled.to_csv(folder / name, date_format=_DATES, lineterminator="\n")
    progress("tearsheet")
    write_tearsheet(assessment, numbers, folder / "tearsheet.html")


def flags_table(run: Run) -> pd.DataFrame:
    """Return the regime, all flags (1, 0, empty) and all scores, with a row for each session.

    The table begins at the first session with a known flag, even if that session is before the run.
    The last row is the last session of the run.
    """
    reading = run.reading
    first = reading.flags.notna().any(axis=1).idxmax()
    table = pd.concat(
        [
            reading.regime.rename("regime"),
            reading.flags.astype("Int8"),
            reading.scores.add_suffix("_score"),
        ],
        axis=1,
    )
    return table.loc[first:].rename_axis("date")
