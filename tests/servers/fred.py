"""FRED and ALFRED: observations by real-time period, vintage dates, series info, the CSV download.

Messages and limits are those of the real service. Like the real service, this server cuts the
real-time period of each row to the requested period. For several ``vintage_dates``, the real
behaviour is unknown. Here, each row begins at the first requested date on which its value held, and
ends at the last. Transformed values are not available.
"""

import csv
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from signals.catalog import CATALOG
from tests.servers.early import earlier_values
from tests.servers.evidence import evidence_folder
from tests.servers.vintages import CURRENT, Period, Vintages, as_of, once, periods
from tests.servers.web import Request, Response, html

EARLIEST = "1776-07-04"
MOST_ROWS = 100_000
MOST_VINTAGES_LISTED = 10_000
MOST_VINTAGES = 2_000

_DECLARATION = "<?xml version='1.0' encoding='utf-8'?>\n"
_KEY = re.compile(r"[0-9a-z]{32}")
_READ_MORE = "Read https://fred.stlouisfed.org/docs/api/api_key.html for more information."
_NO_SERIES = "The series does not exist."
_NOT_IN_ALFRED = (
    "The series does not exist in ALFRED but may exist in FRED.  Try setting realtime_start and "
    "realtime_end to today's date or removing the realtime_start and realtime_end variables."
)
_FREQUENCIES = {"day": "Daily", "week": "Weekly", "month": "Monthly", "quarter": "Quarterly"}


class BadRequest(Exception):  # noqa: N818 - FRED's own words
    """A request that FRED refuses. The message lacks the leading 'Bad Request.'."""


@cache
def read_values(folder: Path, id: str) -> dict[str, str]:
    """Return a series' values by observation date, from the publisher's first date.

    Values in the file keep the digits of the file, and a blank becomes '.'. Earlier values, and
    values of a series without a file, come from :mod:`tests.servers.early`. The result is empty for
    an unknown series.
    """
    held = read_file(folder, id)
    return {**earlier_values(id, held), **held}


def read_file(folder: Path, id: str) -> dict[str, str]:
    """Return the values in a series' file by observation date; empty without a file.

    The file is in the folder of history or in the folder of evidence.
    """
    beside = evidence_folder(folder)
    places = (folder / "fred", beside / "rates", beside / "flows")
    path = next((place / f"{id}.csv" for place in places if (place / f"{id}.csv").is_file()), None)
    return read_csv(path) if path else {}


