"""Load a strategy or signal that a user wrote, by a path like ``package.module:Name``.

The module may be in the working folder or on the Python path.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from importlib.util import cache_from_source
from pathlib import Path
from pkgutil import resolve_name
from types import ModuleType
from typing import Any

from backtests.plugins.contract import check_class, plugin_bases
from backtests.plugins.edited import edited
from backtests.plugins.source import MAIN, first, folders_of, imported, modules_of
from signals.base import Signal
from signals.errors import ConfigError, unknown
from signals.form import OURS, author_code
from strategies import Strategy

_KINDS = (Strategy, Signal)
#: A mapping from the name of each loaded module to the working folder at the time of loading.
_loaded: dict[str, Path] = {}
#: A mapping from dotted path to class, for classes that a user gave as objects, not as paths.
_given: dict[str, type] = {}


def is_plugin(name: str) -> bool:
    """Return whether a name is a path such as ``package.module:Name``.

    The result is also True for a name that ends in ``.py``. :func:`load_class` then raises an error
    that says how to write the path.
    """
    return ":" in name or name.endswith(".py")


def path_of(cls: type) -> str:
    """Return the dotted path of a user's class, and register the class for :func:`load_class`.

    Python cannot import a class that is defined in a notebook or at a prompt. If two classes have
    the same path, the later class replaces the earlier class.
    """
    path = f"{cls.__module__}:{cls.__qualname__}"
    _given[path] = cls
    _edited_for(cls)  # from now on, a change of a file is found
    return path


def prefer_file(path: str) -> None:
    """Make :func:`load_class` import a path again if a class given for it has changed files."""
    cls = _given.get(path)
    name = _module_of(path) if cls else ""
    if cls and name not in MAIN and name in imported([name], name) and _edited_for(cls):
        del _given[path]


def load_strategy(path: str) -> type[Strategy]:
    """Return the user's strategy class at a dotted path; :func:`load_class` states the errors."""
    cls = load_class(path)
    if not issubclass(cls, Strategy):
        raise ConfigError(
            f"{path}: expected a strategy, was a signal; give the path in plugin_signals"
        )
    return cls


def load_signal(path: str) -> type[Signal]:
    """Return the user's signal class at a dotted path; :func:`load_class` states the errors."""
    cls = load_class(path)
    if not issubclass(cls, Signal):
        raise ConfigError(f"{path}: expected a signal, was a strategy; give the path as `strategy`")
    return cls


def load_class(path: str) -> type[Strategy] | type[Signal]:
    """Return the user's strategy or signal class at a dotted path.

    If the user changed the file of the class, or of a module that it imports, these modules are
    imported again.

    Raises
    ------
    ConfigError
        Raised if the module cannot be imported, or if the definition of the class has an error.
        Raised if a user gave the class as an object, and its code changed after the import.
    """
    if path in _given:
        _refuse_old(_given[path], path)
        return _checked(_given[path], path)
    name = _module_of(path)
    try:
        with (
            first(str(Path.cwd()), *_forget_edited(name)),
            author_code(f"{path}: importing {name}"),
        ):
            found = resolve_name(path)
    except ConfigError as error:
        if name not in sys.modules or not isinstance(error.__cause__, AttributeError):
            raise _not_imported(name, path, error) from None
        found = None
    _check_origin(sys.modules[name], path)
    if found is None:
        raise ConfigError(_no_class(sys.modules[name], path.partition(":")[2]))
    _loaded[name] = Path.cwd()
    _edited_in(name)  # from now on, a change of a file is found
    return _checked(found, path)


def _refuse_old(cls: type, path: str) -> None:
    """Raise ConfigError if a class given as an object runs other code than its files contain."""
    changed = _edited_for(cls)
    if not changed:
        return
    own = {cls.__module__} & (sys.modules.keys() - set(MAIN))
    others = [name for name in changed if name not in own]
    raise ConfigError(
        f"{path}: expected a class with the code that is in its files now, but "
        f"{', '.join(changed)} changed after the import; restart Python, or use "
        f"importlib.reload on {', then on '.join([*others, *own])}, and import or "
        "define the class again"
    )


def _edited_for(cls: type) -> list[str]:
    return edited(cls, modules_of(cls), cls.__module__)


def _checked(found: Any, path: str) -> type[Strategy] | type[Signal]:
    if not (isinstance(found, type) and issubclass(found, _KINDS)):
        was = found.__name__ if isinstance(found, type) else f"an object of {type(found).__name__}"
        raise ConfigError(
            f"{path}: expected a class derived from strategies.Strategy or signals.Signal, was "
            f"{was}; derive the class"
        )
    if not plugin_bases(found):
        raise ConfigError(
            f"{path}: expected a class of your own, was a class of drypowder; use the "
            "name that 'drypowder list' shows"
        )
    check_class(found, path)
    return found


def _module_of(path: str) -> str:
    module, _, attribute = path.partition(":")
    if module.endswith(".py") or "/" in module or "\\" in module:
        raise ConfigError(
            f"expected a path like my_module:MyStrategy, was {path!r}; write the module's name "
            "with dots and without .py, and run drypowder in the module's folder"
        )
    if not all(part.isidentifier() for part in [*module.split("."), attribute]):
        raise ConfigError(
            f"expected a path like my_module:MyStrategy, was {path!r}; give module and class"
        )
    return module


