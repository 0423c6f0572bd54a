"""SEC EDGAR's company concepts: the facts that one company filed under one XBRL tag."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from tests.servers.evidence import evidence_folder
from tests.servers.web import Request, Response, html

_CONCEPT = re.compile(r"/api/xbrl/companyconcept/CIK(\d{10})/us-gaap/(\w+)\.json")
_NO_KEY = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
    b"<Message>The specified key does not exist.</Message></Error>"
)


class Sec:
    """Answers for the SEC from the files of a history.

    Parameters
    ----------
    history_dir
        Folder that holds ``edgar/*.json``.
    today
        A function that returns the last day of filings, in ISO form.
    """

    def __init__(self, history_dir: Path, today: Callable[[], str]) -> None:
        self._folder = history_dir
        self._today = today

    def answer(self, request: Request) -> Response:
        """Answer a request as the SEC would. The SEC demands a contact in the User-Agent."""
        if "@" not in request.headers.get("User-Agent", ""):
            return self.undeclared()
        asked = _CONCEPT.fullmatch(request.path)
        document = _documents(self._folder).get((int(asked[1]), asked[2])) if asked else None
        if document is None:
            return self.missing(request)
        body = _filed_by(document, self._today())
        return Response(body=body, content_type="application/json")

    def undeclared(self) -> Response:
        """Return the answer to a request without a contact.

        Its title is the same as in the answer to too many requests.
        """
        page = html(403, "SEC.gov | Request Rate Threshold Exceeded")
        said = b"<h1>Your Request Originates from an Undeclared Automated Tool</h1>"
        return replace(page, body=page.body + said)

    def missing(self, request: Request) -> Response:
        """Return the answer for a concept that no longer exists."""
        return Response(status=404, body=_NO_KEY, content_type="application/xml")

    def refusal(self, request: Request, status: int) -> Response:
        """Return an answer with an error status."""
        busy = status in (403, 429)
        title = "SEC.gov | Request Rate Threshold Exceeded"
        return html(status, title if busy else "Service Unavailable")


@cache
def _documents(folder: Path) -> dict[tuple[int, str], bytes]:
    """Return the text of each document, by CIK and tag."""
    found = {}
    firms = evidence_folder(folder) / "firms"
    for path in sorted((*(folder / "edgar").glob("*.json"), *firms.glob("*.json"))):
        body = path.read_bytes()
        document = json.loads(body)
        found[int(document["cik"]), str(document["tag"])] = body
    return found


@cache
def _filed_by(document: bytes, today: str) -> bytes:
    """Return the document with only the facts filed by a day. With all facts, it is unchanged."""
    parsed = json.loads(document)
    filed = [fact for fact in parsed["units"]["USD"] if fact["filed"] <= today]
    if len(filed) == len(parsed["units"]["USD"]):
        return document
    parsed["units"]["USD"] = filed
    return json.dumps(parsed, separators=(",", ":")).encode()
