"""Compute the numbers of docs/thesis.md, with a function for each block.

Every function takes the numbers of ``drypowder thesis --json`` and returns Markdown.
``benchmarks/docs_numbers.py`` writes the blocks into the page.
"""

from collections.abc import Sequence
from typing import Any

from backtests.format import MISSING, is_missing
from backtests.history.panel import History
from backtests.report.thesis_numbers import thesis_numbers
from backtests.report.thesis_words import k_said
from backtests.thesis.trial import try_thesis

Numbers = dict[str, Any]


def numbers_of(history: History) -> Numbers:
    """Return the numbers of the trial on a history."""
    return thesis_numbers(try_thesis(history))


def verdict(said: Numbers) -> str:
    """Return the two sentences of the verdict."""
    return " ".join(said["verdict"])


def links(said: Numbers) -> str:
    """Return the scoreboard of the fifteen links."""
    rows = [
        (
            row["link"] + ("\\*" if row["is_primary"] else ""),
            row["statement"],
            row["verdict"],
            row["strength"],
            _text(row["episodes"]),
        )
        for row in said["links"]
    ]
    return _table(("link", "what it says", "verdict", "strength", "episodes"), rows)


def claims(said: Numbers) -> str:
    """Return a table of every tested claim with its estimate, interval, p-value and power."""
    rows = [_claim(claim) for claim in said["claims"] if claim["estimator"] != "status"]
    heads = (
        "claim",
        "unit",
        "says",
        "estimate",
        "95 % interval",
        "p",
        "adjusted p",
        "episodes",
        "power, %",
        "detectable",
        "verdict",
    )
    return _table(heads, rows)


def _claim(claim: Numbers) -> tuple[str, ...]:
    mark = "\\*" if claim["primary"] else " †" if claim["after_verdicts"] else ""
    name = f"{claim['link']} `{claim['name']}`{mark}"
    says = f"{'> 0' if claim['direction'] == 'above' else '< 0'}, at least {claim['smallest']:g}"
    found = claim["estimate"]
    if found is None:
        return (name, claim["unit"], says, *[MISSING] * 7, claim["outcome"])
    bounds = found["interval"]
    return (
        name,
        claim["unit"],
        says,
        _number(found["value"]),
        f"{_number(bounds['low'])} to {_number(bounds['high'])}",
        _number(found["p_value"], 3),
        _number(claim["adjusted_p_value"], 3),
        _text(found["episodes"]),
        MISSING if is_missing(claim["power"]) else f"{100 * claim['power']:.0f}",
        _number(claim["detectable"]),
        claim["outcome"],
    )


def by_k(said: Numbers) -> str:
    """Return a table of the primary claims and two status claims, for several values of k."""
    rows = [
        (
            f"`{row['claim']}`",
            f"{100 * row['k']:.0f}",
            row["outcome"],
            *(_number(row[key]) for key in ("estimate", "low", "high")),
            _number(row["adjusted"], 3),
            MISSING if is_missing(row["episodes"]) else f"{row['episodes']:.0f}",
        )
        for row in said["by_k"]
    ]
    heads = ("claim", "k, %", "verdict", "estimate", "low", "high", "adjusted p", "episodes")
    return f"{k_said(said['by_k'])}\n\n{_table(heads, rows)}"


def states(said: Numbers) -> str:
    """Return a table of the claims about states; stays that ended before 2013 are left out."""
    rows = []
    for claim in said["claims"]:
        if claim["status"] is not None:
            stays = [s for s in claim["status"]["stays"] if (s["end"] or "9999") >= "2013"]
            dates = ", ".join(f"{_day(s['start'])} to {_day(s['end'])}" for s in stays)
            rows.append((claim["link"], claim["statement"], claim["outcome"], dates or MISSING))
    return _table(("link", "state", "at the end", "stays"), rows)


def filings(said: Numbers) -> str:
    """Return a table of the classes' responses to capex filings, and to other dates."""
    return _responses(said["filings"], "filing")


def releases(said: Numbers) -> str:
    """Return a table of the classes' responses to earnings releases, and to other dates."""
    return _responses(said["releases"], "release")


def _responses(found: Numbers, event: str) -> str:
    surprise = found["surprise"]
    controls = {(row["class"], row["state"]): row for row in found["controls"]}
    rows = [
        (
            row["class"],
            row["state"],
            _text(row["n"]),
            _spread(row),
            _spread(controls[row["class"], row["state"]]),
        )
        for row in found["responses"]
    ]
    head = (
        f"{found['n']} {event}s of {', '.join(found['firms'])}, {_day(found['first'])} to "
        f"{_day(found['last'])}. Surprise, σ: mean {surprise['mean']:.2f}, standard deviation "
        f"{surprise['std']:.2f}, median {surprise['50%']:.2f}.\n\n"
    )
    response = "response, points per σ"
    heads = ("class", "state", f"{event}s", response, f"the same without a {event}")
    return head + _table(heads, rows)


def _spread(row: Numbers) -> str:
    if is_missing(row["low"]):
        return f"{_number(row['estimate'])} (no bounds)"
    return f"{_number(row['estimate'])} ({_number(row['low'])} to {_number(row['high'])})"


def events(said: Numbers) -> str:
    """Return a table of the number of dated events by kind."""
    rows = [
        (row["kind"], _text(row["events"]), _day(row["first"]), _day(row["last"]))
        for row in said["events"]
    ]
    return _table(("kind", "events", "first", "last"), rows)


