"""The claims of the thesis; each claim was declared before it was estimated.

A claim is a sentence that can be false. The declaration of a claim states what is measured, and
when. The declaration also names the estimator, and the result that speaks against the claim. All
numbers in this module were chosen before any estimate was seen. If a declaration changes later, the
changelog states the reason. :class:`backtests.thesis.claim.Claim` describes the fields.
"""

from datetime import date

from backtests.thesis.claim import Claim

_DECLARED = date(2026, 11, 28)
_AN_ALLOCATION = (
    "An allocator who holds a tenth of a portfolio in the asset class gains or loses one "
    "percentage point a year by acting on this effect; a smaller gain is not worth the attention"
)
_A_YEAR = "percentage points a year"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        name="crypto-below-spy",
        link="L9",
        statement="While capital is absorbed, crypto earns less than SPY.",
        estimand="mean return of the crypto class minus mean return of SPY, from closes of the "
        "same dates, on absorbed sessions",
        unit=_A_YEAR,
        condition="absorption",
        estimator="mean",
        direction="below",
        smallest=10.0,
        argument=_AN_ALLOCATION,
        refuted_by="crypto earns as much as SPY, or more, while capital is absorbed",
        declared=_DECLARED,
        primary=True,
    ),
    Claim(
        name="short-duration-first",
        link="L8",
        statement="While capital is absorbed, asset classes with earlier cash flows earn more.",
        estimand="Kendall's tau-b between mean return over bills and the declared order of "
        "classes, on absorbed sessions. The order: first memory and defensive, then hyperscalers, "
        "semiconductors and broad, then software and speculative, then crypto",
        unit="tau",
        condition="absorption",
        estimator="rank_order",
        smallest=0.5,
        argument="At 0.5, three of four pairs of classes are in the declared order; by chance, "
        "two of four pairs are",
        refuted_by="no monotone relation between duration and return, or the reverse relation",
        declared=_DECLARED,
        primary=True,
    ),
    Claim(
        name="cash-heavy-beats-its-mix",
        link="L13",
        statement="cash-heavy@quantities earns more than a constant mix with the same exposure.",
        estimand="mean return of cash-heavy@quantities after costs minus mean return of a constant "
        "mix of SPY and bills with the strategy's mean exposure, on all sessions",
        unit=_A_YEAR,
        estimator="mean",
        smallest=1.0,
        argument="An active fund costs about one percentage point a year; timing that earns less "
        "is not worth its fee",
        refuted_by="the constant mix earns as much: the strategy held less, and timed nothing",
        declared=_DECLARED,
        primary=True,
    ),
    Claim(
        name="capex-lifts-with-slack",
        link="L1",
        statement="While idle capital is ample, share prices rise after a rise of AI capex.",
        estimand="response of SPY's return over bills in 13 weeks to a rise of the capex impulse "
        "by one standard deviation of its past values, while dry_powder is off",
        unit="percentage points in 13 weeks",
        estimator="local_projection",
        smallest=1.0,
        argument="With a volatility of 16 % a year, SPY moves by about 8 percentage points in 13 "
        "weeks; a response of 1 point explains less than 2 % of SPY's variance",
        refuted_by="no relation between the impulse and returns while idle capital is ample",
        declared=_DECLARED,
    ),
    Claim(
        name="idle-capital-depleted",
        link="L2",
        statement="Idle capital is depleted.",
        estimand="the flag of dry_powder",
        condition="dry_powder",
        estimator="status",
        refuted_by="idle capital is above its threshold",
        declared=_DECLARED,
    ),
    Claim(
        name="capital-absorbed",
        link="L3",
        statement="AI capex absorbs more capital than is idle.",
        estimand="the flag of absorption",
        condition="absorption",
        estimator="status",
        refuted_by="the absorbed share is low, or capex falls",
        declared=_DECLARED,
    ),
    Claim(
        name="capex-drains-without-slack",
        link="L3",
        statement="Once idle capital is depleted, a rise of AI capex lifts shares less than "
        "before.",
        estimand="response of SPY's return over bills in 13 weeks to a rise of the capex impulse "
        "by one standard deviation of its past values: the response while dry_powder is on minus "
        "the response while it is off",
        unit="percentage points in 13 weeks",
        estimator="local_projection",
        direction="below",
        smallest=1.0,
        argument="The same size as for the response while idle capital is ample",
        refuted_by="the response is the same whether idle capital is ample or depleted",
        declared=_DECLARED,
    ),
    Claim(
        name="capex-filings-hurt-long-duration",
        link="L3",
        statement="Once idle capital is depleted, long-duration classes fall relative to "
        "short-duration classes after a capex figure above expectation.",
        estimand="return of software, speculative and crypto minus return of memory and "
        "defensive, from the close before a filing is known to the close 20 sessions after it, per "
        "standard deviation of surprise: the response while dry_powder is on minus the response "
        "while it is off",
        unit="percentage points in 21 sessions",
        estimator="event_response",
        direction="below",
        smallest=1.0,
        argument="A spread with a volatility of 20 % a year moves by about 6 percentage points in "
        "21 sessions; a response below 1 point explains less than 3 % of the spread's variance",
        refuted_by="the response does not depend on idle capital",
        declared=_DECLARED,
    ),
    Claim(
        name="price-of-capital-is-convex",
        link="L4",
        statement="The cost of capital rises faster once most capital is absorbed.",
        estimand="gauge kink of signal convexity: change of the slope of the cost of capital "
        "against the absorbed share u when u is above one half",
        unit="percentage points per unit of u",
        estimator="kink",
        smallest=1.0,
        argument="With a kink of 1, the upper half of u adds half a percentage point to the cost "
        "of capital; a central bank needs two usual moves for this",
        refuted_by="the whole interval of the second derivative lies below the smallest effect",
        declared=_DECLARED,
    ),
    Claim(
        name="yields-rise-together",
        link="L5",
        statement="Treasury and credit yields rise together.",
        estimand="the flag of cost_of_capital",
        condition="cost_of_capital",
        estimator="status",
        refuted_by="yields fall while spreads rise, or only one of the two yields rises",
        declared=_DECLARED,
    ),
    Claim(
        name="cost-rises-while-absorbed",
        link="L5",
        statement="While capital is absorbed, the real yield plus the credit spread rises.",
        estimand="mean weekly change of DFII10 plus BAA10Y: absorbed weeks minus other weeks",
        unit=_A_YEAR,
        condition="absorption",
        estimator="difference_of_means",
        smallest=0.5,
        argument="Half a percentage point a year equals two usual moves of a central bank; a "
        "firm's cost of capital moves by this much without any news",
        refuted_by="the cost of capital does not rise faster while capital is absorbed",
        declared=_DECLARED,
    ),
    Claim(
        name="bonds-stop-hedging",
        link="L6",
        statement="Shares and Treasuries fall together, and the term premium rises.",
        estimand="the flag of inverse_qe",
        condition="inverse_qe",
        estimator="status",
        refuted_by="the correlation is negative and the term premium falls",
        declared=_DECLARED,
    ),
    Claim(
        name="correlation-higher-while-absorbed",
        link="L6",
        statement="While capital is absorbed, shares and Treasuries move together more.",
        estimand="mean product of standardised weekly returns of SPY and TLT: absorbed weeks "
        "minus other weeks",
        unit="correlation",
        condition="absorption",
        estimator="difference_of_means",
        smallest=0.3,
        argument="If the correlation rises by 0.3, the volatility of a 60/40 portfolio rises by "
        "about a tenth",
        refuted_by="the correlation is not higher while capital is absorbed",
        declared=_DECLARED,
    ),
    Claim(
        name="demand-improves-forecasts",
        link="L7",
        statement="The demand for capital forecasts share returns better than its supply alone.",
        estimand="out-of-sample R² for SPY's return over bills in the next 4 weeks: R² of a "
        "forecast from the change of net liquidity and the absorbed share, minus R² of a forecast "
        "from the change of net liquidity alone",
        unit="percent of the squared error",
        estimator="nested_forecast",
        smallest=0.5,
        argument="Campbell and Thompson (RFS 2008) show that a monthly R² of 0.5 % already raises "
        "a mean-variance investor's return by a large share of this return",
        refuted_by="out of sample, supply alone forecasts equally well",
        declared=_DECLARED,
    ),
    Claim(
        name="memory-over-crypto",
        link="L8",
        statement="While capital is absorbed, memory makers earn more than crypto.",
        estimand="mean return of the memory class minus mean return of the crypto class, from "
        "closes of the same dates, on absorbed sessions",
        unit=_A_YEAR,
        condition="absorption",
        estimator="mean",
        smallest=10.0,
        argument=_AN_ALLOCATION,
        refuted_by="crypto earns as much as memory makers while capital is absorbed",
        declared=_DECLARED,
    ),
    Claim(
        name="crypto-weaker-than-usual",
        link="L9",
        statement="Relative to SPY, crypto earns less while capital is absorbed than at other "
        "times.",
        estimand="mean return of the crypto class minus mean return of SPY, from closes of the "
        "same dates: absorbed sessions minus other sessions",
        unit=_A_YEAR,
        condition="absorption",
        estimator="difference_of_means",
        direction="below",
        smallest=10.0,
        argument=_AN_ALLOCATION,
        refuted_by="relative to SPY, crypto earns as much while capital is absorbed as at other "
        "times",
        declared=_DECLARED,
    ),
    Claim(
        name="crypto-leads",
        link="L9",
        statement="Crypto moves first: it leads SPY by a week more than SPY leads crypto.",
        estimand="correlation of crypto's weekly return with SPY's return a week later, minus the "
        "correlation of SPY's weekly return with crypto's return a week later",
        unit="correlation",
        estimator="lead_and_lag",
        smallest=0.1,
        argument="A correlation of 0.1 explains 1 % of next week's variance",
        refuted_by="SPY leads crypto, or neither leads",
        declared=_DECLARED,
    ),
    Claim(
        name="falls-in-order-of-conviction",
        link="L10",
        statement="Forced selling hits crypto first, then speculative shares, then software, "
        "then the broad market.",
        estimand="mean over dated episodes of Kendall's tau between the declared order and the "
        "order of the classes' peaks before the episode's trough",
        unit="tau",
        estimator="cascade_order",
        smallest=0.3,
        argument="At 0.3, about two of three pairs of classes fall in the declared order; by "
        "chance, one of two pairs does",
        refuted_by="the order of falls is random, or falls are unrelated",
        declared=_DECLARED,
    ),
    Claim(
        name="breakouts-fail",
        link="L11",
        statement="While capital is absorbed, fewer breakouts keep their gain.",
        estimand="among closes above the highest close of 60 sessions, the share that the close "
        "31 sessions later exceeds: absorbed sessions minus other sessions",
        unit="percentage points",
        condition="absorption",
        estimator="follow_through",
        direction="below",
        smallest=10.0,
        argument="About half of all breakouts keep their gain; 10 percentage points are a fifth "
        "of this half",
        refuted_by="breakouts keep their gain as often as usual while capital is absorbed",
        declared=_DECLARED,
    ),
    Claim(
        name="tight-policy-hurts-long-duration",
        link="L12",
        statement="After news of tighter policy, long-duration classes fall relative to "
        "short-duration classes.",
        estimand="return of software, speculative and crypto minus return of memory and "
        "defensive, from the close before a dated policy event to 5 sessions after the event, per "
        "10 basis points of change in DGS2 on the date of the event",
        unit="percentage points in 6 sessions",
        estimator="event_response",
        direction="below",
        smallest=1.0,
        argument="If the discount rate rises by 10 basis points, a class whose duration is ten "
        "years longer loses 1 % more",
        refuted_by="no reaction in these 6 sessions",
        declared=_DECLARED,
    ),
    Claim(
        name="near-cash-flow-beats-its-mix",
        link="L13",
        statement="near-cash-flow@quantities earns more than a constant mix with the same "
        "exposure.",
        estimand="mean return of near-cash-flow@quantities after costs minus mean return of a "
        "constant mix of SPY and bills with the strategy's mean exposure, on all sessions",
        unit=_A_YEAR,
        estimator="mean",
        smallest=1.0,
        argument="An active fund costs about one percentage point a year",
        refuted_by="the constant mix earns as much",
        declared=_DECLARED,
    ),
    Claim(
        name="patience-is-paid",
        link="L14",
        statement="After the flag of opportunity turns on, shares earn more than usual.",
        estimand="mean return of SPY over bills in the 126 sessions after the flag turns on, "
        "minus mean return of SPY over bills in any 126 sessions",
        unit="percentage points in 126 sessions",
        condition="opportunity",
        estimator="after_flag",
        smallest=3.0,
        argument="Half a year in bills costs about 3 percentage points of the long-run premium of "
        "shares; patience must earn these points back",
        refuted_by="returns after the flag turns on are not higher than usual",
        declared=_DECLARED,
    ),
    Claim(
        name="metals-are-no-shelter",
        link="L15",
        statement="While capital is absorbed, gold and silver earn less than bills.",
        estimand="mean return of the metals class over bills, on absorbed sessions",
        unit=_A_YEAR,
        condition="absorption",
        estimator="mean",
        direction="below",
        smallest=5.0,
        argument="A shelter with a weight of a fifth matters only if it changes the portfolio's "
        "return by one percentage point a year",
        refuted_by="metals earn more than bills while capital is absorbed",
        declared=_DECLARED,
    ),
    Claim(
        name="reserves-are-scarce",
        link="L2",
        statement="The price of reserves shows that reserves are scarce.",
        estimand="the flag of funding",
        condition="funding",
        estimator="status",
        refuted_by="SOFR stays at or below the rate on reserves on most sessions",
        declared=_DECLARED,
        after_verdicts=True,
    ),
    Claim(
        name="spending-exceeds-cash-flow",
        link="L3",
        statement="The hyperscalers spend more than they earn, so they need outside capital.",
        estimand="the flag of outside_capital",
        condition="outside_capital",
        estimator="status",
        refuted_by="operating cash flow pays for capital expenditure",
        declared=_DECLARED,
        after_verdicts=True,
    ),
    Claim(
        name="margin-debt-shrinks",
        link="L10",
        statement="Margin debt shrinks, so that borrowers must sell.",
        estimand="the flag of leverage",
        condition="leverage",
        estimator="status",
        refuted_by="margin debt grows",
        declared=_DECLARED,
        after_verdicts=True,
    ),
    Claim(
        name="crypto-weaker-while-reserves-scarce",
        link="L9",
        statement="Relative to SPY, crypto earns less while the price of reserves shows scarcity.",
        estimand="mean return of the crypto class minus mean return of SPY, from closes of the "
        "same dates: sessions with the flag of funding on, minus sessions with the flag off",
        unit=_A_YEAR,
        condition="funding",
        estimator="difference_of_means",
        direction="below",
        smallest=10.0,
        argument=_AN_ALLOCATION,
        refuted_by="relative to SPY, crypto earns as much while reserves are scarce as at other "
        "times",
        declared=_DECLARED,
        after_verdicts=True,
    ),
    Claim(
        name="long-shares-fall-behind",
        link="L8",
        statement="While capital is absorbed, single shares of long duration earn less than single "
        "shares of short duration.",
        estimand="mean return of the third of all single shares with the longest empirical "
        "duration minus that of the third with the shortest, sorted each month by the duration "
        "known then, on absorbed sessions",
        unit=_A_YEAR,
        condition="absorption",
        estimator="mean",
        direction="below",
        smallest=5.0,
        argument="A third of a portfolio of shares moved from long to short duration gains or "
        "loses a bit less than two percentage points a year; a smaller gain is lost in costs",
        refuted_by="shares of long duration earn as much while capital is absorbed",
        declared=_DECLARED,
        after_verdicts=True,
    ),
    Claim(
        name="capex-releases-hurt-long-duration",
        link="L3",
        statement="Once idle capital is depleted, long-duration classes fall relative to "
        "short-duration classes after an earnings release whose capex is above expectation.",
        estimand="return of software, speculative and crypto minus return of memory and "
        "defensive, from the close before a release is known to the close 20 sessions after it, "
        "per standard deviation of surprise: the response while dry_powder is on minus the "
        "response while it is off",
        unit="percentage points in 21 sessions",
        estimator="event_response",
        direction="below",
        smallest=1.0,
        argument="The same size as for filings. A release comes a day or two before its filing, so "
        "the market learns the figure here",
        refuted_by="the response does not depend on idle capital",
        declared=_DECLARED,
        after_verdicts=True,
    ),
    Claim(
        name="bond-deals-hurt-long-duration",
        link="L6",
        statement="Long-duration classes fall relative to short-duration classes when a "
        "hyperscaler sells bonds.",
        estimand="mean return of software, speculative and crypto minus return of memory and "
        "defensive, from the close before the day of a dollar bond deal to the close 5 sessions "
        "after the deal",
        unit="percentage points in 6 sessions",
        estimator="average_response",
        direction="below",
        smallest=1.0,
        argument="A spread with a volatility of 20 % a year moves by about 3 percentage points in "
        "6 sessions; an average below 1 point cannot be traded after costs",
        refuted_by="no reaction in these 6 sessions",
        declared=_DECLARED,
        after_verdicts=True,
    ),
    Claim(
        name="policy-surprise-hurts-long-duration",
        link="L12",
        statement="When a surprise of monetary policy raises the 2-year yield, long-duration "
        "classes fall relative to short-duration classes.",
        estimand="return of software, speculative and crypto minus return of memory and "
        "defensive, from the close before an FOMC statement to the close 5 sessions after it, per "
        "10 basis points of change in DGS2 on the date of the statement; the change in the 30 "
        "minutes around the announcement is the instrument",
        unit="percentage points in 6 sessions",
        estimator="instrumented",
        direction="below",
        smallest=1.0,
        argument="The same size as for the change of the yield itself. The instrument removes news "
        "of the same day that is not about policy",
        refuted_by="no reaction to surprises in these 6 sessions",
        declared=_DECLARED,
        after_verdicts=True,
    ),
)
