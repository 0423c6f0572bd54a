"""A whole trial made by hand, on a simulated history: its numbers are chosen, not estimated."""

from dataclasses import replace
from datetime import date
from functools import cache
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd

from backtests.evidence.k_choice import KS
from backtests.history.panel import History
from backtests.thesis.calibration import Calibration, Economies, Tally
from backtests.thesis.claim import Claim
from backtests.thesis.claims import CLAIMS
from backtests.thesis.cross_section import CrossSection
from backtests.thesis.episodes import EpisodeAccount
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Estimate, Interval
from backtests.thesis.evalues import Accumulated
from backtests.thesis.event_tables import SurpriseStudy
from backtests.thesis.events import Episode
from backtests.thesis.filings import FilingStudy
from backtests.thesis.inference import t_interval
from backtests.thesis.ledger import Seal
from backtests.thesis.other_k import SHOWN, table_of
from backtests.thesis.rivals import Rivals
from backtests.thesis.sample import Sample
from backtests.thesis.status import status
from backtests.thesis.trial import Trial
from backtests.thesis.verdicts import Verdict, judge, judge_status

CLASSES = ("memory", "defensive", "broad", "software", "speculative", "crypto")
STATES = ("idle capital ample", "idle capital depleted")
#: Estimate, standard error and episodes of some claims. The first two are multiples of the smallest
#: effect that is of interest.
CHOSEN: dict[str, tuple[float, float, int | None]] = {
    "crypto-below-spy": (2.4, 3.1, 5),
    "short-duration-first": (0.6, 0.9, 2),
    "cash-heavy-beats-its-mix": (-0.4, 0.35, None),
    "cost-rises-while-absorbed": (3.0, 0.6, 5),
    "metals-are-no-shelter": (-1.2, 0.8, 5),
}
UNTESTABLE = "price-of-capital-is-convex"
#: A claim whose interval has no bounds.
UNBOUNDED = "policy-surprise-hurts-long-duration"
#: A claim that the calibration does not know.
UNCALIBRATED = "bond-deals-hurt-long-duration"


@cache
def sample() -> Sample:
    """Return six simulated years."""
    return Sample.of(History.simulated(0, 6))


def shown_of(claim: Claim) -> pd.DataFrame:
    """Return numbers for a chart: by session, class or horizon, in the form of the estimator."""
    rng = np.random.default_rng(len(claim.name))
    days = sample().sessions[:1200]
    if claim.estimator in ("rank_order", "cascade_order"):
        columns = {"mean": rng.normal(0, 20, len(CLASSES)), "rank": range(len(CLASSES))}
        return pd.DataFrame(columns, index=list(CLASSES))
    if claim.estimator in (
        "local_projection",
        "event_response",
        "average_response",
        "instrumented",
    ):
        middle = np.cumsum(rng.normal(0, 0.3, 14))
        columns = {"capex": middle, "capex low": middle - 2, "capex high": middle + 2}
        return pd.DataFrame(columns, index=pd.RangeIndex(1, 15, name="weeks"))
    if claim.estimator in ("mean", "difference_of_means"):
        starts, ends = days[[100, 500, 900]], days[[200, 520, 1100]]
        columns = {"start": starts, "end": ends, "mean": rng.normal(0, 20, 3), "count": 70}
        return pd.DataFrame(columns, index=pd.Index([0.0, 1.0, 2.0], name="episode"))
    columns = {name: np.cumsum(rng.normal(0, 1, 1200)) for name in ("crypto", "SPY")}
    return pd.DataFrame(columns, index=days)


def estimate_of(claim: Claim, **more: Any) -> Estimate:
    """Return an estimate with the size and the error that :data:`CHOSEN` names."""
    assert claim.smallest is not None
    size, error, episodes = CHOSEN.get(claim.name, (0.8, 0.9, 4 if claim.condition else None))
    value = size * claim.smallest * (1 if claim.direction == "above" else -1)
    spread = error * claim.smallest
    p_value = 0.0001 if size > 2 * error else 0.21
    made = Estimate(
        value=value,
        interval=t_interval(value, spread, 12),
        tests={"circular shifts": p_value, "few-cluster test": p_value / 2},
        error=spread,
        df=12,
        observations=1234,
        counted="sessions",
        episodes=episodes,
        start=sample().sessions[0],
        end=sample().sessions[-1],
        method="Circular shifts of the flag (Politis and Romano 1992).",
        beside={"bootstrap": t_interval(value, 1.2 * spread, 30)},
        tests_beside={"sign test": 0.3},
        shown=shown_of(claim),
        notes=("Two coins are missing before 2020.",),
    )
    if claim.name == UNBOUNDED:
        bounds = Interval(low=-np.inf, high=np.inf, low90=-np.inf, high90=np.inf)
        made = replace(made, interval=bounds)
    return replace(made, **more)


