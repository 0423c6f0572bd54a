"""Modules of a user are read again after a change, and modules of other folders stay loaded."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from backtests.plugins.load import load_again


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