def deals(said: Numbers) -> str:
    """Return a table of bond deals, with returns of long-duration minus short-duration classes."""
    rows = [
        (
            _day(row["session"]),
            row["issuer"],
            _number(row["size"] / 1e9, 1),
            _number(row["response"], 1),
            "yes" if row["near"] else "no",
            "yes" if row["reported"] else "no",
        )
        for row in said["deals"]
    ]
    near = ("FOMC within a day", "own release within a day")
    return _table(("session", "firm", "size, bn USD", "response, points", *near), rows)


def surprises(said: Numbers) -> str:
    """Return a table of the classes' responses to policy surprises."""
    found = said["surprises"]
    rows = [(row["class"], _text(row["n"]), _spread(row)) for row in found["responses"]]
    strength = max(row["strength"] or 0.0 for row in found["responses"])
    head = f"Instrument: {found['instrument']}. F statistic of the first stage: {strength:.1f}.\n\n"
    return head + _table(("class", "statements", "response, points per 10 basis points"), rows)


def shares(said: Numbers) -> str:
    """Return a table: the rank correlation between duration and return of single shares."""
    found = said["cross_section"]
    rows = [
        (
            row["state"],
            f"{row['months']:.0f}",
            f"{row['clusters']:.0f}",
            _number(row["shares"], 1),
            _spread(row),
        )
        for row in found["correlations"]
    ]
    head = (
        f"{len(found['shares'])} shares, sorted each month from {_day(found['first'])} to "
        f"{_day(found['last'])}.\n\n"
    )
    heads = ("state", "months", "clusters", "shares in a month", "mean rank correlation")
    return head + _table(heads, rows)


def episodes(said: Numbers) -> str:
    """Return a table of the dated episodes: regime before, deepest fall, order of falls."""
    rows = []
    for one in said["episodes"]:
        falls = {name: fall["drawdown"] for name, fall in one["falls"].items()}
        deepest = min(falls, key=lambda name: falls[name]) if falls else MISSING
        fall = f"{deepest} {100 * falls[deepest]:.0f} %" if falls else MISSING
        held = one["strategies"].get("cash-heavy")
        rows.append(
            (
                one["title"],
                f"{_day(one['start'])} to {_day(one['end'])}",
                one["regime_before"] or MISSING,
                fall,
                ", ".join(one["order"][:4]) or MISSING,
                MISSING if is_missing(held) else f"{100 * held:.1f}",
            )
        )
    heads = (
        "episode",
        "dates",
        "regime before",
        "deepest fall",
        "first to fall",
        "cash-heavy, %",
    )
    return _table(heads, rows)


def rivals(said: Numbers) -> str:
    """Return a table that compares the thesis with its rivals as forecasters of weekly returns."""
    rows = [
        (
            row["target"],
            row["rival"],
            _number(row["r2"]),
            "yes" if row["in_set"] else "no",
            _number(row["mcs_p"]),
            _number(row["e_value"]),
            _text(row["weeks"]),
        )
        for row in said["rivals"]["table"]
    ]
    heads = ("target", "forecaster", "R², %", "in the set", "p", "e-value", "weeks")
    return _table(heads, rows)


_HEADS = (
    "claim",
    "thesis off: supported",
    "off: contradicted",
    "thesis on: supported",
    "on: contradicted",
    "on, with enough episodes",
    "mean estimate off, on",
)


def calibration(said: Numbers) -> str:
    """Return a table: how often each claim is supported or contradicted in simulated economies."""
    found = said["calibration"]
    off, on = found["off"]["claims"], found["on"]["claims"]
    rows = [
        (
            f"`{name}`",
            f"{off[name]['supported']} of {off[name]['judged']}",
            f"{off[name]['contradicted']}",
            f"{on[name]['supported']} of {on[name]['judged']}",
            f"{on[name]['contradicted']}",
            f"{on[name]['decidable']}",
            f"{_number(off[name]['effect'])}, {_number(on[name]['effect'])}",
        )
        for name in off
    ]
    primary = (
        f"\n\nAt least one primary claim was supported in {found['off']['any_primary']} of "
        f"{found['economies']} economies with the thesis off, and in "
        f"{found['on']['any_primary']} of {found['economies']} economies with the thesis on."
    )
    reached = found["off"]["e_values"], found["on"]["e_values"]
    bets = [(f"`{name}`", *(str(part[name]) for part in reached)) for name in reached[0]]
    heads = ("bet", "thesis off: e-value ever 20", "thesis on: e-value ever 20")
    return _table(_HEADS, rows) + primary + "\n\n" + _table(heads, bets)


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [" | ".join(heads), " | ".join("---" for _ in heads)]
    lines += [" | ".join(row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _number(value: float | None, digits: int = 2) -> str:
    return MISSING if is_missing(value) else f"{value:.{digits}f}"


def _text(value: object) -> str:
    return MISSING if value is None else str(value)


def _day(value: str | None) -> str:
    return "now" if value is None else value[:10]


BLOCKS = {
    "thesis-verdict": verdict,
    "thesis-links": links,
    "thesis-claims": claims,
    "thesis-k": by_k,
    "thesis-states": states,
    "thesis-events": events,
    "thesis-filings": filings,
    "thesis-releases": releases,
    "thesis-deals": deals,
    "thesis-surprises": surprises,
    "thesis-shares": shares,
    "thesis-episodes": episodes,
    "thesis-rivals": rivals,
    "thesis-calibration": calibration,
}
