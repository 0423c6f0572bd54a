"""L1, L3: how much of AI capital spending exceeds the cash flow of the firms that spend."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import Signal
from signals.catalog import CATALOG, FILERS, HYPERSCALERS, ttm_id, year_ago_id
from signals.errors import ConfigError, unknown
from signals.hysteresis import Threshold
from signals.params import Orders
from signals.transforms import zscore

_FLOWS = ("CAPEX", "OCF", "BUYBACKS", "DEBT_ISSUED", "LEASES")


@dataclass(frozen=True, kw_only=True)
class OutsideCapital(Signal):
    """Who pays for capital expenditure: own cash flow, shareholders' payouts, or creditors.

    Formula
        All amounts are sums over ``firms`` for the trailing four quarters: A capital expenditure,
        O operating cash flow, B shares bought back, D debt issued, L assets from new finance
        leases. A' and O' and B' are the amounts of a year earlier.
        gap = 100 · (A − O) / A, in % of A. marginal = 100 · ((A − A') − (O − O')) / (A − A'), the
        part of the additional spending that additional cash flow does not cover, in %.
        from_payouts = 100 · (B' − B) / (A − A'), the part that smaller buybacks cover, in %.
        raised = 100 · (D + L − B) / A over the firms that report debt, in % of A: what the firms
        take from creditors, less what they return to shareholders. score = z(gap).
    Flag
        The flag is on when the firms need outside capital. It turns on when ``gap`` is above
        ``enter``, and off when ``gap`` is below ``leave``. Above zero, the firms spend more than
        they earn, so somebody else must pay for a part. The formula compares flows with flows. It
        contains no idle capital, no GDP and no price.
    Timing
        An amount is known at the session after the SEC received the first filing that contains the
        amount, as for ``capex``. A debt or lease that was first tagged late was not known earlier.
    NaN
        A firm counts for ``gap`` when both of its amounts are known, and for ``marginal`` when the
        amounts of a year earlier are known, too. The flag needs ``minimum`` such firms. marginal
        and from_payouts are NaN when the spending did not grow. ``raised`` counts a firm whose debt
        and buybacks are known; unknown leases count as zero, because small leases are not tagged.
        GOOGL and MSFT tag no issue of debt, so ``raised`` never includes them.
    Reference
        Links L1 and L3 of the thesis. The financing deficit follows Frank, Goyal, "Testing the
        Pecking Order Theory of Capital Structure", Journal of Financial Economics 67 (2003). The
        amounts come from cash-flow statements filed with the SEC (XBRL). We chose ``enter``, the
        point at which spending equals cash flow, and ``leave``, a tenth of the spending below it.

    Parameters
    ----------
    firms
        Tickers of filers in the catalog.
    minimum
        Smallest number of firms that the gap needs.
    enter
        Gap, % of capital expenditure, above which the flag turns on.
    leave
        Gap, % of capital expenditure, below which the flag turns off.
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
    must_ascend: ClassVar[Orders] = (("leave", "enter"),)

    firms: tuple[str, ...] = HYPERSCALERS
    minimum: int = 4
    enter: float = 0.0
    leave: float = -10.0

    def __post_init__(self) -> None:
        """Raise ConfigError for an unknown or repeated firm, or a parameter outside its range."""
        super().__post_init__()
        for firm in self.firms:
            if ttm_id("OCF", firm) not in CATALOG:
                raise ConfigError(unknown("filer", firm, FILERS.values()))
        if not 1 <= self.minimum <= len(set(self.firms)) == len(self.firms):
            raise ConfigError(
                "expected different firms and 1 ≤ minimum ≤ their number, was "
                f"{', '.join(self.firms)} and {self.minimum}; correct them"
            )

    @property
    def inputs(self) -> tuple[str, ...]:
        """Ids of each firm's amounts for now, and of three amounts for a year earlier."""
        now = tuple(ttm_id(flow, firm) for flow in _FLOWS for firm in self.firms)
        then = tuple(year_ago_id(flow, firm) for flow in _FLOWS[:3] for firm in self.firms)
        return (*now, *then)

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """The ``enter`` and ``leave`` levels of the gap."""
        return (Threshold(gauge="gap", enter=self.enter, leave=self.leave, above=True),)

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the gap, who closes it, and the amounts behind both."""
        capex, cash, buybacks, debt, leases = (
            self._amounts(panel, flow, ttm_id) for flow in _FLOWS
        )
        capex_ago, cash_ago, buybacks_ago = (
            self._amounts(panel, flow, year_ago_id) for flow in _FLOWS[:3]
        )
        both = capex.notna() & cash.notna()
        spent = _total(capex, both)
        years = both & capex_ago.notna() & cash_ago.notna()
        added = (_total(capex, years) - _total(capex_ago, years)).where(lambda x: x > 0)
        earned = _total(cash, years) - _total(cash_ago, years)
        paid = years & buybacks.notna() & buybacks_ago.notna()
        saved = _total(buybacks_ago, paid) - _total(buybacks, paid)
        reports = capex.notna() & debt.notna() & buybacks.notna()
        raised = _total(debt, reports) + _total(leases.fillna(0), reports)
        enough = both.sum(axis=1) >= self.minimum
        return pd.DataFrame(
            {
                "gap": (100 * (spent - _total(cash, both)) / spent).where(enough),
                "marginal": (100 * (added - earned) / added).where(
                    years.sum(axis=1) >= self.minimum
                ),
                "from_payouts": (100 * saved / added).where(paid.sum(axis=1) >= self.minimum),
                "raised": 100 * (raised - _total(buybacks, reports)) / _total(capex, reports),
                "debt": debt.sum(axis=1, min_count=1) / 1e9,
                "leases": leases.sum(axis=1, min_count=1) / 1e9,
                "buybacks": buybacks.sum(axis=1, min_count=1) / 1e9,
                "firms": both.sum(axis=1).astype(float),
                "reporting": reports.sum(axis=1).astype(float),
            }
        )

    def _amounts(
        self, panel: pd.DataFrame, flow: str, id_of: Callable[[str, str], str]
    ) -> pd.DataFrame:
        return panel[[id_of(flow, firm) for firm in self.firms]].set_axis(self.firms, axis=1)

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return z(gap)."""
        return zscore(gauges["gap"])


def _total(amounts: pd.DataFrame, counted: pd.DataFrame) -> pd.Series:
    """Return the sum over the firms that count; NaN where no firm counts."""
    return amounts.where(counted).sum(axis=1, min_count=1)
