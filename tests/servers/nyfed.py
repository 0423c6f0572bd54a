"""The New York Fed's markets API: one reference rate and the operations of the standing facility.

The answers have the format of the real API, with the newest row first. The files state only the
accepted amount of a date. This server divides the amount between two operations, because the real
API states each operation. The server adds operations of other kinds, because the real API returns
them even if a request asks for one kind.
"""

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from tests.servers.evidence import evidence_folder
from tests.servers.fred import read_csv
from tests.servers.web import Request, Response, html

_RATE = "/api/rates/secured/tgcr/search.json"
_OPERATIONS = "/api/rp/results/search.json"
_BILLION = 10**9


class NewYorkFed:
    """Answers for the New York Fed from the files of the evidence.

    Parameters
    ----------
    history_dir
        Folder of history, next to the folder of evidence.
    today
        A function that returns the present day, in ISO form.
    """

    def __init__(self, history_dir: Path, today: Callable[[], str]) -> None:
        self._folder = evidence_folder(history_dir) / "rates"
        self._today = today

    def answer(self, request: Request) -> Response:
        """Answer a request as the New York Fed would."""
        makers = {_RATE: self._rates, _OPERATIONS: self._operations}
        if request.path not in makers:
            return self.missing(request)
        try:
            span = [date.fromisoformat(request.query[name]) for name in ("startDate", "endDate")]
        except (KeyError, ValueError):
            return html(400, "Bad Request")
        first, last = str(span[0]), min(str(span[1]), self._today())
        body = json.dumps(makers[request.path](first, last)).encode()
        return Response(body=body, content_type="application/json")

    def missing(self, request: Request) -> Response:
        """Return the answer for an address that does not exist."""
        return html(404, "Not Found")

    def refusal(self, request: Request, status: int) -> Response:
        """Return an answer with an error status."""
        return html(status, "Too Many Requests" if status == 429 else "Service Unavailable")

    def _rates(self, first: str, last: str) -> dict[str, Any]:
        days = [
            {
                "effectiveDate": day,
                "type": "TGCR",
                "percentRate": float(value),
                "volumeInBillions": 1,
            }
            for day, value in read_csv(self._folder / "TGCRRATE.csv").items()
            if first <= day <= last and day < self._today()  # a rate is published on the next day
        ]
        return {"refRates": days[::-1]}

    def _operations(self, first: str, last: str) -> dict[str, Any]:
        held = [
            operation
            for day, operations in _held(self._folder).items()
            if first <= day <= last
            for operation in operations
        ]
        return {"repo": {"operations": held[::-1]}}


@cache
def _held(folder: Path) -> dict[str, list[dict[str, Any]]]:
    values = read_csv(folder / "SRF_ACCEPTED_USD_BN.csv")
    return {day: [*_on(day, round(float(value) * _BILLION))] for day, value in values.items()}


def _on(day: str, accepted: int) -> Iterator[dict[str, Any]]:
    """Yield the operations of a day: two of the facility, a reverse repo and a term repo."""
    morning = accepted // 3
    for number, (kind, term, amount) in enumerate(
        (
            ("Repo", "Overnight", morning),
            ("Repo", "Overnight", accepted - morning),
            ("Reverse Repo", "Overnight", 7 * _BILLION),
            ("Repo", "Term", 9 * _BILLION),
        )
    ):
        yield {
            "operationId": f"RP {day} {number}",
            "auctionStatus": "Results",
            "operationDate": day,
            "settlementDate": day,
            "maturityDate": str(date.fromisoformat(day) + timedelta(days=1)),
            "operationType": kind,
            "term": term,
            "totalAmtSubmitted": amount,
            "totalAmtAccepted": amount,
            "details": [],
        }
