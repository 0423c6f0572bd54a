"""The contents of a seal (claims, parameters, code, data), and what changed since a seal."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import backtests
import signals
import strategies
from backtests.history.panel import History
from backtests.thesis.claims import CLAIMS
from backtests.version import __version__
from signals.params import parameters
from signals.regimes import Labels, Votes

#: Files with these endings belong to the code.
SOURCE = (".py", ".toml")
#: A message names at most this number of series.
NAMED = 10


def canonical(data: Any) -> str:
    """Return data as JSON on one line with sorted keys; equal data give equal text."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False)


def digest(text: str) -> str:
    """Return the SHA-256 hash of a text in UTF-8, as hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def declared() -> list[dict[str, Any]]:
    """Return every field of every claim, as data for JSON, in the order of the claims.

    The date on which a claim was declared is an ISO string.
    """
    return [_plain({**asdict(claim), "declared": claim.declared.isoformat()}) for claim in CLAIMS]


def parameters_in_use() -> dict[str, dict[str, Any]]:
    """Return a mapping from name to default parameters.

    The mapping contains all signals, regime models and thesis strategies. Examples of names are
    ``signal dry_powder``, ``regime model votes`` and ``strategy cash-heavy``. The regime model
    ``labels`` has no default parameters and is left out.
    """
    models = {
        name: Votes(voters=signals.voters()) if model is Votes else model()
        for name, model in signals.REGIMES.items()
        if model is not Labels
    }
    tilts = {
        name: strategy()
        for name, strategy in strategies.STRATEGIES.items()
        if strategies.kind_of(strategy) == "thesis"
    }
    kinds: dict[str, Mapping[str, object]] = {
        "signal": signals.default_signals(),
        "regime model": models,
        "strategy": tilts,
    }
    return {
        f"{kind} {name}": _plain(parameters(one))
        for kind, named in kinds.items()
        for name, one in named.items()
    }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return values after conversion to JSON and back, so that tuples become lists."""
    plain: dict[str, Any] = json.loads(canonical(values))
    return plain


def code_digest() -> str:
    """Return a hash of the Python and TOML files of signals, strategies and backtests."""
    return digest(canonical(dict(_sources())))


def _sources() -> Iterator[tuple[str, str]]:
    for package in (signals, strategies, backtests):
        folder = Path(str(package.__file__)).parent
        for path in folder.rglob("*"):
            if path.suffix in SOURCE and path.is_file():
                name = path.relative_to(folder.parent).as_posix()
                yield name, hashlib.sha256(path.read_bytes()).hexdigest()


def series_digests(history: History, end: pd.Timestamp) -> dict[str, str]:
    """Return one hash for each series of a history.

    Only values up to the session ``end`` are used. The name ``known WALCL`` means the values of
    WALCL as known at each close. The name ``close SPY`` means the closing prices of SPY. A hash
    depends on all values and their dates. A series without any value is left out.
    """
    found = {}
    for kind, frame in (("known", history.panel), ("close", history.closes)):
        for id in frame:
            values = frame[id].loc[:end].dropna()
            if len(values):
                sha = hashlib.sha256(values.index.to_numpy().astype("datetime64[D]").tobytes())
                sha.update(np.ascontiguousarray(values.to_numpy(dtype=np.float64)).tobytes())
                found[f"{kind} {id}"] = sha.hexdigest()[:16]
    return found


def current_code() -> dict[str, str]:
    """Return the version of the package and the hash of its source code."""
    return {"version": __version__, "digest": code_digest()}


def changes_of_claims(was: list[dict[str, Any]], now: list[dict[str, Any]]) -> Iterator[str]:
    """Yield one sentence for each claim that was added or removed, and for each changed field."""
    before, after = ({claim["name"]: claim for claim in claims} for claims in (was, now))
    yield from _changes("claim", before, after)


def changes_of_parameters(
    was: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Yield one sentence for each signal, regime model or strategy that was added or removed.

    Also yield one sentence for each changed parameter.
    """
    yield from _changes("", was, now)


def _changes(
    kind: str, was: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    for name in dict.fromkeys([*was, *now]):
        title = f"{kind} {name}".strip()
        if name not in now:
            yield f"{title}: removed since the seal"
        elif name not in was:
            yield f"{title}: added since the seal"
        else:
            for field in dict.fromkeys([*was[name], *now[name]]):
                before, after = was[name].get(field), now[name].get(field)
                if before != after:
                    yield f"{title}: {field} was {before!r}, now it is {after!r}"


def changes_of_code(was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence if the version changed, and a sentence if the source code changed."""
    if was["version"] != now["version"]:
        yield f"code: the version was {was['version']}, now it is {now['version']}"
    if was["digest"] != now["digest"]:
        yield (
            "code: the source hash of signals, strategies and backtests was "
            f"{was['digest'][:12]}, now it is {now['digest'][:12]}"
        )


def changes_of_data(was: Mapping[str, str], history: History, end: pd.Timestamp) -> Iterator[str]:
    """Yield sentences about series that changed, are missing or are new.

    Only values up to the session ``end`` are compared.
    """
    now = series_digests(history, end)
    different = [name for name in was if name in now and was[name] != now[name]]
    for names, what in (
        (different, "have other values"),
        ([name for name in was if name not in now], "are missing"),
        ([name for name in now if name not in was], "are new"),
    ):
        if names:
            yield (
                f"data: up to {end.date()}, {len(names)} series {what} since the seal: "
                f"{', '.join(names[:NAMED])}{', …' if len(names) > NAMED else ''}"
            )
