"""Sentences of the brief: the reason for the regime, the state of the claims, what to watch."""

from collections.abc import Mapping, Sequence
from typing import Any

from backtests.brief.brief import Brief
from backtests.brief.holdings import Holding
from backtests.brief.next_flips import NextFlip
from backtests.format import percent, significant
from backtests.report.flags_numbers import RULES_SAID, pending, voters
from backtests.thesis.verdicts import fewest_episodes
from signals.dry_powder import DryPowder
from signals.explanation import AGE, Explanation
from signals.reading import Reading
from signals.regimes import Votes
from signals.scales import Scales
from signals.universe import CASH

#: Some gauges in plain words.
_MEANINGS = {
    "u": ", where u = AI spending / (AI spending + idle capital)",
    AGE: " since the flag turned on",
}


def regime_words(brief: Brief) -> str:
    """Return text such as ``ABSORPTION since 2022-03-01``, or ``no regime``."""
    name, start = brief.regime, brief.since
    return "no regime" if name is None or start is None else f"{name} since {start.date()}"


def why(brief: Brief) -> str:
    """Return sentences on the rule that decided the regime, on the votes, and on idle capital."""
    reading, rule = brief.sample.reading, brief.rule
    votes = f"{votes_words(reading)} are on. A vote is on if its signal says that capital is scarce"
    scales = brief.said[DryPowder.name].scales if DryPowder.name in brief.said else None
    agree = f" {_scales_words(scales)}" if scales and scales.views else ""
    return f"{RULES_SAID[rule]}{_gauge(brief.said.get(rule))}. {votes}.{agree}"


def _scales_words(scales: Scales) -> str:
    """Return a sentence on how many measures (scales) say that idle capital is depleted.

    Call this function only if ``scales.views`` is at least 1.
    """
    depleted, views = scales.depleted, scales.views
    return f"By {depleted} of {views} measures, idle capital is depleted."


def votes_words(reading: Reading) -> str:
    """Return text such as ``4 of 9 votes``: 9 signals have a known vote, and 4 votes are on."""
    views = int(reading.votes.iloc[-1].notna().sum())
    return f"{len(voters(reading, True))} of {views} votes"


def _gauge(e: Explanation | None) -> str:
    """Return text on the deciding flag: its gauge now, and the level at which the flag flips.

    If no single flag decided the regime, the text is empty.
    """
    if e is None or e.flag is None:
        return ""
    now = f"{e.distance_gauge} is {significant(e.distance_value, e.distance_unit)}"
    now += _MEANINGS.get(e.distance_gauge, "")
    state = "turns off" if e.flag else "is off now. The flag turns on again"
    return f". The flag {e.signal} decided the regime: {now}. The flag {state} at {e.flips}"


def watch(brief: Brief) -> str:
    """Return sentences on an unconfirmed regime, on flips, and on the next release.

    One sentence names the flag that is nearest to a flip. Another sentence names the flags that can
    change the regime with a single flip.
    """
    said = [_waiting(brief.sample.reading), _nearest(brief.flips), _alone(brief), _next(brief)]
    return " ".join(sentence for sentence in said if sentence)


def _waiting(reading: Reading) -> str:
    waiting = pending(reading)
    if waiting is None:
        return ""
    return (
        f"A change to {waiting['regime']} waits for confirmation: {waiting['sessions']} of "
        f"{waiting['needed']} sessions so far."
    )


def _nearest(flips: Sequence[NextFlip]) -> str:
    return f"The flag nearest to a flip is {flip_words(flips[0])}." if flips else ""


def flip_words(flip: NextFlip) -> str:
    """Return text on a flag: the value of its gauge now, and the level at which the flag flips."""
    turns = "off" if flip.on else "on"
    now = significant(flip.value, flip.unit)
    return f"{flip.signal} ({flip.gauge} is {now}; the flag turns {turns} at {flip.flips})"


