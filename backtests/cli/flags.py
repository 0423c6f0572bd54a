"""``drypowder flags``: the regime and every signal at a close."""

from pathlib import Path
from typing import Annotated, Any

import typer

from backtests.cli import completion
from backtests.cli.options import (
    JsonOption,
    SeedOption,
    SourceOption,
    StoreOption,
    choose_history,
    console,
    print_json,
    progress,
    styled,
    warn_if_stale,
)
from backtests.cli.table import numbers, print_table, words
from backtests.report.format import fixed, significant, text

_COLUMNS = (
    words("signal"),
    numbers("value"),
    numbers("past", rank=3),
    numbers("score"),
    words("flag"),
    words("since", rank=1),
    words("flips with", wraps=True, rank=2),
    words("inputs known", rank=4),
)
_SENSITIVITY = (
    words("signal"),
    words("parameter"),
    numbers("days on"),
    numbers("overlap"),
    words("major switches", wraps=True, rank=1),
    words(),
)


def flags(
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="DATE", help="The session; default the last one held."),
    ] = None,
    store: StoreOption = None,
    source: SourceOption = None,
    seed: SeedOption = None,
    why: Annotated[
        str | None,
        typer.Option(
            "--why",
            metavar="SIGNAL",
            help="Show one signal: definition, inputs, reference.",
            autocompletion=completion.signals,
        ),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option("--export", help="Write all gauges, scores and flags: .csv or .parquet."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Write a page with every signal's chart."),
    ] = None,
    sensitivity: Annotated[
        bool,
        typer.Option(
            "--sensitivity", help="Move each parameter by a quarter, revised series by 2 %."
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show the regime and every signal."""
    from backtests.report.export import TABLES, check_target
    from backtests.report.reading import said_at_end
    from signals import read

    for target, option, endings in ((export, "--export", TABLES), (html, "--html", (".html",))):
        if target is not None:
            check_target(target, option, endings)
    choice = choose_history(source, store, seed)
    with progress("reading history"):
        history = choice.open(("SPY",))
    past = history.until(history.session(at, "--at"))
    reading = read(past.panel)
    if why is not None:
        _why(past, reading, why, json)
    elif sensitivity:
        _sensitivity(past, json)
    else:
        said = said_at_end(past, reading)
        print_json(said) if json else _print(said)
    _write(past, reading, at is None, export, html)
    if at is None:
        warn_if_stale(history)


def _write(
    history: Any, reading: Any, newest: bool, export: Path | None, html: Path | None
) -> None:
    from backtests.report.export import write_table
    from backtests.report.flags_page import write_flags_page

    if export is not None:
        write_table(history, reading, export)
        typer.echo(f"wrote {export}", err=True)
    if html is not None:
        with progress("drawing"):
            write_flags_page(history, reading, html, newest=newest)
        typer.echo(f"wrote {html}", err=True)


def _print(reading: dict[str, Any]) -> None:
    screen = console()
    screen.print(
        styled(f"{reading['regime'] or 'no regime'},", "bold"), f"as of {reading['as_of']}"
    )
    screen.print(reading["sentence"])
    sides = {"for": "votes_for", "against": "votes_against", "no view": "no_view"}
    votes = (f"{side}: {', '.join(reading[key])}" for side, key in sides.items() if reading[key])
    screen.print(styled(f"votes {'; '.join(votes)}", "dim"))
    print_table(_COLUMNS, [_cells(name, s) for name, s in reading["signals"].items()])
    for name, s in reading["signals"].items():
        for remark in _remarks(s):
            screen.print(f"{name} {remark}")
    label = "SIMULATED" if reading["source"] == "simulated" else reading["source"]
    typer.echo(f"(name): does not vote. Source: {label}. Research, not investment advice.")


def _cells(name: str, s: dict[str, Any]) -> tuple[Any, ...]:
    return (
        name if s["votes"] else f"({name})",
        significant(s["value"], s["unit"]),
        fixed(s["percentile"], 0, "%"),
        fixed(s["score"]),
        styled("on", "red") if s["flag"] else "no view" if s["flag"] is None else "off",
        text(s["since"]),
        _distance(s),
        _known(s),
    )


def _distance(s: dict[str, Any]) -> str:
    if s["distance"] is None:
        return str(s["reason"])
    return f"{s['flips']}, now {significant(s['distance_value'])}"


def _known(s: dict[str, Any]) -> str:
    """Return the dates on which the oldest and the newest input were known."""
    if s["known_at"] is None:
        return "–"
    newest, oldest = s["known_at"][:10], s["oldest_known_at"][:10]
    return newest if newest == oldest else f"{oldest} … {newest}"


def _remarks(s: dict[str, Any]) -> list[str]:
    """Return remarks on a signal: missing components of its score, and gauges for context."""
    beside = [f"{what} {significant(value)}" for what, value in s["beside"].items()]
    return [remark for remark in (s["rests_on"], "; ".join(beside)) if remark]


def _why(history: Any, reading: Any, name: str, json: bool) -> None:
    from backtests.report.flags_page import definition
    from backtests.report.reading import said_at_end
    from backtests.store.batch import rule_of, unit_of
    from signals.errors import ConfigError, unknown

    if name not in reading.evaluations:
        raise ConfigError(unknown("signal", name, reading.evaluations))
    said = said_at_end(history, reading)["signals"][name]
    signal = reading.evaluations[name].signal
    panel = history.panel.iloc[-1]
    inputs = {
        id: {
            "value": None if panel[id] != panel[id] else float(panel[id]),
            "unit": unit_of(id),
            "known_at": said["inputs"][id],
            "rule": str(rule_of(id)),
        }
        for id in said["inputs"]
    }
    parts = definition(signal)
    if json:
        print_json({"signal": name, "definition": dict(parts), **said, "inputs": inputs})
        return
    for heading, said_of_it in parts:
        typer.echo(said_of_it if heading == "what" else f"{heading}: {said_of_it}")
    typer.echo(f"Parameters: {signal!r}")
    state = {True: "on", False: "off", None: "no view"}[said["flag"]]
    typer.echo(f"Now: {significant(said['value'], said['unit'])}, flag {state}, {_distance(said)}")
    for remark in _remarks(said):
        typer.echo(f"Note: {remark}")
    for id, entry in inputs.items():
        value = significant(entry["value"], entry["unit"])
        typer.echo(f"  {id}: {value}, known {entry['known_at'] or '–'} ({entry['rule']})")


def _sensitivity(history: Any, json: bool) -> None:
    from dataclasses import asdict

    import signals
    from backtests.evidence.revision import revised_in
    from backtests.evidence.sensitivity import sensitivity

    with progress("moving parameters"):
        chosen = signals.default_signals()
        revised = revised_in(history, signals.needed(chosen))
        rows = sensitivity(history.panel, chosen, revised)
    if json:
        print_json([asdict(row) | {"other_story": row.other_story} for row in rows])
        return
    print_table(_SENSITIVITY, map(_case, rows))


def _case(row: Any) -> tuple[str, ...]:
    return (
        row.signal if not row.parameter else "",
        f"{row.parameter} {row.base:g} → {row.value:g}" if row.parameter else "default",
        fixed(row.on, 0, "%"),
        fixed(row.overlap) if row.parameter else "",
        ", ".join(row.switches[-6:]) or "none",
        "another story" if row.other_story else "",
    )
