"""Search for unused objects less often."""

import gc

#: Number of new objects after which Python searches among the new ones, and number of searches
#: after which it searches among all objects. Python's own numbers suit programs with few objects.
#: A command imports libraries with half a million objects, which stay until its end.
_NEW, _YOUNG, _ALL = 20_000, 50, 100


def collect_rarely() -> None:
    """Let Python search for unused objects less often in this process, to save time.

    Most objects are freed as soon as nothing refers to them, without a search.
    """
    gc.set_threshold(_NEW, _YOUNG, _ALL)
