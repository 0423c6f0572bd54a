"""Numbers and id of a run come from the same code, also if a user edits a file in between."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from backtests import History, Run, config_from, run
from backtests.plugins.load import load_strategy
from signals.errors import ConfigError
from tests.plugins.test_source import RULE

#: A rule with its weight in the module, and a rule with its weight in another module.
ALONE = RULE.format(imports="SHARE = {share}", inside="pass").replace("0.5", "SHARE")
HELPED = RULE.format(imports="{imports}", inside="pass").replace("0.5", "{share}")
REFUSED = "code that is in its files now, but {} changed after the import; restart Python"
Put = Callable[[str, str], None]


@pytest.fixture(scope="module")
def history() -> History:
    return History.simulated(years=6)


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Put]:
    """Return a function that writes a module into the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    before = set(sys.modules)
    yield lambda name, text: write(tmp_path / f"{name}.py", text)
    for name in set(sys.modules) - before:
        if name.startswith("edited_"):
            del sys.modules[name]


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    importlib.invalidate_caches()


def ran(strategy: object, history: History) -> Run:
    return run(config_from({"strategy": strategy, "start": "2022-01-03"}), history)


def module(name: str) -> ModuleType:
    return importlib.import_module(name)


@pytest.mark.parametrize("helped", [False, True], ids=["own file", "helper"])
def test_a_path_runs_the_code_on_disk(put: Put, history: History, helped: bool) -> None:
    """The new text has the same length, and is written in the same second."""
    name, text = ("edited_share", "SHARE = {share}\n") if helped else ("edited_rule", ALONE)
    rule = HELPED.format(imports="from edited_share import SHARE", share="SHARE")
    put("edited_rule", rule)
    runs = []
    for share in ("0.5", "0.9", "0.5"):
        put(name, text.format(share=share))
        runs.append(ran("edited_rule:Mine", history))
    assert [float(each.decided["SPY"].iloc[-1]) for each in runs] == [0.5, 0.9, 0.5]
    assert runs[0].run_id == runs[2].run_id != runs[1].run_id
    assert "Run of mine" in repr(runs[0])


def test_only_changed_modules_and_their_importers_are_imported_again(put: Put) -> None:
    rule = HELPED.format(imports="import edited_share\nimport edited_other", share="0.5")
    put("edited_rule", rule)
    put("edited_share", "SHARE = 0.5\n")
    put("edited_other", "OTHER = 1\n")
    first = load_strategy("edited_rule:Mine")
    assert load_strategy("edited_rule:Mine") is first
    before = dict(sys.modules)
    path = list(sys.path)
    put("edited_share", "SHARE = 0.9\n")
    assert load_strategy("edited_rule:Mine") is not first
    assert sys.path == path
    names = ("edited_rule", "edited_share", "edited_other")
    assert [sys.modules[name] is before[name] for name in names] == [False, False, True]


def test_an_edited_file_with_an_error_gets_one_line(put: Put) -> None:
    put("edited_rule", ALONE.format(share="0.5"))
    load_strategy("edited_rule:Mine")
    put("edited_rule", "def (:")
    with pytest.raises(ConfigError, match="importing edited_rule failed: SyntaxError"):
        load_strategy("edited_rule:Mine")
    Path("edited_rule.py").unlink()
    with pytest.raises(ConfigError, match="expected a module edited_rule"):
        load_strategy("edited_rule:Mine")
    put("edited_rule", ALONE.format(share="0.9"))
    assert load_strategy("edited_rule:Mine").name == "mine"


def test_a_class_with_an_edited_file_is_refused(put: Put, history: History) -> None:
    put("edited_rule", ALONE.format(share="0.5"))
    rule = module("edited_rule")
    config = config_from({"strategy": rule.Mine, "start": "2022-01-03"})
    half, old = run(config, history), rule.Mine
    before = half.run_id
    put("edited_rule", ALONE.format(share="0.95"))
    for again in (lambda: run(config, history), lambda: config_from({"strategy": old})):
        with pytest.raises(ConfigError, match=REFUSED.format("edited_rule")) as error:
            again()
        assert "\n" not in str(error.value)
    assert half.run_id == before
    assert "Run of mine" in repr(half)
    importlib.reload(rule)
    with pytest.raises(ConfigError, match=REFUSED.format("edited_rule")):
        config_from({"strategy": old})
    assert ran(rule.Mine, history).decided["SPY"].eq(0.95).all()


