"""Flips that the last fetch or import caused, as plain data and as a line of text."""

from dataclasses import asdict
from typing import Any

from backtests.flipped import Flipped, SinceFetch
from backtests.report.plain import plain


def flipped_numbers(found: SinceFetch) -> dict[str, Any]:
    """Return the flips of the last fetch or import as plain data, with a summary in ``said``."""
    return plain({**asdict(found), "said": flipped_words(found)})


def flipped_words(found: SinceFetch) -> str:
    """Return one line: the states that flipped, or the reason why no comparison is possible."""
    if found.began is None:
        return "flips are unknown until the next fetch or import into this store"
    began = f"{found.began:%Y-%m-%d %H:%M}"
    if found.session is None:
        return f"flips are unknown: before the fetch at {began}, signals had too few data"
    if not found.flipped:
        return f"the data recorded since {began} caused no flip"
    said = "; ".join(map(_words, found.flipped))
    return f"the data recorded since {began} caused flips: {said}"


def _words(flip: Flipped) -> str:
    start = "" if flip.since is None else f" since {flip.since.date()}"
    revised = ", with late or revised data" if flip.revised else ""
    return f"{flip.what} from {flip.was} to {flip.now}{start}{revised}"
