"""The ledger of sealed claims: a damaged ledger is refused, and later changes are named."""

import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

import signals
from backtests.history.panel import History
from backtests.thesis import ledger as ledger_module
from backtests.thesis import sealed
from backtests.thesis.checkout import committed_claims
from backtests.thesis.claims import CLAIMS
from backtests.thesis.ledger import in_force, read_ledger, seal, verify
from backtests.thesis.sample import Sample
from signals import SIGNALS
from signals.errors import ConfigError, DataError
from tests.reference.chain import first_broken


@pytest.fixture(scope="module")
def sample() -> Sample:
    return Sample.of(History.simulated(0, 2))


@pytest.fixture(autouse=True)
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow seals even if the claims of this checkout are not committed."""
    monkeypatch.setattr(ledger_module, "committed_claims", lambda: None)


@pytest.fixture(scope="module")
def three_seals(tmp_path_factory: pytest.TempPathFactory, sample: Sample) -> bytes:
    """Return the bytes of a ledger with three seals; each seal hashes all series and all code."""
    path = tmp_path_factory.mktemp("three") / "folder" / "claims.ledger"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger_module, "committed_claims", lambda: None)
        for _ in range(3):
            seal(path, sample)
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path, three_seals: bytes) -> Path:
    """Return a ledger with three seals."""
    path = tmp_path / "folder" / "claims.ledger"
    path.parent.mkdir()
    path.write_bytes(three_seals)
    return path


def test_a_seal_holds_the_claims_the_parameters_and_the_data(path: Path, sample: Sample) -> None:
    last = read_ledger(path)[-1]
    assert (last.number, last.data_source, last.data_end) == (3, "simulated", "2024-12-31")
    assert [claim["name"] for claim in last.claims] == [claim.name for claim in CLAIMS]
    assert set(last.claims[0]) == set(vars(CLAIMS[0]))
    assert {f"signal {name}" for name in SIGNALS} <= set(last.parameters)
    assert last.parameters["signal dry_powder"]["k"] == 0.09
    assert {"regime model votes", "strategy cash-heavy"} <= set(last.parameters)
    assert {"known WALCL", "close SPY"} <= set(last.series)
    assert last.moment.tzinfo is not None
    assert abs(last.moment - pd.Timestamp.now("UTC")) < pd.Timedelta(minutes=5)


def test_every_line_holds_the_hash_of_the_line_before(path: Path) -> None:
    seals = read_ledger(path)
    assert [one.number for one in seals] == [1, 2, 3]
    assert [one.previous for one in seals] == ["0" * 64, seals[0].hash, seals[1].hash]
    assert path.read_bytes().endswith(b"}\n")
    assert first_broken(path.read_bytes()) is None


def test_evidence_counts_from_the_first_seal_of_unchanged_claims(
    path: Path, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert in_force(read_ledger(path)).number == 1
    now: dict[str, dict[str, Any]] = sealed.parameters_in_use()
    now["signal dry_powder"]["k"] = 0.08
    monkeypatch.setattr(ledger_module, "parameters_in_use", lambda: now)
    for _ in range(2):
        seal(path, sample)
    assert in_force(read_ledger(path)).number == 4


def test_nothing_changed_since_a_new_seal(path: Path, sample: Sample) -> None:
    assert verify(path, sample).changes == ()


# --- damage ------------------------------------------------------------------------------------

Lines = list[bytes]
DAMAGE: dict[str, tuple[Callable[[Lines], bytes], int, str]] = {
    "edited number": (
        lambda x: b"".join([x[0], x[1].replace(b'"smallest": 10.0', b'"smallest": 9.0', 1), x[2]]),
        2,
        "the text was edited",
    ),
    "added space": (lambda x: b"".join([x[0][:-1] + b" \n", *x[1:]]), 1, "the text was edited"),
    "removed first": (
        lambda x: b"".join(x[1:]),
        1,
        "contains seal 2, so a line was removed or moved",
    ),
    "removed middle": (lambda x: x[0] + x[2], 2, "contains seal 3, so a line was removed or moved"),
    "moved": (lambda x: x[0] + x[2] + x[1], 2, "contains seal 3, so a line was removed or moved"),
    "twice": (lambda x: b"".join([*x, x[2]]), 4, "contains seal 3, so a line was removed or moved"),
    "cut": (lambda x: b"".join(x)[:-100], 3, "the line is cut off"),
    "without its end": (lambda x: b"".join(x)[:-1], 3, "the line is cut off"),
    "other text": (lambda x: b"".join([*x, b"a note\n"]), 4, "the line does not contain a seal"),
    "blank line": (
        lambda x: b"".join([x[0], b"\n", *x[1:]]),
        2,
        "the line does not contain a seal",
    ),
    "not UTF-8": (lambda x: b"".join([x[0], b"\xff\xfe\n"]), 2, "the line does not contain a seal"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_line_is_found_named_and_refused(path: Path, sample: Sample, name: str) -> None:
    damage, line, said = DAMAGE[name]
    path.write_bytes(damage(path.read_bytes().splitlines(keepends=True)))
    damaged = path.read_bytes()
    assert first_broken(damaged) == line
    for refused in (verify, seal):
        with pytest.raises(DataError, match=f"in line {line} of .*{said}; restore"):
            refused(path, sample)
    assert path.read_bytes() == damaged


def test_a_folder_is_no_ledger(tmp_path: Path, sample: Sample) -> None:
    for refused in (verify, seal):
        with pytest.raises(DataError, match="but it is a folder; give a file in it"):
            refused(tmp_path, sample)


def test_a_forged_line_breaks_the_line_after_it(path: Path) -> None:
    """If a line is edited and gets a new hash, every later line needs a new hash, too."""
    lines = path.read_bytes().splitlines(keepends=True)
    first = read_ledger(path)[0]
    content = {k: v for k, v in vars(replace(first, data_end="2020-12-31")).items() if k != "hash"}
    forged = replace(first, data_end="2020-12-31", hash=sealed.digest(sealed.canonical(content)))
    path.write_bytes(b"".join([f"{forged.line}\n".encode(), *lines[1:]]))
    assert first_broken(path.read_bytes()) == 2
    with pytest.raises(DataError, match="in line 2"):
        read_ledger(path)


@pytest.mark.parametrize(
    ("sealed_at", "said"),
    [
        ("2024-12-30T10:00:00+00:00", "made on 2024-12-30, and the data end on 2024-12-31"),
        ("2025-01-01T10:00:00+00:00", "a seal made at the time of the previous seal or later"),
        ("2027-01-01T10:00:00", "the moment of the seal in UTC"),
        ("some day", "the moment of the seal in UTC"),
    ],
)
def test_a_moment_that_cannot_be_true_is_refused(path: Path, sealed_at: str, said: str) -> None:
    """With an older date, weeks that were known at the seal would count as weeks after the seal."""
    lines = path.read_bytes().splitlines(keepends=True)
    last = replace(read_ledger(path)[-1], sealed_at=sealed_at)
    content = {k: v for k, v in vars(last).items() if k != "hash"}
    forged = replace(last, hash=sealed.digest(sealed.canonical(content)))
    path.write_bytes(b"".join([*lines[:2], f"{forged.line}\n".encode()]))
    with pytest.raises(DataError, match="in line 3") as refused:
        read_ledger(path)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ("2024-12-30T10:00:00+00:00", "made on 2024-12-30, and the data end on 2024-12-31"),
        ("2025-01-01T10:00:00+00:00", "made at the time of the previous seal or later"),
    ],
)
def test_a_clock_that_is_wrong_is_the_fault_and_not_the_ledger(
    path: Path, sample: Sample, now: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()
    clock = SimpleNamespace(now=lambda zone: datetime.fromisoformat(now))
    monkeypatch.setattr(ledger_module, "datetime", clock)
    with pytest.raises(DataError, match=r"; correct the clock of this computer$") as refused:
        seal(path, sample)
    assert said in str(refused.value)
    assert "in line" not in str(refused.value)
    assert path.read_bytes() == before


def test_a_chain_written_again_is_found_only_by_a_published_hash(path: Path) -> None:
    """The hashes contain no secret, so anybody can make the whole chain again."""
    published = read_ledger(path)[1].hash
    before, again = "0" * 64, b""
    for one in read_ledger(path):
        changed = replace(one, previous=before, code_version="0")
        content = {k: v for k, v in vars(changed).items() if k != "hash"}
        before = sealed.digest(sealed.canonical(content))
        again += f"{replace(changed, hash=before).line}\n".encode()
    path.write_bytes(again)
    assert len(verify(path).seals) == 3
    with pytest.raises(DataError, match="expected the published seal"):
        verify(path, published=published)


def test_removed_last_lines_are_found_by_a_published_hash(path: Path, sample: Sample) -> None:
    published = read_ledger(path)[-1].hash
    assert verify(path, sample, published=published).changes == ()
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    assert len(verify(path, sample).seals) == 2
    told = f"expected the published seal {published[:12]} in {path}, but no line has this hash"
    with pytest.raises(DataError, match=re.escape(told)):
        verify(path, sample, published=published)


def test_a_published_hash_may_be_in_upper_case(path: Path) -> None:
    published = read_ledger(path)[1].hash
    assert len(verify(path, published=published.upper()).seals) == 3


@pytest.mark.parametrize("wrong", ["", "ef" * 6, "ef" * 32 + "\n", "xy" * 32])
def test_only_a_whole_hash_can_be_published(path: Path, wrong: str) -> None:
    """The page used to show 12 digits; no line has a hash of 12 digits."""
    told = (
        f"expected a published hash of 64 hexadecimal digits, but it is {wrong!r}; give the whole"
    )
    with pytest.raises(ConfigError, match=re.escape(told)):
        verify(path, published=wrong)


def test_a_missing_ledger_an_empty_file_and_a_folder_are_refused(
    tmp_path: Path, sample: Sample
) -> None:
    with pytest.raises(DataError, match=r"expected a ledger at .*drypowder thesis seal"):
        verify(tmp_path / "none", sample)
    (tmp_path / "empty").touch()
    for refused in (verify, seal):
        with pytest.raises(DataError, match="the file is empty"):
            refused(tmp_path / "empty", sample)
    with pytest.raises(DataError, match="it is a folder"):
        seal(tmp_path, sample)
    with pytest.raises(DataError, match="expected a folder at"):
        seal(tmp_path / "empty" / "claims.ledger", sample)


# --- writing -----------------------------------------------------------------------------------


def test_a_failed_write_leaves_the_ledger_as_it_was(
    path: Path, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()

    def full(file: Path, data: bytes) -> int:
        with file.open("wb") as opened:
            opened.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(DataError, match="No space left"):
            seal(path, sample)
    assert path.read_bytes() == before


def test_a_lock_that_the_system_does_not_allow_speaks_of_the_ledger_and_of_no_store(
    path: Path, sample: Sample
) -> None:
    before = path.read_bytes()
    lock = path.with_name(f"{path.name}.lock")
    lock.unlink(missing_ok=True)
    lock.mkdir()
    with pytest.raises(DataError) as error:
        seal(path, sample)
    said = str(error.value)
    assert said.startswith(f"expected to write {path}, but the system says: ")
    assert said.endswith(f"; remove the cause, then try again. Nothing was changed at {path}")
    assert path.read_bytes() == before


def test_sealers_at_the_same_time_make_one_chain(tmp_path: Path, sample: Sample) -> None:
    path = tmp_path / "claims.ledger"
    with ThreadPoolExecutor(6) as threads:
        made = list(threads.map(lambda _: seal(path, sample), range(12)))
    assert sorted(one.number for one in made) == list(range(1, 13))
    assert read_ledger(path) == tuple(sorted(made, key=lambda one: one.number))


# --- changes -----------------------------------------------------------------------------------


def test_a_changed_claim_is_named_with_its_field(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = (replace(CLAIMS[0], smallest=5.0), *CLAIMS[2:], replace(CLAIMS[1], name="new-claim"))
    monkeypatch.setattr(sealed, "CLAIMS", changed)
    assert verify(path).changes == (
        "claim crypto-below-spy: smallest was 10.0, now it is 5.0",
        "claim short-duration-first: removed since the seal",
        "claim new-claim: added since the seal",
    )


def test_a_changed_parameter_and_changed_code_are_named(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now: dict[str, dict[str, Any]] = sealed.parameters_in_use()
    now["signal dry_powder"]["k"] = 0.08
    monkeypatch.setattr(ledger_module, "parameters_in_use", lambda: now)
    monkeypatch.setattr(sealed, "__version__", "9.9")
    monkeypatch.setattr(sealed, "code_digest", lambda: "f" * 64)
    parameter, version, code = verify(path).changes
    assert parameter == "signal dry_powder: k was 0.09, now it is 0.08"
    assert version.endswith("is 9.9")
    assert code.startswith("code: the source hash of signals, strategies and backtests was ")
    assert code.endswith("is ffffffffffff")


def test_changed_data_are_named_but_new_sessions_are_only_told(
    tmp_path: Path, sample: Sample
) -> None:
    path = tmp_path / "claims.ledger"
    early = sample.history.until("2024-06-28")
    seal(path, Sample.of(early))
    longer = "data: the last session was 2024-06-28, now it is 2024-12-31"
    assert verify(path, sample).changes == (longer,)

    panel = sample.history.panel.rename(columns={"DGS2": "NEW"})
    panel["WALCL"] += (panel.index == "2024-03-01").astype("float64")
    revised = Sample(history=replace(sample.history, panel=panel), reading=sample.reading)
    up_to = "data: up to 2024-06-28, 1 series"
    assert verify(path, revised).changes == (
        longer,
        f"{up_to} have other values since the seal: known WALCL",
        f"{up_to} are missing since the seal: known DGS2",
        f"{up_to} are new since the seal: known NEW",
    )


def test_a_history_that_ends_before_the_sealed_data_is_not_compared(
    path: Path, sample: Sample
) -> None:
    shorter = Sample.of(sample.history.until("2024-06-28"))
    assert verify(path, shorter).changes[-1].endswith("so the values were not compared")


def test_a_line_of_source_changes_the_digest_of_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "signals"
    folder.mkdir()
    (folder / "__init__.py").write_text("a = 1\n")
    monkeypatch.setattr(signals, "__file__", str(folder / "__init__.py"))
    first = sealed.code_digest()
    (folder / "notes.txt").write_text("no source\n")
    assert sealed.code_digest() == first
    (folder / "__init__.py").write_text("a = 2\n")
    assert sealed.code_digest() != first


# --- git ---------------------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command = ("git", "-C", str(folder), *who, *arguments)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a committed file of claims in a git checkout."""
    git(tmp_path, "init")
    path = tmp_path / "claims.py"
    path.write_text("CLAIMS = ()\n")
    git(tmp_path, "add", "claims.py")
    git(tmp_path, "commit", "-m", "Declare")
    return path


