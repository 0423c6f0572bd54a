"""Poisoned answers: answers of a source that are wrong for the requested series.

Each answer has status 200, is complete and comes in time, unless its name says something else.
"""

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.servers.web import Request, Response

Change = Callable[[Response], Response]


@dataclass(frozen=True, kw_only=True)
class Poison:
    """A change of the answers whose request matches a regular expression.

    Attributes
    ----------
    name
        The change, in words.
    match
        The regular expression, searched in the decoded path and query.
    change
        A function from the correct answer to the poisoned answer.
    """

    name: str
    match: str
    change: Change

    def put_in(self, request: Request, response: Response) -> Response:
        """Return the poisoned answer if the request matches, else the correct answer."""
        return self.change(response) if re.search(self.match, request.target) else response


def document(edit: Callable[[Any], Any]) -> Change:
    """Return a change: the function ``edit`` edits or replaces the JSON document."""

    def change(response: Response) -> Response:
        if response.status != 200:
            return response
        parsed = json.loads(response.body)
        edited = edit(parsed)
        return replace(response, body=json.dumps(parsed if edited is None else edited).encode())

    return change


def text(said: str) -> Change:
    """Return a change that replaces the whole text."""
    return lambda response: replace(response, body=said.encode())


def swap(old: str, new: str) -> Change:
    """Return a change that replaces the first ``old`` in the text by ``new``."""
    return lambda r: replace(r, body=r.body.replace(old.encode(), new.encode(), 1))


def put(*path: Any) -> Change:
    """Return a change that puts the last argument at the place given by the other arguments."""
    *way, last, value = path

    def edit(found: Any) -> None:
        for step in way:
            found = found[step]
        found[last] = value

    return document(edit)


def _first_fact(**parts: Any) -> Change:
    return document(lambda d: d["units"]["USD"][0].update(parts))


def _many_facts(parsed: Any) -> None:
    parsed["units"]["USD"] = parsed["units"]["USD"][:1] * 50_000


def _meta(**parts: Any) -> Change:
    return document(lambda d: d["chart"]["result"][0]["meta"].update(parts))


def _bomb(response: Response) -> Response:
    packed = gzip.compress(b" " * 300_000_000, 1)
    return replace(response, body=packed, headers={"Content-Encoding": "gzip"})


def _moved(response: Response) -> Response:
    return replace(response, status=302, headers={"Location": "http://127.0.0.1:9/closed"})


DEEP = "[" * 100_000 + "]" * 100_000
_SEC = "CIK0000723125/us-gaap/PaymentsToAcquirePropertyPlantAndEquipment"
_ARCHIVE = "series/observations.*series_id=GDP&"
_VINTAGES = "series/vintagedates.*series_id=GDP&"
_XML = "series/observations.*series_id=SOFR&"
_CHART = "chart/SNDK"
_TGCR = "tgcr/search.*startDate=2024"
_SRF = "rp/results/search.*startDate=2024"

