"""Run the commands on 400 hostile inputs.

A command must accept each input, or refuse it with one line that is safe to print.

    python -m benchmarks.hostile            # all inputs
    python -m benchmarks.hostile --every 10 # every tenth input

The inputs are terminal escapes, rich markup, marks of text direction, odd numbers and odd paths.
The inputs occur in arguments, config files, file names, tables, answers of servers, environment
variables, and a user's classes. Most cases run in forked children of one process. A case that needs
a fresh Python, for example with another environment, runs in its own process.

A case passes if:

- the exit code is 0, 2 or 3;
- stderr has at most one line apart from notices and warnings;
- the output contains no raw control character and no traceback;
- with ``--json``, stdout is JSON.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.forks import PATIENCE, Ended, Order, fork, warm

#: Beginnings of lines on stderr that are not errors. The C library Fontconfig also prints lines.
_BESIDE = ("notice: ", "warning: ", "wrote ", "Fontconfig warning: ")
ROOT = Path(__file__).resolve().parent.parent
CODES = (0, 2, 3)
RAW = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f\u2028\u2029\ufeff]"
)
TEXTS = {
    "red": "\x1b[31mred\x1b[0m",
    "clear": "\x1b[2J\x1b[H",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;http://127.0.0.1/\x1b\\here\x1b]8;;\x1b\\",
    "8-bit": "\x9b31mred",
    "return": "fine\rerror",
    "back": "bad\x08\x08\x08",
    "delete": "x\x7f",
    "right to left": "\u202egnp.exe",
    "unseen": "a\u200bb\ufeff",
    "separator": "a\u2028b",
    "not UTF-8": "a\udcffb",
    "markup": "[bold red]x[/bold red]",
    "closing markup": "[/x]",
    "newline": "x\nerror: fake",
    "empty": "",
    "blank": "  ",
    "long": "A" * 5000,
    "format": "%s%n{0}{x!r}",
}
#: The hostile strings that a file name or an environment variable can contain.
NAMES = {name: text for name, text in TEXTS.items() if name not in ("empty", "long", "blank")}
HUGE = "9" * 4000

STRATEGY = '''
import sys
from dataclasses import dataclass
from typing import ClassVar
import pandas as pd
from strategies import Strategy
{top}

@dataclass(frozen=True, kw_only=True)
class Mine(Strategy):
    """Half in SPY."""
    name: ClassVar[str] = "mine"
    description: ClassVar[str] = "half in SPY"
    window: int = 5

    @property
    def assets(self):
        {assets}
        return ("SPY",)

    def state(self, reading, panel):
        {state}
        return None

    def weights(self, reading, panel):
        {weights}
        return pd.DataFrame({{"SPY": 0.5}}, index=panel.index)
    {more}
'''
ODD = """
class Odd:
    def __repr__(self): raise ValueError("no repr")
    __str__ = __repr__
class Odder(Exception):
    def __str__(self): raise ValueError("no str")
