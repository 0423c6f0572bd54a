"""Read the company, the concept and the facts in SEC ``companyconcept`` documents."""

import json
import re
from datetime import date
from itertools import pairwise
from typing import Any

import pandas as pd

from backtests.importing.csv_readers import UnknownFormat
from backtests.store.cells import LEAP, OLDEST
from signals.catalog import CONCEPTS, FACT_RANGE, FILERS, filers_of
from signals.errors import DataError

#: Largest number of facts in one document. The longest document of a company in the catalog has a
#: few hundred facts.
MOST_FACTS = 2000


def read_document(text: str, now: pd.Timestamp) -> tuple[tuple[str, str], list[dict[str, Any]]]:
    """Return the concept, the ticker and the facts of a ``companyconcept`` document.

    Raises
    ------
    UnknownFormat
        Raised if the text is JSON but not a ``companyconcept`` document, or if the document's
        company or tag is not in the catalog.
    DataError
        Raised if the text is not JSON, or if a field of the document is wrong.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"line {error.lineno}: expected whole JSON, but: {error.msg}; fetch the file again"
        ) from None
    cik, tag = identity_of(document)
    concept, ticker = CONCEPTS.get(tag), FILERS.get(cik)
    if concept is None or ticker is None or ticker not in filers_of(concept):
        raise UnknownFormat(f"SEC tag {tag[:80]} of CIK {cik} is not in the catalog")
    return (concept, ticker), facts_of(document, now)


def identity_of(document: Any) -> tuple[int, str]:
    """Return the company number (CIK) and the tag in a ``companyconcept`` document.

    Raises
    ------
    UnknownFormat
        Raised if ``document`` is not a ``companyconcept`` document.
    DataError
        Raised if the number or the tag does not have the form that the SEC uses.
    """
    if not isinstance(document, dict) or not {"cik", "tag", "units"} <= document.keys():
        raise UnknownFormat("JSON, but not a companyconcept document of the SEC")
    cik, tag = document["cik"], document["tag"]
    if not re.fullmatch(r"[0-9]{1,10}", str(cik)) or not isinstance(tag, str):
        raise DataError(
            f"expected a company number in the field 'cik' and a name in the field 'tag', but cik "
            f"is {str(cik)[:40]!r} and tag is {str(tag)[:40]!r}; fetch the file again"
        )
    return int(cik), tag


def facts_of(document: dict[str, Any], now: pd.Timestamp) -> list[dict[str, Any]]:
    """Return a document's facts about periods.

    Each fact contains the ``tag`` of the document. Facts about single days are left out.

    Raises
    ------
    DataError
        Raised if the document has no facts or too many facts, or if a fact lacks a field or has a
        wrong field. Also raised if an amount is far below the amount of a shorter period with the
        same start.
    """
    entries = document["units"].get("USD") if isinstance(document["units"], dict) else None
    if not isinstance(entries, list) or not 0 < len(entries) <= MOST_FACTS:
        raise DataError(
            f"expected 1 to {MOST_FACTS:,} facts under units/USD, found "
            f"{(isinstance(entries, list) and len(entries)) or 'none'}; fetch the file again"
        )
    for number, entry in enumerate(entries, start=1):
        _check_fact(number, entry, now)
    facts = [e | {"tag": document["tag"]} for e in entries if "start" in e]
    if CONCEPTS.get(document["tag"]) != "OCF":
        _check_sums(facts)
    return facts


def _check_sums(facts: list[dict[str, Any]]) -> None:
    """Raise DataError if an amount is far below the amount of a shorter period with the same start.

    The capital spending of nine months contains the capital spending of the first six months. If
    the amount of nine months is less than a fifth of the amount of six months, one of the two
    amounts is in another unit. :func:`facts_of` does not check operating cash flow, because it may
    be negative in a quarter. Only the first filing of each period counts.
    """
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for fact in sorted(facts, key=lambda fact: str(fact["filed"])):
        first.setdefault((fact["start"], fact["end"]), fact)
    periods = [first[period] for period in sorted(first)]
    for shorter, longer in pairwise(periods):
        same = shorter["start"] == longer["start"]
        if same and 0 < longer["val"] < shorter["val"] / LEAP:
            raise DataError(
                f"expected the amount from {longer['start']} to {longer['end']} to include the "
                f"amount from {shorter['start']} to {shorter['end']}, but the amounts were "
                f"{longer['val']:g} and {shorter['val']:g}; correct the amount that is in another "
                "unit"
            )


def _check_fact(number: int, entry: Any, now: pd.Timestamp) -> None:
    """Raise DataError if a fact lacks a field, or if its dates or its amount are invalid."""
    wanted: dict[str, Any] = {"end": str, "filed": str, "val": (int, float), "accn": str}
    if isinstance(entry, dict) and "start" in entry:
        wanted["start"] = str
    good = isinstance(entry, dict) and all(isinstance(entry.get(k), t) for k, t in wanted.items())
    if not good or isinstance(entry["val"], bool):
        raise DataError(
            f"fact {number}: expected a number in the field 'val', and a string in the fields "
            f"'end', 'filed' and 'accn', and in 'start' if given, was {str(entry)[:80]}; fetch the "
            "file again"
        )
    end, filed = _day(number, entry["end"]), _day(number, entry["filed"])
    start = _day(number, entry["start"]) if "start" in entry else end
    if not OLDEST < start <= end <= filed <= now:
        raise DataError(
            f"fact {number}: expected dates with start ≤ end ≤ filed ≤ today, were {start.date()}, "
            f"{end.date()} and {filed.date()}; fetch the file again"
        )
    low, high = FACT_RANGE
    if entry["val"] != 0 and not low <= abs(entry["val"]) <= high:
        raise DataError(
            f"fact {number}: expected USD in {low:g} to {high:g}, was {str(entry['val'])[:40]}; "
            "is the file in another unit?"
        )


def _day(number: int, text: str) -> pd.Timestamp:
    try:
        return pd.Timestamp(date.fromisoformat(text))
    except ValueError:
        raise DataError(
            f"fact {number}: expected a date like 2025-09-30, was {text!r}; fetch the file again"
        ) from None
