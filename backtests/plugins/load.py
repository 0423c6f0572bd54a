"""A user's own strategy or signal, loaded from a module of theirs by dotted path.

A path is ``package.module:Name``. The module is found in the working folder, else as Python finds
any. Whatever is wrong with it is told on one line, here or when it is asked
(:mod:`backtests.plugins.contract`).
"""

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import MISSING, fields
from importlib import import_module, invalidate_caches
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

from backtests.plugins.contract import OURS, check_attributes, guard, plugin_bases, theirs
from signals.base import Signal
from signals.errors import ConfigError, DrypowderError, describe_exception, unknown
from strategies import STRATEGIES, Strategy

DECORATE = "decorate it with @dataclass(frozen=True, kw_only=True)"


def is_plugin(name: str) -> bool:
    """Return whether a name is a dotted path rather than one of a registry."""
    return ":" in name


def load_strategy(path: str) -> type[Strategy]:
    """Return a user's strategy class by its dotted path.

    Raises
    ------
    ConfigError
        When the module cannot be imported or what it names is no strategy that can be made.
    """
    cls = own_class(path)
    if not issubclass(cls, Strategy):
        raise ConfigError(f"{path}: expected a strategy, was a signal; name it in plugin_signals")
    return cls


def load_signal(path: str) -> type[Signal]:
    """Return a user's signal class by its dotted path.

    Raises
    ------
    ConfigError
        Likewise.
    """
    cls = own_class(path)
    if not issubclass(cls, Signal):
        raise ConfigError(f"{path}: expected a signal, was a strategy; name it as the strategy")
    return cls


def own_class(path: str) -> type[Strategy] | type[Signal]:
    """Return a user's class by its dotted path, whichever of the two it is.

    Raises
    ------
    ConfigError
        Likewise.
    """
    name, attribute = _split(path)
    module = _module(name, path)
    with theirs(f"{path}: reading {attribute}"):
        return _checked(getattr(module, attribute, None), module, path)


def _checked(found: Any, module: ModuleType, path: str) -> type[Strategy] | type[Signal]:
    if found is None:
        raise ConfigError(_no_class(module, path.partition(":")[2]))
    if not (isinstance(found, type) and issubclass(found, (Strategy, Signal))):
        was = found.__name__ if isinstance(found, type) else f"an object of {type(found).__name__}"
        raise ConfigError(
            f"{path}: expected a class derived from strategies.Strategy or signals.Signal, was "
            f"{was}; derive it"
        )
    if not plugin_bases(found):
        raise ConfigError(
            f"{path}: expected a class of your own, was one of drypowder; name it without a path"
        )
    _check_class(found, path)
    guard(found, path)
    return found


def source_of(cls: type) -> str:
    """Return the source text of the user's modules behind a class: it belongs to what was run."""
    modules = dict.fromkeys(base.__module__ for base in plugin_bases(cls))
    return "\n".join(_source(sys.modules.get(name)) for name in modules)


def _source(module: ModuleType | None) -> str:
    try:
        return "" if module is None else inspect.getsource(module)
    except Exception:  # it is not there, or cannot be read as text
        return ""


def _split(path: str) -> tuple[str, str]:
    module, _, attribute = path.partition(":")
    if module.endswith(".py") or "/" in module or "\\" in module:
        raise ConfigError(
            f"expected a path like my_module:MyStrategy, was {path!r}; name the module as an "
            "import does, with dots and without .py, from its folder"
        )
    if not all(part.isidentifier() for part in [*module.split("."), attribute]):
        raise ConfigError(
            f"expected a path like my_module:MyStrategy, was {path!r}; give module and class"
        )
    return module, attribute


# --- importing ------------------------------------------------------------------------------


