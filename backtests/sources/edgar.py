"""Fetch cash-flow facts from SEC EDGAR for the companies of the catalog.

The SEC requires a User-Agent with a contact, and allows at most 10 requests a second. Companies use
different XBRL tags for one concept, such as capital expenditure. Companies also change their tags
over the years. This module requests every known tag of a concept. If several facts cover the same
period, only the fact that was filed first is used.
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
    """Fetches ``companyconcept`` documents from the SEC.

    Each request contains the user's name and e-mail address.
    """

    def __init__(self, contact: str, deadline: Deadline) -> None:
        agent = {"User-Agent": f"drypowder/{__version__} {contact}"}
        self.client = Client(SEC, Rate(*RATE), deadline, agent)
        self.root = base_url("DRYPOWDER_SEC_URL", "https://data.sec.gov")

    def batches(self, concept: str, ticker: str, now: pd.Timestamp) -> list[Batch]:
        """Return two batches: a company's trailing-year sums, and the sums of one year earlier.

        ``now`` is the moment of fetching, New York time.

        Raises
        ------
        Absent
            Raised if the company uses none of the concept's tags, or has too few facts for a sum
            over a trailing year.
        SourceError
            Raised if a document cannot be fetched or is wrong.
        """
        cik = next(cik for cik, name in FILERS.items() if name == ticker)
        entries = [entry for tag in tags_of(concept) for entry in self._facts(cik, tag, now)]
        if not entries:
            raise Absent(
                f"no facts under any of the {len(tags_of(concept))} known tags of {concept}"
            )
        found = sec_facts.batches(concept, ticker, entries)
        if not found:
            raise Absent(
                f"the facts of {ticker} are not enough to sum {concept} over a trailing year"
            )
        return found

    def _facts(self, cik: int, tag: str, now: pd.Timestamp) -> Iterable[dict[str, Any]]:
        url = f"{self.root}/api/xbrl/companyconcept/CIK{cik:010d}/us-gaap/{tag}.json"
        try:
            return self.client.get(url, read=lambda text: _read(cik, tag, text, now))
        except Absent:
            return []


def _read(cik: int, tag: str, text: str, now: pd.Timestamp) -> list[dict[str, Any]]:
    """Return the facts in the SEC's answer.

    Raise SourceError if the answer is about another company or another tag.
    """
    document = json_of("the SEC", text)
    try:
        found = identity_of(document)
        if found != (cik, tag):
            raise SourceError(
                f"expected the SEC's answer for CIK {cik} and {tag}, was an answer for CIK "
                f"{found[0]} and {found[1][:80]}; the answer was discarded"
            )
        return facts_of(document, now)
    except UnknownFormat as error:
        raise SourceError(f"the SEC's answer is not the requested document: {error}") from None
    except DataError as error:
        raise SourceError(f"{tag}: {error}") from None
