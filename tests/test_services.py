"""The tests' own promises: nothing is left running, and what is missing is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import services
from tests.conftest import needed
from tests.services import ROOT, wait_until

START_AND_WAIT = """
import subprocess, time
from tests import services
folder = services.Folder("left")
process = services.start(["sh", "-c", "sleep 600 & sleep 600"])
print(process.pid, folder.path, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_what_the_tests_started_ends_with_them_however_they_went(number):
    command = [sys.executable, "-c", START_AND_WAIT]
    tests = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    group, folder = tests.stdout.readline().split()
    assert services._group_is_alive(int(group))
    os.kill(tests.pid, number)
    tests.wait(20)
    tests.stdout.close()
    wait_until(lambda: not services._group_is_alive(int(group)), "the group to end", 20)
    wait_until(lambda: not Path(folder).exists(), "the folder to go", 20)


def test_a_missing_program_skips_and_says_which(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="a horse: no-such-horse is not"), needed("needs a horse"):
        services.find_program("no-such-horse")


def test_with_ci_a_missing_program_fails(monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-horse"), needed("needs a horse"):
        services.find_program("no-such-horse")


def test_without_permission_the_packages_are_named_and_nothing_happens(tmp_path):
    """As a user who may not install anything, on a machine that has nothing."""
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "sudo").write_text("#!/bin/sh\nexit 1\n")
    script = (ROOT / "bin" / "test-packages").read_text().replace(':/usr/sbin:/sbin"', '"')
    for name in ("id", "sudo"):
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-c", script], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "mariadb-server redis-server chromium" in done.stderr
    assert "no permission" in done.stderr