class Base(BaseException): pass
"""
#: Faults of a user's class: a mapping from the name of a fault to the code that is inserted into
#: the text above.
FAULTS: dict[str, dict[str, str]] = {
    "prints": {"top": "print('hello')", "weights": "print('more')"},
    "prints escapes": {"weights": "print('\\x1b[31mred')"},
    "exits at import": {"top": "sys.exit(1)"},
    "exits in assets": {"assets": "sys.exit(1)"},
    "exits in weights": {"weights": "sys.exit(1)"},
    "exits with 0": {"weights": "sys.exit(0)"},
    "exits in state": {"state": "sys.exit()"},
    "exits in __post_init__": {"more": "def __post_init__(self): sys.exit(1)"},
    "exits in __repr__": {"more": "def __repr__(self): sys.exit(1)"},
    "exits in __eq__": {"more": "def __eq__(self, other): sys.exit(1)"},
    "raises in __repr__": {"more": "def __repr__(self): raise ValueError('no')"},
    "raises in __str__": {"more": "def __str__(self): raise ValueError('no')"},
    "raises in __hash__": {"more": "def __hash__(self): raise ValueError('no')"},
    "raises escapes": {"weights": "raise ValueError('\\x1b]0;owned\\x07')"},
    "raises escapes in assets": {"assets": "raise ValueError('\\x1b[31mred')"},
    "raises markup": {"weights": "raise ValueError('[/x]')"},
    "raises long": {"weights": "raise ValueError('x' * 100000)"},
    "raises lines": {"weights": "raise ValueError('a\\nb\\nc')"},
    "raises BaseException": {"top": ODD, "weights": "raise Base('no')"},
    "raises BaseException at import": {"top": ODD + "raise Base('no')"},
    "raises in __post_init__": {"more": "def __post_init__(self): raise ValueError('\\x1b[31m')"},
    "raises an odd error in __post_init__": {
        "top": ODD,
        "more": "def __post_init__(self): raise Odder",
    },
    "raises BaseException in __post_init__": {
        "top": ODD,
        "more": "def __post_init__(self): raise Base",
    },
    "an error without text": {"top": ODD, "weights": "raise Odder"},
    "an error without text at import": {"top": ODD + "raise Odder"},
    "returns what cannot be shown": {"top": ODD, "assets": "return Odd()"},
    "returns such weights": {"top": ODD, "weights": "return Odd()"},
    "returns such a state": {"top": ODD, "state": "return pd.Series(Odd(), index=panel.index)"},
    "holds such weights": {
        "top": ODD,
        "weights": "return pd.DataFrame({'SPY': Odd()}, index=panel.index)",
    },
    "a module __getattr__": {"top": "def __getattr__(name): raise ValueError('no')\n"},
    "recursion": {"weights": "return self.weights(reading, panel)"},
    "deep memory": {"weights": "raise MemoryError"},
    "not implemented": {"weights": "raise NotImplementedError"},
    "stops iteration": {"weights": "raise StopIteration"},
    "ends a generator": {"weights": "raise GeneratorExit"},
    "a name with escapes": {"more": "name: ClassVar[str] = '\\x1b[31m'"},
    "a line with escapes": {"more": "description: ClassVar[str] = '\\x1b[31mred'"},
    "tickers with escapes": {"assets": "return ('\\x1b[31m',)"},
    "states with escapes": {"state": "return pd.Series('\\x1b[31m', index=panel.index)"},
    "a name that is not there": {"weights": "return nothing"},
    "closes stdout": {"weights": "sys.stdout.close()"},
    "writes to stdout": {"weights": "sys.stdout.write('x')"},
}
CONFIGS: dict[str, str] = {
    "a huge number": f"strategy = 'spy'\nlag = {HUGE}",
    "a huge amount": f"strategy = 'spy'\ninitial_capital = {HUGE}",
    "a huge band": f"strategy = 'spy'\nband = {HUGE}",
    "a huge seed": f"strategy = 'spy'\nsource = 'simulated'\nseed = {HUGE}",
    "huge years": f"strategy = 'spy'\nsource = 'simulated'\nyears = {HUGE}",
    "a huge cost": f"strategy = 'spy'\n[costs]\netf_bp = {HUGE}",
    "a huge offset": f"strategy = 'spy'\n[schedule]\noffset = {HUGE}",
    "a huge parameter": f"strategy = 'near-cash-flow'\n[params]\nvolatility = {HUGE}",
    "a huge signal": f"strategy = 'spy'\n[signals.dry_powder]\nk = {HUGE}",
    "a too huge number": f"strategy = 'spy'\nlag = {'9' * 5000}",
    "a date as number": "strategy = 'spy'\nstart = 1420070400",
    "a date as float": "strategy = 'spy'\nstart = 1.5",
    "a date as text": "strategy = 'spy'\nstart = '1420070400'",
    "a time": "strategy = 'spy'\nstart = 12:00:00",
    "a far date": "strategy = 'spy'\nstart = 9999-12-31",
    "an early date": "strategy = 'spy'\nend = 0001-01-01",
    "null in a path": 'strategy = "spy"\nstore = "a\\u0000b"',
    "another's home": "strategy = 'spy'\nstore = '~nosuchuser/x'",
    "null in a name": 'strategy = "s\\u0000py"',
    "nested": "strategy = 'spy'\nx = " + "[" * 3000 + "]" * 3000,
    "a table for a name": "[strategy]\nx = 1",
    "a list of costs": "strategy = 'spy'\ncosts = [1]",
    "nan": "strategy = 'spy'\n[costs]\netf_bp = nan",
    "infinite": "strategy = 'spy'\ninitial_capital = inf",
    "escapes in a sleeve": 'strategy = "near-cash-flow"\n[universe]\nmemory = ["\\u001b[31m"]',
    "escapes in a benchmark": 'strategy = "spy"\nbenchmark = "\\u001b[31m"',
    "escapes in a signal": 'strategy = "spy"\n[signals."\\u001b[31m"]\nk = 1',
    "escapes in own signals": 'strategy = "spy"\n[plugin_signals]\n"\\u001b[31m:X" = true',
    "markup in a benchmark": 'strategy = "spy"\nbenchmark = "[/x]"',
}
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "optimised": {"PYTHONOPTIMIZE": "2"},
    "optimised once": {"PYTHONOPTIMIZE": "1"},
    "no such backend": {"MPLBACKEND": "nope"},
    "ASCII": {"PYTHONIOENCODING": "ascii"},
    "UTF-16": {"PYTHONIOENCODING": "utf-16"},
    "no such locale": {"LC_ALL": "nope", "PYTHONUTF8": "0"},
    "no terminal": {"TERM": "nope", "COLUMNS": "x"},
    "narrow": {"COLUMNS": "1"},
    "no colours": {"NO_COLOR": "1"},
    "no such zone": {"TZ": "No/Such"},
    "no home": {"HOME": "/nonexistent", "XDG_DATA_HOME": "/nonexistent"},
    "unbuffered": {"PYTHONUNBUFFERED": "1"},
}
SIMULATED = ("--source", "simulated")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One hostile input.

    Attributes
    ----------
    name
        Where the input is, and the name of the hostile string.
    arguments
        Arguments of the command.
    files
        Contents of the files that the command reads, by file name.
    env
        Environment variables.
    fresh
        Whether the case needs its own Python process.
    chatty
        Whether a user's code writes to stderr. If True, the lines of stderr are not counted.
    prepare
        Function that is called before the command, with the folder as its argument.
    """

    name: str
    arguments: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    fresh: bool = False
    chatty: bool = False
    prepare: Callable[[Path], object] = lambda folder: None


