"""The fifteen links of the thesis, in the order of the thesis, and the flags of each link."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from signals.base import Evaluation
from signals.hysteresis import last_view, since

LINKS: dict[str, str] = {
    "L1": "AI capital spending stimulates the economy like fiscal spending",
    "L2": "Idle capital is a finite stock that can be used up",
    "L3": "Injection turns to absorption when spending grows and no idle capital is left",
    "L4": "The price of capital rises faster as more capital is absorbed",
    "L5": "Treasury and credit yields rise together",
    "L6": "Absorption works like QE in reverse, because investors rebalance",
    "L7": "Liquidity is supply plus plumbing minus demand; supply alone does not explain it",
    "L8": "Long-duration assets lose most, and assets with near cash flows gain relative to them",
    "L9": "Crypto moves first and most",
    "L10": "Forced selling starts with the assets of lowest conviction, then spreads to others",
    "L11": "Speculative momentum cannot hold its gains",
    "L12": "Policy makes the shortage worse by fighting “too much money”",
    "L13": "Hold mostly cash and choose few assets",
    "L14": "Rare chances come, and they reward patience",
    "L15": "Gold and silver do not protect from a shortage of capital",
}

#: One word for each link, for pages with little space.
WORDS: dict[str, str] = {
    "L1": "stimulus",
    "L2": "depletion",
    "L3": "absorption",
    "L4": "convexity",
    "L5": "yields",
    "L6": "rebalance",
    "L7": "plumbing",
    "L8": "duration",
    "L9": "crypto",
    "L10": "cascade",
    "L11": "momentum",
    "L12": "policy",
    "L13": "cash",
    "L14": "patience",
    "L15": "metals",
}


@dataclass(frozen=True, kw_only=True)
class LinkFlag:
    """The flag of one signal at a session, and the first session of the flag's current state.

    If the flag is NA, ``on`` and ``since`` are None.
    """

    signal: str
    on: bool | None
    since: pd.Timestamp | None


def link_flags(evaluations: Mapping[str, Evaluation], link: str) -> tuple[LinkFlag, ...]:
    """Return the flags of a link's signals at the last session of the evaluations."""
    return tuple(
        LinkFlag(signal=name, on=last_view(evaluation.flag), since=since(evaluation.flag))
        for name, evaluation in evaluations.items()
        if evaluation.signal.link == link
    )