#: Poisons by series: MU's trailing capital expenditure, GDP's vintages, SOFR's latest values,
#: SNDK's prices, and the New York Fed's rate and operations.
POISONS: dict[str, tuple[Poison, ...]] = {
    target: tuple(Poison(name=name, match=match, change=change) for name, match, change in ways)
    for target, ways in {
        "CAPEX_TTM_MU": (
            ("cik is a word", _SEC, put("cik", "Micron")),
            ("cik is a list", _SEC, put("cik", [723125])),
            ("cik is true", _SEC, put("cik", True)),
            ("cik is another company's", _SEC, put("cik", 1018724)),
            ("tag is another concept's", _SEC, put("tag", "PaymentsOfDividends")),
            ("start is a number", _SEC, _first_fact(start=20240101)),
            ("start is null", _SEC, _first_fact(start=None)),
            ("val is a number of 400 digits", _SEC, _first_fact(val=10**400)),
            ("filed before its end", _SEC, _first_fact(filed="1990-01-01")),
            ("units is a list", _SEC, put("units", [1, 2])),
            ("50,000 facts", _SEC, document(_many_facts)),
            ("nested 100,000 deep", _SEC, text(DEEP)),
            ("a gzip bomb", _SEC, _bomb),
            ("led to a closed port", _SEC, _moved),
        ),
        "GDP": (
            ("vintage dates that are no dates", _VINTAGES, put("vintage_dates", 0, "yesterday")),
            ("vintage dates of the year 9999", _VINTAGES, put("vintage_dates", -1, "9999-01-01")),
            ("vintage dates that are objects", _VINTAGES, put("vintage_dates", 0, {"a": 1})),
            ("more vintages promised than given", _VINTAGES, put("count", 10**12)),
            ("count is a word", _VINTAGES, put("count", "many")),
            ("observations that are numbers", _ARCHIVE, put("observations", [1, 2, 3])),
            ("a value that is a list", _ARCHIVE, put("observations", 0, "value", [1])),
            ("a date that is no date", _ARCHIVE, put("observations", 0, "date", "1947-13-45")),
            ("an early value a hundredfold", _ARCHIVE, put("observations", 9, "value", "25001")),
            ("another span's answer", _ARCHIVE, put("realtime_start", "1999-01-01")),
            ("nested 100,000 deep", _ARCHIVE, text(DEEP)),
        ),
        "SOFR": (
            ("nested 100,000 deep", _XML, text("<a>" * 100_000 + "</a>" * 100_000)),
            ("no value in a row", _XML, swap('value="1.83"', 'worth="1.83"')),
            ("an entity that grows", _XML, text("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>")),
            ("led to a closed port", _XML, _moved),
            ("a date of the year 1", _XML, swap('date="2018-04-03"', 'date="0001-01-01"')),
        ),
        "TGCR": (
            ("rows that are numbers", _TGCR, put("refRates", [1, 2, 3])),
            ("a row of another rate", _TGCR, put("refRates", 0, "type", "SOFR")),
            ("a date that is no date", _TGCR, put("refRates", 0, "effectiveDate", "2024-13-45")),
            ("a date that is a number", _TGCR, put("refRates", 0, "effectiveDate", 20240102)),
            ("a rate that is true", _TGCR, put("refRates", 0, "percentRate", True)),
            ("a rate that is a list", _TGCR, put("refRates", 0, "percentRate", [5.3])),
            ("nested 100,000 deep", _TGCR, text(DEEP)),
            ("led to a closed port", _TGCR, _moved),
        ),
        "SRF": (
            ("operations that are a word", _SRF, put("repo", "operations", "none")),
            ("no repo", _SRF, put("repo", None)),
            (
                "an amount of 400 digits",
                _SRF,
                put("repo", "operations", 2, "totalAmtAccepted", 10**400),
            ),
            (
                "a negative amount",
                _SRF,
                put("repo", "operations", 2, "totalAmtAccepted", -(10**12)),
            ),
            (
                "an operation of the future",
                _SRF,
                put("repo", "operations", 2, "operationDate", "2999-01-01"),
            ),
        ),
        "SNDK": (
            ("another symbol", _CHART, _meta(symbol="QQQ")),
            ("no symbol", _CHART, _meta(symbol=None)),
            ("currency is null", _CHART, _meta(currency=None)),
            ("meta is null", _CHART, put("chart", "result", 0, "meta", None)),
            ("error is a text", _CHART, put("chart", {"result": None, "error": "no"})),
            ("two results", _CHART, document(lambda d: d["chart"]["result"].append({}))),
            (
                "time stamps that are lists",
                _CHART,
                document(lambda d: d["chart"]["result"][0].update(timestamp=[[1]])),
            ),
            (
                "a zone that does not exist",
                _CHART,
                _meta(exchangeTimezoneName="Mars/Olympus"),
            ),
            ("nested 100,000 deep", _CHART, text(DEEP)),
            ("led to a closed port", _CHART, _moved),
        ),
    }.items()
}
