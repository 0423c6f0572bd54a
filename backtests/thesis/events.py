"""Dated facts with their sources: market episodes, and dates of monetary policy.

The facts are in the file ``events.toml`` beside this module. A file of events contains a list of
tables ``[[episode]]`` and a list of tables ``[[policy]]``. A user can give a different file to
:func:`read_events`. The fields ``what``, ``scheduled`` and ``source`` of a policy table apply to
all its ``days``.
"""

import datetime
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import pydantic

from backtests.atomic import expanded
from backtests.calendar import new_york_now
from signals.errors import ConfigError, DataError, shown, unknown

Kind = Literal["market", "crypto", "plumbing", "policy"]
What = Literal[
    "FOMC statement", "end of runoff", "reserve-management purchases", "Treasury refunding"
]

#: The facts that come with the package.
FILE = Path(__file__).with_name("events.toml")
_STRICT = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)
_Text = Annotated[str, pydantic.Field(min_length=1)]


def _up_to_today(day: datetime.date) -> datetime.date:
    today = new_york_now().date()
    if day > today:
        raise ValueError(
            f"expected a date up to today, {today}, was {day}; remove the event now, and add it "
            "again when its date has come"
        )
    return day


def _of(known: Any, noun: str) -> pydantic.BeforeValidator:
    """Return a validator that refuses an unknown name and suggests the most similar known name."""

    def check(given: object) -> object:
        if isinstance(given, str) and given not in get_args(known):
            raise ValueError(unknown(noun, given, get_args(known)))
        return given

    return pydantic.BeforeValidator(check)


Day = Annotated[datetime.date, pydantic.AfterValidator(_up_to_today)]


class Episode(pydantic.BaseModel):
    """A named period of market stress.

    ``start`` and ``end`` are dates in New York, both included.
    """

    model_config = _STRICT

    name: Annotated[str, pydantic.Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: _Text
    start: Day
    end: Day
    kind: Annotated[Kind, _of(Kind, "kind")]
    source: _Text

    @pydantic.model_validator(mode="after")
    def _in_order(self) -> "Episode":
        if self.end < self.start:
            raise ValueError(
                f"expected an end on or after the start, but {self.name} starts on {self.start} "
                f"and ends on {self.end}; swap the two dates"
            )
        return self


class _PolicyDays(pydantic.BaseModel):
    """A table ``[[policy]]``: policy dates of the same kind and from the same source."""

    model_config = _STRICT

    what: Annotated[What, _of(What, "what")]
    scheduled: bool
    source: _Text
    days: Annotated[list[Day], pydantic.Field(min_length=1)]


class _File(pydantic.BaseModel):
    model_config = _STRICT

    episode: list[Episode] = []
    policy: list[_PolicyDays] = []


@dataclass(frozen=True, kw_only=True)
class PolicyDate:
    """The New York day of a policy event. ``scheduled`` is False for an unannounced date."""

    day: datetime.date
    what: What
    scheduled: bool
    source: str


@dataclass(frozen=True, kw_only=True)
class Events:
    """Episodes in order of their start, and policy dates in order of their day."""

    episodes: tuple[Episode, ...]
    policy: tuple[PolicyDate, ...]

    def days(self, what: What) -> tuple[datetime.date, ...]:
        """Return the days of one kind of policy event."""
        return tuple(date.day for date in self.policy if date.what == what)


def read_events(path: Path | None = None) -> Events:
    """Return the events in a file; if ``path`` is None, the events of the package.

    Raises
    ------
    DataError
        Raised if the file cannot be read.
    ConfigError
        Raised if the contents of the file are not valid. The file must be TOML with all required
        keys and no unknown key or kind. A name or a date must not occur twice. An episode must not
        end before it starts. No date may lie after today in New York.
    """
    file = FILE if path is None else expanded(path)
    try:
        read = _File.model_validate(_parsed(file))
    except pydantic.ValidationError as error:
        raise ConfigError(f"{file}: {_first_fault(error)}") from None
    policy = [
        PolicyDate(day=day, what=group.what, scheduled=group.scheduled, source=group.source)
        for group in read.policy
        for day in group.days
    ]
    _refuse_repeated(file, "episode", (episode.name for episode in read.episode))
    _refuse_repeated(file, "policy date", (f"{date.what} of {date.day}" for date in policy))
    return Events(
        episodes=tuple(sorted(read.episode, key=lambda episode: (episode.start, episode.end))),
        policy=tuple(sorted(policy, key=lambda date: (date.day, date.what))),
    )


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(
            f"expected a file of events at {file}, but the system reports: "
            f"{error.strerror or error}; correct the path"
        ) from None
    except (ValueError, RecursionError) as error:  # ValueError includes decoding errors
        raise ConfigError(f"expected TOML in {file}: {error}; correct it") from None


def _refuse_repeated(file: Path, noun: str, names: Iterable[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise ConfigError(
                f"{file}: expected each {noun} once, found {name} {count} times; keep one"
            )


def _first_fault(error: pydantic.ValidationError) -> str:
    fault = error.errors()[0]
    where = " ".join(str(part + 1) if isinstance(part, int) else str(part) for part in fault["loc"])
    if isinstance(cause := fault.get("ctx", {}).get("error"), Exception):
        return f"{where}: {cause}"
    return f"{where}: {fault['msg'].lower()}, was {shown(fault['input'])}; correct it"
