"""Parse an amount of memory, such as 500MB."""

import re

from signals.errors import ConfigError

_UNITS = {"k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
_FORM = re.compile(r"(\d+(?:\.\d+)?) ?([kmg]i?)b?")


def bytes_of(text: str) -> int:
    """Return the number of bytes of an amount such as 500MB, 500M or 0.5 GiB.

    >>> bytes_of("250MB"), bytes_of("1.5 GiB")
    (250000000, 1610612736)
    """
    found = _FORM.fullmatch(text.strip().lower())
    if found is None or float(found[1]) == 0:
        raise ConfigError(f"expected an amount of memory like 500MB or 1GB, was {text!r}")
    return int(float(found[1]) * _UNITS[found[2]])
