"""A path finds a user's class; modules of a user are read again after a change."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from backtests.evidence.workers import workers_of
from backtests.plugins.load import load_again, load_strategy
from tests.commands import Drypowder, refused
from tests.plugins.texts import STRATEGY, Write

pytestmark = pytest.mark.usefixtures("evaluated_before")

# --- find a class ---------------------------------------------------------------------------


def test_the_working_folder_comes_first_only_while_importing(write: Write) -> None:
    helper = write("VALUE = ('SPY', 'IEF')")
    name = write(
        f"from {helper} import VALUE\n{STRATEGY}", ('return ("SPY", "IEF")', "return VALUE")
    )
    before = list(sys.path)
    assert load_strategy(f"{name}:Mine")().assets == ("SPY", "IEF")
    assert sys.path == before


def test_a_module_of_the_folder_is_imported_at_the_top(drypowder: Drypowder, write: Write) -> None:
    helper = write("VALUE = ('SPY', 'IEF')")
    name = write(STRATEGY, ('return ("SPY", "IEF")', f"from {helper} import VALUE; return VALUE"))
    said = drypowder("run", f"{name}:Mine", "--source", "simulated")
    refused(said, "assets failed: ModuleNotFoundError", "import it at the top of the module")


def test_another_process_unpickles_a_plugin(write: Write) -> None:
    strategy = load_strategy(f"{write(STRATEGY)}:Mine")()
    with workers_of(2) as pool:
        assert pool.submit(repr, strategy).result() == "Mine(window=50)"


def test_folders_named_like_ours_shadow_nothing(write: Write, tmp_path: Path) -> None:
    for package in ("signals", "strategies", "backtests"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise RuntimeError('shadowed')")
        (tmp_path / package / "base.py").write_text("raise RuntimeError('shadowed')")
    extra = (
        "import numpy as np",
        "import numpy as np\nimport strategies.baselines, signals.policy",
    )
    assert load_strategy(f"{write(STRATEGY, extra)}:Mine").name == "mine"


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        (
            "nowhere_at_all:Mine",
            ["expected a module nowhere_at_all", "run drypowder in the module's folder"],
        ),
        ("{m}.deeper.still:Mine", ["expected a module {m}.deeper.still"]),
        ("{m}:Mein", ["unknown class of {m} 'Mein'; did you mean 'Mine'?"]),
        ("{m}.py:Mine", ["without .py"]),
        ("./{m}:Mine", ["with dots and without .py"]),
        ("{m}:", ["expected a path like my_module:MyStrategy", "give module and class"]),
        (":Mine", ["expected a path like my_module:MyStrategy"]),
        ("{m}:Mine:Mine", ["expected a path like my_module:MyStrategy"]),
        ("{m}:np", ["expected a class derived from strategies.Strategy", "an object of module"]),
        ("{m}:Reading", ["expected a class derived from strategies.Strategy", "was Reading"]),
        ("__main__:Mine", ["defined in a notebook or a script", "give its path, such as my_file:"]),
        ("json:Mine", ["expected a class Mine in json, found no strategy or signal there"]),
        ("strategies.mine:Mine", ["the name strategies belongs to drypowder's own package"]),
    ],
)
def test_a_path_that_leads_nowhere_gets_one_line(
    drypowder: Drypowder, write: Write, path: str, parts: list[str]
) -> None:
    name = write(STRATEGY)
    said = drypowder("run", path.replace("{m}", name), "--source", "simulated")
    refused(said, *(part.replace("{m}", name) for part in parts))


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("json", "Python has another module json"),
        ("signals", "the name signals belongs to drypowder's own package"),
    ],
)
def test_a_file_whose_name_is_taken_is_told(
    drypowder: Drypowder, write: Write, name: str, part: str
) -> None:
    write(STRATEGY, name=name)
    refused(drypowder("check", f"{name}:Mine"), part, "another")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("def (:", ["importing {m} failed: SyntaxError", "{m}.py:1"]),
        ("x = 1\ny = undefined", ["NameError: name 'undefined' is not defined", "{m}.py:2"]),
        ("import not_there_at_all", ["{m} imports not_there_at_all, which is not found"]),
        ("from signals import Nope", ["ImportError: cannot import name 'Nope'", "{m}.py:1"]),
        ("raise SystemExit(0)", ["raised SystemExit", "__main__"]),
        ("1 / 0", ["ZeroDivisionError", "{m}.py:1"]),
        ("x = '\ud83d'", ["importing {m} failed"]),
    ],
)
def test_a_module_that_cannot_be_imported_gets_one_line(
    drypowder: Drypowder, write: Write, tmp_path: Path, text: str, parts: list[str]
) -> None:
    name = write("")
    (tmp_path / f"{name}.py").write_bytes(text.encode("utf-8", "surrogatepass"))
    said = drypowder("run", f"{name}:Mine", "--source", "simulated")
    refused(said, *(part.replace("{m}", name) for part in parts))


# --- read again after a change --------------------------------------------------------------


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Path]:
    """Return a folder with a user's module and package."""
    folder = tmp_path / "mine"
    (folder / "friendly_package").mkdir(parents=True)
    (folder / "friendly_package" / "__init__.py").write_text("")
    yield folder
    for name in [name for name in sys.modules if name.startswith("friendly_")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("friendly_share", "friendly_share.py"),
        ("friendly_package.share", "friendly_package/share.py"),
    ],
)
def test_a_changed_module_is_read_again(mine: Path, name: str, file: str) -> None:
    for share in ("0.4", "0.25"):
        (mine / file).write_text(f"SHARE = {share}\n")
        load_again({name: mine})
        assert float(share) == sys.modules[name].SHARE