def verdict_of(claim: Claim) -> Verdict:
    """Return a verdict by the rules of the trial, on the chosen estimate or the real status."""
    if claim.name == UNTESTABLE:
        reason = "expected 500 sessions, but the history has 210"
        return Verdict(claim=claim, outcome="not testable yet", reason=reason)
    if claim.is_status:
        try:
            return judge_status(claim, status(claim, sample()))
        except NotTestable as error:
            return Verdict(claim=claim, outcome="not testable yet", reason=str(error))
    estimate = estimate_of(claim)
    return judge(claim, estimate, min(1.0, 3 * estimate.p_value))


def by_k() -> pd.DataFrame:
    """Return the shown claims for each k; with k = 8 %, no claim about returns is testable."""
    untested = Verdict(claim=SHOWN[0], outcome="not testable yet", reason="no price")
    return table_of(
        {
            k: [
                replace(untested, claim=claim)
                if k == KS[0] and not claim.is_status
                else verdict_of(claim)
                for claim in SHOWN
            ]
            for k in KS
        }
    )


def accounts() -> tuple[EpisodeAccount, ...]:
    """Return accounts of episodes, two of which overlap."""
    dates = (
        ("dash-for-cash", "Dash for cash", date(2020, 2, 19), date(2020, 3, 23), "market"),
        ("crypto-crash", "Crypto crash", date(2021, 5, 12), date(2021, 7, 20), "crypto"),
        ("qt-bear-market", "QT bear market", date(2022, 1, 3), date(2022, 10, 14), "market"),
        ("luna", "Luna", date(2022, 5, 5), date(2022, 6, 18), "crypto"),
        ("yen-carry", "Yen carry", date(2024, 7, 10), date(2024, 8, 5), "market"),
    )
    return tuple(
        account(Episode(name=n, title=t, start=a, end=b, kind=k, source="a newspaper"))  # type: ignore[arg-type]
        for n, t, a, b, k in dates
    )


def account(episode: Episode) -> EpisodeAccount:
    """Return an account in which crypto fell first and did not recover."""
    start = pd.Timestamp(episode.start)
    falls = pd.DataFrame(
        {
            "peak": [start, start + pd.Timedelta(days=3)],
            "trough": [start + pd.Timedelta(days=20), start + pd.Timedelta(days=22)],
            "drawdown": [-0.412, -0.187],
            "recovered": [pd.NaT, start + pd.Timedelta(days=90)],
        },
        index=["crypto", "broad"],
    )
    return EpisodeAccount(
        episode=episode,
        regime_before="NEUTRAL",
        flag_leads={"absorption": 12, "crypto_probe": -3, "dry_powder": None},
        falls=falls,
        order=("crypto", "broad"),
        strategies={"cash-heavy@quantities": -0.031, "spy": -0.187},
    )


def filings(n: int = 192) -> FilingStudy:
    """Return responses of every class in both states, at filings and at dates without a filing."""
    rng = np.random.default_rng(5)
    index = pd.MultiIndex.from_product([CLASSES, STATES], names=["class", "state"])

    def table(scale: float) -> pd.DataFrame:
        middle = scale * rng.normal(0, 1, len(index))
        columns = {"estimate": middle, "low": middle - 1.4, "high": middle + 1.4, "n": 96}
        return pd.DataFrame(columns, index=index)

    path = pd.DataFrame(
        np.cumsum(rng.normal(0, 0.3, (26, len(index))), axis=0), index=range(-5, 21), columns=index
    )
    return FilingStudy(
        n=n,
        firms=("AMZN", "GOOGL", "META", "MSFT", "ORCL"),
        first=pd.Timestamp("2013-02-01"),
        last=pd.Timestamp("2024-11-01"),
        surprises=pd.Series(rng.normal(0.2, 1, n)),
        responses=table(1.5),
        path=path,
        controls=table(0.2),
    )


def events() -> pd.DataFrame:
    """Return the number of events of two kinds."""
    rows = {
        "earnings releases": (1037, "1996-03-14", "2024-12-17"),
        "FOMC statements": (265, "1994-02-04", "2024-12-18"),
    }
    table = pd.DataFrame.from_dict(rows, "index", columns=["events", "first", "last"])
    table[["first", "last"]] = table[["first", "last"]].apply(pd.to_datetime)
    return table.rename_axis("kind")


def deals() -> pd.DataFrame:
    """Return two bond deals; the first came on the day after a statement of the FOMC."""
    columns = {
        "issuer": ["META", "ORCL"],
        "size": [10.5e9, 6.25e9],
        "near": [True, False],
        "reported": [False, False],
        "response": [-1.51, np.nan],
    }
    days = pd.DatetimeIndex(["2024-08-07", "2024-12-30"], name="session")
    return pd.DataFrame(columns, index=days)


def surprises() -> SurpriseStudy:
    """Return responses to policy surprises; the confidence set of crypto has no bounds."""
    columns = {
        "estimate": np.linspace(0.5, -2.0, len(CLASSES)),
        "low": [*np.linspace(-1.0, -4.0, len(CLASSES) - 1), -np.inf],
        "high": [*np.linspace(2.0, 1.0, len(CLASSES) - 1), np.inf],
        "strength": 31.7,
        "n": 108,
    }
    table = pd.DataFrame(columns, index=pd.Index(CLASSES, name="class"))
    return SurpriseStudy(instrument="MPS_ME", responses=table)