def read_csv(path: Path) -> dict[str, str]:
    """Return the values of a file in FRED's format by date, as text. A blank becomes '.'."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return {day: value or "." for day, value in rows[1:]}


@cache
def _published_once(folder: Path, id: str) -> list[Period]:
    return periods(once(id, read_values(folder, id)))


class Fred:
    """Answers for FRED from the files of a history.

    Parameters
    ----------
    history_dir
        Folder that holds ``fred/<ID>.csv``.
    today
        A function that returns FRED's present day, in ISO form.

    Attributes
    ----------
    vintages
        Vintages by series. A series that is not in it has one release for each value.
    not_in_alfred
        Ids without an archive. Their requests fail for any real-time period other than today.
    """

    def __init__(self, history_dir: Path, today: Callable[[], str]) -> None:
        self._folder = history_dir
        self._today = today
        self.vintages: dict[str, Vintages] = {}
        self.not_in_alfred: set[str] = set()

    def values(self, id: str) -> dict[str, str]:
        """Return a series' values by observation date, as text, from the publisher's first date."""
        return read_values(self._folder, id)

    def answer(self, request: Request) -> Response:
        """Answer a request as FRED would."""
        if request.path == "/graph/fredgraph.csv":
            return self._download(request)
        endpoints = {
            "/fred/series": self._info,
            "/fred/series/observations": self._observations,
            "/fred/series/vintagedates": self._vintage_dates,
        }
        if request.path not in endpoints:
            return html(404, "Not Found")
        try:
            _check_key(request.query)
            return endpoints[request.path](request.query)
        except BadRequest as refused:
            return error(request.query, 400, f"Bad Request.  {refused}")

    def missing(self, request: Request) -> Response:
        """Return the answer for a series that no longer exists."""
        if request.path == "/graph/fredgraph.csv":
            return html(404, "Error - St. Louis Fed")
        return error(request.query, 400, f"Bad Request.  {_NO_SERIES}")

    def refusal(self, request: Request, status: int) -> Response:
        """Return an answer with an error status."""
        if status == 429:
            return error(request.query, 429, "Too Many Requests.  Exceeded Rate Limit")
        if status == 500:
            return error(request.query, 500, "Internal Server Error")
        return html(status, "Access Denied" if status == 403 else "Service Unavailable")

    def _known(self, id: str) -> list[Period]:
        """Return every period that has begun by today."""
        if id in self.vintages:
            return as_of(periods(self.vintages[id]), self._today())
        if not re.fullmatch(r"\w+", id) or not read_values(self._folder, id):
            raise BadRequest(_NO_SERIES)
        known = as_of(_published_once(self._folder, id), self._today())
        if not known:
            raise BadRequest(_NO_SERIES)
        return known

    def _observations(self, query: dict[str, str]) -> Response:
        id = _series_id(query)
        known = self._known(id)
        today = self._today()
        if query.get("output_type", "1") != "1" or query.get("units", "lin") != "lin":
            raise BadRequest("This test server has output_type 1 and units lin only.")
        asked = _vintages_asked(query, today)
        start, end = (asked[0], asked[-1]) if asked else _real_time(query, today, today, today)
        dates = asked or sorted({p.start for p in known})
        self._check_archive(id, dates, start, end)
        rows = _held_on(known, asked) if asked else _held_within(known, start, end)
        first = _day(query, "observation_start", "1600-01-01")
        last = _day(query, "observation_end", CURRENT)
        return _page(
            query,
            [_row(p) for p in rows if first <= p.date <= last],
            {
                "realtime_start": start,
                "realtime_end": end,
                "observation_start": first,
                "observation_end": last,
                "units": "lin",
                "output_type": 1,
                "file_type": query.get("file_type", "xml"),
                "order_by": "observation_date",
            },
            MOST_ROWS,
        )

    def _check_archive(self, id: str, dates: list[str], start: str, end: str) -> None:
        now_only = start == end == self._today()
        if not now_only and (id in self.not_in_alfred or end < dates[0]):
            raise BadRequest(_NOT_IN_ALFRED)
        covered = sum(start <= day <= end for day in dates)
        if covered > MOST_VINTAGES:
            raise BadRequest(
                f"There are {covered} vintage dates in the specified real-time period: {start} to "
                f"{end}.  This exceeds the maximum number of vintage dates allowed for this file "
                f"type ({MOST_VINTAGES})."
            )

    def _vintage_dates(self, query: dict[str, str]) -> Response:
        id = _series_id(query)
        known = self._known(id)
        start, end = _real_time(query, self._today(), EARLIEST, CURRENT)
        if id in self.not_in_alfred:
            raise BadRequest(_NOT_IN_ALFRED)
        dates = sorted({p.start for p in known if start <= p.start <= end})
        head = {"realtime_start": start, "realtime_end": end, "order_by": "vintage_date"}
        return _page(query, dates, head, MOST_VINTAGES_LISTED)

    def _info(self, query: dict[str, str]) -> Response:
        id, today = _series_id(query), self._today()
        known = self._known(id)
        start, end = _real_time(query, today, today, today)
        entry = CATALOG.get(id)
        frequency = _FREQUENCIES.get(entry.frequency if entry else "day", "Daily")
        units = entry.unit if entry else "Index"
        info = {
            "id": id,
            "realtime_start": start,
            "realtime_end": end,
            "title": entry.title if entry else id,
            "observation_start": known[0].date,
            "observation_end": known[-1].date,
            "frequency": frequency,
            "frequency_short": frequency[0],
            "units": units,
            "units_short": units,
            "seasonal_adjustment": "Not Seasonally Adjusted",
            "seasonal_adjustment_short": "NSA",
            "last_updated": f"{max(p.start for p in known)} 15:16:18-06",
            "popularity": 50,
            "notes": "",
        }
        return _render(query, "seriess", {"realtime_start": start, "realtime_end": end}, [info])

    def _download(self, request: Request) -> Response:
        id = request.query.get("id", "")
        try:
            known = self._known(id)
        except BadRequest:
            return self.missing(request)
        first = request.query.get("cosd", "")
        last = request.query.get("coed", CURRENT)
        current = [p for p in known if p.end == CURRENT and first <= p.date <= last]
        lines = [f"{p.date},{p.value if p.value != '.' else ''}" for p in current]
        text = "\n".join([f"observation_date,{id}", *lines, ""])
        return Response(body=text.encode(), content_type="application/csv")


def error(query: dict[str, str], status: int, message: str) -> Response:
    """Return FRED's error message, as JSON or XML according to the query."""
    if query.get("file_type") == "json":
        body = json.dumps({"error_code": status, "error_message": message}).encode()
        return Response(status=status, body=body, content_type="application/json; charset=UTF-8")
    return _xml(ET.Element("error", {"code": str(status), "message": message}), status)


