"""The ledger of seals: each line of the file records the claims at one moment.

A seal is one line of JSON. A seal contains the claims, the parameters, the version of the code and
hashes of the data. Each line also contains the hash of the previous line, so an edited, removed or
moved line breaks the chain. The times of the seals must be in order, and a seal must not be older
than its data.

Anybody can compute the hashes, and the times of the seals come from the computer's clock. The chain
stays unbroken if somebody removes the last lines, or if somebody changes a line and computes all
later lines again. So an unbroken chain does not prove that a ledger is genuine. The published hash
of a seal proves that this seal and all earlier seals are unchanged, see ``published`` of
:func:`verify`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

import pandas as pd
import pydantic

from backtests.atomic import replacing, writable_name
from backtests.store.locking import PATIENCE, alone
from backtests.thesis.checkout import committed_claims
from backtests.thesis.sample import Sample
from backtests.thesis.sealed import (
    canonical,
    changes_of_claims,
    changes_of_code,
    changes_of_data,
    changes_of_parameters,
    current_code,
    declared,
    digest,
    parameters_in_use,
    series_digests,
)
from signals.errors import ConfigError, DataError

#: In the first line, this value stands in place of the hash of the previous line.
NONE_BEFORE = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Seal:
    """One line of the ledger.

    Attributes
    ----------
    number
        Number of the line, from 1.
    sealed_at
        Moment of the seal in UTC, for example ``2026-11-28T16:30:00+00:00``.
    code_version, code_digest
        Version of the package, and hash of the source code of signals, strategies and backtests.
    commit
        Git commit whose claims were sealed. None if git is missing or does not track the claims.
        Git does not track the claims of an installed package. If ``commit`` is None, nothing shows
        that the claims were committed.
    claims
        Every field of every claim.
    parameters
        Parameters of signals, regime models and thesis strategies, see
        :func:`backtests.thesis.sealed.parameters_in_use`.
    data_source, data_end, data_digest
        Source of the data (``store``, ``simulated`` or ``frames``), last session of the history,
        and hash of all series up to this session.
    series
        Hash of each series, see :func:`backtests.thesis.sealed.series_digests`.
    previous, hash
        Hash of the previous line, and hash of all other fields of this line.
    """

    number: int
    sealed_at: str
    code_version: str
    code_digest: str
    commit: str | None
    claims: list[dict[str, Any]]
    parameters: dict[str, dict[str, Any]]
    data_source: str
    data_end: str
    data_digest: str
    series: dict[str, str]
    previous: str
    hash: str

    @property
    def moment(self) -> pd.Timestamp:
        """The moment of the seal, in UTC."""
        return pd.Timestamp(self.sealed_at)

    @property
    def line(self) -> str:
        """The line of the ledger, without the line break at its end."""
        return canonical(asdict(self))


@dataclass(frozen=True, kw_only=True)
class Verified:
    """The seals of an unbroken ledger, and one sentence for each change since the last seal."""

    seals: tuple[Seal, ...]
    changes: tuple[str, ...]


def seal(ledger: Path | str, sample: Sample) -> Seal:
    """Seal the current claims in a new line of a ledger, and return the seal.

    A missing ledger is created. The file is written completely or not at all. If two programs seal
    at the same time, the second program waits for the first program, at most
    :data:`backtests.store.locking.PATIENCE` seconds.

    Raises
    ------
    ConfigError
        Raised if the claims have uncommitted changes (see
        :func:`backtests.thesis.checkout.committed_claims`), or if the path is invalid.
    DataError
        Raised if the chain is broken, if the file cannot be written, or if another program does not
        finish its seal in time. DataError is also raised if the clock shows a time before the last
        seal or before the end of the data.
    """
    path = writable_name(ledger)
    contents = _contents(sample)
    _make_folder(path)
    busy = f"expected to write to {path}, but another program is sealing; wait until it ends"
    with alone(path, ".lock", busy, PATIENCE):
        seals = read_ledger(path) if path.exists() else ()
        made = _next(seals, contents)
        _check_clock(made, seals[-1] if seals else None)
        before = "".join(f"{one.line}\n" for one in seals)
        with replacing(path) as fresh:
            fresh.write_bytes(f"{before}{made.line}\n".encode())
    return made


def _contents(sample: Sample) -> dict[str, Any]:
    history, end = sample.history, sample.sessions[-1]
    series, code = series_digests(history, end), current_code()
    return {
        "code_version": code["version"],
        "code_digest": code["digest"],
        "commit": committed_claims(),
        "claims": declared(),
        "parameters": parameters_in_use(),
        "data_source": history.source,
        "data_end": str(end.date()),
        "data_digest": digest(canonical(series)),
        "series": series,
    }


def _next(seals: tuple[Seal, ...], contents: dict[str, Any]) -> Seal:
    line = {
        **contents,
        "number": len(seals) + 1,
        "sealed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "previous": seals[-1].hash if seals else NONE_BEFORE,
    }
    return Seal(**line, hash=digest(canonical(line)))


def _make_folder(path: Path) -> None:
    """Create the folder of a ledger; raise DataError if the path cannot be a ledger."""
    _refuse_folder(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"expected a folder at {path.parent} for the ledger, but the system reports: "
            f"{error.strerror or error}; give another path"
        ) from None


def _refuse_folder(path: Path) -> None:
    if path.is_dir():
        raise DataError(f"expected a file at {path}, but it is a folder; give a file in it")


def read_ledger(ledger: Path | str) -> tuple[Seal, ...]:
    """Return the seals of a ledger, in order.

    Raises
    ------
    DataError
        Raised if the path is a folder, if the file is missing or empty, or if a line was edited,
        removed, moved or cut. DataError is also raised if a seal is older than its data or older
        than the previous seal. The error message names the faulty line. Missing lines at the end
        are not detected.
    """
    path = writable_name(ledger)
    _refuse_folder(path)
    try:
        text = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"expected a ledger at {path}, but the system reports: {error.strerror or error}; make "
            "one with 'drypowder thesis seal'"
        ) from None
    seals: list[Seal] = []
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        seals.append(_checked(line, number, seals[-1] if seals else None, path))
    if not seals:
        raise DataError(f"expected a seal in {path}, but the file is empty; restore it from a copy")
    return tuple(seals)


def _checked(line: bytes, number: int, before: Seal | None, path: Path) -> Seal:
    """Return the seal that a line contains; raise DataError if the line breaks the chain."""
    if not line.endswith(b"\n"):
        raise _broken(path, number, "a whole line", "the line is cut off")
    found = _parsed(line[:-1])
    if found is None:
        raise _broken(path, number, "a seal", "the line does not contain a seal")
    content = {name: value for name, value in asdict(found).items() if name != "hash"}
    if digest(canonical(content)) != found.hash or found.line.encode() != line[:-1]:
        raise _broken(path, number, "the sealed text", "the text was edited")
    if found.number != number or found.previous != (before.hash if before else NONE_BEFORE):
        raise _broken(
            path,
            number,
            f"seal {number}",
            f"this line contains seal {found.number}, so a line was removed or moved",
        )
    wrong = _wrong_moment(found, before)
    if wrong:
        raise _broken(path, number, *wrong)
    return found


def _check_clock(made: Seal, before: Seal | None) -> None:
    """Raise DataError if the clock of the computer shows a moment that is too early for a seal."""
    wrong = _wrong_moment(made, before)
    if wrong:
        wanted, was = wrong
        raise DataError(f"expected {wanted}, but {was}; correct the clock of this computer")


def _wrong_moment(found: Seal, before: Seal | None) -> tuple[str, str] | None:
    """Return None if the moment of a seal is right, else two phrases for an error message.

    The first phrase says what was expected, and the second phrase says what was found. The moment
    must not be before the last session of the sealed data, or before the previous seal.
    """
    try:
        day, end = found.moment.tz_convert("UTC").date(), date.fromisoformat(found.data_end)
    except (TypeError, ValueError):
        was = f"the line contains {found.sealed_at!r} and {found.data_end!r}"
        return "the moment of the seal in UTC and the last session of its data", was
    if day < end:
        was = f"the seal was made on {day}, and the data end on {end}"
        return "a seal made on or after the last day of its data", was
    if before is not None and found.moment < before.moment:
        was = (
            f"the seal was made at {found.sealed_at}, and the previous seal was made at "
            f"{before.sealed_at}"
        )
        return "a seal made at the time of the previous seal or later", was
    return None


def _parsed(line: bytes) -> Seal | None:
    try:
        return pydantic.TypeAdapter(Seal).validate_json(line, strict=True)
    except pydantic.ValidationError:
        return None


def _broken(path: Path, number: int, expected: str, was: str) -> DataError:
    return DataError(
        f"expected {expected} in line {number} of {path}, but {was}; restore the ledger from a copy"
    )


def verify(
    ledger: Path | str, sample: Sample | None = None, *, published: str | None = None
) -> Verified:
    """Return the seals of a ledger, and what changed since the last seal.

    Parameters
    ----------
    sample
        The sample whose data are compared with the sealed data. If ``sample`` is None, only claims,
        parameters and code are compared with the last seal.
    published
        The published hash of a seal: 64 hexadecimal digits, in lower or upper case. The ledger must
        contain a seal with the published hash.

    Raises
    ------
    ConfigError
        Raised if ``published`` is not a hash.
    DataError
        Raised if :func:`read_ledger` cannot read the ledger, or if the published seal is missing.
    """
    wanted = None if published is None else _hash_of(published)
    seals = read_ledger(ledger)
    if wanted is not None and wanted not in {one.hash for one in seals}:
        raise DataError(
            f"expected the published seal {wanted[:12]} in {ledger}, but no line has this hash; "
            "the last lines may have been removed: restore the ledger from a copy"
        )
    return Verified(seals=seals, changes=tuple(changes_since(seals[-1], sample)))


def _hash_of(published: str) -> str:
    """Return a hash in lower case; raise ConfigError if the hash is not 64 hexadecimal digits."""
    if not re.fullmatch("[0-9a-fA-F]{64}", published):
        raise ConfigError(
            f"expected a published hash of 64 hexadecimal digits, but it is {published!r}; give "
            "the whole hash that 'drypowder thesis seal' printed"
        )
    return published.lower()


def in_force(seals: Sequence[Seal]) -> Seal:
    """Return the last seal that changed the claims or parameters.

    If no seal changed the claims or parameters, return the first seal. All later seals
    have the same claims and parameters as this seal. E-values use the weeks after this seal, so a
    new seal of unchanged claims does not restart the e-values.
    """
    last = seals[-1]
    unchanged = takewhile(
        lambda one: (one.claims, one.parameters) == (last.claims, last.parameters), reversed(seals)
    )
    return list(unchanged)[-1]


def changes_since(last: Seal, sample: Sample | None = None) -> Iterator[str]:
    """Yield one sentence for each change of claims, parameters, code and data since a seal.

    If ``sample`` is None, the current data are not compared with the sealed data.
    """
    yield from changes_of_claims(last.claims, declared())
    yield from changes_of_parameters(last.parameters, parameters_in_use())
    code = {"version": last.code_version, "digest": last.code_digest}
    yield from changes_of_code(code, current_code())
    if sample is not None:
        yield from _changes_of_sample(last, sample)


def _changes_of_sample(last: Seal, sample: Sample) -> Iterator[str]:
    end, ends_now = pd.Timestamp(last.data_end), sample.sessions[-1]
    if sample.history.source != last.data_source:
        yield f"data: the source was {last.data_source}, now it is {sample.history.source}"
    if ends_now != end:
        yield f"data: the last session was {end.date()}, now it is {ends_now.date()}"
    if ends_now < end:
        yield "data: the history is shorter than the sealed data, so the values were not compared"
    else:
        yield from changes_of_data(last.series, sample.history, end)
