"""The folder of a sweep: checks of its content, the file with the request, and the lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backtests.atomic import resolved, write_text
from backtests.config_file import labelled_toml, read_config
from backtests.simulated import in_reports
from backtests.store.locking import alone
from backtests.sweep.request import Request
from backtests.sweep.results import FILE, PARTS
from signals.errors import ConfigError, DataError

REQUEST, SUMMARY, PAGE, BEST = "sweep.toml", "summary.json", "sweep.html", "best.toml"
_LOCK = ".lock"
FILES = (REQUEST, SUMMARY, PAGE, BEST, FILE, PARTS, f"{REQUEST}{_LOCK}")


@contextmanager
def opened(out: Path, request: Request, sweep_id: str, *, simulated: bool) -> Iterator[Path]:
    """Open and lock the folder of a sweep; create the folder if it does not exist.

    A folder of another sweep raises ConfigError. A folder with files that no sweep writes raises
    DataError. A folder that another process uses also raises DataError.
    """
    folder = resolved(out)
    check_out(folder)
    check_same(folder, sweep_id)
    folder.mkdir(parents=True, exist_ok=True)
    busy = f"expected to be the only sweep in {out}, but another one is running; wait for it to end"
    with alone(folder / REQUEST, _LOCK, busy):
        if not (folder / REQUEST).exists():
            write_text(folder / REQUEST, request_toml(request, sweep_id, simulated=simulated))
        yield folder


def check_out(folder: Path) -> None:
    """Raise DataError if the path is a file, or if the folder has files that no sweep writes."""
    if folder.exists() and not folder.is_dir():
        raise DataError(f"expected a folder at {folder}, was a file; give a folder with --out")
    held = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
    strange = [name for name in held if name not in FILES and not name.startswith(".drypowder-")]
    if strange:
        raise DataError(
            f"expected {folder} to be empty or to hold a sweep, but it holds {strange[0]!r}; give "
            "another folder with --out"
        )


def check_same(folder: Path, sweep_id: str) -> None:
    """Raise ConfigError if the folder belongs to another sweep.

    If the folder contains results but no file with a request, DataError is raised.
    """
    held = folder / REQUEST
    if not held.is_file():
        if (folder / FILE).exists() or (folder / PARTS).exists():
            raise DataError(
                f"expected {REQUEST} beside the results in {folder}, found none; give another "
                "folder with --out"
            )
        return
    table = read_config(held).get("sweep")
    found = table.get("id") if isinstance(table, dict) else None
    if found != sweep_id:
        raise ConfigError(
            f"expected {folder} to hold sweep {sweep_id}, but it holds sweep {found}, with other "
            "settings, another version or other data; give another folder with --out"
        )


def default_folder(request: Request, sweep_id: str, *, simulated: bool) -> Path:
    """Return the default folder of a sweep."""
    return in_reports(f"sweep-{request.config.label}-{sweep_id}", simulated=simulated)


def request_toml(request: Request, sweep_id: str, *, simulated: bool) -> str:
    """Return a request as TOML, which ``drypowder sweep --config`` reads."""
    import tomlkit

    table: dict[str, Any] = {"sweep": {"id": sweep_id, **request.data()}}
    config = labelled_toml(request.config, simulated=simulated)
    return f"{config}\n{tomlkit.dumps(table)}"
