"""Backtests of strategies, from the history to the report.

Importing the package is fast, because each public name is loaded on its first use.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtests.version import __version__

__all__ = [
    "History",
    "Run",
    "RunConfig",
    "__version__",
    "assess",
    "compare_runs",
    "config_from",
    "default_history",
    "import_path",
    "metrics_table",
    "plot_reading",
    "run",
    "walk_forward",
    "write_run",
]

if TYPE_CHECKING:
    from backtests.config import RunConfig
    from backtests.config_data import config_from
    from backtests.evidence.assessment import assess
    from backtests.evidence.compare_runs import compare_runs
    from backtests.evidence.walkforward import walk_forward
    from backtests.history.origin import default_history
    from backtests.history.panel import History
    from backtests.importing.import_path import import_path
    from backtests.pipeline import run
    from backtests.report.folder import write_run
    from backtests.report.notebook import metrics_table, plot_reading
    from backtests.runs import Run

#: The module of each public name. Type checkers and editors read the imports above, not this
#: mapping.
_HOMES = {
    "assess": "backtests.evidence.assessment",
    "compare_runs": "backtests.evidence.compare_runs",
    "History": "backtests.history.panel",
    "Run": "backtests.runs",
    "RunConfig": "backtests.config",
    "config_from": "backtests.config_data",
    "default_history": "backtests.history.origin",
    "import_path": "backtests.importing.import_path",
    "metrics_table": "backtests.report.notebook",
    "plot_reading": "backtests.report.notebook",
    "run": "backtests.pipeline",
    "walk_forward": "backtests.evidence.walkforward",
    "write_run": "backtests.report.folder",
}


def __getattr__(name: str) -> Any:
    """Return a public object by its name, and import its module if necessary."""
    if name not in _HOMES:
        raise AttributeError(f"module 'backtests' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return all public names, also the names that are not loaded yet."""
    return sorted(__all__)


def _check_neighbours() -> None:
    """Raise ImportError unless Python finds drypowder's packages ``signals`` and ``strategies``."""
    home = Path(__file__).resolve().parent.parent
    for name in ("signals", "strategies"):
        spec = find_spec(name)
        origin = spec.origin if spec else None
        if origin is None or Path(origin).resolve().parent.parent != home:
            raise ImportError(
                f"expected drypowder's package {name!r} in {home}, found "
                f"{origin or 'a folder without __init__.py'}; rename your folder {name!r}, or run "
                "in another folder"
            )


_check_neighbours()
