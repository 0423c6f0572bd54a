"""``drypowder thesis``: test the thesis, seal its claims, and verify the seals."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backtests.cli import history_choice, options
from backtests.cli.table import Columns, numbers, print_records, words
from backtests.cli.terminal import print_json, progress, say, say_limits, styled
from backtests.format import MISSING, p_value, percent, percent_0, state, text
from backtests.plural import number_of
from backtests.report.out import page_of
from backtests.simulated import source_said

if TYPE_CHECKING:
    from backtests.history.panel import History

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)

Ledger = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="File of sealed claims; default: beside the store."),
]
_STYLES = {"supported": "green", "contradicted": "red", "mixed": "yellow"}
#: Explanations of the columns, one line for each.
_LEGEND = (
    "* marks a link with a main claim.",
    "The column p shows the adjusted one-sided p-value. The column power shows the probability "
    "that the test finds the smallest interesting effect. p and power belong to the link's main "
    "claim. If the link has no main claim, p and power belong to its first tested claim.",
    "epi is the number of episodes. If a link has several tested claims, epi belongs to the claim "
    "with the fewest episodes. Nothing can be concluded from fewer than three episodes.",
)


@app.callback()
def thesis(
    context: typer.Context,
    store: options.Store = None,
    source: options.Source = None,
    seed: options.Seed = None,
    end: options.End = None,
    ledger: Ledger = None,
    out: options.OutPage = Path("reports"),
    json: options.Json = False,
) -> None:
    """Test every claim of the thesis, and write a page.

    Each of the fifteen links of the thesis gets a verdict: supported, contradicted, inconclusive,
    not testable yet, or mixed. A mixed link has no main claim, and the verdicts on its claims
    differ. If a link has no tested claim, the command shows whether the flag of the link is on.
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    from backtests.report.thesis_numbers import thesis_numbers
    from backtests.report.thesis_page import write_thesis_page
    from backtests.thesis.trial import try_thesis

    page = page_of(out, "thesis.html")
    asked = history_choice.HistoryOptions(source=source, store=store, seed=seed)
    choice = history_choice.choose_history(asked)
    with progress("trying the thesis") as step:
        history = choice.open(end=end)
        tried = try_thesis(history, _ledger(ledger, store), progress=step)
        said = thesis_numbers(tried)
        step("writing the page")
        write_thesis_page(tried, said, page, newest=end is None)
    print_json(said) if json else _print(said, page)
    if end is None:
        history_choice.warn_if_stale(history)


def seal(
    store: options.Store = None,
    end: options.End = None,
    ledger: Ledger = None,
    json: options.Json = False,
) -> None:
    """Write the current claims as a new line of the ledger."""
    from backtests.report.thesis_numbers import seal_numbers
    from backtests.thesis.ledger import seal as write_seal
    from backtests.thesis.sample import Sample

    path = _ledger(ledger, store)
    with progress("sealing"):
        sample = Sample.of(_real_history(store, end))
        sealed = write_seal(path, sample)
    if json:
        print_json({"ledger": str(path), **seal_numbers(sealed)})
        return
    say(f"sealed line {sealed.number} of {path}; the data end on {sealed.data_end}")
    say(f"hash {sealed.hash}")


def verify(
    store: options.Store = None,
    end: options.End = None,
    ledger: Ledger = None,
    published: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="A published hash that the ledger must contain."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Check the ledger, and list changes since its last line."""
    from backtests.report.thesis_numbers import seal_numbers
    from backtests.thesis.ledger import verify as check
    from backtests.thesis.sample import Sample

    path = _ledger(ledger, store)
    with progress("verifying"):
        check(path, published=published)  # report a broken ledger before reading the history
        found = check(path, Sample.of(_real_history(store, end)))
    if json:
        seals = [seal_numbers(one) for one in found.seals]
        print_json({"ledger": str(path), "seals": seals, "changes": found.changes})
        return
    lines, last = number_of(len(found.seals), "line"), found.seals[-1].moment
    say(f"{path}: the chain of {lines} is unbroken; the last line is from {last:%Y-%m-%d}")
    for change in found.changes or ("nothing changed since the last line",):
        say(change)


app.command("seal")(seal)
app.command("verify")(verify)


def _refuse_options(context: typer.Context) -> None:
    """Raise ConfigError if an option is given before the name of a subcommand."""
    from signals.errors import ConfigError

    sources = {name: context.get_parameter_source(name) for name in context.params}
    given = [name for name, source in sources.items() if source and source.name == "COMMANDLINE"]
    if given:
        name = context.invoked_subcommand
        raise ConfigError(
            f"expected the options of '{name}' after its name, but --{given[0]} is given before "
            f"the name; write: drypowder thesis {name} --{given[0]} …"
        )


def _ledger(ledger: Path | None, store: Path | None) -> Path:
    """Return the path of the ledger; the default is ``ledger.jsonl`` beside the store."""
    from backtests.atomic import writable_name
    from backtests.store.store import store_path

    path = ledger or store_path(store).with_name("ledger.jsonl")
    return writable_name(path)


def _real_history(store: Path | None, end: str | None) -> "History":
    """Return the history of the store. A simulated history is not allowed for sealed claims."""
    asked = history_choice.HistoryOptions(source="store", store=store)
    return history_choice.choose_history(asked).open(end=end)


def _print(said: dict[str, Any], page: Path) -> None:
    from backtests.report.thesis_words import k_said

    window = said["window"]
    label = source_said(said["source"])
    say(f"{window['start']} to {window['end']}, source: {label}")
    say(styled(said["verdict"][0], "bold"))
    say(said["verdict"][1])
    claims = {claim["name"]: claim for claim in said["claims"]}
    print_records(COLUMNS, [{**row, "claim": claims[row["lead"]]} for row in said["links"]])
    for line in _LEGEND:
        say(line)
    if said["by_k"]:
        chosen = [row["k"] for row in said["by_k"]]
        low, high = percent_0(min(chosen)), percent_0(max(chosen))
        say(f"k from {low} to {high} % of GDP: {k_said(said['by_k'])}")
    for part, reason in said["lacking"].items():
        say(f"no {part}: {reason}")
    say(f"page: {page}")
    say_limits(backtest=True)


def _flags(row: dict[str, Any]) -> str:
    said = [f"{f['signal']} {state(f['on'])}" for f in row["flags"]]
    return ", ".join(said) or MISSING


COLUMNS: Columns = (
    (words("link"), lambda row: f"{row['link']}{'*' if row['is_primary'] else ''}"),
    (words("what it says", wraps=True, rank=2), lambda row: row["statement"]),
    (words("verdict"), lambda row: styled(row["verdict"], _STYLES.get(row["verdict"], ""))),
    (words("strength", rank=3), lambda row: row["strength"]),
    (numbers("p", rank=4), lambda row: p_value(row["claim"]["adjusted_p_value"])),
    (numbers("power, %", rank=5), lambda row: percent(row["claim"]["power"], 0)),
    (numbers("epi", rank=1), lambda row: text(row["episodes"])),
    (words("flag now", wraps=True, rank=6), _flags),
)
