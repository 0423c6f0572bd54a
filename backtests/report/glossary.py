"""Definitions of the terms on pages, and links to these definitions.

A link leads to the list of terms at the end of the page. If the pointer or the keyboard's focus is
on a link, ``terms.js`` shows the definition.
"""

from markupsafe import Markup

#: The HTML class of a link to a term. A page with links of this class needs ``terms.js``.
EXPLAINED = 'class="term"'

#: A mapping from term to definition. If CONTRIBUTING.md also defines a term, both definitions have
#: the same words.
TERMS: dict[str, str] = {
    "alpha": "mean return of a strategy minus the return of a portfolio of the same assets. A "
    "regression gives the constant weights of this portfolio",
    "beta": "mean move of the portfolio, in percent, when the benchmark moves by 1 percent",
    "bills": "3-month Treasury bills; cash earns their return",
    "CAGR": "constant yearly growth rate that gives the total return when it is compounded",
    "Calmar": "CAGR divided by the depth of the deepest drawdown",
    "CVaR": "mean return on the days on which the loss reaches or exceeds the value at risk",
    "capture": "mean return divided by the benchmark's mean return. Up capture uses only days on "
    "which the benchmark rises. Down capture uses only days on which the benchmark falls",
    "drawdown": "loss from the highest value so far. A drawdown ends when the value reaches the "
    "previous maximum again",
    "episode": "one unbroken period in a state; periods less than a quarter (63 sessions) apart "
    "count as one episode",
    "entered": "the number of times that a state began",
    "excess": "return minus the return of bills",
    "exposure": "sum of the absolute weights of all holdings except cash",
    "hindsight": "knowledge that nobody had at the time. A test on the same history cannot correct "
    "for hindsight",
    "hurdle": "smallest Sharpe ratio that counts as skill. Without skill, even the best of all "
    "counted trials reaches the hurdle in only 5 of 100 cases",
    "information ratio": "mean of a difference divided by its standard deviation, both yearly. In "
    "the table of metrics, the difference is the strategy's return minus the benchmark's return. "
    "In lead and lag, the difference is the strategy's return minus the return of the strategy's "
    "mean weights",
    "interval": "range that contains the results of 95 of 100 resampled histories. The range is "
    "too narrow if regimes last for years",
    "kurtosis": "how often extreme returns occur. Excess kurtosis is 0 for a normal distribution, "
    "and higher if extreme days are more frequent",
    "own mix": "the constant mix of SPY and bills with a strategy's mean net exposure",
    "p": "probability that a strategy without skill has a result at least this good",
    "regime": "the state of the supply of capital: INJECTION, NEUTRAL, ABSORPTION, FORCED_SELLING "
    "or OPPORTUNITY",
    "session": "a trading day of the NYSE",
    "Sharpe": "mean excess return divided by its standard deviation, both yearly. The excess "
    "return is the return minus the return of bills",
    "skewness": "asymmetry of returns. Skewness is negative if large losses are more frequent than "
    "large gains",
    "sleeve": "a group of assets to which a strategy gives one common weight",
    "Sortino": "mean excess return divided by its downside deviation, both yearly. The excess "
    "return is the return minus the return of bills",
    "tilt, timing": "tilt is the return of constant mean weights minus the return of bills; timing "
    "is the return that changes of weights add",
    "tracking error": "yearly volatility of the strategy's return minus the benchmark's return",
    "turnover": "half of the value traded in a year, divided by equity",
    "unlikely to be luck": "the Sharpe ratio reaches the hurdle; without skill, even the best of "
    "all counted trials reaches the hurdle in only 5 of 100 cases",
    "VaR": "loss that the worst 5 of 100 days reach or exceed",
    "vote": "the flag of a signal that votes on the regime",
}


def anchor(term: str) -> str:
    """Return the id of a term's definition on a page."""
    return "term-" + term.lower().replace(", ", "-").replace(" ", "-")


def explained(term: str, said: str = "") -> Markup:
    """Return a link to a term's definition. ``said`` is the text of the link, by default the term.

    A term without a definition raises KeyError.
    """
    if term not in TERMS:
        raise KeyError(f"expected a term of the glossary, was {term!r}; add it to TERMS")
    link = '<a class="term" href="#{0}" aria-describedby="{0}">{1}</a>'
    return Markup(link).format(anchor(term), said or term)
