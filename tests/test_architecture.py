"""Imports run downward only, and third parties come in by their doors."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("signals", "strategies", "backtests")
FILES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))

DOORS = {
    "vectorbt": {
        "backtests/engine/simulate.py",
        "backtests/engine/indicator.py",
        "backtests/engine/portfolio.py",
    },
    "quantstats": {"backtests/report/tearsheet.py"},
    "yfinance": {"backtests/sources/yahoo.py"},
    "fredapi": {"backtests/sources/fred.py"},
    "duckdb": {f"backtests/history/{f}.py" for f in ("access", "changes", "schema", "store")},
}
#: Rooms of backtests, lowest first; a room imports from itself and from rooms before it.
ROOMS = (
    "version",
    "atomic",
    "contract",
    "own",
    "history",
    "sources",
    "engine",
    "config",
    "pipeline",
    "holdings",
    "today",
    "evidence",
    "walkforward",
    "report",
    "cli",
)
OUTSIDE_WORLD = {"socket", "urllib", "requests", "pathlib", "os", "time", "datetime", "io"}


def imported(path: Path) -> set[str]:
    """Return the modules a file imports, at its top or inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_packages_import_downward(path: Path) -> None:
    mine = PACKAGES.index(path.relative_to(ROOT).parts[0])
    above = PACKAGES[mine + 1 :]
    assert not {m for m in imported(path) if m.split(".")[0] in above}


@pytest.mark.parametrize("path", FILES, ids=name)
def test_third_parties_come_in_by_their_doors(path: Path) -> None:
    for library, doors in DOORS.items():
        if any(m.split(".")[0] == library for m in imported(path)):
            assert name(path) in doors


@pytest.mark.parametrize("path", [p for p in FILES if "backtests" in p.parts], ids=name)
def test_rooms_of_backtests_import_downward(path: Path) -> None:
    parts = path.relative_to(ROOT / "backtests").with_suffix("").parts
    if parts[0] not in ROOMS:
        return
    above = ROOMS[ROOMS.index(parts[0]) + 1 :]
    rooms = {m.split(".")[1] for m in imported(path) if m.startswith("backtests.")}
    assert not rooms & set(above)


@pytest.mark.parametrize("path", [p for p in FILES if "backtests" not in p.parts], ids=name)
def test_signals_and_strategies_know_no_files_network_or_clock(path: Path) -> None:
    world = OUTSIDE_WORLD - {"datetime"}  # dates as values are no clock
    assert not {m for m in imported(path) if m.split(".")[0] in world}
    assert "now(" not in path.read_text(encoding="utf-8")


def test_every_exported_name_exists() -> None:
    import backtests
    import signals
    import strategies

    for package in (signals, strategies, backtests):
        for exported in package.__all__:
            assert getattr(package, exported) is not None


def test_every_public_function_of_the_packages_has_a_docstring() -> None:
    bare = [
        f"{name(path)}:{node.name}"
        for path in FILES
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert bare == []
