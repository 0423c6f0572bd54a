"""Find the user's modules whose files changed after Python imported the modules.

Python runs the code that it imported, but a run id is computed from the text on disk. So drypowder
uses a class only if both are the same.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.machinery import SourceFileLoader, SourcelessFileLoader
from importlib.util import cache_from_source
from inspect import isfunction
from operator import attrgetter
from types import CodeType, ModuleType
from typing import Any

from backtests.plugins.source import MAIN, imported, modules_of, text_of, used_by_notebook

#: For each module of a user: the specification of the module and the text of its file, when
#: drypowder first saw the module. Each import and each reload makes a new specification.
_seen: dict[str, tuple[object, str]] = {}
#: For each module with a user's class: the specification of the module, and the texts that Python
#: imported for the module and for the modules that it imports. None is an unknown text.
_whole: dict[str, tuple[object, dict[str, str | None]]] = {}


def edited(names: Sequence[str], module: str) -> list[str]:
    """Return the names of a user's modules whose text differs from the text that Python imported.

    The function looks at the modules in ``names`` and at the modules of the user that they import;
    see :func:`backtests.plugins.source.imported` for ``module``. If another module was reloaded
    with a new text, and ``module`` was not, the result names the other module, because ``module``
    may still contain values of the old text. The file of a running script or notebook does not
    count.
    """
    files = {name: file for name, file in imported(names, module).items() if name not in MAIN}
    texts = {name: text_of(file) for name, file in files.items()}
    loaded = {name: _imported_text(name, file, texts[name]) for name, file in files.items()}
    found = [name for name, text in texts.items() if loaded[name] != text]
    if module in MAIN or module not in sys.modules:
        return found
    spec, before = _whole.get(module, ("", {}))
    if spec is not _spec(module):
        before = loaded
        _whole[module] = _spec(module), loaded
    return found or sorted(n for n in {*texts, *before} if texts.get(n) != before.get(n))


def edited_for(cls: type) -> list[str]:
    """Return the names of the user's modules whose old code a class runs; see :func:`edited`.

    The result also names a module if the class or a method of a notebook uses an object from an
    earlier import of the module.
    """
    names, module = modules_of(cls), cls.__module__
    changed = edited(names, module)
    if changed:
        return changed
    mine = imported(names, module).keys() - set(MAIN)
    things = ((_module_of(thing), thing) for thing in (cls, *used_by_notebook(cls)))
    return [name for name, thing in things if name in mine and _is_replaced(thing, name)]


def _module_of(thing: Any) -> Any:
    return thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", None)


def _is_replaced(thing: Any, module: str) -> bool:
    """Return whether Python imported the module of a module, a class or a function again."""
    current: Any = sys.modules.get(module)
    if current is None or isinstance(thing, ModuleType):
        return current is not thing
    with suppress(AttributeError):
        current = attrgetter(thing.__qualname__)(current)
        return type(current) is type(thing) and current is not thing
    return False


def _spec(name: str) -> object:
    return getattr(sys.modules[name], "__spec__", None)


def _imported_text(name: str, file: str, text: str) -> str | None:
    """Return the text that Python imported; None if it differs from ``text`` but is unknown.

    ``text`` is the text on disk. If Python did not import the module, ``text`` is returned.
    """
    if name not in sys.modules:
        return text
    spec, before = _seen.get(name, ("", None))
    if spec is _spec(name):
        return before
    if _runs_other_code(sys.modules[name], file):
        return None
    _seen[name] = _spec(name), text
    return text


def _runs_other_code(module: ModuleType, file: str) -> bool:
    """Return whether a module contains other code than its file has now.

    When Python imports a module, it writes the compiled code to a cache file. So the cache file
    shows a change between the import and the first use by drypowder. Without a cache file, or in a
    folder that Python cannot write, only a change of functions and methods is found.
    """
    loader, name = getattr(module, "__loader__", None), module.__name__
    if type(loader) is not SourceFileLoader:
        return False
    try:
        code = loader.source_to_code(loader.get_data(file), file)
    except Exception:  # the file was correct when Python imported it
        return True
    cache = cache_from_source(file)
    if not sys.dont_write_bytecode and os.access(os.path.dirname(cache), os.W_OK):
        with suppress(Exception):  # there is no cache file, or it cannot be read
            return SourcelessFileLoader(name, cache).get_code(name) != code
    return not {*_codes_of(module)} <= {*_codes_in(code)}


def _codes_of(module: ModuleType) -> Iterator[CodeType]:
    """Yield the code of the functions and methods that the file of a module defines."""
    things = [each for each in vars(module).values() if _module_of(each) == module.__name__]
    things += [each for cls in things if isinstance(cls, type) for each in vars(cls).values()]
    codes = (each.__code__ for each in things if isfunction(each))
    return (code for code in codes if code.co_filename == module.__file__)


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _codes_in(each)