def test_a_module_of_another_folder_stays_loaded(mine: Path) -> None:
    """The names of both folders begin alike."""
    other = ModuleType("friendly_other")
    other.__file__ = str(mine.with_name("mine_too") / "friendly_other.py")
    sys.modules["friendly_other"] = other
    load_again({"friendly_package": mine})
    assert sys.modules["friendly_other"] is other


@pytest.mark.parametrize("helper", ["friendly_kinds", "friendly_space.deep.kinds"])
def test_a_changed_helper_is_read_again(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helper: str
) -> None:
    """The helper lies in another folder of the Python path, or in a namespace package there."""
    package, _, last = helper.rpartition(".")
    text = f"from {package} import {last}" if package else f"import {last}"
    (mine / "friendly_rule.py").write_text(f"{text}\nSHARE = {last}.SHARE\n")
    monkeypatch.syspath_prepend(tmp_path / "library")
    path = (tmp_path / "library").joinpath(*helper.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True)
    for share in ("0.4", "0.25"):
        path.write_text(f"SHARE = {share}\n")
        load_again({"friendly_rule": mine})
        assert float(share) == sys.modules["friendly_rule"].SHARE


@pytest.mark.parametrize("helper", ["friendly_share", "friendly_package.share"])
def test_a_helper_of_the_folder_that_importlib_loads_is_read_again(mine: Path, helper: str) -> None:
    """No import statement names the helper."""
    text = f"from importlib import import_module\nSHARE = import_module('{helper}').SHARE\n"
    (mine / "friendly_rule.py").write_text(text)
    for share in ("0.4", "0.25"):
        mine.joinpath(*helper.split(".")).with_suffix(".py").write_text(f"SHARE = {share}\n")
        load_again({"friendly_rule": mine})
        assert float(share) == sys.modules["friendly_rule"].SHARE


def test_a_module_of_the_same_name_in_another_folder_is_read(mine: Path, tmp_path: Path) -> None:
    """A worker of two projects reads the module of the project that it works for."""
    for folder, share in ((mine, "0.4"), (tmp_path / "other", "0.25")):
        folder.mkdir(exist_ok=True)
        (folder / "friendly_rule.py").write_text(f"SHARE = {share}\n")
        load_again({"friendly_rule": folder})
        assert float(share) == sys.modules["friendly_rule"].SHARE
