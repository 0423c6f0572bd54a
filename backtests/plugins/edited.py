"""Find the user's modules whose files changed after drypowder first used the modules.

Python runs the code that it imported, but a run id is computed from the text on disk. So drypowder
uses a class only if both are the same. An edit between the import of a module and its first use by
drypowder is not found.
"""

import sys
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from backtests.plugins.source import MAIN, imported, text_of

#: For each module of a user: its specification, and the text of its file at the first use. Each
#: import and each reload makes a new specification.
_of_modules: dict[str, tuple[object, str]] = {}
#: For each class or module that a user gave: the texts of all its modules at the first use.
_of_users: WeakKeyDictionary[object, dict[str, str]] = WeakKeyDictionary()


def edited(user: object, names: Sequence[str], module: str) -> list[str]:
    """Return the names of the modules whose text changed since their first use.

    Parameters
    ----------
    user
        A class or a module that uses the modules. If a module was reloaded with a new text, its
        name is returned, too, because ``user`` may still contain values of the old text.
    names
        Names of modules. The function also looks at the user's modules that they import. The file
        of a running script or notebook does not count.
    module
        See :func:`backtests.plugins.source.imported`.
    """
    files = {name: file for name, file in imported(names, module).items() if name not in MAIN}
    texts = {name: text_of(file) for name, file in files.items()}
    before = _of_users.setdefault(user, texts)
    found = {name for name, text in texts.items() if _first_text(name, text) != text}
    return sorted(found | {n for n in texts.keys() & before.keys() if texts[n] != before[n]})


def _first_text(name: str, text: str) -> str:
    """Return the text of a module at its first use; ``text`` is the text of its file now."""
    if name not in sys.modules:
        return text
    spec = getattr(sys.modules[name], "__spec__", None)
    seen, before = _of_modules.get(name, ("", ""))
    if seen is spec:
        return before
    _of_modules[name] = spec, text
    return text
