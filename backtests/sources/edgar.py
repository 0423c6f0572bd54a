"""SEC EDGAR: cash-flow facts of the companies we know, as first filed.

The SEC asks for a User-Agent with a contact and for at most 10 requests a second. Filers differ in
the XBRL tag they use and change it over the years: every tag of a concept is asked for, and of one
period the fact that was filed first counts.
"""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from backtests.importing import sec_facts
from backtests.importing.csv_readers import UnknownFormat
from backtests.importing.sec_document import facts_of, identity_of
from backtests.sources.http import Absent, Client, Deadline, Rate, base_url, json_of
from backtests.store.batch import SEC, Batch
from backtests.version import __version__
from signals.catalog import FILERS, tags_of
from signals.errors import DataError, SourceError

RATE = (10, 1.0)


class EdgarSource:
    """The SEC's ``companyconcept`` documents.

    Parameters
    ----------
    contact
        Name and address of the user, as the SEC asks.
    deadline
        The time left.
    """

    def __init__(self, contact: str, deadline: Deadline) -> None:
        agent = {"User-Agent": f"drypowder/{__version__} {contact}"}
        self.client = Client(SEC, Rate(*RATE), deadline, agent)
        self.root = base_url("DRYPOWDER_SEC_URL", "https://data.sec.gov")

    def batches(self, concept: str, ticker: str, now: pd.Timestamp) -> list[Batch]:
        """Return trailing years of a company's concept, and those a year earlier.

        Raises
        ------
        Absent
            When the company files it under none of the tags.
        SourceError
            When a document cannot be had or cannot be right.
        """
        cik = next(cik for cik, name in FILERS.items() if name == ticker)
        entries = [entry for tag in tags_of(concept) for entry in self._facts(cik, tag, now)]
        if not entries:
            raise Absent(f"no facts under the tags known for it ({len(tags_of(concept))})")
        found = sec_facts.batches(concept, ticker, sec_facts.first_filed(ticker, entries))
        if all(batch.rows.empty for batch in found):
            raise SourceError(f"no trailing year of {concept} can be solved for {ticker}")
        return [batch for batch in found if not batch.rows.empty]

    def _facts(self, cik: int, tag: str, now: pd.Timestamp) -> Iterable[dict[str, Any]]:
        url = f"{self.root}/api/xbrl/companyconcept/CIK{cik:010d}/us-gaap/{tag}.json"
        try:
            return self.client.get(url, read=lambda text: _read(cik, tag, text, now))
        except Absent:
            return []


def _read(cik: int, tag: str, text: str, now: pd.Timestamp) -> list[dict[str, Any]]:
    """Return the facts of an answer; raise unless it is for the company and tag asked for."""
    document = json_of("the SEC", text)
    try:
        found = identity_of(document)
        if found != (cik, tag):
            raise SourceError(
                f"expected the SEC's answer for CIK {cik} and {tag}, was for CIK {found[0]} and "
                f"{found[1][:80]}; nothing is taken"
            )
        return facts_of(document, now)
    except UnknownFormat as error:
        raise SourceError(f"the SEC's answer is another document: {error}") from None
    except DataError as error:
        raise SourceError(f"{tag}: {error}") from None
