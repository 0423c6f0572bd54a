"""The claims of the thesis, each declared before it was estimated.

A claim is a sentence that can be false. Its declaration fixes what is measured, when, by which
estimator, and which result speaks against it. No number here was chosen after an estimate was
seen. A later change of a declaration needs an argument, which the changelog gives.

A claim about returns is conditioned on a flag that is made of quantities alone, because the votes
of the composite regime contain past returns. The only exception is L14, whose flag is made of
prices: there the returns are resampled and the flag is computed anew.
"""

from dataclasses import dataclass
from typing import Literal

from signals.errors import ConfigError, unknown
from signals.registry import SIGNALS

Estimator = Literal[
    "status",
    "mean",
    "difference_of_means",
    "rank_order",
    "local_projection",
    "event_response",
    "nested_forecast",
    "lead_and_lag",
    "cascade_order",
    "follow_through",
    "after_flag",
    "kink",
]

#: Signals whose flags contain no price and no return.
QUANTITY_FLAGS = ("dry_powder", "capex", "absorption", "bathtub")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim that data can speak for or against.

    Attributes
    ----------
    name
        Its name in commands and files.
    link
        The link of the thesis, L1 to L15.
    statement
        The claim in one sentence.
    estimand
        The number that is estimated. For a status, the flag that is read.
    unit
        Unit of the estimand and of ``smallest``; empty for a status.
    condition
        Name of the signal whose flag says when the claim applies; None for every session. A return
        counts as conditioned if the flag was on at the close of the decision, ``1 + lag`` sessions
        before.
    estimator
        How the number is estimated. ``status`` reads a flag with its dates and has no p-value.
        ``mean`` is the mean while the condition holds; ``difference_of_means`` subtracts the mean
        of all other sessions.
    direction
        ``above`` or ``below``: the side of zero on which the claim puts the estimand.
    smallest
        Smallest interesting effect, a positive number in ``unit``; None for a status.
    argument
        Why a smaller effect does not matter.
    refuted_by
        The result that speaks against the claim.
    primary
        Whether the claim is one of the three that carry the verdict on the thesis. P-values of
        primary claims are adjusted by Holm, those of the others by the false discovery rate.

    Raises
    ------
    ConfigError
        When a declaration contradicts itself.
    """

    name: str
    link: str
    statement: str
    estimand: str
    unit: str = ""
    condition: str | None = None
    estimator: Estimator
    direction: Literal["above", "below"] = "above"
    smallest: float | None = None
    argument: str = ""
    refuted_by: str
    primary: bool = False

    def __post_init__(self) -> None:
        """Raise ConfigError for a declaration that contradicts itself."""
        if self.condition is not None and self.condition not in SIGNALS:
            raise ConfigError(unknown(f"condition of {self.name}:", self.condition, SIGNALS))
        if self.is_status:
            if self.smallest is not None or self.primary:
                raise ConfigError(
                    f"{self.name}: expected a status without effect size and not primary; "
                    "drop them, or name another estimator"
                )
            return
        if self.smallest is None or self.smallest <= 0 or not (self.unit and self.argument):
            raise ConfigError(
                f"{self.name}: expected a smallest interesting effect above zero with unit and "
                f"argument, was {self.smallest} {self.unit!r}; state all three"
            )
        if self.condition not in (None, *QUANTITY_FLAGS) and self.estimator != "after_flag":
            raise ConfigError(
                f"{self.name}: expected a condition of quantities ({', '.join(QUANTITY_FLAGS)}), "
                f"was {self.condition}; its flag contains returns"
            )

    @property
    def is_status(self) -> bool:
        """Whether the claim is about a state, which has dates and no p-value."""
        return self.estimator == "status"


_AN_ALLOCATION = (
    "An allocator who holds a tenth of a portfolio in the class gains or loses one percentage "
    "point a year by acting on it; less does not pay for the attention"
)
_A_YEAR = "percentage points a year"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        name="crypto-below-spy",
        link="L9",
        statement="While capital is absorbed, crypto earns less than SPY.",
        estimand="mean return of the crypto class minus that of SPY, closes of the same dates, "
        "absorbed sessions",
        unit=_A_YEAR,
        condition="absorption",
        estimator="mean",
        direction="below",
        smallest=10.0,
        argument=_AN_ALLOCATION,
        refuted_by="crypto earns as much as SPY, or more, while capital is absorbed",
        primary=True,
    ),
    Claim(
        name="short-duration-first",
        link="L8",
        statement="While capital is absorbed, the classes with nearer cash flows earn more.",
        estimand="Kendall's tau-b of mean return over bills and the declared order: memory and "
        "defensive before hyperscalers, semiconductors and broad, before software and "
        "speculative, before crypto; absorbed sessions",
        unit="tau",
        condition="absorption",
        estimator="rank_order",
        smallest=0.5,
        argument="At 0.5 three of four pairs of classes stand in the declared order; by chance "
        "two of four do",
        refuted_by="no monotone relation between duration and return, or the reverse one",
        primary=True,
    ),
    Claim(
        name="cash-heavy-beats-its-mix",
        link="L13",
        statement="cash-heavy@quantities earns more than the constant mix of its own exposure.",
        estimand="mean return of cash-heavy@quantities after costs minus that of SPY and bills "
        "at its mean exposure, all sessions",
        unit=_A_YEAR,
        estimator="mean",
        smallest=1.0,
        argument="An active fund costs about one percentage point a year; timing that earns less "
        "is not worth its fee",
        refuted_by="the mix earns as much: the strategy has held less, and has timed nothing",
        primary=True,
    ),
    Claim(
        name="capex-lifts-with-slack",
        link="L1",
        statement="While idle capital is ample, a rise of AI capex is followed by higher share "
        "prices.",
        estimand="response of SPY's return over bills, 13 weeks, to a rise of the capex impulse "
        "by one standard deviation of its past, while dry_powder is off",
        unit="percentage points in 13 weeks",
        estimator="local_projection",
        smallest=1.0,
        argument="With a volatility of 16 % a year, SPY moves by about 8 points in 13 weeks; a "
        "response of 1 explains less than 2 % of its variance",
        refuted_by="no relation between the impulse and returns while idle capital is ample",
    ),
    Claim(
        name="idle-capital-depleted",
        link="L2",
        statement="Idle capital is depleted.",
        estimand="the flag of dry_powder",
        condition="dry_powder",
        estimator="status",
        refuted_by="idle capital is above its threshold",
    ),
    Claim(
        name="capital-absorbed",
        link="L3",
        statement="AI capex absorbs more capital than lies idle.",
        estimand="the flag of absorption",
        condition="absorption",
        estimator="status",
        refuted_by="the share absorbed is low, or capex falls",
    ),
    Claim(
        name="capex-drains-without-slack",
        link="L3",
        statement="Once idle capital is depleted, a rise of AI capex lifts shares less than "
        "before.",
        estimand="response of SPY's return over bills, 13 weeks, to a rise of the capex impulse "
        "by one standard deviation of its past: dry_powder on minus off",
        unit="percentage points in 13 weeks",
        estimator="local_projection",
        direction="below",
        smallest=1.0,
        argument="The size at which the response with ample idle capital is interesting",
        refuted_by="the response is the same whether idle capital is ample or depleted",
    ),
    Claim(
        name="capex-filings-hurt-long-duration",
        link="L3",
        statement="Once idle capital is depleted, a capex figure above expectation lowers the "
        "long-duration classes against the short-duration ones.",
        estimand="return of software, speculative and crypto minus memory and defensive, from "
        "the close before a filing is known to 20 sessions after it, per standard deviation of "
        "surprise: dry_powder on minus off",
        unit="percentage points in 21 sessions",
        estimator="event_response",
        direction="below",
        smallest=1.0,
        argument="A spread with a volatility of 20 % a year moves by about 6 points in 21 "
        "sessions; a response below 1 explains less than 3 % of its variance",
        refuted_by="the response does not depend on idle capital",
    ),
    Claim(
        name="price-of-capital-is-convex",
        link="L4",
        statement="The cost of capital rises faster once most capital is absorbed.",
        estimand="gauge kink of convexity: change of the slope of the cost of capital on the "
        "share absorbed, above one half",
        unit="percentage points per unit of u",
        estimator="kink",
        smallest=1.0,
        argument="With a kink of 1, the upper half of u adds half a point to the cost of capital: "
        "two policy moves",
        refuted_by="the interval of the second derivative lies below the smallest effect",
    ),
    Claim(
        name="yields-rise-together",
        link="L5",
        statement="Treasury and credit yields rise together.",
        estimand="the flag of cost_of_capital",
        condition="cost_of_capital",
        estimator="status",
        refuted_by="yields fall while spreads rise, or only one of the two rises",
    ),
    Claim(
        name="cost-rises-while-absorbed",
        link="L5",
        statement="While capital is absorbed, the real yield plus the credit spread rises.",
        estimand="mean weekly change of DFII10 plus BAA10Y, absorbed weeks minus other weeks",
        unit=_A_YEAR,
        condition="absorption",
        estimator="difference_of_means",
        smallest=0.5,
        argument="Half a point a year is two policy moves; a firm's cost of capital moves as much "
        "without any news",
        refuted_by="the cost of capital does not rise faster while capital is absorbed",
    ),
    Claim(
        name="bonds-stop-hedging",
        link="L6",
        statement="Shares and Treasuries fall together, and the term premium rises.",
        estimand="the flag of inverse_qe",
        condition="inverse_qe",
        estimator="status",
        refuted_by="the correlation is negative and the term premium falls",
    ),
    Claim(
        name="correlation-higher-while-absorbed",
        link="L6",
        statement="While capital is absorbed, shares and Treasuries move together more.",
        estimand="mean product of standardised weekly returns of SPY and TLT, absorbed weeks "
        "minus other weeks",
        unit="correlation",
        condition="absorption",
        estimator="difference_of_means",
        smallest=0.3,
        argument="A correlation higher by 0.3 raises the volatility of a 60/40 portfolio by about "
        "a tenth",
        refuted_by="the correlation is no higher while capital is absorbed",
    ),
    Claim(
        name="demand-improves-forecasts",
        link="L7",
        statement="The demand for capital forecasts share returns better than its supply alone.",
        estimand="out-of-sample R² of SPY's return over bills in the next 4 weeks: change of net "
        "liquidity and share absorbed, minus change of net liquidity alone",
        unit="percent of the squared error",
        estimator="nested_forecast",
        smallest=0.5,
        argument="Campbell and Thompson (RFS 2008) show that a monthly R² of 0.5 % already raises "
        "a mean-variance investor's return by a large part of itself",
        refuted_by="supply alone predicts as well out of sample",
    ),
    Claim(
        name="memory-over-crypto",
        link="L8",
        statement="While capital is absorbed, memory makers earn more than crypto.",
        estimand="mean return of the memory class minus that of crypto, closes of the same dates, "
        "absorbed sessions",
        unit=_A_YEAR,
        condition="absorption",
        estimator="mean",
        smallest=10.0,
        argument=_AN_ALLOCATION,
        refuted_by="crypto earns as much as memory makers while capital is absorbed",
    ),
    Claim(
        name="crypto-weaker-than-usual",
        link="L9",
        statement="Crypto earns less over SPY while capital is absorbed than at other times.",
        estimand="mean return of the crypto class minus that of SPY, closes of the same dates, "
        "absorbed sessions minus other sessions",
        unit=_A_YEAR,
        condition="absorption",
        estimator="difference_of_means",
        direction="below",
        smallest=10.0,
        argument=_AN_ALLOCATION,
        refuted_by="crypto does as well against SPY while capital is absorbed as at other times",
    ),
    Claim(
        name="crypto-leads",
        link="L9",
        statement="Crypto moves first: its week leads the next week of SPY more than the reverse.",
        estimand="correlation of crypto's weekly return with SPY's a week later, minus that of "
        "SPY's with crypto's a week later",
        unit="correlation",
        estimator="lead_and_lag",
        smallest=0.1,
        argument="A correlation of 0.1 explains 1 % of next week's variance",
        refuted_by="SPY leads crypto, or neither leads",
    ),
    Claim(
        name="falls-in-order-of-conviction",
        link="L10",
        statement="Forced selling takes crypto first, then speculative shares, then software, "
        "then the broad market.",
        estimand="mean Kendall's tau of the declared order and the order of the peaks before "
        "each dated episode's trough",
        unit="tau",
        estimator="cascade_order",
        smallest=0.3,
        argument="At 0.3 about two of three pairs of classes fall in the declared order; by "
        "chance one of two does",
        refuted_by="the order of falls is random, or falls are unrelated",
    ),
    Claim(
        name="breakouts-fail",
        link="L11",
        statement="While capital is absorbed, fewer breakouts hold their gain.",
        estimand="share of closes above the highest of 60 sessions that are exceeded by the close "
        "31 sessions later, absorbed minus other sessions",
        unit="percentage points",
        condition="absorption",
        estimator="follow_through",
        direction="below",
        smallest=10.0,
        argument="About half of all breakouts hold; 10 points are one in five of those",
        refuted_by="breakouts hold as usual while capital is absorbed",
    ),
    Claim(
        name="tight-policy-hurts-long-duration",
        link="L12",
        statement="News of tighter policy lowers long-duration classes against short-duration "
        "ones.",
        estimand="return of software, speculative and crypto minus memory and defensive, from "
        "the close before a dated policy event to 5 sessions after it, per 10 basis points of "
        "change in DGS2 on that date",
        unit="percentage points in 6 sessions",
        estimator="event_response",
        direction="below",
        smallest=1.0,
        argument="A class with ten more years of duration loses 1 % when its discount rate rises "
        "by 10 basis points",
        refuted_by="no reaction in the window of the event",
    ),
    Claim(
        name="near-cash-flow-beats-its-mix",
        link="L13",
        statement="near-cash-flow@quantities earns more than the constant mix of its own exposure.",
        estimand="mean return of near-cash-flow@quantities after costs minus that of SPY and "
        "bills at its mean exposure, all sessions",
        unit=_A_YEAR,
        estimator="mean",
        smallest=1.0,
        argument="An active fund costs about one percentage point a year",
        refuted_by="the mix earns as much",
    ),
    Claim(
        name="patience-is-paid",
        link="L14",
        statement="After a signal of opportunity, shares earn more than usual.",
        estimand="mean return of SPY over bills in the 126 sessions after the flag turns on, "
        "minus that of any 126 sessions",
        unit="percentage points in 126 sessions",
        condition="opportunity",
        estimator="after_flag",
        smallest=3.0,
        argument="Half a year in bills gives up about 3 points of the long-run premium of shares; "
        "patience must earn them back",
        refuted_by="returns after the flag are no better than usual",
    ),
    Claim(
        name="metals-are-no-shelter",
        link="L15",
        statement="While capital is absorbed, gold and silver earn less than bills.",
        estimand="mean return of the metals class over bills, absorbed sessions",
        unit=_A_YEAR,
        condition="absorption",
        estimator="mean",
        direction="below",
        smallest=5.0,
        argument="A shelter that holds a fifth of a portfolio must move it by one percentage "
        "point a year to matter",
        refuted_by="metals earn more than bills while capital is absorbed",
    ),
)
