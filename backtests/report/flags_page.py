"""The page of ``drypowder flags``: the regime, its rule, and a chart for each signal."""

from pathlib import Path

from backtests.atomic import write_text
from backtests.history.origin import stale_warning
from backtests.history.panel import History
from backtests.report.docstring import sections
from backtests.report.flags_charts import MOST_DAYS, first_regime, flags_timeline, signal_panels
from backtests.report.flags_numbers import RULES_SAID, flags_numbers
from backtests.report.page import page, render
from backtests.report.theme import FLAGS, css_of_lines, css_states, present, shown_regime
from backtests.simulated import label_of
from signals.base import Evaluation
from signals.evaluations import inputs_of
from signals.form import WITHOUT
from signals.reading import Reading
from signals.regimes import Votes
from signals.stays import stays

#: For each signal, the page lists at most this number of periods in which a component of the score
#: was missing.
STRETCHES = 5


def write_flags_page(
    history: History,
    reading: Reading,
    path: Path,
    *,
    newest: bool = True,
) -> None:
    """Write one self-contained page: the votes, and a section on each signal.

    An existing page is replaced. ``history`` and ``reading`` must end at the session that the page
    shows. If ``newest`` is True, the page warns about an outdated history. No chart begins before
    :func:`backtests.report.flags_charts.first_regime`.
    """
    label, said = label_of(history.is_simulated), flags_numbers(history, reading)
    among = {name: evaluation.signal for name, evaluation in reading.evaluations.items()}
    start = first_regime(reading)
    entries = [
        {
            "name": name,
            "link": evaluation.signal.link,
            "definition": sections(type(evaluation.signal)),
            "stretches": stretches(evaluation),
            "chart": signal_panels(
                evaluation,
                history.panel[list(inputs_of(evaluation.signal, among))],
                start,
                f"{label}{name} and its inputs",
            ),
            **said["signals"][name],
        }
        for name, evaluation in reading.evaluations.items()
    ]
    section = render(
        "flags.html.j2",
        said=said,
        label=label,
        colours=css_of_lines(),
        meaning=_meaning(reading),
        reason=_reason(said["sentence"]),
        stale=stale_warning(history) if newest else None,
        start=start.date(),
        legend=_legend(reading),
        timeline=flags_timeline(reading, f"{label}regime and flags", MOST_DAYS),
        entries=entries,
    )
    write_text(path, page(f"{label}flags, {said['as_of']}", section))


def _legend(reading: Reading) -> dict[str, str]:
    """Return a mapping from name to colour, for the regimes that occur and the flag states."""
    shown = reading.regime.loc[first_regime(reading) :].fillna("none")
    regimes = {shown_regime(name): colour for name, colour in css_states(present(shown)).items()}
    return regimes | {f"flag: {state}": colour for state, colour in css_states(FLAGS).items()}


def _meaning(reading: Reading) -> str | None:
    """Return the rule that decided the regime in plain words.

    The result is None if the rule no longer applies, or if a model without rules decided.
    """
    decided, holds = reading.decided_by.iloc[-1], reading.rule.iloc[-1]
    is_known = isinstance(reading.model, Votes) and reading.regime.iloc[-1] is not None
    return RULES_SAID.get(str(holds)) if is_known and decided == holds else None


def _reason(sentence: str) -> str:
    """Return the part of a sentence after its first colon: the reason for the regime.

    The page's heading shows the part before the first colon. A sentence without a colon is returned
    whole.
    """
    reason = sentence.partition(": ")[2] or sentence
    return reason[:1].upper() + reason[1:]


def stretches(evaluation: Evaluation) -> list[str]:
    """Return texts on the last five periods with missing components of the score, newest first."""
    if not evaluation.signal.components:
        return []
    lacking = evaluation.gauges[WITHOUT].fillna("")
    lacking = lacking.loc[evaluation.score.first_valid_index() :]
    days = lacking.index
    said = [
        f"{days[first].date()} to {days[last].date()} without {missing}"
        for missing, first, last in stays(lacking)
        if missing
    ]
    return said[::-1][:STRETCHES]
