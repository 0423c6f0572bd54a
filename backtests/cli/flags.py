"""``drypowder flags``: show the regime and every signal at the close of a session."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backtests.cli import completion, history_choice, options
from backtests.cli.config_options import (
    config_data,
    config_of,
    refuse_parameters_of_strategies,
    without_strategy,
)
from backtests.cli.scales import print_scales
from backtests.cli.table import Columns, numbers, print_records, words
from backtests.cli.terminal import RESEARCH, print_json, progress, say, styled
from backtests.format import MISSING, fixed, is_missing, significant, state, text
from backtests.report.out import HTML, check_file
from backtests.simulated import source_said

if TYPE_CHECKING:
    import pandas as pd

    from backtests.config import RunConfig
    from backtests.evidence.sensitivity import Moved
    from backtests.history.panel import History
    from signals.reading import Reading


def flags(
    at: options.At = None,
    store: options.Store = None,
    source: options.Source = None,
    seed: options.Seed = None,
    config: options.Config = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Set a parameter, such as dry_powder.k=0.11 or regime.confirm=5.",
        ),
    ] = None,
    why: Annotated[
        str | None,
        typer.Option(
            metavar="SIGNAL",
            help="Show the definition, inputs and reference of a signal.",
            autocompletion=completion.signals,
        ),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv|FILE.parquet", help="Write all gauges, scores and flags."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Write a page with every signal's chart."),
    ] = None,
    sensitivity: Annotated[
        bool,
        typer.Option(
            "--sensitivity",
            help="Show how the flags react if one parameter or one revised series changes. Each "
            "numeric parameter changes by 25 %. A parameter with named choices takes every other "
            "choice. A revised series in USD changes by up to 2 %. For a revised series in "
            "another unit, the flags are computed without the series.",
        ),
    ] = False,
    json: options.Json = False,
) -> None:
    """Show the regime and every signal.

    The command takes the history, the signals and the regime model from --config.
    """
    from backtests.pipeline import history_of, read
    from backtests.report.export import TABLES
    from signals.errors import ConfigError

    if why is not None and sensitivity:
        raise ConfigError("expected only one of --why and --sensitivity; run one at a time")
    for target, option, endings in ((export, "--export", TABLES), (html, "--html", (HTML,))):
        if target is not None:
            check_file(target, option, *endings)
    asked = history_choice.HistoryOptions(source=source, store=store, seed=seed)
    checked = _config(config, param, asked)
    with progress("reading history"):
        history = history_of(checked, ids=checked.regime_series())
    past = history.until(history.session(at, "--at"))
    reading = read(checked, past)
    _answer(past, reading, checked, why, sensitivity, json)
    newest = at is None and checked.end is None
    _write(past, reading, newest, export, html)
    if newest:
        history_choice.warn_if_stale(history)


def _config(
    config: Path | None,
    param: list[str] | None,
    asked: history_choice.HistoryOptions,
) -> "RunConfig":
    """Return the configuration of the signals and of the regime model.

    The configuration gets a strategy that follows the regime, so that every regime model is
    allowed.
    """
    from backtests.config_data import config_from

    data = config_data(config, param, asked, {})
    if "strategy" in data:
        config_from(data)
    refuse_parameters_of_strategies(param)
    return config_of(without_strategy(data))


def _answer(
    past: "History",
    reading: "Reading",
    config: "RunConfig",
    why: str | None,
    sensitivity: bool,
    json: bool,
) -> None:
    """Print the answer: one signal, the sensitivity of all flags, or the regime and all signals."""
    from backtests.report.flags_numbers import flags_numbers

    if sensitivity:
        _sensitivity(past, config, json)
        return
    said = flags_numbers(past, reading)
    if why is not None:
        _why(past, reading, said, why, json)
    else:
        print_json(said) if json else _print(said)


def _write(
    history: "History",
    reading: "Reading",
    newest: bool,
    export: Path | None,
    html: Path | None,
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


def _print(said: dict[str, Any]) -> None:
    regime = styled(f"{said['regime'] or 'no regime'},", "bold")
    say(regime, f"as of {said['as_of']}")
    say(said["sentence"])
    by_votes = said["regime_model"] == "votes"
    if by_votes:
        _print_votes(said)
    rows = [{"name": name, **s} for name, s in said["signals"].items()]
    print_records(COLUMNS, rows if by_votes else [{**row, "votes": True} for row in rows])
    for name, s in said["signals"].items():
        for remark in _remarks(s):
            say(f"{name} {remark}")
    print_scales(said["scales"])
    label = source_said(said["source"])
    if any(s["own_rule"] for s in said["signals"].values()):
        own_rule = "but the flag's own rule can decide the regime before the votes."
        say(f"[name]: the flag does not vote, {own_rule}")
    other = f"No flag votes, because the regime comes from the model {said['regime_model']}."
    legend = "(name): no vote." if by_votes else other
    say(f"{legend} Source: {label}. {RESEARCH}")


def _print_votes(said: dict[str, Any]) -> None:
    sides = {"for": "votes_for", "against": "votes_against", "no view": "no_view"}
    votes = (f"{side}: {', '.join(said[key])}" for side, key in sides.items() if said[key])
    say(styled(f"votes {'; '.join(votes)}", "dim"))


def _name(s: dict[str, Any]) -> str:
    """Return a signal's name, in brackets if its flag does not vote."""
    if s["own_rule"] and not s["votes"]:
        return f"[{s['name']}]"
    return s["name"] if s["votes"] else f"({s['name']})"


