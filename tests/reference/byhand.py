"""The values known at each session, computed from the source files without drypowder.

This is an independent check of the panel. It consists of plain loops over the published files, and
uses only the standard library. It is written from the table of publication rules, not from the code
that builds the panel. It is slow and literal on purpose.

The catalog gives the age at which a value is too old, and the first date that counts, because these
are facts about a series.
"""

import csv
import gzip
import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from signals.catalog import CATALOG
from signals.universe import asset
from tests.servers.evidence import evidence_folder

H41 = ("WALCL", "WTREGEN", "WRESBAL", "TREAST", "WDTGAL", "WLCFLPCL")
NEVER = ("NFCI", "ANFCI", "STLFSI4", "ACMTP10")
NEXT_SESSION = (
    "RRPONTSYD",
    "SOFR",
    "EFFR",
    "IORB",
    "DFEDTARU",
    "DGS3MO",
    "DTB3",
    "DGS2",
    "DGS10",
    "DGS30",
    "DFII10",
    "T10YIE",
    "T10Y2Y",
    "T10Y3M",
    "VIXCLS",
    "BAMLH0A0HYM2",
    "BAMLC0A0CM",
    "FLOW_BTC_ETF",
    "FLOW_ETH_ETF",
    "IOER",
    "ECBDFR",
    "RPONTSYD",
    "TGCR",
    "SRF",
    "TONA",
    "BOJ_POLICY_RATE",
    "JGB10Y",
    "STABLECOIN_SUPPLY",
)
#: Series published by the New York Fed and FRED on days on which the Federal Reserve Banks are
#: open.
WHEN_FED_IS_OPEN = ("SOFR", "EFFR", "TGCR", "BAA10Y", "BAMLH0A0HYM2", "BAMLC0A0CM")
SESSIONS_LATER = {**dict.fromkeys(NEXT_SESSION, 1), "BAA10Y": 2, "THREEFYTP10": 7, "DTWEXBGS": 7}
DAYS_LATER = {
    "GDP": 180,
    "PNFI": 180,
    "A679RC1Q027SBEA": 180,
    "B985RC1Q027SBEA": 180,
    "DRTSCILM": 75,
    "M2SL": 60,
    "WM2NS": 60,
    "FEDFUNDS": 45,
    "TB3MS": 45,
    "STABLECOINS": 5,
    "WRMFNS": 60,
}
#: The H.8 release for a Wednesday appears on the Friday of the next week, after the close.
H8 = ("TLAACBW027SBOG", "TOTBKCR")
H8_DAYS_LATER = 9
TABLES = {
    "FLOW_BTC_ETF": ("crypto/btc_spot_etf_net_flow_usd_m.csv", "total_net_flow_usd_m"),
    "FLOW_ETH_ETF": ("crypto/eth_spot_etf_net_flow_usd_m.csv", "total_net_flow_usd_m"),
    "FUNDING_BTC": ("crypto/perp_funding_rate_8h.csv", "BTC"),
    "FUNDING_ETH": ("crypto/perp_funding_rate_8h.csv", "ETH"),
    "FUNDING_SOL": ("crypto/perp_funding_rate_8h.csv", "SOL"),
    "STABLECOINS": ("crypto/stablecoin_supply_usd_monthly.csv", "total"),
}
#: For each series of the evidence: the file, the column of dates, and the columns that sum up to
#: the value.
EVIDENCE = {
    **{
        id: (f"rates/{id}.csv", "observation_date", (id,))
        for id in (
            *("IOER", "ECBDFR", "RPONTSYD", "WDTGAL", "WLCFLPCL", "TLAACBW027SBOG", "TOTBKCR"),
            *("ACMTP10", "TONA", "BOJ_POLICY_RATE", "JGB10Y"),
        )
    },
    "TGCR": ("rates/TGCRRATE.csv", "observation_date", ("TGCRRATE",)),
    "SRF": ("rates/SRF_ACCEPTED_USD_BN.csv", "observation_date", ("SRF_ACCEPTED_USD_BN",)),
    "WRMFNS": ("flows/WRMFNS.csv", "observation_date", ("WRMFNS",)),
    "MARGIN_DEBT": ("flows/FINRA_margin_statistics.csv", "month", ("debit_balances_margin_usd_m",)),
    "FREE_CREDIT": (
        "flows/FINRA_margin_statistics.csv",
        "month",
        ("free_credit_cash_usd_m", "free_credit_margin_usd_m"),
    ),
    "STABLECOIN_SUPPLY": ("flows/stablecoin_supply_usd_daily.csv", "date", ("total_usd",)),
    "COT_BTC_NET": ("flows/cftc_cot_bitcoin.csv", "date", ("spec_net",)),
    "KOREA_CHIPS": ("flows/korea_chip_exports.csv", "month", ("hs8542_usd",)),
    "KOREA_MEMORY": ("flows/korea_chip_exports.csv", "month", ("hs854232_memory_usd",)),
}
#: Tables that state the day from which a value is known.
STATED = ("MARGIN_DEBT", "FREE_CREDIT", "COT_BTC_NET", "KOREA_CHIPS", "KOREA_MEMORY")
#: Companies whose annual figures begin before their first trading day; those are left out.
LISTED = {"META": "2012-05-18", "CRWV": "2025-03-28"}
ANNUAL = {
    "DEBT": "long_term_debt_usd",
    "DEBT_ISSUED": "debt_issuance_usd",
    "INTEREST": "interest_expense_usd",
    "OCF": "operating_cash_flow_usd",
}
ANNUAL_DAYS_LATER = 60
TAGS = {
    "CAPEX": (
        "PaymentsToAcquirePropertyPlantAndEquipment",
        "PaymentsToAcquireProductiveAssets",
    ),
    "REVENUE": ("RevenueFromContractWithCustomerExcludingAssessedTax",),
    "OCF": ("NetCashProvidedByUsedInOperatingActivities",),
    "BUYBACKS": ("PaymentsForRepurchaseOfCommonStock",),
    "DEBT_ISSUED": (
        "ProceedsFromIssuanceOfLongTermDebt",
        "ProceedsFromIssuanceOfSeniorLongTermDebt",
    ),
    "LEASES": ("RightOfUseAssetObtainedInExchangeForFinanceLeaseLiability",),
}
#: Amounts that a company must publish in time. So a late fact only has a new tag.
ALWAYS_PUBLISHED = ("CAPEX", "REVENUE", "OCF")
#: NVDA filed a half-year that began some days before the fiscal year.
MISFILED_DAYS = 5
LATE_AFTER = 120
LATE_KNOWN_AFTER = 45
#: Before these days, the company was not public and published nothing.
PUBLIC = {"META": date(2012, 5, 18), "CRWV": date(2025, 3, 28)}