# --- the cases ------------------------------------------------------------------------------


def cases(server: str) -> list[Case]:
    """Return all cases. Some cases fetch from a server that refuses every request."""
    return [*_arguments(), *_files(), *_servers(server), *_classes(), *_configs(), *_odd()]


def _arguments() -> Iterator[Case]:
    """Yield cases with a hostile string in an argument.

    Each argument gets every second or every third hostile string.
    """
    places: dict[str, tuple[str, ...]] = {
        "a command": ("{}",),
        "a strategy": ("run", "{}"),
        "a driver": ("run", "spy@{}"),
        "a parameter": ("run", "spy", "--param", "{}=1"),
        "a value": ("run", "near-cash-flow", "--param", "volatility={}"),
        "a start": ("run", "spy", *SIMULATED, "--start", "{}"),
        "a source": ("flags", "--source", "{}"),
        "a seed": ("flags", "--seed", "{}"),
        "a session": ("flags", *SIMULATED, "--at", "{}"),
        "a signal": ("flags", *SIMULATED, "--why", "{}"),
        "today's strategy": ("today", "{}"),
        "a compared one": ("compare", "{}"),
        "a series": ("data", "--store", "held.duckdb", "--revisions", "{}"),
        "a fetched one": ("fetch", "--only", "{}"),
        "a checked one": ("check", "{}"),
        "a checked class": ("check", "mine:{}"),
        "an initial one": ("init", "--strategy", "{}"),
    }
    for i, (place, words) in enumerate(places.items()):
        slow = 3 if SIMULATED[0] in words else 2  # a command that reads history is slow
        for name, text in list(TEXTS.items())[i % slow :: slow]:
            given = tuple(word.replace("{}", text) for word in words)
            yield Case(name=f"{place}: {name}", arguments=given)


