"""Links L1 and L3: how far AI capital spending exceeds the cash flow of the spending firms."""

from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import ClassVar

import pandas as pd

from signals.base import Signal
from signals.catalog import HYPERSCALERS, ttm_id, year_ago_id
from signals.firms import amounts, check_firms, ids_of, total
from signals.hysteresis import Threshold
from signals.params import Orders
from signals.transforms import zscore

#: Concepts that the signal reads. For CAPEX, OCF and BUYBACKS, the signal also reads the amounts
#: one year earlier.
_FLOWS = ("CAPEX", "OCF", "BUYBACKS", "DEBT_ISSUED", "LEASES")
_AGO = _FLOWS[:3]


@dataclass(frozen=True, kw_only=True)
class OutsideCapital(Signal):
    """Who pays for capital expenditure: cash flow, smaller payouts to shareholders, or creditors.

    Formula
        Each amount is a sum over ``firms`` for the last four quarters. The section NaN says which
        firms the sum includes. A is capital expenditure, and O is operating cash flow. B is shares
        bought back, D is debt issued, and L is assets from new finance leases. A', O' and B' are A,
        O and B one year earlier. The gauge ``gap`` is 100 · (A − O) / A. ``gap`` is the part of the
        spending that cash flow does not cover, in %. The gauge ``marginal`` is 100 · ((A − A') − (O
        − O')) / (A − A'). ``marginal`` is the part of the additional spending that additional cash
        flow does not cover, in %. The gauge ``from_payouts`` is 100 · (B' − B) / (A − A').
        ``from_payouts`` is the part of the additional spending that smaller buybacks cover, in %.
        ``from_payouts`` is negative if buybacks grew. The gauge ``raised`` is 100 · (D + L − B) /
        A. ``raised`` is the new debt and leases minus the buybacks, in % of A. ``raised`` uses only
        the firms that report debt. The score is the z-score of ``gap``.
    Flag
        The flag is on when the firms need outside capital. The flag turns on when ``gap`` is above
        ``enter``, and off when ``gap`` is below ``leave``. If ``gap`` is above zero, spending
        exceeds cash flow, so the firms need other sources of capital. The formula compares spending
        with cash flow. The formula uses no idle capital, GDP or price.
    Timing
        As in the signal ``capex``, an amount is known at the session after its first filing with
        the SEC. An amount of debt, leases or buybacks that first appears in a late filing counts as
        known only after this filing, because the filing may be the first publication.
    NaN
        A firm counts for ``gap`` if its spending and its cash flow are known. For ``marginal``,
        spending and cash flow one year earlier must also be known. For ``from_payouts``, the
        buybacks of both years must also be known. ``gap``, ``marginal`` and ``from_payouts`` are
        NaN if fewer than ``minimum`` firms have the necessary amounts. ``marginal`` and
        ``from_payouts`` are NaN if spending grew by ``least_growth`` or less. ``marginal`` and
        ``from_payouts`` are divided by the growth of spending. If spending hardly grew, a small
        error in an amount would become a large error in ``marginal`` and ``from_payouts``.
        ``raised`` uses only firms with known spending, debt and buybacks. If no firm has known
        spending, debt and buybacks, ``raised`` is NaN. Unknown leases count as zero, because firms
        do not report small leases under an XBRL tag. MSFT reports new debt under an XBRL tag that
        drypowder does not read, so ``raised`` does not include MSFT. An amount of cash flow,
        buybacks, debt or leases is used for 200 days after the end of its quarter. The amounts of
        one firm can belong to different quarters in two cases. First, a firm can file one of its
        amounts late. Second, before 2018, some spending is known only for fiscal years.
    Reference
        Links L1 and L3 of the thesis. The gap is similar to the financing deficit of Frank, Goyal,
        "Testing the Pecking Order Theory of Capital Structure", Journal of Financial Economics 67
        (2003). The amounts come from cash-flow statements filed with the SEC (XBRL). The default
        levels of ``enter`` and ``leave`` are our own choice. At the default of ``enter``, spending
        equals cash flow. At the default of ``leave``, cash flow exceeds spending by 10 % of the
        spending. The default of ``least_growth`` equals the default of ``impulse_enter`` in the
        signal ``absorption``. ``least_growth`` limits how much errors in the amounts change
        ``marginal`` and ``from_payouts``. If spending equals cash flow, an error of 1 % in current
        cash flow changes ``marginal`` by at most 11 percentage points.

    Parameters
    ----------
    firms
        Tickers of the firms; only companies whose SEC filings drypowder reads are allowed.
    minimum
        Smallest number of firms for which gap, marginal and from_payouts are computed.
    least_growth
        The gauges ``marginal`` and ``from_payouts`` have a value only if spending grew by more than
        this number (in % a year).
    enter
        The flag turns on when the gap is above this level (in % of capital expenditure).
    leave
        The flag turns off when the gap is below this level (in % of capital expenditure).
    """

    name: ClassVar[str] = "outside_capital"
    link: ClassVar[str] = "L3"
    headline: ClassVar[str] = "gap"
    units: ClassVar[dict[str, str]] = {
        "gap": "% of capex",
        "marginal": "% of added capex",
        "from_payouts": "% of added capex",
        "raised": "% of capex",
        "debt": "USD bn / year",
        "leases": "USD bn / year",
        "buybacks": "USD bn / year",
        "firms": "firms compared",
        "reporting": "firms with debt",
    }
    must_be_positive: ClassVar[tuple[str, ...]] = ("least_growth",)
    must_ascend: ClassVar[Orders] = (("leave", "enter"),)

    firms: tuple[str, ...] = HYPERSCALERS
    minimum: int = 4
    least_growth: float = 10.0
    enter: float = 0.0
    leave: float = -10.0

    def __post_init__(self) -> None:
        """Raise ConfigError for an unknown or repeated firm, or a parameter outside its range."""
        super().__post_init__()
        for concept in _FLOWS:
            check_firms(self.firms, self.minimum, concept)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Ids of the series that the signal reads.

        The signal reads all current amounts, and the amounts of capex, cash flow and buybacks one
        year earlier.
        """
        now = (id for flow in _FLOWS for id in ids_of(flow, self.firms, ttm_id))
        then = (id for flow in _AGO for id in ids_of(flow, self.firms, year_ago_id))
        return (*now, *then)

    @property
    def shown_only(self) -> tuple[str, ...]:
        """Ids of the amounts that do not affect the gap.

        Only current spending and current cash flow affect the gap.
        """
        deciding = {id for flow in _FLOWS[:2] for id in ids_of(flow, self.firms, ttm_id)}
        return tuple(id for id in self.inputs if id not in deciding)

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Levels of the gap that turn the flag on and off."""
        return (Threshold(gauge="gap", enter=self.enter, leave=self.leave, above=True),)

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the gap, the other gauges in %, the amounts, and the numbers of firms."""
        now = {flow: amounts(panel, flow, self.firms, ttm_id) for flow in _FLOWS}
        then = {flow: amounts(panel, flow, self.firms, year_ago_id) for flow in _AGO}
        both = now["CAPEX"].notna() & now["OCF"].notna()
        spent = total(now["CAPEX"], both)
        gap = 100 * (spent - total(now["OCF"], both)) / spent.where(spent > 0)
        in_billions = {flow: total(now[flow]) / 1e9 for flow in _FLOWS[2:]}
        return pd.DataFrame(
            {
                "gap": gap.where(both.sum(axis=1) >= self.minimum),
                "marginal": 100 - self._of_growth("OCF", now, then),
                "from_payouts": -self._of_growth("BUYBACKS", now, then),
                **_raised(now),
                "debt": in_billions["DEBT_ISSUED"],
                "leases": in_billions["LEASES"],
                "buybacks": in_billions["BUYBACKS"],
                "firms": both.sum(axis=1).astype(float),
            }
        )

    def _of_growth(
        self, flow: str, now: dict[str, pd.DataFrame], then: dict[str, pd.DataFrame]
    ) -> pd.Series:
        """Return the yearly change of a flow, in % of the yearly change of capital expenditure.

        Each change is a sum over the firms whose spending, cash flow and ``flow`` are known in both
        years.
        """
        needed = dict.fromkeys(("CAPEX", "OCF", flow))
        known = (years[each].notna() for each in needed for years in (now, then))
        counted = reduce(and_, known)
        before = total(then["CAPEX"], counted)
        added = total(now["CAPEX"], counted) - before
        change = total(now[flow], counted) - total(then[flow], counted)
        enough = (counted.sum(axis=1) >= self.minimum) & (added > self.least_growth / 100 * before)
        return (100 * change / added).where(enough)

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return z(gap)."""
        return zscore(gauges["gap"])


def _raised(now: dict[str, pd.DataFrame]) -> dict[str, pd.Series]:
    """Return the gauge ``raised``, and the number of firms that report debt."""
    reports = now["CAPEX"].notna() & now["DEBT_ISSUED"].notna() & now["BUYBACKS"].notna()
    taken = total(now["DEBT_ISSUED"] + now["LEASES"].fillna(0), reports)
    spent = total(now["CAPEX"], reports)
    raised = 100 * (taken - total(now["BUYBACKS"], reports)) / spent.where(spent > 0)
    return {"raised": raised, "reporting": reports.sum(axis=1).astype(float)}