def test_committed_claims_give_their_commit(checkout: Path) -> None:
    assert committed_claims(checkout) == git(checkout.parent, "rev-parse", "HEAD")


@pytest.mark.parametrize("staged", [False, True])
def test_claims_with_uncommitted_changes_are_refused(checkout: Path, staged: bool) -> None:
    checkout.write_text("CLAIMS = (1,)\n")
    if staged:
        git(checkout.parent, "add", "claims.py")
    with pytest.raises(ConfigError, match=r"expected claims.py as in the last commit .*commit or"):
        committed_claims(checkout)


def test_claims_that_were_never_committed_are_refused(tmp_path: Path) -> None:
    git(tmp_path, "init")
    (tmp_path / "claims.py").write_text("CLAIMS = ()\n")
    git(tmp_path, "add", "claims.py")
    with pytest.raises(ConfigError, match="there is none"):
        committed_claims(tmp_path / "claims.py")


def test_another_file_with_changes_does_not_matter(checkout: Path) -> None:
    (checkout.parent / "other.py").write_text("1\n")
    assert committed_claims(checkout) is not None


def test_claims_outside_git_are_not_checked(
    tmp_path: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = checkout.parent / "site-packages" / "claims.py"
    installed.parent.mkdir()
    installed.write_text("CLAIMS = ()\n")
    assert committed_claims(installed) is None
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert committed_claims(checkout) is None


def test_a_refused_seal_writes_nothing(
    tmp_path: Path, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise ConfigError("uncommitted")

    monkeypatch.setattr(ledger_module, "committed_claims", refuse)
    with pytest.raises(ConfigError):
        seal(tmp_path / "claims.ledger", sample)
    assert list(tmp_path.iterdir()) == []
