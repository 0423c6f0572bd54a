"""Running it over history: history → reading → weights → simulation → evidence → report.

The names below load on first use, so that importing the package costs nothing.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from backtests.version import __version__

__all__ = [
    "History",
    "RunConfig",
    "__version__",
    "config_from",
    "import_path",
    "run",
    "walk_forward",
    "write_run",
]

_HOMES = {
    "History": "backtests.history.panel",
    "RunConfig": "backtests.config",
    "config_from": "backtests.config",
    "import_path": "backtests.importing.import_path",
    "run": "backtests.pipeline",
    "walk_forward": "backtests.evidence.walkforward",
    "write_run": "backtests.report.folder",
}


def __getattr__(name: str) -> Any:
    """Load an exported name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'backtests' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def _check_neighbours() -> None:
    """Say which folder shadows ``signals`` or ``strategies``, when one does."""
    home = Path(__file__).resolve().parent.parent
    for name in ("signals", "strategies"):
        spec = find_spec(name)
        origin = spec.origin if spec else None
        if origin is None or Path(origin).resolve().parent.parent != home:
            raise ImportError(
                f"expected the package {name!r} of drypowder beside {home / 'backtests'}, found "
                f"{origin or 'a folder without __init__.py'}; rename your own folder {name!r} or "
                "run from another folder"
            )


_check_neighbours()
