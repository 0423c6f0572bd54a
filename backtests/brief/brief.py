"""Make the brief of a history at its last close."""

from dataclasses import dataclass

import pandas as pd

from backtests.brief.changes import Change, changes
from backtests.brief.dates import Expected, next_dates
from backtests.brief.holdings import Holding, holdings
from backtests.brief.late import Late, late_data
from backtests.brief.links import LinkState, link_states
from backtests.brief.next_flips import NextFlip, next_flips
from backtests.history.panel import History
from backtests.progress import Progress, silent
from backtests.thesis.claims import CLAIMS
from backtests.thesis.sample import Sample
from backtests.thesis.trial import judge_claims
from backtests.thesis.verdicts import Verdict
from signals.errors import ConfigError
from signals.explanation import Explanation, explain_all
from signals.hysteresis import since

#: By default, the brief shows the changes in this period before its session.
WEEK = pd.Timedelta(days=7)


@dataclass(frozen=True, kw_only=True, eq=False)
class Brief:
    """What a portfolio manager should know at one session's close.

    Attributes
    ----------
    sample
        The history up to the session, with flags and regime. Signals and regime model have their
        default parameters.
    before
        The earlier session with which the brief compares the last session.
    said
        The explanation of each signal's flag at the session, by signal name.
    verdicts
        The verdicts on the main claims of the thesis, tested on this history. ``drypowder thesis``
        also tests other claims. The other claims do not change the verdicts on the main claims,
        because the p-values of the main claims are adjusted as one group, without other claims.
    links, changes, dates, holdings, late
        Each attribute is the result of the module of the same name in :mod:`backtests.brief`.
    flips
        The results of :mod:`backtests.brief.next_flips`.
    """

    sample: Sample
    before: pd.Timestamp
    said: dict[str, Explanation]
    verdicts: tuple[Verdict, ...]
    links: tuple[LinkState, ...]
    changes: tuple[Change, ...]
    flips: tuple[NextFlip, ...]
    dates: tuple[Expected, ...]
    holdings: tuple[Holding, ...]
    late: tuple[Late, ...]

    @property
    def session(self) -> pd.Timestamp:
        """The session of the brief: the last session of the brief's history."""
        return pd.Timestamp(self.sample.sessions[-1])

    @property
    def regime(self) -> str | None:
        """The regime at the session; None if there is no regime."""
        name = self.sample.reading.regime.iloc[-1]
        return None if name is None else str(name)

    @property
    def since(self) -> pd.Timestamp | None:
        """The session on which the regime began; None if there is no regime."""
        return since(self.sample.reading.regime)

    @property
    def lasted(self) -> int:
        """Number of sessions of the current regime so far; 0 if there is no regime."""
        sessions = self.sample.sessions
        return 0 if self.since is None else int((sessions >= self.since).sum())

    @property
    def rule(self) -> str:
        """The name of the rule that decided the regime.

        If there is no regime, the result is the first rule that applies at the session.
        """
        reading = self.sample.reading
        decided = reading.decided_by.iloc[-1]
        return str(reading.rule.iloc[-1] if pd.isna(decided) else decided)


def make_brief(
    history: History,
    compared: str | None = None,
    *,
    progress: Progress = silent,
) -> Brief:
    """Return the brief at the last session of a history, from the data known at its close.

    Parameters
    ----------
    compared
        Day with which the brief compares the history's last session, such as ``2015-01-02``. If
        ``compared`` is not a session, the brief takes the last session before ``compared``. By
        default, ``compared`` is one week before the last session. If the history is shorter than a
        week, the default is the history's first session.
    progress
        A function that receives the name of each step before the step begins.

    Raises
    ------
    ConfigError
        ``compared`` is not a date, lies outside the history, or is not before the last session.
    """
    before = _session_before(history, compared)
    progress("signals")
    sample = Sample.of(history)
    reading = sample.reading
    said = explain_all(reading.evaluations, history.panel, history.known)
    main = [claim for claim in CLAIMS if claim.primary]
    verdicts = judge_claims(sample, main, progress=progress)
    progress("strategies")
    held = holdings(history, reading, before)
    used = [id for e in said.values() for id in e.known_at]
    return Brief(
        sample=sample,
        before=before,
        said=said,
        verdicts=verdicts,
        links=link_states(reading.evaluations),
        changes=changes(reading, before),
        flips=next_flips(reading, said),
        dates=next_dates(history, used),
        holdings=held,
        late=late_data(history, said, held),
    )


def _session_before(history: History, compared: str | None) -> pd.Timestamp:
    first, last = history.panel.index[[0, -1]]
    if compared is None:
        return history.session(max(first, last - WEEK))
    before = history.session(compared, "--since")
    if before >= last:
        raise ConfigError(
            f"expected --since to be earlier than the brief's session {last.date()}, was "
            f"{compared}; choose an earlier day"
        )
    return before
