"""A room imports only from lower rooms; only certain files may import certain packages."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("signals", "strategies", "backtests")
FILES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))

DOORS = {
    "vectorbt": {
        "backtests/engine/simulate.py",
        "backtests/engine/indicator.py",
        "backtests/engine/portfolio.py",
    },
    "numba": {"backtests/engine/compiled.py", "signals/regimes/best_path.py"},
    "dask": {"backtests/sweep/cluster.py"},
    "distributed": {"backtests/sweep/cluster.py"},
    "quantstats": {"backtests/report/quantstats_plots.py"},
    "yfinance": {"backtests/sources/yahoo.py"},
    "fredapi": {"backtests/sources/fred.py"},
    "duckdb": {
        f"backtests/store/{file}.py"
        for file in ("append", "locking", "parquet", "recording", "schema", "store")
    },
}
#: Rooms of backtests, lowest first; a room imports from itself and from rooms before it. A room is
#: a package or a module of backtests. The files of the room plugins that check a plugin (UPSTAIRS)
#: run a backtest, so they count as the room pipeline.
ROOMS = (
    *("version", "simulated", "plural", "format", "progress", "garbage", "atomic", "calendar"),
    *("store", "importing", "sources"),
    *("economy", "history"),
    *("engine", "holdings", "plugins", "build", "config", "config_data", "config_file"),
    *("parameter_paths", "runs", "window", "reuse", "pipeline"),
    *("lapse", "due_orders", "today", "flipped"),
    *("evidence", "thesis", "brief", "sweep", "report", "cli", "__init__", "__main__"),
)
UPSTAIRS = {"backtests/plugins/check.py", "backtests/plugins/lookahead.py"}
#: Methods of results, such as ``Run.plot``, call this module of a higher room. Each method imports
#: the module itself, so that the room is loaded only when a user calls the method.
SHORTCUT = "backtests.report.notebook"
RESULTS = {
    *("backtests/history/panel.py", "backtests/runs.py"),
    *("backtests/evidence/assessment.py", "backtests/evidence/comparison.py"),
}
OUTSIDE_WORLD = {"socket", "urllib", "requests", "pathlib", "os", "time", "datetime", "io"}


@cache
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


def test_packages_import_downward() -> None:
    wrong = [
        f"{name(path)} imports {m}"
        for path in FILES
        for m in imported(path)
        if m.split(".")[0] in PACKAGES[PACKAGES.index(path.relative_to(ROOT).parts[0]) + 1 :]
    ]
    assert wrong == []


def test_third_parties_come_in_by_their_doors() -> None:
    wrong = [
        f"{name(path)} imports {library}"
        for path in FILES
        for library, doors in DOORS.items()
        if library in {m.split(".")[0] for m in imported(path)} and name(path) not in doors
    ]
    assert wrong == []


def test_rooms_of_backtests_import_downward() -> None:
    wrong = [
        f"{name(path)} imports {m}"
        for path in FILES
        for m in imported(path)
        if _ours(path)
        and m.startswith("backtests.")
        and not _below(path, m.split(".")[1])
        and not (name(path) in RESULTS and m.startswith(SHORTCUT))
    ]
    assert wrong == []


def test_results_import_the_room_of_reports_only_inside_methods() -> None:
    for path in RESULTS:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        at_top = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
        within = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert SHORTCUT in within - at_top, path


def test_every_room_has_a_place_in_the_order() -> None:
    packages = {path.parent.name for path in (ROOT / "backtests").glob("*/__init__.py")}
    modules = {path.stem for path in (ROOT / "backtests").glob("*.py")}
    assert packages | modules == set(ROOMS), "add the room to ROOMS, below what imports it"


def _below(path: Path, room: str) -> bool:
    """Return whether a file of backtests may import from a room; not if a room is unknown."""
    mine = path.relative_to(ROOT / "backtests").with_suffix("").parts[0]
    floor = "pipeline" if name(path) in UPSTAIRS else mine
    return {room, floor} <= set(ROOMS) and ROOMS.index(room) <= ROOMS.index(floor)


def _ours(path: Path) -> bool:
    return path.is_relative_to(ROOT / "backtests")


def test_signals_and_strategies_know_no_files_network_or_clock() -> None:
    world = OUTSIDE_WORLD - {"datetime"}  # code may use dates as values
    wrong = [
        name(path)
        for path in FILES
        if not _ours(path)
        and (
            world & {m.split(".")[0] for m in imported(path)}
            or "now(" in path.read_text(encoding="utf-8")
        )
    ]
    assert wrong == []


def test_every_exported_name_exists() -> None:
    import backtests
    import signals
    import strategies

    for package in (signals, strategies, backtests):
        for exported in package.__all__:
            assert getattr(package, exported) is not None


def test_lazy_names_have_types_and_stand_in_dir() -> None:
    """Names that load on first use have types, from imports that only type checkers read."""
    import backtests

    tree = ast.parse((ROOT / "backtests/__init__.py").read_text(encoding="utf-8"))
    typed = next(node for node in tree.body if isinstance(node, ast.If))
    assert ast.unparse(typed.test) == "TYPE_CHECKING"
    homes = {
        alias.name: node.module
        for node in typed.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert homes == backtests._HOMES
    assert set(backtests.__all__) == {*homes, "__version__"}
    assert dir(backtests) == sorted(backtests.__all__)


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