def _distance(s: dict[str, Any]) -> str:
    if s["distance"] is None:
        return str(s["reason"])
    return f"{s['flips']}, now {significant(s['distance_value'])}"


def _known(s: dict[str, Any]) -> str:
    """Return the dates on which a signal's oldest and newest input became known, as text."""
    if s["known_at"] is None:
        return MISSING
    newest, oldest = s["known_at"][:10], s["oldest_known_at"][:10]
    return newest if newest == oldest else f"{oldest} … {newest}"


def _remarks(s: dict[str, Any]) -> list[str]:
    """Return the remarks that are printed below a signal: omitted components, and further numbers.

    Further numbers that are None are left out.
    """
    known = {what: value for what, value in s["beside"].items() if value is not None}
    beside = [f"{what}: {significant(value)}" for what, value in known.items()]
    return [remark for remark in (s["rests_on"], "; ".join(beside)) if remark]


def _why(
    history: "History", reading: "Reading", everything: dict[str, Any], name: str, json: bool
) -> None:
    from backtests.report.docstring import sections
    from backtests.report.envelope import envelope
    from signals.dry_powder import DryPowder
    from signals.errors import ConfigError, unknown

    if name not in reading.evaluations:
        raise ConfigError(unknown("signal", name, reading.evaluations))
    said = dict(everything["signals"][name])
    if name == DryPowder.name:
        said["scales"] = everything["scales"]
    said["inputs"] = _inputs(said["inputs"], history.panel.iloc[-1])
    signal = reading.evaluations[name].signal
    parts = sections(type(signal))
    if json:
        print_json({**envelope(history), "signal": name, "definition": dict(parts), **said})
        return
    for heading, text_of_it in parts:
        say(text_of_it if heading == "what" else f"{heading}: {text_of_it}")
    say(f"Parameters: {signal!r}")
    value = significant(said["value"], said["unit"])
    say(f"Now: {value}, flag {state(said['flag'])}, {_distance(said)}")
    for remark in _remarks(said):
        say(f"Note: {remark}")
    print_scales(said.get("scales"))
    for id, entry in said["inputs"].items():
        value = significant(entry["value"], entry["unit"])
        say(f"  {id}: {value}, known {text(entry['known_at'])} ({entry['rule']})")


def _inputs(known_at: dict[str, str | None], values: "pd.Series") -> dict[str, dict[str, Any]]:
    """Return the value, unit, moment of publication and publication rule of each input."""
    from backtests.store.batch import rule_of, unit_of

    return {
        id: {
            "value": None if values[id] != values[id] else float(values[id]),
            "unit": unit_of(id),
            "known_at": moment,
            "rule": str(rule_of(id)),
        }
        for id, moment in known_at.items()
    }


def _sensitivity(history: "History", config: "RunConfig", json: bool) -> None:
    from dataclasses import asdict

    import signals
    from backtests.evidence.revision import revised_in
    from backtests.evidence.sensitivity import sensitivity
    from backtests.report.envelope import envelope
    from backtests.report.plain import plain

    with progress("moving parameters") as step:
        chosen = config.build_signals()
        revised = revised_in(history, signals.needed(chosen), history.panel.index[0])
        rows = sensitivity(history.panel, chosen, revised, step)
    if json:
        cases = [plain(asdict(row) | {"other_story": row.other_story}) for row in rows]
        print_json({**envelope(history), "cases": cases})
        return
    print_records(_SENSITIVITY, rows)


def _parameter(row: "Moved") -> str:
    base, value = (x if isinstance(x, str) else f"{x:g}" for x in (row.base, row.value))
    return f"{row.parameter} {base} → {value}" if row.parameter else "default"


def _remark(row: "Moved") -> str:
    if is_missing(row.on):
        return "no view"
    return "another story" if row.other_story else ""


COLUMNS: Columns = (
    (words("signal"), _name),
    (numbers("value"), lambda s: significant(s["value"], s["unit"])),
    (numbers("past", rank=4), lambda s: fixed(s["percentile"], 0, "%")),
    (numbers("score", rank=2), lambda s: fixed(s["score"])),
    (words("flag"), lambda s: styled("on", "red") if s["flag"] else state(s["flag"])),
    (words("since", rank=1), lambda s: text(s["since"])),
    (words("flips with", wraps=True, rank=3), _distance),
    (words("inputs known", rank=5), _known),
)
_SENSITIVITY: Columns = (
    (words("signal"), lambda row: "" if row.parameter else row.signal),
    (words("parameter", wraps=True), _parameter),
    (numbers("days on", rank=2), lambda row: fixed(row.on, 0, "%")),
    (numbers("overlap", rank=1), lambda row: fixed(row.overlap) if row.parameter else ""),
    (
        words("major switches", wraps=True, rank=3),
        lambda row: ", ".join(row.switches[-6:]) or "none",
    ),
    (words("remark", rank=4), _remark),
)
