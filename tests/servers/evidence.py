"""The folder of evidence, beside the folder of history. It holds further public data."""

import os
from pathlib import Path


def evidence_folder(history_dir: Path) -> Path:
    """Return the folder of evidence, which need not exist."""
    named = os.environ.get("DRYPOWDER_TEST_EVIDENCE")
    return Path(named) if named else history_dir.parent / "evidence"