def _check_key(query: dict[str, str]) -> None:
    if "api_key" not in query:
        raise BadRequest(f"Variable api_key is not set.  {_READ_MORE}")
    if not _KEY.fullmatch(query["api_key"]):
        raise BadRequest(
            "The value for variable api_key is not a 32 character alpha-numeric lower-case "
            f"string.  {_READ_MORE}"
        )
    if query.get("file_type", "xml") not in ("xml", "json"):
        raise BadRequest("This test server has file_type xml and json only.")


def _series_id(query: dict[str, str]) -> str:
    if not query.get("series_id"):
        raise BadRequest("Variable series_id is not set.")
    return query["series_id"]


def _day(query: dict[str, str], name: str, default: str) -> str:
    text = query.get(name, default)
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadRequest(
            f"Variable {name} is not a YYYY-MM-DD formatted date (e.g. 2000-02-24)."
        ) from None


def _real_time(query: dict[str, str], today: str, start: str, end: str) -> tuple[str, str]:
    """Return the requested real-time period, or the default period."""
    start, end = _day(query, "realtime_start", start), _day(query, "realtime_end", end)
    for name, day in (("realtime_start", start), ("realtime_end", end)):
        if day < EARLIEST:
            raise BadRequest(f"Variable {name} can not be before {EARLIEST}.")
        if day > today and day != CURRENT:
            raise BadRequest(f"Variable {name} can not be after today's date ({today}).")
    if start > end:
        raise BadRequest("Variable realtime_start can not be after realtime_end.")
    return start, end


def _vintages_asked(query: dict[str, str], today: str) -> list[str]:
    asked = [text.strip() for text in query.get("vintage_dates", "").split(",") if text.strip()]
    days = sorted(_day({"vintage_dates": text}, "vintage_dates", "") for text in asked)
    if days and days[-1] > today:
        raise BadRequest(f"Variable vintage_dates can not be after today's date ({today}).")
    return days


def _held_within(known: list[Period], start: str, end: str) -> list[Period]:
    """Return the values that held at any time in a real-time period, with dates cut to it."""
    return [
        Period(p.date, max(p.start, start), min(p.end, end), p.value)
        for p in known
        if p.start <= end and p.end >= start
    ]


def _held_on(known: list[Period], days: list[str]) -> list[Period]:
    """Return the values that held on at least one of ``days``, with the first and last such day."""
    held = ((p, [day for day in days if p.start <= day <= p.end]) for p in known)
    return [p._replace(start=on[0], end=on[-1]) for p, on in held if on]


def _row(period: Period) -> dict[str, str]:
    return {
        "realtime_start": period.start,
        "realtime_end": period.end,
        "date": period.date,
        "value": period.value,
    }


def _page(query: dict[str, str], rows: list[Any], head: dict[str, Any], most: int) -> Response:
    """Return the part of the rows that limit, offset and sort_order select."""
    limit, offset = _whole(query, "limit", most), _whole(query, "offset", 0)
    order = query.get("sort_order", "asc")
    if not 1 <= limit <= most:
        raise BadRequest(f"The value for variable limit is not between 1 and {most}.")
    if order not in ("asc", "desc"):
        raise BadRequest("Variable sort_order is not one of: asc, desc.")
    ordered = rows if order == "asc" else rows[::-1]
    counts = {"sort_order": order, "count": len(rows), "offset": offset, "limit": limit}
    kind = "vintage_dates" if head["order_by"] == "vintage_date" else "observations"
    return _render(query, kind, head | counts, ordered[offset : offset + limit])


def _whole(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdigit():
        raise BadRequest(f"Variable {name} is not a non-negative integer.")
    return int(text)


def _render(query: dict[str, str], kind: str, head: dict[str, Any], rows: list[Any]) -> Response:
    """Return rows as JSON or XML, under the name that FRED gives the list of rows."""
    if query.get("file_type") == "json":
        body = json.dumps({**head, kind: rows}, separators=(",", ":")).encode()
        return Response(body=body, content_type="application/json; charset=UTF-8")
    inside = "".join(_element(kind[:-1], row) for row in rows)
    text = f"{_DECLARATION}<{kind} {_attributes(head)}>{inside}</{kind}>"
    return Response(body=text.encode(), content_type="text/xml; charset=UTF-8")


def _element(name: str, row: dict[str, str] | str) -> str:
    """Return a row as XML. For a daily series, ElementTree would take ten times as long."""
    if isinstance(row, str):
        return f"<{name}>{escape(row)}</{name}>"
    return f"<{name} {_attributes(row)} />"


def _attributes(named: Mapping[str, object]) -> str:
    return " ".join(f"{name}={quoteattr(str(value))}" for name, value in named.items())


def _xml(root: ET.Element, status: int = 200) -> Response:
    body = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(status=status, body=body, content_type="text/xml; charset=UTF-8")