def test_a_path_replaces_a_class_with_an_edited_file(put: Put, history: History) -> None:
    put("edited_rule", ALONE.format(share="0.5"))
    ran(module("edited_rule").Mine, history)
    put("edited_rule", ALONE.format(share="0.9"))
    assert ran("edited_rule:Mine", history).decided["SPY"].eq(0.9).all()


def test_a_class_with_a_reloaded_helper_is_refused(put: Put) -> None:
    """The module of the class keeps the number that it imported from the helper."""
    rule = HELPED.format(imports="from edited_share import SHARE", share="SHARE")
    put("edited_rule", rule)
    put("edited_share", "SHARE = 0.5\n")
    mine, helper = module("edited_rule"), module("edited_share")
    config_from({"strategy": mine.Mine})
    put("edited_share", "SHARE = 0.95\n")
    said = "importlib.reload on edited_share, then on edited_rule"
    with pytest.raises(ConfigError, match=said):
        config_from({"strategy": mine.Mine})
    importlib.reload(helper)
    with pytest.raises(ConfigError, match=REFUSED.format("edited_share")):
        config_from({"strategy": mine.Mine})
    importlib.reload(mine)
    assert mine.SHARE == 0.95
    config_from({"strategy": mine.Mine})


def test_a_notebook_with_an_edited_helper_is_refused(put: Put) -> None:
    put("edited_share", "SHARE = 0.5\n")
    names: dict[str, object] = {"__name__": "notebook_without_a_module"}
    cell = HELPED.format(imports="import edited_share", share="edited_share.SHARE")
    exec(compile(cell, "<cell>", "exec"), names)
    config = config_from({"strategy": names["Mine"]})
    put("edited_share", "SHARE = 0.95\n")
    with pytest.raises(ConfigError, match=REFUSED.format("edited_share")):
        config.build_strategy()
    exec(compile(cell, "<cell>", "exec"), names)
    with pytest.raises(ConfigError, match=REFUSED.format("edited_share")):
        config_from({"strategy": names["Mine"]})
    importlib.reload(sys.modules["edited_share"])
    exec(compile(cell, "<cell>", "exec"), names)
    config_from({"strategy": names["Mine"]})


def test_a_file_that_is_written_back_is_used_again(put: Put) -> None:
    put("edited_rule", ALONE.format(share="0.5"))
    config = config_from({"strategy": module("edited_rule").Mine})
    put("edited_rule", ALONE.format(share="0.9"))
    with pytest.raises(ConfigError, match=REFUSED.format("edited_rule")):
        config.build_strategy()
    put("edited_rule", ALONE.format(share="0.5"))
    config.build_strategy()


def test_a_module_that_replaces_itself_is_used(put: Put) -> None:
    """Python cannot hold a weak reference to the object, and cannot hash it."""
    itself = "import sys\nsys.modules[__name__] = type('Own', (dict,), {'Mine': Mine})()\n"
    put("edited_itself", f"{ALONE.format(share='0.5')}\n{itself}")
    assert load_strategy("edited_itself:Mine").name == "mine"


def test_a_module_that_is_no_module_object_is_left_alone(
    put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = HELPED.format(imports="import edited_share", share="edited_share.SHARE")
    put("edited_rule", rule)
    put("edited_share", "SHARE = 0.5\n")
    mine = module("edited_rule").Mine
    monkeypatch.setitem(sys.modules, "edited_share", None)
    config_from({"strategy": mine}).build_strategy()


def test_a_file_that_changes_during_the_run_is_refused(put: Put, history: History) -> None:
    text = RULE.format(imports="", inside="pass")
    sys.modules["edited_hook"] = ModuleType("edited_hook")
    vars(sys.modules["edited_hook"])["edit"] = lambda: put("edited_rule", text)
    put("edited_rule", RULE.format(imports="from edited_hook import edit", inside="edit()"))
    with pytest.raises(ConfigError, match=r"expected this run to use the current class .*:Mine"):
        ran("edited_rule:Mine", history)
