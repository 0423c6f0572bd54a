"""Draw liquidity as water in a bathtub, with a number and a date at each part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backtests.format import MISSING, fixed, is_missing, percent, thousands
from backtests.report.svg import box, line, picture, words

Numbers = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Size of the bathtub chart, and positions of the bathtub and of four texts.

    ``width`` and ``height`` are the size of the chart. ``x`` and ``y`` are the position of the
    bathtub's upper left corner. ``w`` and ``h`` are the width and the height of the bathtub.
    ``texts`` maps the name of each text to the position at which the text starts.
    """

    width: float
    height: float
    x: float
    y: float
    w: float
    h: float
    texts: Mapping[str, tuple[float, float]]


WIDE = Layout(
    width=760,
    height=312,
    x=265,
    y=84,
    w=230,
    h=136,
    texts={"tap": (4, 24), "pipes": (540, 24), "idle": (4, 190), "drain": (430, 246)},
)
NARROW = Layout(
    width=360,
    height=452,
    x=70,
    y=122,
    w=220,
    h=130,
    texts={"tap": (0, 14), "pipes": (184, 14), "drain": (0, 312), "idle": (0, 398)},
)


def bathtub_chart(now: Numbers, layout: Layout, name: str) -> str:
    """Return the bathtub chart. ``now`` comes from :func:`backtests.report.bathtub.bathtub_now`."""
    texts = {
        "tap": ("THE FED'S ASSETS", _flow(now["tap"]), "in a quarter"),
        "pipes": ("TREASURY AND REPO", *_effect(now["pipes"])),
        "drain": ("CAPEX OF AI FIRMS", _drained(now), _absorbed(now)),
        "idle": ("IDLE CAPITAL", _idle(now)),
    }
    parts = [*_water(now["level"], layout), *_tub(layout), *_flows(now, layout)]
    for key, (title, *said) in texts.items():
        shown = [] if is_missing(now[key]["value"]) else said
        parts += _text(*layout.texts[key], title, shown, _known(now[key]))
    return picture(name, layout.width, layout.height, parts, "bathtub")


def bathtub_said(now: Numbers) -> str:
    """Return the numbers of the bathtub as a sentence, for readers who cannot see the picture."""
    return "; ".join(
        (
            f"net liquidity {_billions(now['level']['value'])}",
            f"the Fed's assets {_flow(now['tap'])} in a quarter",
            f"Treasury and repo {' '.join(_effect(now['pipes']))}",
            f"capex of AI firms {_drained(now)}, {_absorbed(now)}",
            f"idle capital {_idle(now)}",
        )
    )


def _billions(value: float | None) -> str:
    return MISSING if is_missing(value) else f"{thousands(value)} bn USD"


def _flow(entry: Mapping[str, Any]) -> str:
    value = entry["value"]
    return MISSING if is_missing(value) else f"{'+' if value > 0 else ''}{_billions(value)}"


def _effect(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Return two lines: the liquidity that the balances added or took in a quarter.

    Falling balances add liquidity, and rising balances take liquidity.
    """
    value = entry["value"]
    if is_missing(value):
        return MISSING, "in a quarter"
    verb, where = ("took", "from") if value < 0 else ("added", "to")
    return f"{verb} {_billions(abs(value))}", f"{where} liquidity in a quarter"


def _drained(now: Numbers) -> str:
    growth = now["growth"]["value"]
    grown = "" if is_missing(growth) else f", {growth:+z.0f} % in one year"
    return f"{_billions(now['drain']['value'])} a year{grown}"


def _idle(now: Numbers) -> str:
    share = now["idle_share"]["value"]
    return f"{_billions(now['idle']['value'])}, {fixed(share, 1, now['idle_share']['unit'])}"


def _absorbed(now: Numbers) -> str:
    share = now["absorbed"]["value"]
    return f"{MISSING if is_missing(share) else percent(share, 0)} % of (capex + idle capital)"


def _known(entry: Mapping[str, Any]) -> str:
    return "no value" if is_missing(entry["value"]) else f"known {entry['known']}"


def _text(x: float, y: float, title: str, said: Sequence[str], date: str) -> list[str]:
    lines = [(title, "strong"), *((line, "") for line in said), (date, "s")]
    return [words(x, y + 17 * at, text, kind) for at, (text, kind) in enumerate(lines)]


def _water(level: Mapping[str, Any], at: Layout) -> list[str]:
    """Draw net liquidity as the water level. A full tub means the highest net liquidity so far."""
    if is_missing(level["value"]) or is_missing(level["highest"]):
        return [words(at.x + at.w / 2, at.y + at.h / 2, "no water level", "s", "middle")]
    top = at.y + 22
    share = min(max(level["value"] / level["highest"], 0.0), 1.0)
    surface = at.y + at.h - share * (at.y + at.h - top)
    middle, foot = at.x + at.w / 2, at.y + at.h
    return [
        box(at.x + 3, surface, at.w - 6, foot - surface - 3, "water"),
        line(at.x + 3, top, at.x + at.w - 3, top, "edge"),
        words(middle, top - 6, _highest(level), "s", "middle"),
        words(middle, foot - 62, "NET LIQUIDITY", "strong", "middle"),
        words(middle, foot - 44, _billions(level["value"]), "", "middle"),
        words(middle, foot - 27, f"{100 * share:.0f} % of the highest value", "", "middle"),
        words(middle, foot - 10, _known(level), "s", "middle"),
    ]


def _highest(level: Mapping[str, Any]) -> str:
    return f"highest {thousands(level['highest'])}, {level['highest_at']}"


def _tub(at: Layout) -> list[str]:
    """Return the lines of the bathtub: two walls, the bottom, and a short rim on each wall."""
    right, foot = at.x + at.w, at.y + at.h
    return [
        line(at.x, at.y, at.x, foot, "wall"),
        line(right, at.y, right, foot, "wall"),
        line(at.x, foot, right, foot, "wall"),
        line(at.x - 8, at.y, at.x + 2, at.y, "wall"),
        line(right - 2, at.y, right + 8, at.y, "wall"),
    ]


def _flows(now: Numbers, at: Layout) -> list[str]:
    """Return three arrows for the flow of liquidity: at the tap, at the pipes and at the drain."""
    right, foot = at.x + at.w, at.y + at.h
    absorbed = now["absorbed"]["value"]
    wide = 6.0 if is_missing(absorbed) else 6.0 + 22.0 * absorbed
    return [
        *_arrow(at.x + 26, at.y - 34, at.y - 6, now["tap"]["value"], 9),
        *_arrow(right - 26, at.y - 34, at.y - 6, now["pipes"]["value"], 9),
        *_arrow(at.x + at.w / 2, foot + 4, foot + 40, now["drain"]["value"], wide),
    ]


def _arrow(x: float, top: float, bottom: float, flow: float | None, wide: float) -> list[str]:
    """Return an arrow that shows a flow of liquidity.

    The arrow of a positive flow points down, and the arrow of a negative flow points up. If the
    flow is zero or missing, there is no arrow.
    """
    if is_missing(flow) or flow == 0:
        return []
    start, tip = (top, bottom) if (flow or 0) > 0 else (bottom, top)
    head = 10 if tip > start else -10
    body = box(x - wide / 2, min(start, tip - head), wide, abs(tip - head - start), "flow")
    corners = f"M{x - wide / 2 - 6:.1f} {tip - head:.1f}h{wide + 12:.1f}L{x:.1f} {tip:.1f}Z"
    return [body, f'<path class="flow" d="{corners}"/>']