class Row(NamedTuple):
    """A value, the date that it describes, and the first session at whose close it is known."""

    described: date
    session: date
    value: float


class Fact(NamedTuple):
    """The first filing of an SEC fact, and the first session at whose close it is known."""

    start: date
    end: date
    session: date
    value: float


def value_known(history_dir: Path, series_id: str, session: date) -> float | None:
    """Return the value of a series known at a session's close; None without a valid value."""
    newest = None
    for row in rows(Path(history_dir), series_id):
        visible = row.session <= session
        if visible and (newest is None or row.described > newest.described):
            newest = row
    return _unless_stale(newest, series_id, session)


def _unless_stale(newest: Row | None, series_id: str, session: date) -> float | None:
    if newest is None or (session - newest.described).days > _stale_after(series_id):
        return None
    return None if math.isnan(newest.value) else newest.value  # NaN: published without a figure


def column(history_dir: Path, series_id: str) -> list[float | None]:
    """Return :func:`value_known` for all sessions, in one pass over the rows."""
    out: list[float | None] = []
    coming = sorted(rows(Path(history_dir), series_id), key=lambda r: (r.session, r.described))
    newest: Row | None = None
    for session in sessions(Path(history_dir)):
        while coming and coming[0].session <= session:
            row = coming.pop(0)
            if newest is None or row.described > newest.described:
                newest = row
        out.append(_unless_stale(newest, series_id, session))
    return out


@cache
def rows(history_dir: Path, series_id: str) -> tuple[Row, ...]:
    """Return each value of a series with the first session that may use it, if there is one."""
    if "_TTM_" in series_id:
        found = _filed(history_dir, series_id)
    elif series_id in EVIDENCE:
        found = list(_of_evidence(history_dir, series_id))
    else:
        found = [
            Row(described, _first_session(history_dir, series_id, described), value)
            for described, value in raw(history_dir, series_id)
        ]
    first = CATALOG[series_id].first if series_id in CATALOG else None
    return tuple(r for r in found if r.session < date.max and (not first or r.described >= first))


def _of_evidence(history_dir: Path, series_id: str) -> Iterator[Row]:
    """Yield the values of a series of the evidence. A value with a blank column is left out."""
    file, label, columns = EVIDENCE[series_id]
    for line in _csv(evidence_folder(history_dir) / file):
        if any(line[column].strip() in ("", ".") for column in columns):
            continue
        described = date.fromisoformat(line[label])
        if series_id in STATED:
            session = _on_or_after(history_dir, date.fromisoformat(line["known_from"]))
        else:
            session = _first_session(history_dir, series_id, described)
        yield Row(described, session, sum(float(line[column]) for column in columns))


