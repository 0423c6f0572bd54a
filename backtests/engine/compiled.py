"""How numba compiles the loops of the engine.

numba stores a compiled loop next to its source file. If this folder is read-only, numba stores the
loop in the user's cache folder. Later Python processes load the stored loop. If the source file
changes, numba compiles the loop again. A change of an inner loop in another file does not start a
new compilation. So a stored loop and its inner loops must be in the same file.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Loop = TypeVar("Loop", bound=Callable[..., Any])

#: Division by zero gives NaN or infinity, as in numpy. The loop allocates no memory, so numba need
#: not count references to arrays. Counting references would take much time.
_CALLED: dict[str, Any] = {"error_model": "numpy", "_nrt": False}
#: An inner loop is also inlined into its caller.
_INNER: dict[str, Any] = {"forceinline": True, **_CALLED}


def stored(loop: Loop) -> Loop:
    """Compile and store a loop that Python calls. Other threads can run while the loop runs."""
    return cast(Loop, numba.njit(cache=True, nogil=True, error_model="numpy")(loop))


def inner(loop: Loop) -> Loop:
    """Compile an inner loop that allocates no arrays."""
    return cast(Loop, numba.njit(**_INNER)(loop))


def called(loop: Loop) -> Loop:
    """Compile an inner loop that runs rarely or over a long array as a separate function.

    numba compiles small functions faster than large functions, and uses more vector instructions in
    small functions.
    """
    return cast(Loop, numba.njit(**_CALLED)(loop))


def allocating(loop: Loop) -> Loop:
    """Compile an inner loop that allocates arrays."""
    return cast(Loop, numba.njit(error_model="numpy")(loop))


def reordering(loop: Loop) -> Loop:
    """Compile an inner loop whose sums, minima and maxima the compiler may compute in any order.

    The result is correct only if all numbers in the loop are finite. The order of the operations
    does not depend on the data or on the number of threads.
    """
    return cast(Loop, numba.njit(fastmath={"reassoc", "nsz", "nnan"}, **_INNER)(loop))
