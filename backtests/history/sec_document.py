"""SEC ``companyconcept`` documents: what company and concept, and facts that can be."""

import json
from datetime import date
from typing import Any

import pandas as pd

from backtests.history.cells import OLDEST
from backtests.history.tables import Foreign
from signals.catalog import CONCEPTS, FACT_RANGE, FILERS, filers_of
from signals.errors import DataError


def read_document(text: str, now: pd.Timestamp) -> tuple[tuple[str, str], list[dict[str, Any]]]:
    """Return the concept and company of a ``companyconcept`` document, and its facts."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"line {error.lineno}: expected whole JSON, but {error.msg}; fetch the file again"
        ) from None
    if not isinstance(document, dict) or not {"cik", "tag", "units"} <= document.keys():
        raise Foreign("JSON, but no SEC companyconcept document")
    concept = CONCEPTS.get(str(document["tag"]))
    ticker = FILERS.get(int(document["cik"]))
    if concept is None or ticker is None or ticker not in filers_of(concept):
        raise Foreign(f"SEC tag {document['tag']} of CIK {document['cik']} is not in the catalog")
    entries = document["units"].get("USD") if isinstance(document["units"], dict) else None
    if not isinstance(entries, list) or not entries:
        raise DataError("expected facts under units/USD, found none; fetch the file again")
    for number, entry in enumerate(entries, start=1):
        _check_fact(number, entry, now)
    return (concept, ticker), [e for e in entries if "start" in e]


def _check_fact(number: int, entry: Any, now: pd.Timestamp) -> None:
    """Refuse a fact that lacks a part, or whose dates or amount cannot be."""
    wanted: dict[str, Any] = {"end": str, "filed": str, "val": (int, float), "accn": str}
    good = isinstance(entry, dict) and all(isinstance(entry.get(k), t) for k, t in wanted.items())
    if not good or isinstance(entry["val"], bool):
        raise DataError(
            f"fact {number}: expected end, filed, accn and a number val, was {str(entry)[:80]}; "
            "fetch the file again"
        )
    end, filed = _day(number, entry["end"]), _day(number, entry["filed"])
    start = _day(number, entry["start"]) if "start" in entry else end
    if not OLDEST < start <= end <= filed <= now:
        raise DataError(
            f"fact {number}: expected start, end and filed in this order and not after today, were "
            f"{start.date()}, {end.date()}, {filed.date()}; fetch the file again"
        )
    low, high = FACT_RANGE
    if entry["val"] != 0 and not low <= abs(entry["val"]) <= high:
        raise DataError(
            f"fact {number}: expected USD in {low:g} to {high:g}, was {entry['val']!r}; "
            "is the file in another unit?"
        )


def _day(number: int, text: str) -> pd.Timestamp:
    try:
        return pd.Timestamp(date.fromisoformat(text))
    except ValueError:
        raise DataError(
            f"fact {number}: expected a date like 2025-09-30, was {text!r}; fetch the file again"
        ) from None
