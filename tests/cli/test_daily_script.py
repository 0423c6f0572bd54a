"""The script of docs/daily.md: one alert for each flip, and a brief even after a failed fetch.

The script runs in a shell, with apprise and a local web hook. A small program replaces drypowder,
and gives the answers that a test sets. ``test_daily_job.py`` tests the real commands.
"""

import configparser
import os
import pwd
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backtests.cli.exit_code import FLIPPED
from backtests.cli.today import LATE_DATA
from tests.servers.messages import Hook, hook

PAGE = (Path(__file__).resolve().parents[2] / "docs/daily.md").read_text(encoding="utf-8")
(SCRIPT,) = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
SECRET = "pa55w0rd"
NO_NETWORK = "fetch ended with exit code 3\nno network"
#: With this command, no file takes any text.
FULL_DISK = "trap '' XFSZ; ulimit -f 0"
#: A program that stands for drypowder. For each command, such as ``fetch``, a file of the same name
#: holds the exit code and the text.
STAND_IN = """#!/bin/sh
read -r code text <"$ANSWERS/$1"
if [ "$1" = brief ]; then echo "<p>$text</p>" >mail.html; fi
echo "$text"
exit "$code"
"""


class Job:
    """The script in its own home folder, with the program that replaces drypowder."""

    def __init__(self, home: Path, server: Hook) -> None:
        self.home, self.server = home, server
        for folder in ("bin", "answers", ".config/apprise"):
            (home / folder).mkdir(parents=True)
        for name, text in (("drypowder", STAND_IN), ("daily", SCRIPT)):
            (home / "bin" / name).write_text(text)
            (home / "bin" / name).chmod(0o700)
        (home / ".config/apprise/apprise.conf").write_text(
            f"alert=json://me:{SECRET}@{server.address}/alert\n"
            f"brief=json://me:{SECRET}@{server.address}/brief\n"
        )
        self.answer(fetch="0 fetched", brief="0 page", today="0 no flip")

    def answer(self, **answers: str) -> None:
        for command, said in answers.items():
            (self.home / "answers" / command).write_text(f"{said}\n")

    def run(self, limit: str = "", **answers: str) -> subprocess.CompletedProcess[str]:
        """Run the script after the shell command ``limit``."""
        self.answer(**answers)
        places = (self.home / "bin", Path(sys.executable).parent, "/usr/bin", "/bin")
        environment = {
            "HOME": str(self.home),
            "ANSWERS": str(self.home / "answers"),
            "PATH": os.pathsep.join(map(str, places)),
        }
        done = subprocess.run(
            ["sh", "-c", f"{limit}\nexec sh {self.home / 'bin/daily'}"],
            env=environment,
            capture_output=True,
            text=True,
        )
        assert SECRET not in done.stdout + done.stderr
        return done

    @property
    def alerts(self) -> list[str]:
        return self.server.messages("/alert")

    @property
    def briefs(self) -> list[str]:
        return self.server.messages("/brief")


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    with hook() as server:
        yield Job(tmp_path, server)


def test_a_flip_gives_one_alert_and_a_day_without_gives_none(job: Job) -> None:
    assert job.run().returncode == 0
    assert (job.alerts, job.briefs) == ([], ["<p>page</p>"])
    flip = f"{FLIPPED} flipped: regime from NEUTRAL to ABSORPTION"
    assert job.run(brief="0 other page", today=flip).returncode == FLIPPED
    assert job.alerts == ["flipped: regime from NEUTRAL to ABSORPTION"]
    assert job.briefs == ["<p>page</p>", "<p>other page</p>"]
    job.run()  # the same flip again, as after a failed fetch
    assert (len(job.alerts), len(job.briefs)) == (1, 2)


def test_a_failed_fetch_is_told_and_the_brief_and_the_flip_still_come(job: Job) -> None:
    done = job.run(fetch="3 SPY failed", today=f"{FLIPPED} flipped")
    assert "SPY failed" in done.stderr
    assert done.returncode == FLIPPED
    failed = "fetch ended with exit code 3\nSPY failed"
    assert (job.alerts, job.briefs) == ([f"{failed}\nflipped"], ["<p>page</p>"])


def test_a_failed_fetch_alone_gives_an_alert_and_its_exit_code(job: Job) -> None:
    assert job.run(fetch="3 no network").returncode == 3
    assert job.alerts == [NO_NETWORK]
    job.run()  # the same failure again
    assert job.alerts == [NO_NETWORK]


def test_a_second_outage_after_a_good_day_gives_a_second_alert(job: Job) -> None:
    for answer in ("3 no network", "0 fetched", "3 no network", "3 no network"):
        job.run(fetch=answer)
    assert job.alerts == [NO_NETWORK] * 2


def test_a_brief_that_cannot_be_sent_is_told_and_comes_later(job: Job) -> None:
    job.server.broken = True
    assert "the brief was not sent; the next run tries again" in job.run().stderr
    job.server.broken = False
    assert job.run().stderr == ""
    assert job.briefs == ["<p>page</p>"]


def test_without_a_service_for_the_brief_nothing_is_told(job: Job) -> None:
    file = job.home / ".config/apprise/apprise.conf"
    file.write_text(re.sub("brief=.*\n", "", file.read_text()))
    assert job.run().stderr == ""
    assert job.briefs == []


def test_an_alert_that_cannot_be_sent_waits_and_comes_once(job: Job) -> None:
    job.server.broken = True
    done = job.run(today=f"{FLIPPED} flipped")
    assert "the next run tries again" in done.stderr
    job.server.broken = False
    job.run(today="0 no flip")
    job.run()
    assert job.alerts == ["flipped"]


def test_on_a_full_disk_the_alert_is_sent_from_memory(job: Job) -> None:
    assert job.run(FULL_DISK, today=f"{FLIPPED} flipped").returncode == FLIPPED
    assert job.alerts == ["flipped"]


def test_an_alert_that_neither_can_be_sent_nor_stored_is_printed(job: Job) -> None:
    job.server.broken = True
    assert "tries again:\nflipped" in job.run(FULL_DISK, today=f"{FLIPPED} flipped").stderr


def test_without_home_the_home_of_the_user_counts(job: Job) -> None:
    (job.home / "bin/drypowder").write_text('#!/bin/sh\necho "$HOME" >&2; [ "$1" != brief ]\n')
    done = job.run(f"unset HOME; export DRYPOWDER_DAILY={job.home}")
    assert done.returncode == 0
    assert set(done.stderr.split()) == {pwd.getpwuid(os.getuid()).pw_dir}


def test_missing_data_and_bad_input_give_an_alert(job: Job) -> None:
    assert job.run(brief="2 error", today=f"{LATE_DATA} too old").returncode == LATE_DATA
    assert (job.alerts, job.briefs) == (["today ended with exit code 3\ntoo old"], [])


def test_the_timer_runs_the_service_which_takes_a_flip_as_success() -> None:
    units = re.findall(r"```ini\n(.*?)```", PAGE, flags=re.DOTALL)
    service, timer = (configparser.ConfigParser(interpolation=None) for _ in units)
    service.read_string(units[0])
    timer.read_string(units[1])
    assert service["Service"]["SuccessExitStatus"] == str(FLIPPED)
    assert timer["Timer"]["OnCalendar"].endswith("America/New_York")
    assert timer["Timer"]["Persistent"] == "true"