def cross_section() -> CrossSection:
    """Return rank correlations. While capital is absorbed, too few episodes give no interval."""
    correlations = pd.DataFrame(
        {
            "estimate": [-0.12, 0.03],
            "low": [np.nan, -0.11],
            "high": [np.nan, 0.17],
            "months": [17.0, 88.0],
            "clusters": [1.0, 3.0],
            "shares": [21.1, 20.6],
        },
        index=pd.Index(["capital absorbed", "other months"], name="state"),
    )
    now = pd.DataFrame(
        {
            "duration": [2.8, 0.1, -6.8],
            "error": [4.5, 3.4, 9.0],
            "third": ["long", "middle", "short"],
        },
        index=pd.Index(["ORCL", "TSM", "NVDA"], name="share"),
    )
    return CrossSection(
        shares=("NVDA", "ORCL", "TSM"),
        first=pd.Timestamp("2021-01-29"),
        last=pd.Timestamp("2024-11-29"),
        correlations=correlations,
        now=now,
    )


def rivals() -> Rivals:
    """Return a comparison in which the thesis is beaten by a constant."""
    names = ("thesis", "supply alone", "policy path", "trend", "hidden_markov", "constant")
    index = pd.MultiIndex.from_product([("SPY", "BTC-USD"), names], names=["target", "rival"])
    r2 = np.tile([-0.4, -1.1, 0.2, -2.0, -0.9, 0.0], 2)
    columns = {
        "loss": 5.2 - 0.05 * r2,
        "r2": r2,
        "in_set": np.tile([True, False, True, False, True, True], 2),
        "mcs_p": np.tile([0.41, 0.04, 1.0, 0.01, 0.2, 0.6], 2),
        "e_value": np.tile([0.8, 0.2, 2.4, 0.1, 0.5, np.nan], 2),
        "weeks": 210,
        "start": pd.Timestamp("2020-12-04"),
    }
    notes = ("jump_model is left out: the package jumpmodels is not installed",)
    table = pd.DataFrame(columns, index=index)
    return Rivals(table=table, notes=notes, method="Expanding least squares.")


def accumulated() -> tuple[Accumulated, ...]:
    """Return e-values since a seal and since the essay."""
    made = []
    bets = cycle(("crypto below SPY", "short over long duration"))
    for since in map(pd.Timestamp, ("2024-02-01", "2024-08-01")):
        for name in ("crypto-below-spy", "short-duration-first"):
            weeks = pd.date_range(since, "2024-12-27", freq="W-FRI")
            steps = np.random.default_rng(len(name)).normal(0.01, 0.1, len(weeks))
            path = pd.Series(np.exp(np.cumsum(steps)), index=weeks)
            made.append(
                Accumulated(
                    name=name,
                    since=since,
                    weeks=len(weeks),
                    e_value=float(path.iloc[-1]),
                    highest=float(path.max()),
                    path=path,
                    what=next(bets),
                    clipped=2,
                )
            )
    return tuple(made)


def calibration() -> Calibration:
    """Return outcomes in 200 economies."""
    return Calibration(economies=200, years=20, off=economies(3, 20), on=economies(92, 8))


def economies(supported: int, contradicted: int) -> Economies:
    """Return outcomes in which every claim was supported and contradicted equally often."""
    tested = [c.name for c in CLAIMS if not c.is_status and c.name != UNCALIBRATED]
    tally = Tally(
        judged=190,
        decidable=140,
        supported=supported,
        contradicted=contradicted,
        effect=0.01 * supported,
    )
    reached = {
        "crypto-below-spy": supported,
        "short-duration-first": supported - 2,
        "near-cash-flow@quantities": 80,
    }
    return Economies(claims=dict.fromkeys(tested, tally), any_primary=4, e_values=reached)


def seal() -> Seal:
    """Return a line of a ledger."""
    return Seal(
        number=3,
        sealed_at="2024-02-01T15:04:00+00:00",
        code_version="0.9",
        code_digest="12" * 32,
        commit=None,
        data_source="store",
        series={},
        claims=[],
        parameters={},
        data_digest="ab" * 32,
        data_end="2024-01-31",
        previous="cd" * 32,
        hash="ef" * 32,
    )


def bare_trial(*, simulated: bool = True) -> Trial:
    """Return a trial with only the verdicts. Every other part is missing for a stated reason."""
    base = sample()
    if not simulated:
        base = replace(base, history=replace(base.history, source="store"))
    lacking = (("rivals", "the history has no price of BTC-USD"),)
    verdicts = tuple(verdict_of(claim) for claim in CLAIMS)
    return Trial(sample=base, verdicts=verdicts, lacking=lacking)


def whole_trial(*, simulated: bool = True) -> Trial:
    """Return a trial with all parts."""
    return replace(
        bare_trial(simulated=simulated),
        by_k=by_k(),
        episodes=accounts(),
        filings=filings(),
        releases=filings(187),
        events=events(),
        deals=deals(),
        surprises=surprises(),
        cross_section=cross_section(),
        rivals=rivals(),
        accumulated=accumulated(),
        seal=seal(),
        calibration=calibration(),
        lacking=(),
    )