def _module(name: str, path: str) -> ModuleType:
    try:
        with _working_folder_first(), redirect_stdout(sys.stderr):
            module = import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name != missing and not name.startswith(f"{missing}."):
            raise ConfigError(
                f"{path}: {name} imports {missing}, which is not found; install it, or correct "
                "the import"
            ) from None
        raise ConfigError(_no_module(name, path)) from None
    except SystemExit:
        raise ConfigError(
            f"{path}: importing {name} ended Python (SystemExit); put what runs under "
            'if __name__ == "__main__":'
        ) from None
    except (DrypowderError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise ConfigError(f"{path}: importing {name} failed: {describe_exception(error)}") from None
    _check_it_is_theirs(module, path)
    return module


@contextmanager
def _working_folder_first() -> Iterator[None]:
    """Look for modules in the working folder first; afterwards last, where it shadows nothing.

    There it serves an import inside a function. Drypowder's own packages are loaded already.
    """
    here = str(Path.cwd())
    sys.path.insert(0, here)
    invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(here)
        if here not in sys.path:
            sys.path.append(here)


def _no_module(name: str, path: str) -> str:
    if name.partition(".")[0] in OURS:
        return f"{path}: {_taken(name.partition('.')[0])}"
    return (
        f"expected a module {name} for {path}, found none in {Path.cwd()} or on the Python path; "
        "run from its folder or install it"
    )


def _taken(root: str) -> str:
    return f"the name {root} belongs to drypowder's own package; give your file or folder another"


def _check_it_is_theirs(module: ModuleType, path: str) -> None:
    """Refuse a module that came from elsewhere while the working folder holds one of its name."""
    stem = Path.cwd().joinpath(*module.__name__.split("."))
    meant = [p for p in (stem.with_suffix(".py"), stem / "__init__.py") if p.is_file()]
    came = getattr(module, "__file__", None)
    if not meant or (came and any(p.samefile(came) for p in meant if Path(came).exists())):
        return
    root = module.__name__.partition(".")[0]
    if root in OURS:
        raise ConfigError(f"{path}: {_taken(root)}")
    raise ConfigError(
        f"{path}: expected the module of {meant[0]}, but Python knows another {module.__name__} "
        f"({came or 'built in'}); give your file another name"
    )


def _no_class(module: ModuleType, name: str) -> str:
    kinds = (Strategy, Signal)
    known = [
        n
        for n, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, kinds) and value not in kinds
    ]
    if known:
        return unknown(f"class of {module.__name__}", name, known)
    return (
        f"expected a class {name} in {module.__name__}, found no strategy or signal there; derive "
        "one from strategies.Strategy or signals.Signal"
    )


# --- the class ------------------------------------------------------------------------------


def _check_class(cls: type, path: str) -> None:
    missing = sorted(getattr(cls, "__abstractmethods__", ()))
    if missing:
        raise ConfigError(f"{path}: expected {cls.__name__} to define {', '.join(missing)}; add it")
    if "__dataclass_fields__" not in vars(cls):
        raise ConfigError(f"{path}: expected a dataclass, was a plain class; {DECORATE}")
    for check in (_check_types, _check_init, _check_defaults, _check_overrides):
        check(cls, path)
    check_attributes(cls, path)
    if issubclass(cls, Strategy) and cls.name in STRATEGIES:
        raise ConfigError(
            f"{path}: expected a name of its own, was {cls.name!r}, which is drypowder's; give it "
            "another"
        )


def _check_types(cls: Any, path: str) -> None:
    """Turn types that are text, as under ``from __future__ import annotations``, into types."""
    try:
        types = get_type_hints(cls)
    except Exception as error:
        raise ConfigError(
            f"{path}: expected types of parameters that Python knows, but "
            f"{describe_exception(error)}; import what they name"
        ) from None
    for f in fields(cls):
        f.type = types[f.name]


def _check_init(cls: Any, path: str) -> None:
    """Refuse an ``__init__`` written by hand: parameters are checked and set without it."""
    code = getattr(cls.__init__, "__code__", None)
    if code is None or code.co_filename != "<string>":  # where dataclass writes one
        raise ConfigError(
            f"{path}: expected no __init__ of its own, found one; write parameters as fields, and "
            "checks in __post_init__"
        )


def _check_defaults(cls: Any, path: str) -> None:
    bare = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]
    if bare:
        raise ConfigError(
            f"{path}: expected a default for every parameter, {', '.join(bare)} has none; give one"
        )


def _check_overrides(cls: Any, path: str) -> None:
    """Refuse ``window = 5`` over an inherited field: a dataclass would go on with the old value."""
    names = {f.name for f in fields(cls)}
    for base in plugin_bases(cls):
        for name in sorted(names & vars(base).keys() - inspect.get_annotations(base).keys()):
            raise ConfigError(
                f"{path}: expected the parameter {name} with its type, found it without, which "
                f"leaves its old default; write {name}: {_type(cls, name)} = …"
            )


def _type(cls: Any, name: str) -> str:
    kind = next(f.type for f in fields(cls) if f.name == name)
    return kind.__name__ if type(kind) is type else str(kind)
