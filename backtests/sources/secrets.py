"""What identifies the user to a source, and how it is kept out of everything that is written.

FRED's key comes from ``FRED_API_KEY``, or from a file that its owner alone may read; the SEC wants
a contact, from ``DRYPOWDER_CONTACT``. Neither is ever an argument of a command.
"""

import logging
import os
import re
import stat
from pathlib import Path

from signals.errors import ConfigError

HOW_TO_GET_A_KEY = (
    "a free key is at https://fredaccount.stlouisfed.org/apikeys; set FRED_API_KEY, or write it "
    "into {file} (chmod 600)"
)
HIDDEN = "<key>"
_KEY = re.compile(r"[0-9a-z]{32}")
_given: set[str] = set()
_IN_URL = re.compile(r"(api_key=)[^&\s'\"]+")


def key_file() -> Path:
    """Return where a FRED key may lie."""
    import platformdirs

    folder = Path(platformdirs.user_config_dir("drypowder", appauthor=False))
    return folder / "fred_api_key"


def fred_key() -> str | None:
    """Return the user's FRED key, None when there is none.

    Raises
    ------
    ConfigError
        When it has another form than FRED's keys, or its file can be read by others. The message
        does not hold it.
    """
    given = os.environ.get("FRED_API_KEY")
    where = "FRED_API_KEY"
    if not given:
        path = key_file()
        if not path.is_file():
            return None
        _check_private(path)
        given, where = path.read_text(encoding="utf-8", errors="replace"), str(path)
    key = given.strip()
    if not _KEY.fullmatch(key):
        raise ConfigError(
            f"expected 32 lower-case letters and digits in {where}, were {len(key)} characters of "
            f"another form; {how_to_get_a_key()}"
        )
    _given.add(key)
    return key


def how_to_get_a_key() -> str:
    """Return where a key is to be had and where to put it."""
    return HOW_TO_GET_A_KEY.format(file=key_file())


def contact() -> str | None:
    """Return how the SEC can reach the user, None when that is not set.

    Raises
    ------
    ConfigError
        When it holds no address, or what no header may hold.
    """
    given = os.environ.get("DRYPOWDER_CONTACT", "").strip()
    if not given:
        return None
    if "@" not in given or not given.isprintable() or not given.isascii():
        raise ConfigError(
            "expected a name and an e-mail address in DRYPOWDER_CONTACT, like 'Ann Lee "
            f"ann@example.org', was {given!r}; the SEC asks for it"
        )
    return given


def redacted(text: str) -> str:
    """Return a text without the key, wherever it stands."""
    hidden = _IN_URL.sub(rf"\1{HIDDEN}", text)
    for key in _given | {os.environ.get("FRED_API_KEY", "").strip()} - {""}:
        hidden = hidden.replace(key, HIDDEN)
    return hidden


class RedactingFilter(logging.Filter):
    """Hides the key in what a library logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; let every one pass."""
        record.msg, record.args = redacted(record.getMessage()), None
        return True


def _check_private(path: Path) -> None:
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"expected {path} to be readable by its owner alone, but others may read it; "
            f"chmod 600 {path}"
        )
