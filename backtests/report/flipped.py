"""What flipped with the last fetch, as plain data and in one line."""

from dataclasses import asdict
from typing import Any

from backtests.flipped import Flipped, SinceFetch
from backtests.report.numbers import plain


def flipped_numbers(found: SinceFetch) -> dict[str, Any]:
    """Return the comparison with dates as ISO strings; the key ``said`` has a one-line summary."""
    return plain({**asdict(found), "said": flipped_words(found)})


def flipped_words(found: SinceFetch) -> str:
    """Return one line: the states that flipped, or the reason why no comparison is possible."""
    if found.began is None:
        return "flips are unknown until the next fetch or import into this store"
    began = f"{found.began:%Y-%m-%d %H:%M}"
    if found.session is None:
        return f"flips are unknown: the data before the fetch of {began} give no signals"
    if not found.flipped:
        return f"no flip with the data recorded from {began} on"
    said = "; ".join(map(_words, found.flipped))
    return f"flipped with the data recorded from {began} on: {said}"


def _words(flip: Flipped) -> str:
    start = "" if flip.since is None else f" since {flip.since.date()}"
    revised = ", with late or revised data" if flip.revised else ""
    return f"{flip.what} from {flip.was} to {flip.now}{start}{revised}"