def _files() -> Iterator[Case]:
    """Yield cases with a hostile string in the name or the content of a file."""
    for name, text in NAMES.items():
        for place, words in {
            "a config": ("run", "--config", text),
            "a store": ("data", "--store", text),
            "holdings": ("today", "--holdings", text),
            "an import": ("import", text, "--store", "new.duckdb"),
            "an export": ("data", "--store", "held.duckdb", "--export", f"{text}.csv"),
            "a page": ("flags", *SIMULATED, "--html", f"no/{text}.html"),
            "a folder": ("run", "spyy", "--out", text),
        }.items():
            yield Case(name=f"{place} named: {name}", arguments=words)
        yield Case(
            name=f"a file to import named: {name}",
            arguments=("import", "in", "--store", "new.duckdb"),
            prepare=partial(_write_csv, text),
        )
    for name in ("red", "title", "8-bit", "right to left", "markup", "closing markup", "format"):
        text = TEXTS[name]
        yield Case(
            name=f"a header: {name}",
            arguments=("import", "DGS2.csv", "--store", "new.duckdb"),
            files={"DGS2.csv": f"observation_date,{text}\n2024-01-02,1\n"},
        )
        yield Case(
            name=f"a cell: {name}",
            arguments=("import", "DGS2.csv", "--store", "new.duckdb"),
            files={"DGS2.csv": f"observation_date,DGS2\n2024-01-02,{text}\n"},
        )
        yield Case(
            name=f"an asset held: {name}",
            arguments=("today", "spy", *SIMULATED, "--holdings", "my.csv"),
            files={"my.csv": f"asset,units\n{text},1\n"},
        )
        value = json.dumps(text)
        yield Case(
            name=f"a key: {name}",
            arguments=("run", "--config", "c.toml"),
            files={"c.toml": f'strategy = "spy"\n{value} = 1\n'},
        )
        yield Case(
            name=f"a value: {name}",
            arguments=("run", "--config", "c.toml"),
            files={"c.toml": f"strategy = {value}\n"},
        )