@cache
def sessions(history_dir: Path) -> tuple[date, ...]:
    """Return the NYSE sessions: the dates of the price table."""
    return tuple(date.fromisoformat(line["Date"]) for line in _prices(history_dir))


@cache
def raw(history_dir: Path, series_id: str) -> tuple[tuple[date, float], ...]:
    """Return a series as published: pairs of described date and value, without blanks."""
    lines, label, name = _lines(history_dir, series_id)
    return tuple(
        (date.fromisoformat(line[label]), float(line[name]))
        for line in lines
        if line[name].strip() not in ("", ".")
    )


def _lines(history_dir: Path, series_id: str) -> tuple[list[dict[str, str]], str, str]:
    """Return the lines of a series, and the names of its date column and its value column."""
    if series_id in TABLES:
        file, name = TABLES[series_id]
        lines = _csv(history_dir / file)
        if series_id.startswith("FLOW_"):
            trading = set(sessions(history_dir))
            lines = [line for line in lines if date.fromisoformat(line["date"]) in trading]
        return lines, "date", name
    if "_FY_" in series_id:
        concept, ticker = series_id.split("_FY_")
        lines = _csv(history_dir / "edgar/annual_cash_flow_and_debt.csv")
        first = LISTED.get(ticker, "")
        lines = [ln for ln in lines if ln["ticker"] == ticker and ln["period_end"] >= first]
        return lines, "period_end", ANNUAL[concept]
    if series_id in CATALOG:
        return _csv(history_dir / f"fred/{series_id}.csv"), "observation_date", series_id
    if series_id.endswith("-USD@session"):  # only closes of dates with an NYSE session
        dates = {str(day) for day in sessions(history_dir)}
        lines = _csv(history_dir / f"crypto/{series_id.removesuffix('@session')}.csv")
        return [line for line in lines if line["Date"] in dates], "Date", "Close"
    if series_id.endswith("-USD"):
        return _csv(history_dir / f"crypto/{series_id}.csv"), "Date", "Close"
    return _prices(history_dir), "Date", series_id


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@cache
def _prices(history_dir: Path) -> list[dict[str, str]]:
    with gzip.open(history_dir / "prices.csv.gz", "rt", newline="") as file:
        return list(csv.DictReader(file))


def _stale_after(series_id: str) -> int:
    if series_id in CATALOG:
        return CATALOG[series_id].stale_after
    return asset(series_id.removesuffix("@session")).stale_after


def _first_session(history_dir: Path, series_id: str, described: date) -> date:
    """Return the first session at whose close the value of a date is known."""
    if series_id in NEVER:
        return date.max
    if series_id in H41:
        return _after(history_dir, h41_release(described))
    if series_id in SESSIONS_LATER:
        later = SESSIONS_LATER[series_id]
        if series_id not in WHEN_FED_IS_OPEN:
            return _after(history_dir, described, later)
        day = described
        while later:
            day = _after(history_dir, day)
            later -= not fed_is_closed(day)
        return day
    if series_id in H8:
        return _after(history_dir, described + timedelta(H8_DAYS_LATER))
    if series_id in DAYS_LATER:
        return _on_or_after(history_dir, described + timedelta(DAYS_LATER[series_id]))
    if "-USD" in series_id or series_id.startswith("FUNDING_"):
        # The UTC day ends after New York's close of the same date, and before the close of the next
        # date.
        return _on_or_after(history_dir, described + timedelta(1))
    if "_FY_" in series_id:
        return _on_or_after(history_dir, described + timedelta(ANNUAL_DAYS_LATER))
    if series_id in CATALOG:
        raise AssertionError(f"no rule by hand for {series_id}")
    return _on_or_after(history_dir, described)


def fed_is_closed(day: date) -> bool:
    """Return whether the Fed is closed on a trading day.

    These days are Columbus Day and Veterans Day, and Martin Luther King Day until 1997.
    """
    if day.month == 1:
        return day.weekday() == 0 and 15 <= day.day <= 21
    if day.month == 10:
        return day.weekday() == 0 and 8 <= day.day <= 14
    moved = day.weekday() == 0 and day.day == 12  # moved from a Sunday
    return day.month == 11 and (day.day == 11 or moved)


