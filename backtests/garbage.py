"""Search for unused objects less often."""

import gc

#: Thresholds for :func:`gc.set_threshold`. Python's default thresholds suit programs with few
#: objects. A command imports libraries with half a million objects, which stay until the command
#: ends.
_NEW, _YOUNG, _ALL = 20_000, 50, 100


def collect_rarely() -> None:
    """Let Python search for unused objects less often in this process, to save time.

    Without a search, Python still frees an object as soon as nothing refers to the object. Python
    needs the search only to free objects that refer to each other in a circle.
    """
    gc.set_threshold(_NEW, _YOUNG, _ALL)
