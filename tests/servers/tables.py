"""Read the rows in a body of any format, so that the same fault can be planted in all formats."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.servers.web import Response

Row = dict[str, Any]

_SECONDS_A_DAY = 86_400


@dataclass(kw_only=True)
class Table:
    """The rows of a body, which may be changed, and a function that makes bytes from rows.

    Attributes
    ----------
    rows
        One row for each date or fact.
    dates, values
        Names of the columns with dates (ISO text or seconds), and of those with numbers.
    renamed
        A name in the body, as bytes, and an unexpected name that replaces it.
    rebuild
        A function that makes a body from rows.
    """

    rows: list[Row]
    dates: tuple[str, ...]
    values: tuple[str, ...]
    renamed: tuple[bytes, bytes]
    rebuild: Callable[[list[Row]], bytes]


def read_table(response: Response) -> Table:
    """Return the table in a response.

    Raises
    ------
    ValueError
        When there is no table, because then no fault can be planted and no test can fail.
    """
    if response.status != 200:
        raise ValueError(f"expected a table to plant a fault in, was status {response.status}")
    if "csv" in response.content_type:
        return _csv(response.body)
    if "xml" in response.content_type:
        return _xml(response.body)
    document = json.loads(response.body) if "json" in response.content_type else {}
    readers = {
        "observations": _observations,
        "vintage_dates": _vintage_dates,
        "chart": _chart,
        "units": _facts,
        "refRates": _reference_rates,
        "repo": _operations,
    }
    for name, reader in readers.items():
        if name in document:
            return reader(document)
    raise ValueError(f"expected a table to plant a fault in, was {response.body[:60]!r}")


def later(value: Any, days: int) -> Any:
    """Return the date some days after a date, in the same format: ISO text or seconds."""
    if isinstance(value, int):
        return value + days * _SECONDS_A_DAY
    return (date.fromisoformat(value) + timedelta(days=days)).isoformat()


def days_until(value: Any, today: str) -> int:
    """Return the number of days from a date, in either format, to today."""
    day = datetime.fromtimestamp(value, UTC).date() if isinstance(value, int) else None
    return (date.fromisoformat(today) - (day or date.fromisoformat(value))).days


def number(value: Any) -> float | None:
    """Return the number in a cell, or None without a number."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _dump(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _observations(document: Any) -> Table:
    return Table(
        rows=document["observations"],
        dates=("date",),
        values=("value",),
        renamed=(b'"value"', b'"amount"'),
        rebuild=lambda rows: _dump({**document, "count": len(rows), "observations": rows}),
    )


def _vintage_dates(document: Any) -> Table:
    def rebuild(rows: list[Row]) -> bytes:
        dates = [row["date"] for row in rows]
        return _dump({**document, "count": len(dates), "vintage_dates": dates})

    return Table(
        rows=[{"date": day} for day in document["vintage_dates"]],
        dates=("date",),
        values=(),
        renamed=(b'"vintage_dates"', b'"dates"'),
        rebuild=rebuild,
    )


def _chart(document: Any) -> Table:
    result = document["chart"]["result"][0]
    quote = result["indicators"]["quote"][0]
    adjusted = result["indicators"]["adjclose"][0]
    columns = {"timestamp": result.get("timestamp", []), **quote, **adjusted}

    def rebuild(rows: list[Row]) -> bytes:
        result["timestamp"] = [row["timestamp"] for row in rows]
        for part in (quote, adjusted):
            part.update({name: [row[name] for row in rows] for name in part})
        return _dump(document)

    return Table(
        rows=[
            dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)
        ],
        dates=("timestamp",),
        values=("adjclose", "close", "open", "high", "low"),
        renamed=(b'"adjclose"', b'"adjustedClose"'),
        rebuild=rebuild,
    )


def _facts(document: Any) -> Table:
    return Table(
        rows=document["units"]["USD"],
        dates=("end", "filed"),
        values=("val",),
        renamed=(b'"val"', b'"amount"'),
        rebuild=lambda rows: _dump({**document, "units": {"USD": rows}}),
    )


def _reference_rates(document: Any) -> Table:
    return Table(
        rows=document["refRates"],
        dates=("effectiveDate",),
        values=("percentRate",),
        renamed=(b'"percentRate"', b'"rate"'),
        rebuild=lambda rows: _dump({"refRates": rows}),
    )


def _operations(document: Any) -> Table:
    """Return the standing facility's operations. The other kinds of operations are left out."""
    held = document["repo"]["operations"]
    return Table(
        rows=[row for row in held if (row["operationType"], row["term"]) == ("Repo", "Overnight")],
        dates=("operationDate",),
        values=("totalAmtAccepted",),
        renamed=(b'"totalAmtAccepted"', b'"accepted"'),
        rebuild=lambda rows: _dump({"repo": {"operations": rows}}),
    )


def _xml(body: bytes) -> Table:
    root = ET.fromstring(body)
    if root.tag != "observations":
        raise ValueError(f"expected observations to plant a fault in, was <{root.tag}>")

    def rebuild(rows: list[Row]) -> bytes:
        fresh = ET.Element(root.tag, {**root.attrib, "count": str(len(rows))})
        for row in rows:
            ET.SubElement(fresh, "observation", row)
        body: bytes = ET.tostring(fresh, encoding="utf-8", xml_declaration=True)
        return body

    return Table(
        rows=[dict(child.attrib) for child in root],
        dates=("date",),
        values=("value",),
        renamed=(b" value=", b" amount="),
        rebuild=rebuild,
    )


def _csv(body: bytes) -> Table:
    head, *cells = csv.reader(io.StringIO(body.decode()))

    def rebuild(rows: list[Row]) -> bytes:
        return "\n".join([",".join(head), *(",".join(row.values()) for row in rows), ""]).encode()

    return Table(
        rows=[dict(zip(head, line, strict=True)) for line in cells],
        dates=(head[0],),
        values=tuple(head[1:]),
        renamed=(f",{head[1]}\n".encode(), b",VALUE\n"),
        rebuild=rebuild,
    )
