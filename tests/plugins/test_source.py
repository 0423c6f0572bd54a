"""The source text of a class contains all modules of the user on which its results depend."""

import importlib
import pickle
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from backtests.plugins.load import load_again, load_strategy, path_of
from backtests.plugins.source import imported, source_of
from strategies import NearCashFlow

RULE = """
from dataclasses import dataclass
from typing import ClassVar
{imports}
from strategies import Strategy

@dataclass(frozen=True, kw_only=True)
class Mine(Strategy):
    name: ClassVar[str] = "mine"
    description: ClassVar[str] = "mine"
    assets = property(lambda self: ("SPY",))
    def weights(self, reading, panel):
        {inside}
        return panel[["SPY"]].notna() * 0.5
"""
Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Put]:
    """Return a function that writes a file below the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)

    def write(file: str, text: str = "", folder: str = "mine") -> Path:
        path = tmp_path / folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    yield write
    for name in set(sys.modules) - before:
        if name.startswith("fund"):
            del sys.modules[name]


def source(path: str) -> str:
    return source_of(load_strategy(path))


@pytest.mark.parametrize(
    ("rule", "imports", "inside", "helper"),
    [
        ("fund_rule", "from fund_kinds import SCALE", "", "fund_kinds.py"),
        ("fund_rule", "import fund_kinds as kinds", "", "fund_kinds.py"),
        ("fund_rule", "", "from fund_kinds import SCALE", "fund_kinds.py"),
        ("fund_rule", "from fund_space.deep import kinds", "", "fund_space/deep/kinds.py"),
        ("fund_rule", "", "from fund_space.deep import kinds", "fund_space/deep/kinds.py"),
        ("fund.rule", "from .kinds import SCALE", "", "fund/kinds.py"),
        ("fund.rule", "from . import kinds", "", "fund/kinds.py"),
        ("fund.rule", "import fund.deep", "", "fund/deep/__init__.py"),
        ("fund.deep.rule", "from ..kinds import *", "", "fund/kinds.py"),
        ("fund.rule", "", "", "fund/__init__.py"),
    ],
)
def test_a_changed_helper_changes_the_source(
    put: Put, rule: str, imports: str, inside: str, helper: str
) -> None:
    if rule.startswith("fund."):
        put("fund/__init__.py")
        put("fund/deep/__init__.py")
    put(helper, "SCALE = 0.3\n")
    put(f"{rule.replace('.', '/')}.py", RULE.format(imports=imports, inside=inside or "pass"))
    first = source(f"{rule}:Mine")
    assert source(f"{rule}:Mine") == first
    put(helper, "SCALE = 0.35\n")
    assert source(f"{rule}:Mine") != first


def test_a_helper_of_a_helper_counts_and_a_cycle_ends(put: Put) -> None:
    put("fund_rule.py", RULE.format(imports="import fund_one", inside="pass"))
    put("fund_one.py", "import fund_two\n")
    put("fund_two.py", "import fund_one\nSCALE = 0.3\n")
    first = source("fund_rule:Mine")
    put("fund_two.py", "import fund_one\nSCALE = 0.35\n")
    assert source("fund_rule:Mine") != first


def test_a_helper_of_another_folder_of_the_path_counts(put: Put, tmp_path: Path) -> None:
    put("fund_rule.py", RULE.format(imports="import fund_kinds", inside="pass"))
    put("fund_kinds.py", "SCALE = 0.3\n", folder="library")
    sys.path.append(str(tmp_path / "library"))
    assert "SCALE = 0.3" in source("fund_rule:Mine")


def test_other_modules_do_not_count(put: Put, tmp_path: Path) -> None:
    """A class without helpers has the text of its file, so its run id stays the same."""
    imports = "import json, numpy, fund_installed\nfrom signals import Reading\nimport nowhere"
    text = RULE.format(imports="import fund_installed", inside=imports.replace("\n", "; "))
    put("fund_rule.py", text)
    put("fund_other.py", "OTHER = 1\n")
    put("fund_installed.py", "SCALE = 0.3\n", folder="lib/site-packages")
    sys.path.append(str(tmp_path / "lib" / "site-packages"))
    assert source("fund_rule:Mine") == text
    assert source_of(NearCashFlow) == ""


def test_an_installed_package_of_the_class_counts(put: Put, tmp_path: Path) -> None:
    folder = "lib/site-packages"
    put("fund/__init__.py", folder=folder)
    rule = RULE.format(imports="from . import kinds\nimport fund_other", inside="pass")
    put("fund/rule.py", rule, folder=folder)
    put("fund/kinds.py", "SCALE = 0.3\n", folder=folder)
    put("fund_other.py", "OTHER = 1\n", folder=folder)
    sys.path.append(str(tmp_path / folder))
    assert "SCALE = 0.3" in source("fund.rule:Mine")
    assert "OTHER" not in source("fund.rule:Mine")


def test_a_text_that_python_cannot_read_imports_nothing(put: Put) -> None:
    put("fund_rule.py", RULE.format(imports="import fund_kinds", inside="pass"))
    put("fund_kinds.py", "import fund_other\n")
    put("fund_other.py", "")
    load_strategy("fund_rule:Mine")
    assert [*imported(["fund_rule"], "fund_rule")] == ["fund_rule", "fund_kinds", "fund_other"]
    put("fund_kinds.py", "import fund_other (\n")
    assert [*imported(["fund_rule"], "fund_rule")] == ["fund_rule", "fund_kinds"]


def test_other_processes_compute_the_same_source(put: Put) -> None:
    """Before a function runs, the module that it imports is not loaded in every process."""
    put("fund/__init__.py")
    put("fund/kinds.py", "SCALE = 0.3\n")
    put("fund_late.py", "LATE = 1\n")
    put("fund/rule.py", RULE.format(imports="from .kinds import SCALE", inside="import fund_late"))
    here = source("fund.rule:Mine")
    assert "LATE" in here
    importlib.import_module("fund.kinds")
    plugins = {"fund.rule": Path.cwd()}
    pickled = pickle.dumps(load_strategy("fund.rule:Mine")())
    with ProcessPoolExecutor(1, get_context("spawn")) as worker:
        assert worker.submit(_there, plugins, pickled).result() == here
        put("fund/kinds.py", "SCALE = 0.35\n")
        assert worker.submit(_there, plugins, pickled).result() == source("fund.rule:Mine") != here
        assert worker.submit(_scale).result() == 0.35


def _there(plugins: dict[str, Path], pickled: bytes) -> str:
    load_again(plugins)
    return source_of(type(pickle.loads(pickled)))


def _scale() -> float:
    return float(sys.modules["fund.kinds"].SCALE)


@pytest.mark.parametrize("call", ["kinds.SCALE", "fund.kinds.SCALE", "scale()"])
def test_a_class_of_a_notebook_counts_the_modules_that_its_methods_use(
    put: Put, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """A notebook has no file, so only names in the code of the methods tell what it uses."""
    put("fund/__init__.py")
    put("fund/kinds.py", "SCALE = 0.3\ndef scale(): return SCALE\n")
    monkeypatch.syspath_prepend(Path.cwd())
    names: dict[str, object] = {"__name__": "notebook_without_a_module"}
    code = RULE.format(imports="", inside=f"return (lambda: {call})()")
    cell = f"import fund.kinds\nfrom fund import kinds\nfrom fund.kinds import scale\n{code}"
    exec(compile(cell, "<cell>", "exec"), names)
    made = names["Mine"]
    assert isinstance(made, type)
    first = source_of(made)
    put("fund/kinds.py", "SCALE = 0.35\ndef scale(): return SCALE\n")
    assert source_of(made) != first


def test_a_class_has_the_same_source_however_it_is_given(put: Put) -> None:
    put("fund_rule.py", RULE.format(imports="", inside="pass"))
    cls = load_strategy("fund_rule:Mine")
    before = source_of(cls)
    path_of(cls)
    assert source_of(cls) == before