def _after(history_dir: Path, day: date, n: int = 1) -> date:
    """Return the n-th session after a day; ``date.max`` if the table ends before."""
    days = sessions(history_dir)
    place = bisect_right(days, day) + n - 1
    return days[place] if place < len(days) else date.max


def _on_or_after(history_dir: Path, day: date) -> date:
    days = sessions(history_dir)
    place = bisect_left(days, day)
    return days[place] if place < len(days) else date.max


def h41_release(wednesday: date) -> date:
    """Return the day of the H.4.1 release for a Wednesday, which comes at 16:30 New York time."""
    if wednesday.weekday() != 2:
        raise AssertionError(f"{wednesday} is no Wednesday")
    thursday = wednesday + timedelta(1)
    return thursday + timedelta(1) if is_thursday_holiday(thursday) else thursday


def is_thursday_holiday(day: date) -> bool:
    """Return whether a Thursday is a US federal holiday.

    Only holidays with a fixed date and Thanksgiving matter. Holidays on a weekend move to a Friday
    or Monday, and other holidays are always on a Monday.
    """
    fixed = {(1, 1), (7, 4), (11, 11), (12, 25)}
    if day.year >= 2021:
        fixed.add((6, 19))
    thanksgiving = day.month == 11 and 22 <= day.day <= 28
    return day.weekday() == 3 and ((day.month, day.day) in fixed or thanksgiving)


def _filed(history_dir: Path, series_id: str) -> list[Row]:
    """Return a firm's sums over four quarters, or the sums of one year earlier, by period end.

    The sum of one year earlier has the date of the current period, and becomes known together with
    the current sum. If the earlier sum is filed after the current sum, the earlier sum is NaN.
    """
    concept, rest = series_id.split("_TTM_")
    year_ago, ticker = rest.startswith("YEAR_AGO_"), rest.removeprefix("YEAR_AGO_")
    solved = trailing_years(history_dir, concept, ticker)
    if not year_ago:
        return [Row(end, session, value) for end, (session, value) in solved.items()]
    found = []
    for end, (session, _) in solved.items():
        before = [e for e in solved if abs((end - e).days - 365) <= 10]
        if len(before) > 1:
            raise AssertionError(f"{series_id}: {before} are all a year before {end}")
        if before and solved[before[0]][0] <= session:
            found.append(Row(end, session, solved[before[0]][1]))
        else:
            found.append(Row(end, session, float("nan")))
    return found


def trailing_years(history_dir: Path, concept: str, ticker: str) -> dict[date, tuple[date, float]]:
    """Map each period end to the sum of four quarters, and the first session that may use it."""
    facts = first_filed(history_dir, concept, ticker)
    years = {f.end: f for f in facts if 350 <= (f.end - f.start).days + 1 <= 380}
    solved = {end: (fact.session, fact.value) for end, fact in years.items()}
    for now in sorted(facts, key=lambda f: f.start):  # facts since the start of the year come first
        ended = [y for y in years.values() if 0 <= (now.start - y.end).days <= MISFILED_DAYS]
        if now.end in solved or not ended:
            continue
        before = ended[0]
        for then in facts:
            same_start = abs((then.start - before.start).days) <= MISFILED_DAYS
            if same_start and abs((now.end - then.end).days - 365) <= 10:
                session = max(now.session, before.session, then.session)
                solved[now.end] = (session, now.value + before.value - then.value)
    return solved


@cache
def first_filed(history_dir: Path, concept: str, ticker: str) -> tuple[Fact, ...]:
    """Return the fact that was filed first, for each pair of start and end."""
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for tag in TAGS[concept]:
        places = (history_dir / "edgar", evidence_folder(history_dir) / "firms")
        files = [place / f"{ticker}_{tag}.json" for place in places]
        path = next((file for file in files if file.exists()), None)
        if path is None:
            continue
        for fact in json.loads(path.read_text())["units"]["USD"]:
            key = fact["start"], fact["end"]
            if key not in first or fact["filed"] < first[key]["filed"]:
                first[key] = fact
    found = []
    for (start, end), fact in first.items():
        ended, filed = date.fromisoformat(end), date.fromisoformat(fact["filed"])
        told = ended + timedelta(LATE_KNOWN_AFTER)
        only_a_new_tag = concept in ALWAYS_PUBLISHED and told >= PUBLIC.get(ticker, date.min)
        if (filed - ended).days > LATE_AFTER and only_a_new_tag:
            session = _on_or_after(history_dir, told)
        else:
            session = _after(history_dir, filed)
        found.append(Fact(date.fromisoformat(start), ended, session, float(fact["val"])))
    return tuple(found)