def _write_csv(name: str, folder: Path) -> None:
    _write(folder / "in" / f"{name}.csv", "a,b\n1,2\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


#: Publishers whose addresses an environment variable replaces.
_PUBLISHERS = ("FRED", "YAHOO", "SEC", "NYFED")


def _servers(server: str) -> Iterator[Case]:
    """Yield cases with a server that refuses requests, and cases with an invalid address."""
    given = {"FRED_API_KEY": "0" * 32, "DRYPOWDER_CONTACT": "Ann Lee ann@example.org"}
    for series in ("DGS2", "GDP", "SPY", "CAPEX_TTM_MSFT", "SRF"):
        for way in ((), ("--json",)):
            yield Case(
                name=f"a server's refusal of {series}",
                arguments=(
                    *("fetch", "--only", series, "--store", "new.duckdb", "--budget", "3"),
                    *way,
                ),
                env=given | {f"DRYPOWDER_{kind}_URL": server for kind in _PUBLISHERS},
            )
    for bad in ("http://[::1", "http://", "nope", "http://x:99999", "file:///etc", "http://[x]/"):
        yield Case(
            name=f"an address: {bad}",
            arguments=("fetch", "--only", "SPY", "--store", "new.duckdb", "--budget", "3"),
            env={f"DRYPOWDER_{kind}_URL": bad for kind in _PUBLISHERS},
        )


def _classes() -> Iterator[Case]:
    """Yield a ``run`` for each fault of a user's class, and a ``check`` for every third fault."""
    config = "strategy = 'mine:Mine'\nsource = 'simulated'\nyears = 2\n"
    empty = dict.fromkeys(("top", "assets", "state", "weights", "more"), "")
    for i, (name, parts) in enumerate(FAULTS.items()):
        text = STRATEGY.format(**empty | dict.fromkeys(("assets", "state"), "pass") | parts)
        files = {"mine.py": text.replace("        \n", "        pass\n"), "c.toml": config}
        yield Case(
            name=f"a class {name}",
            arguments=("run", "--config", "c.toml", "--json"),
            files=files,
            chatty="print" in name or "write" in name,
        )
        if i % 3 == 0:
            yield Case(
                name=f"a class checked {name}",
                arguments=("check", "mine:Mine", *SIMULATED, "--json"),
                files=files,
                chatty=True,
            )


def _configs() -> Iterator[Case]:
    for name, text in CONFIGS.items():
        yield Case(
            name=f"a config with {name}",
            arguments=("run", "--config", "c.toml"),
            files={"c.toml": text},
        )


def _odd() -> Iterator[Case]:
    """Yield cases with odd paths, odd numbers and odd environments."""
    home = "~nosuchuser/x"
    words: tuple[str, ...]
    for words in (
        ("flags", "--store", home),
        ("run", "spy", *SIMULATED, "--out", home),
        ("run", "--config", home),
        ("compare", "--out", f"{home}.html"),
        ("import", home),
        ("today", "--holdings", home),
        ("init", home),
        ("data", "--store", "held.duckdb", "--export", f"{home}.parquet"),
        ("flags", *SIMULATED, "--export", f"{home}.csv"),
        ("flags", *SIMULATED, "--html", f"{home}.html"),
    ):
        yield Case(name=f"another's home in {words[0]}", arguments=words)
    for words in (
        ("flags", "--store", "loop"),
        ("import", "held.csv", "--store", "loop"),
        ("run", "spy", *SIMULATED, "--out", "loop"),
        ("run", "spy", *SIMULATED, "--out", "loop/x"),
        ("run", "--config", "loop"),
        ("compare", "--out", "loop/x.html"),
        ("import", "loop"),
        ("today", "--holdings", "loop"),
        ("init", "loop"),
        ("data", "--store", "held.duckdb", "--export", "loop/x.parquet"),
        ("flags", *SIMULATED, "--export", "loop/x.csv"),
    ):
        yield Case(
            name=f"a loop of links in {words[0]}",
            arguments=words,
            prepare=lambda folder: (folder / "loop").symlink_to("loop"),
        )
    for words in (
        ("run", "spy", "--lag", HUGE),
        ("run", "spy", *SIMULATED, "--seed", HUGE),
        ("run", "near-cash-flow", "--param", f"volatility={HUGE}"),
        ("run", "near-cash-flow", "--param", f"volatility={'9' * 5000}"),
        ("run", "near-cash-flow", "--param", "memory=A,B"),
        ("run", "near-cash-flow", "--param", "volatility=" + "[" * 3000),
        ("run", "spy", *SIMULATED, "--start", "1420070400"),
        ("run", "spy", *SIMULATED, "--start", HUGE),
        ("check", "spy", *SIMULATED, "--start", "1420070400"),
        ("compare", "spy", "--draws", HUGE),
        ("compare", "spy", *SIMULATED, "--end", "1420070400"),
        ("fetch", "--budget", HUGE),
        ("fetch", "--budget", "nan"),
        ("fetch", "--start", HUGE),
        ("today", "--decimals", HUGE),
        ("flags", *SIMULATED, "--at", HUGE),
    ):
        yield Case(name=f"a number in {words[0]}", arguments=words)
    for name, env in ENVIRONMENTS.items():
        for words in (("list",), ("flags", *SIMULATED), ("init", "x.toml")):
            yield Case(name=f"{name}: {words[0]}", arguments=words, env=env, fresh=True)
    for name in ("optimised", "no such backend"):
        yield Case(
            name=f"{name}: run",
            arguments=("run", "--config", "c.toml"),
            files={"c.toml": "strategy = 'spy'\nsource = 'simulated'\nyears = 2\n"},
            env=ENVIRONMENTS[name],
            fresh=True,
        )
    for name, words in (("check", ("check", "spy")), ("page", ("flags", "--html", "x.html"))):
        yield Case(
            name=f"optimised: {name}",
            arguments=(*words, *SIMULATED),
            env=ENVIRONMENTS["optimised"],
            fresh=True,
        )
    for variable in ("DRYPOWDER_STORE", "FRED_API_KEY", "DRYPOWDER_CONTACT"):
        for name in ("red", "not UTF-8", "closing markup", "right to left"):
            words = ("flags",) if variable == "DRYPOWDER_STORE" else ("fetch", "--only", "GDP")
            yield Case(
                name=f"{variable}: {name}",
                arguments=words if words[0] == "flags" else (*words, "--budget", "1"),
                env={variable: TEXTS[name], "DRYPOWDER_FRED_URL": "http://127.0.0.1:1"},
            )


# --- running them ---------------------------------------------------------------------------


class _Refuses(BaseHTTPRequestHandler):
    """A server that answers every request with an error page of hostile strings."""

    texts = ("red", "title", "8-bit", "right to left", "closing markup", "return")

    def do_GET(self) -> None:
        said = " ".join(TEXTS[name] for name in self.texts).encode()
        page = b"<html><title>" + said + b"</title></html>"
        self.send_response(403)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        pass


def problems(case: Case, ended: Ended) -> list[str]:
    """Return the problems in the result of a case."""
    found = []
    if ended.hung:
        found.append("it hangs")
    if ended.code not in CODES:
        found.append(f"exit code {ended.code}")
    text = (ended.out + b"\n" + ended.err).decode(errors="replace")
    if "Traceback (most recent call last)" in text or "Exception ignored" in text:
        found.append(f"traceback: {text.strip().splitlines()[-1][:150]}")
    raw = RAW.search(text)
    if raw and case.env.get("PYTHONIOENCODING") != "utf-16":
        found.append(f"raw {raw[0]!r} in {text[max(0, raw.start() - 30) : raw.end() + 20]!r}")
    return [*found, *_wrong_lines(case, ended), *_no_json(case, ended)]


def _wrong_lines(case: Case, ended: Ended) -> list[str]:
    lines = ended.err.decode(errors="replace").replace("\x00", "").splitlines()
    others = [line for line in lines if not line.startswith(_BESIDE)]
    if case.chatty:
        return []
    if len(others) > 1 or [line for line in others if not line.startswith("error: ")]:
        return [f"expected one error line, got {len(others)} lines: {' | '.join(others)[:200]}"]
    return ["it fails without a message"] if ended.code and not others and not ended.out else []


def _no_json(case: Case, ended: Ended) -> list[str]:
    if "--json" not in case.arguments or not ended.out:
        return []
    try:
        json.loads(ended.out)
    except ValueError:
        return [f"stdout is not JSON: {ended.out[:80]!r}"]
    return []


def run(case: Case, folder: Path, held: Path | None) -> Ended:
    """Run a case in its own folder, with a small store."""
    (folder / "work").mkdir(parents=True)
    work = folder / "work"
    if held is not None:
        (work / "held.duckdb").write_bytes(held.read_bytes())
    for name, text in case.files.items():
        _write(work / name, text)
    case.prepare(work)
    env = {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data")} | case.env
    order = Order(arguments=case.arguments, folder=work, env=env)
    return _process(order) if case.fresh else fork(order, folder)


def _process(order: Order) -> Ended:
    words = [sys.executable, "-m", "backtests", *order.arguments]
    env = {**os.environ, "PYTHONPATH": str(ROOT), **order.env}
    try:
        done = subprocess.run(
            words, cwd=order.folder, env=env, capture_output=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return Ended(code=-9, out=b"", err=b"", seconds=PATIENCE, hung=True)
    return Ended(code=done.returncode, out=done.stdout, err=done.stderr, seconds=0.0)


def runnable(case: Case) -> bool:
    """Return whether the system can start the command: no argument may have a null character."""
    return not any("\0" in word for word in case.arguments)


def store(folder: Path) -> Path:
    """Make a small store in a child, because DuckDB's threads do not survive a fork."""
    first = date(2019, 1, 1).toordinal()
    days = [date.fromordinal(first + i) for i in range(2100)]
    rows = [f"{day},{1 + i % 97 / 50:.2f}" for i, day in enumerate(days) if day.weekday() < 5]
    case = Case(
        name="",
        arguments=("import", "DGS2.csv", "--store", "../held.duckdb"),
        files={"DGS2.csv": "\n".join(["observation_date,DGS2", *rows, ""])},
    )
    ended = run(case, folder, None)
    if ended.code:
        raise RuntimeError(ended.err.decode())
    return folder / "held.duckdb"


def serving() -> tuple[int, str]:
    """Start the server that refuses requests; return its process id and its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refuses)
    child = os.fork()
    if not child:
        threading.Timer(3000, os._exit, [0]).start()
        server.serve_forever()
    address = f"http://127.0.0.1:{server.server_port}"
    server.server_close()
    return child, address


def main() -> None:
    """Run the cases, and print the problems of each case that fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--every", type=int, default=1, help="run every N-th case", metavar="N")
    parser.add_argument("--only", default="", help="only cases whose name contains this text")
    given = parser.parse_args()
    child, address = serving()
    warm()
    chosen = [c for c in cases(address) if runnable(c) and given.only in c.name][:: given.every]
    failed, codes = 0, Counter[int]()
    with tempfile.TemporaryDirectory() as place:
        held = store(Path(place) / "made")
        for i, case in enumerate(chosen):
            ended = run(replace(case), Path(place) / str(i), held)
            found = problems(case, ended)
            codes[ended.code] += 1
            failed += bool(found)
            for problem in found:
                print(f"{case.name!r}: {problem!r}", flush=True)
            if (i + 1) % 50 == 0:
                print(f"{i + 1} of {len(chosen)} cases", flush=True)
    os.kill(child, 9)
    os.waitpid(child, 0)
    said = ", ".join(f"{code}: {count}" for code, count in sorted(codes.items()))
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    print(f"Python {version}: {len(chosen)} cases, cases by exit code {said}; {failed} failed")
    raise SystemExit(failed > 0)


if __name__ == "__main__":
    main()
