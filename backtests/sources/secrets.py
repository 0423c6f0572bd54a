"""Read the user's FRED key and SEC contact, and keep the key out of messages and logs.

The key comes from the variable ``FRED_API_KEY``, or from a file that only its owner may read. The
contact comes from the variable ``DRYPOWDER_CONTACT``. No command has an option for the FRED key or
for the SEC contact.
"""

import logging
import os
import re
import stat
from pathlib import Path

from signals.errors import ConfigError

HIDDEN = "<key>"
_KEY = re.compile(r"[0-9a-z]{32}")
_given: set[str] = set()
_IN_URL = re.compile(r"(api_key=)[^&\s'\"]+")


def key_file() -> Path:
    """Return the path of the file in which a user may store the FRED key."""
    import platformdirs

    return Path(platformdirs.user_config_dir("drypowder", appauthor=False), "fred_api_key")


def fred_key() -> str | None:
    """Return the user's FRED key, or None if the user has no key.

    Raises
    ------
    ConfigError
        Raised if the key is not made of 32 lower-case letters and digits, or if other users have
        any access to the file with the key. The error message does not contain the key.
    """
    given, where = os.environ.get("FRED_API_KEY"), "FRED_API_KEY"
    if not given:
        path = key_file()
        if not path.is_file():
            return None
        _check_private(path)
        given, where = path.read_text(encoding="utf-8", errors="replace"), str(path)
    key = given.strip()
    if not _KEY.fullmatch(key):
        raise ConfigError(
            f"expected 32 lower-case letters and digits in {where}, found {len(key)} characters "
            f"that are not a key; {how_to_get_a_key()}"
        )
    _given.add(key)
    return key


def how_to_get_a_key() -> str:
    """Return a message that tells the user where to get a key and where to put it."""
    return (
        "get a free key at https://fredaccount.stlouisfed.org/apikeys; set FRED_API_KEY, or write "
        f"the key into {key_file()} (chmod 600)"
    )


def contact() -> str | None:
    """Return the name and e-mail address for the SEC, or None if the user has set no contact.

    Raises
    ------
    ConfigError
        Raised if the text has no e-mail address, or has characters that an HTTP header does not
        allow.
    """
    given = os.environ.get("DRYPOWDER_CONTACT", "").strip()
    if not given:
        return None
    if "@" not in given or not given.isprintable() or not given.isascii():
        raise ConfigError(
            "expected a name and an e-mail address in DRYPOWDER_CONTACT, like 'Ann Lee "
            f"ann@example.org', was {given!r}; the SEC asks for both"
        )
    return given


def redacted(text: str) -> str:
    """Return ``text`` with every key replaced by :data:`HIDDEN`."""
    hidden = _IN_URL.sub(rf"\1{HIDDEN}", text)
    for key in _given | {os.environ.get("FRED_API_KEY", "").strip()} - {""}:
        hidden = hidden.replace(key, HIDDEN)
    return hidden


def one_line(text: object, longest: int) -> str:
    """Return ``text`` on one line of at most ``longest`` characters, with every key hidden."""
    return redacted(" ".join(str(text).split()))[:longest]


def describe_error(error: Exception) -> str:
    """Return the kind and text of an error on one line, with every key hidden."""
    return f"{type(error).__name__}: {one_line(error, 160)}"


class RedactingFilter(logging.Filter):
    """A log filter that hides the key in the messages of a library."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Hide the key in a log record. The result True lets logging write the record."""
        record.msg, record.args = redacted(record.getMessage()), None
        return True


def _check_private(path: Path) -> None:
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"expected only the owner of {path} to have access to it, but others have access; "
            f"chmod 600 {path}"
        )
