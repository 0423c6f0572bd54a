"""Every entry of ``benchmarks/planted.toml`` fits the code, so that its error can be planted."""

from benchmarks.planted import ROOT, TABLE, Planted, read_table


def stale(planted: Planted) -> str:
    """Return why an error can no longer be planted, or an empty text."""
    missing = [name for name in planted.tests if not (ROOT / "tests" / name).exists()]
    if missing:
        return f"{planted.id}: tests/{missing[0]} does not exist"
    try:
        planted.applied((ROOT / planted.file).read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError) as error:
        return f"{planted.id}: {error}"
    return ""


def test_every_planted_error_fits_the_code() -> None:
    told = [why for planted in read_table(TABLE) if (why := stale(planted))]
    assert told == [], "correct these entries of benchmarks/planted.toml"
