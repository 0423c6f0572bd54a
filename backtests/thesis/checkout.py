"""Check that the claims are committed to git before they are written to the ledger."""

import subprocess
from pathlib import Path

from backtests.thesis import claims
from signals.errors import ConfigError


def committed_claims(path: Path | None = None) -> str | None:
    """Return the hash of the last git commit, if this commit contains the current claims.

    The result is None if git is missing or does not track the file. Git does not track the files of
    an installed package. ``path`` is the file with the claims. By default, ``path`` is the file
    ``claims.py`` of this package.

    Raises
    ------
    ConfigError
        Raised if the file differs from the last commit, or if the repository has no commit.
    """
    found = (path or Path(claims.__file__)).resolve()
    if _git(found, "ls-files", "--error-unmatch", "--", found.name) is None:
        return None
    head = _git(found, "rev-parse", "--verify", "HEAD")
    if head is None or _git(found, "diff", "--quiet", "HEAD", "--", found.name) is None:
        raise ConfigError(
            f"expected {found.name} as in the last commit "
            f"({head[:12] if head else 'there is none'}), but it has uncommitted changes; commit "
            "or restore it, then seal again"
        )
    return head


def _git(path: Path, *arguments: str) -> str | None:
    """Run git in the folder of a file, and return its output; None if git is missing or fails."""
    command = ("git", "-C", str(path.parent), *arguments)
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stdout.strip() if said.returncode == 0 else None
