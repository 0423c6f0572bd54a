"""Find the user's source code that can change the results of a class."""

import ast
import inspect
import linecache
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib import invalidate_caches
from importlib.util import find_spec, resolve_name
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from backtests.plugins.contract import plugin_bases
from signals.form import OURS

#: Names of the running script or notebook: in the main process, and in a worker process.
MAIN = ("__main__", "__mp_main__")
#: Folders of installed packages have one of these names.
_INSTALLED = {"site-packages", "dist-packages"}
_STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib"))


def source_of(cls: type) -> str:
    """Return the source text of the user's modules that can change the results of a class.

    The text contains the modules of the class and of the base classes. The text also contains the
    user's modules that the modules of the classes import, directly or through other modules; see
    :func:`imported`. If a notebook defines a method, no module file contains the method. So the
    text also contains each method from a notebook, and the user's modules that the method uses.
    """
    bases = plugin_bases(cls)
    if not bases:
        return ""
    own = dict.fromkeys(base.__module__ for base in bases)
    texts = [_source(sys.modules.get(name)) for name in own]
    texts += map(_source, _loose_methods(bases))
    files = imported(modules_of(cls), cls.__module__)
    texts += [text_of(file) for name, file in files.items() if name not in own]
    return "\n".join(texts)


def modules_of(cls: type) -> list[str]:
    """Return the names of the modules of a class and of its base classes.

    The result also contains the modules that methods from a notebook use.
    """
    bases = plugin_bases(cls)
    own = dict.fromkeys(base.__module__ for base in bases)
    return [*own, *(name for method in _loose_methods(bases) for name in _used(method))]


def _loose_methods(bases: Iterable[type]) -> list[Any]:
    """Return the methods that no module file contains, such as methods from a notebook."""
    whole = "\n".join(_source(sys.modules.get(base.__module__)) for base in bases)
    methods = (method for base in bases for method in _methods(base))
    return [method for method in methods if _source(method) not in whole]


def imported(names: Iterable[str], module: str) -> dict[str, str]:
    """Return the user's modules that some modules import, as a mapping from name to file.

    The mapping also contains the modules in ``names``, the packages of each module, and modules
    that are imported inside functions. The mapping contains no module of drypowder, of the standard
    library, or of an installed package. The package of ``module`` counts as a package of the user,
    even if the package is installed. The function reads the files of modules and imports nothing,
    so the mapping is the same in each process.
    """
    root = module.partition(".")[0]
    places: dict[str, list[str]] = {root: folders_of(root)}
    found: dict[str, str] = {}
    seen, left = {""}, list(names)
    with first(*places[root][:1]):
        while left:
            name = left.pop(0)
            if name in seen:
                continue
            seen.add(name)
            top = name.partition(".")[0]
            if top not in places:
                places[top] = [place for place in folders_of(top) if not _installed(place)]
            left.append(name.rpartition(".")[0])
            file = _file(name, places[top])
            if file:
                found[name] = file
                left += _imports(text_of(file), _package(name, file))
    return found


@contextmanager
def first(*folders: str) -> Iterator[None]:
    """Make Python search some folders for modules before all other places.

    A module in a folder never replaces a drypowder package of the same name, because Python has
    already loaded the package.
    """
    sys.path[:0] = folders
    invalidate_caches()
    try:
        yield
    finally:
        for folder in folders:
            sys.path.remove(folder)


def folders_of(root: str) -> list[str]:
    """Return the folders that contain a top-level module or package."""
    if root in MAIN:
        file = getattr(sys.modules.get(root), "__file__", None)
        return [os.path.dirname(file)] if file else []
    spec = None
    with suppress(Exception):  # the module has no specification, or a user's finder fails
        spec = None if root in OURS else find_spec(root)
    if spec is None:
        return []
    places = list(spec.submodule_search_locations or ())
    if not places and spec.has_location and spec.origin:
        places = [spec.origin]
    return [os.path.dirname(place) for place in places]


def _installed(file: str) -> bool:
    """Return whether a file or folder belongs to the standard library or an installed package."""
    path = Path(file)
    return not _INSTALLED.isdisjoint(path.parts) or path.is_relative_to(_STANDARD_LIBRARY)


def _file(name: str, folders: Iterable[str]) -> str | None:
    """Return the Python file of a module, or None if the folders have no such file."""
    if name in MAIN:
        return getattr(sys.modules.get(name), "__file__", None)
    stem = name.replace(".", os.sep)
    files = (
        os.path.join(f, stem + end) for f in folders for end in (f"{os.sep}__init__.py", ".py")
    )
    return next(filter(os.path.isfile, files), None)


def _package(name: str, file: str) -> str:
    """Return the package from which Python resolves the relative imports of a module."""
    if name in MAIN:
        return getattr(sys.modules.get(name), "__package__", None) or ""
    return name if os.path.basename(file) == "__init__.py" else name.rpartition(".")[0]


def text_of(file: str) -> str:
    """Return the text that a source file has now; empty if the file cannot be read."""
    linecache.checkcache(file)
    return "".join(linecache.getlines(file))


@lru_cache(maxsize=512)
def _imports(text: str, package: str) -> tuple[str, ...]:
    """Return the names that a source text imports, such as ``json`` or ``json.loads``."""
    names: list[str] = []
    with suppress(Exception):  # wrong syntax, or a relative import above the package
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                names += [each.name for each in node.names]
            if isinstance(node, ast.ImportFrom):
                base = resolve_name("." * node.level + (node.module or ""), package)
                names += [base, *(f"{base}.{each.name}" for each in node.names)]
    return tuple(dict.fromkeys(names))


def _methods(cls: type) -> Iterator[Any]:
    """Yield the methods and the property getters that a class itself defines.

    Methods that a dataclass or another library generates are left out.
    """
    for value in vars(cls).values():
        function = value.fget if isinstance(value, property) else value
        if inspect.isfunction(function):
            file = function.__code__.co_filename
            if file != "<string>" and not _installed(file):
                yield function


def _used(method: Any) -> Iterator[str]:
    """Yield the name of each module that the code of a method uses."""
    names = list(_names(method.__code__))
    for value in map(method.__globals__.get, names):
        if isinstance(value, ModuleType):
            yield value.__name__
            yield from (f"{value.__name__}.{name}" for name in names)
        elif isinstance(module := getattr(value, "__module__", None), str):
            yield module


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _source(thing: Any) -> str:
    try:
        return "" if thing is None else inspect.getsource(thing)
    except Exception:  # the source code is missing or is not text
        return _compiled(getattr(thing, "__code__", None))


def _compiled(code: CodeType | None) -> str:
    """Return the compiled code of a function as text that is the same in every process."""
    if code is None:
        return ""
    constants = [
        _compiled(each)
        if isinstance(each, CodeType)
        else repr(sorted(map(repr, each)) if isinstance(each, frozenset) else each)
        for each in code.co_consts
    ]
    return repr((code.co_code, constants, code.co_names))