def loaded() -> dict[str, Path]:
    """For each loaded module, return the working folder at the time of loading."""
    return dict(_loaded)


def load_again(modules: Mapping[str, Path]) -> None:
    """Import the modules that a worker process needs to unpickle objects of a user's classes.

    ``modules`` maps the name of each module to a working folder, see :func:`loaded`. A worker may
    keep running while its user changes the code. So the function first makes Python forget each
    module in ``modules``, all modules in the working folders, and each module of the user that a
    module in ``modules`` imports. Python then reads the module files again. A module that cannot be
    imported is skipped, because it may belong to an earlier run.
    """
    for name, folder in modules.items():
        with first(str(folder)):
            _forget([*_inside(folder), name, name.partition(".")[0]])
            _forget(imported([name], name))
    for name, folder in modules.items():
        with first(str(folder)), suppress(Exception):
            import_module(name)


def _edited_in(name: str) -> list[str]:
    """Return the changed modules of an imported module; empty if another object replaced it."""
    module = sys.modules.get(name)
    return edited(module, [name], name) if isinstance(module, ModuleType) else []


def _forget_edited(name: str) -> list[str]:
    """Make Python forget the changed modules of a user, and the modules that import them.

    Only ``name`` and the modules that it imports are forgotten. Return the folders that contain
    the forgotten modules' package; empty if no module changed. The cache files are deleted,
    because Python would use a cache file for a new text of the same length that was written in the
    same second.
    """
    changed = _edited_in(name)
    if not changed:
        return []
    folders = folders_of(name.partition(".")[0])
    for old, file in imported([name], name).items():
        if not imported([old], name).keys().isdisjoint(changed):
            with suppress(OSError):
                Path(cache_from_source(file)).unlink()
            _forget([old])
    _forget([name])
    return folders


def _inside(folder: Path) -> list[str]:
    """Return the names of all modules and packages that Python has imported from a folder."""
    inside = f"{folder}{os.sep}"
    names = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if not file.startswith(inside):
            continue
        root = name.partition(".")[0]
        mine = file == f"{inside}{root}.py" or file.startswith(f"{inside}{root}{os.sep}")
        if mine:
            names.append(name)
    return names


def _forget(names: Iterable[str]) -> None:
    """Make Python forget modules and packages of a user.

    Python keeps namespace packages. A namespace package contains no code, and may contain modules
    of other authors.
    """
    for name in names:
        root = name.partition(".")[0]
        if root in (*OURS, *MAIN) or not getattr(sys.modules.get(name), "__file__", None):
            continue
        del sys.modules[name]
        package, _, last = name.rpartition(".")
        if package in sys.modules:
            vars(sys.modules[package]).pop(last, None)


def _not_imported(name: str, path: str, error: ConfigError) -> ConfigError:
    """Return an error for a missing module, or for a module whose import raised SystemExit.

    If the cause is neither a missing module nor SystemExit, ``error`` is returned.
    """
    cause = error.__cause__
    if isinstance(cause, SystemExit):
        return ConfigError(
            f"{path}: expected to import {name}, but the import raised SystemExit; put the code "
            'that calls sys.exit below a line with if __name__ == "__main__":'
        )
    if not isinstance(cause, ModuleNotFoundError):
        return error
    missing = cause.name or ""
    if name != missing and not name.startswith(f"{missing}."):
        return ConfigError(
            f"{path}: {name} imports {missing}, which is not found; install {missing}, or correct "
            "the import"
        )
    root = name.partition(".")[0]
    if root in OURS:
        return ConfigError(f"{path}: {_taken(root)}")
    return ConfigError(
        f"expected a module {name} for {path}, found none in {Path.cwd()} or on the Python path; "
        "run drypowder in the module's folder, or install the module"
    )


def _taken(root: str) -> str:
    return f"the name {root} belongs to drypowder's own package; give your module another name"


def _check_origin(module: ModuleType, path: str) -> None:
    """Raise ConfigError if Python loaded another module of the same name, not the user's module."""
    if not isinstance(module, ModuleType):
        return  # the module replaced itself by another object
    stem = Path.cwd().joinpath(*module.__name__.split("."))
    meant = [p for p in (stem.with_suffix(".py"), stem / "__init__.py") if p.is_file()]
    came = getattr(module, "__file__", None)
    if not meant or (came and any(p.samefile(came) for p in meant if Path(came).exists())):
        return
    root = module.__name__.partition(".")[0]
    if root in OURS:
        raise ConfigError(f"{path}: {_taken(root)}")
    raise ConfigError(
        f"{path}: expected the module in {meant[0]}, but Python has another module "
        f"{module.__name__} ({came or 'built in'}); give your file another name"
    )


def _no_class(module: ModuleType, name: str) -> str:
    if module.__name__ == "__main__":
        return (
            f"expected the class {name}, but it was defined in a notebook or a script, and cannot "
            f"be loaded from there; write the class into a file, and give its path, such as "
            f"my_file:{name}"
        )
    known = [
        n
        for n, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, _KINDS) and value not in _KINDS
    ]
    if known:
        return unknown(f"class of {module.__name__}", name, known)
    return (
        f"expected a class {name} in {module.__name__}, found no strategy or signal there; derive "
        "a class from strategies.Strategy or signals.Signal"
    )