def _alone(brief: Brief) -> str:
    """Return a sentence on the flags that can change the regime with a single flip."""
    pointed = Votes.rules[str(brief.sample.reading.rule.iloc[-1])]
    others = [flip for flip in brief.flips if flip.regime != pointed]
    if not others:
        return "The flip of a single flag would not change the regime."
    said = [f"{flip.signal} (to {flip.regime or 'no regime'})" for flip in others]
    return f"The regime would change if one of these flags flipped: {', '.join(said)}."


def _next(brief: Brief) -> str:
    releases = [one for one in brief.dates if one.ids]
    if not releases:
        return ""
    first = releases[0]
    close = brief.session.date()
    return f"The first release after {close} is {first.what}, expected on {first.day.date()}."


def sure_words(brief: Brief) -> str:
    """Return text that counts the supported and the contradicted main claims of the thesis.

    If claims count episodes, the text also gives the lowest number of episodes among these claims.
    """
    outcomes = [verdict.outcome for verdict in brief.verdicts]
    good, bad = outcomes.count("supported"), outcomes.count("contradicted")
    fewest = fewest_episodes(brief.verdicts)
    seen = "" if fewest is None else f"; fewest episodes: {fewest}"
    return f"{good} of {len(outcomes)} main claims supported, {bad} contradicted{seen}"


def weights_words(weights: Mapping[str, float], most: int | None = None) -> str:
    """Return weights as text.

    Assets with equal weights form one group, such as ``MU SNDK each 5.0 %``. The text shows at most
    ``most`` groups; None means all groups. If assets are left out, the text ends with their number.
    """
    groups: dict[str, list[str]] = {}
    for asset, weight in weights.items():
        name = "cash" if asset == CASH else asset
        groups.setdefault(percent(weight, unit="%"), []).append(name)
    said = [f"{_listed(names)} {weight}" for weight, names in groups.items()]
    left = [name for names in list(groups.values())[most:] for name in names] if most else []
    more = [f"{len(left)} more"] if left else []
    return ", ".join([*said[:most], *more])


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{' '.join(names)} each"


def moves_words(holding: Holding) -> str:
    """Return the weight changes that are larger than the drift band, in percentage points."""
    moves = {"cash" if a == CASH else a: change for a, change in holding.moves.items()}
    said = [f"{asset} {percent(change, signed=True)}" for asset, change in moves.items()]
    return ", ".join(said)


def change_words(change: Mapping[str, Any]) -> str:
    """Return one line of text about a change in the brief since an earlier session.

    ``change`` is an item of the list ``changes`` in ``brief --json``.
    """
    what = f"{change['kind']} {change['name']}".strip()
    since = f" since {change['when']}" if change["when"] else ""
    if change["was"] == change["now"]:
        return f"{what}: {change['now']} again{since}"
    return f"{what}: {change['now']}{since}, {change['was']} before"


def date_words(dates: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line for each expected release or decision, and one line for all estimated dates.

    The last line lists the estimated dates, which are 52 weeks after earlier releases.
    """
    doubt = {"rule": " (known by rule)", "calendar": ""}
    lines = [f"{d['day']}: {d['what']}{doubt[d['basis']]}" for d in dates if d["basis"] in doubt]
    repeated = [f"{d['short']} {d['day']}" for d in dates if d["basis"] not in doubt]
    filings = f"estimated from releases of the past year: {', '.join(repeated)}"
    return [*lines, filings] if repeated else lines


def late_words(late: Mapping[str, Any]) -> str:
    """Return text on late data: their name, the date of the last value, and what they affect.

    If the late data are components of a score, the text is only ``affects``: the score, the
    components that the score omits, and the date since which the score omits exactly these
    components. ``late`` is an item of the list ``late`` in ``brief --json``.
    """
    if late["last"] is None and not late["unseen"]:
        return str(late["affects"])
    last = " (no value so far)" if late["unseen"] else f" (last value known on {late['last']})"
    return f"{late['what']}{last}: {late['affects']}"
