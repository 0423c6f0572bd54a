"""Find the paths that a command or a method writes to, and check them before anything is written.

In every command, the option ``--out`` accepts the name of a folder. If the command writes one page,
``--out`` also accepts a file name that ends in ``.html``. Every output option except ``--out``
expects the name of one file. Missing folders are created. The rules of ``--out`` also hold for
methods such as ``Comparison.save``.
"""

import os
from pathlib import Path

HTML = ".html"
#: Endings of file names. A path with one of these endings is probably not meant as a folder.
_FILES = (HTML, ".htm", ".pdf", ".csv", ".json", ".toml", ".parquet", ".txt", ".md")


def page_of(out: Path, name: str, option: str = "--out") -> Path:
    """Return the file of a page: ``out`` if it ends in .html, else ``name`` in the folder ``out``.

    ConfigError is raised if the file cannot be written. ``option`` names ``out`` in the message.
    """
    page = out if out.suffix == HTML else out / name
    if out.suffix in _FILES and page is not out:
        raise _wrong(f"expected {option} to be a folder or an {HTML} file, was '{out}'")
    check_file(page, option, HTML)
    return page


def check_out(out: Path, option: str = "--out") -> None:
    """Raise ConfigError if ``out`` cannot be a folder for several files."""
    from backtests.atomic import resolved

    if out.suffix in _FILES and not out.is_file():
        raise _wrong(
            f"expected {option} to be a folder for several files, was '{out}'; remove {out.suffix}"
        )
    if not out.exists():
        _check_parent(resolved(out), option)


def check_file(path: Path, option: str, *endings: str) -> None:
    """Raise ConfigError if ``path`` has none of the endings, cannot be written, or is a store.

    If ``endings`` is empty, every ending is allowed.
    """
    from backtests.atomic import resolved
    from backtests.store.locking import is_duckdb

    if endings and path.suffix not in endings:
        raise _wrong(f"expected {option} to end in {' or '.join(endings)}, was '{path}'")
    target = resolved(path)
    if target.is_dir():
        raise _wrong(f"expected {option} to be a file, but '{path}' is a folder; give another name")
    if is_duckdb(target):
        raise _wrong(
            f"expected {option} to name another file, but '{path}' is a store, which would be "
            "lost; give another name"
        )
    _check_parent(target, option)


def _check_parent(target: Path, option: str) -> None:
    """Raise ConfigError if the folder of a path cannot be made, or is not writable."""
    above = next(parent for parent in target.parents if parent.exists())
    if not above.is_dir():
        raise _wrong(f"expected a folder at {above}, was a file; give another path with {option}")
    if not os.access(above, os.W_OK | os.X_OK):
        raise _wrong(
            f"expected to write in {above}, but drypowder has no permission; give another path "
            f"with {option}"
        )


def _wrong(message: str) -> Exception:
    from signals.errors import ConfigError

    return ConfigError(message)
