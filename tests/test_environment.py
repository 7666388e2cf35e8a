"""A fresh copy of the project in another folder, as a plain user, with nothing but python3, venv and make."""

from __future__ import annotations

import http.client
import json
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import services
from tests.conftest import needed
from tests.services import ROOT, Folder, free_port, start, unprivileged, wait_until

pytestmark = [pytest.mark.servers, pytest.mark.slow]
INSTALL_TIMEOUT_S = 600


class Copy:
    """The copy, the user it belongs to, and the server `make run` starts in it."""

    def __init__(self) -> None:
        self.user = unprivileged()
        self._folder = Folder("copy", self.user)
        self.path = self._folder.path
        for name in self._files():
            target = self.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
        if self.user:
            for path in self.path.rglob("*"):
                shutil.chown(path, self.user)
        self.port = free_port()

    @staticmethod
    def _files() -> list[str]:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]

    def options(self) -> dict[str, object]:
        """How its processes run: as its user, with the machine's package settings and none of ours."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("VEXAR_", "PYTHON"))}
        environ.update(HOME=str(self.path), VEXAR_BIND=f"127.0.0.1:{self.port}")
        for name in ("VIRTUAL_ENV", "TMPDIR", "MAKEFLAGS", "MAKELEVEL"):
            environ.pop(name, None)
        identity = {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []} if self.user else {}
        return {"cwd": self.path, "env": environ, **identity}

    def run(self, *command: str) -> str:
        """Run a command to its end; what it wrote. AssertionError when it fails."""
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **self.options()
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def make_run(self, name: str) -> tuple[subprocess.Popen, Path]:
        """`make run` until it answers; the process and the file of what it wrote."""
        log = self.path / name
        with log.open("wb") as output:
            process = start(["make", "run"], stdout=output, stderr=output, **self.options())
        try:
            wait_until(lambda: process.poll() is not None or self._answers(), "make run", INSTALL_TIMEOUT_S)
            assert process.poll() is None, log.read_text()
        except AssertionError:
            services.end(process)
            raise
        return process, log

    def ask(self, question: str) -> list[dict]:
        """The events of one streamed answer."""
        body = {"site_key": "sk_demo", "session_id": "ann", "message": question}
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        link.request("POST", "/api/v1/chat/stream", json.dumps(body), {"Content-Type": "application/json"})
        answer = link.getresponse()
        text = answer.read().decode()
        link.close()
        assert answer.status == 200, text
        return [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]

    def remove(self) -> None:
        """Delete it."""
        self._folder.remove()

    def _answers(self) -> bool:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            link.request("GET", "/readyz")
            return link.getresponse().status == 200
        except OSError:
            return False
        finally:
            link.close()


@pytest.fixture(scope="module")
def copy() -> Iterator[Copy]:
    """A copy that was started once, which installed its packages, and answered a question."""
    with needed("needs make"):
        services.find_program("make")
    made = Copy()
    yield made
    made.remove()


def interrupt(process: subprocess.Popen) -> None:
    """Press Ctrl-C, and wait until everything is gone."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(20)
    finally:
        services.end(process)


def test_make_run_brings_everything_and_answers_from_the_shop(copy):
    process, log = copy.make_run("first.log")
    try:
        events = copy.ask("Do you ship to Canada?")
    finally:
        interrupt(process)
    text = "".join(event["content"] for event in events if event["type"] == "chunk")
    assert "Canada" in text
    assert events[-1]["meta"]["finish_reason"] == "stop"
    assert events[-1]["meta"]["sources"]
    told = log.read_text()
    assert f"http://127.0.0.1:{copy.port}/" in told
    assert "sk_demo" in told
    assert "Traceback" not in told


def test_the_second_time_it_only_starts(copy):
    process, log = copy.make_run("second.log")
    try:
        assert copy.ask("How long do I have to return a sweater?")[-1]["type"] == "done"
    finally:
        interrupt(process)
    told = log.read_text()
    assert "Installing" not in told
    assert "Traceback" not in told


def test_its_environment_is_requirements_txt_alone_and_whole(copy):
    """pytest brings packages of its own, which hide what requirements.txt forgets."""
    assert "No broken requirements" in copy.run(".venv/bin/python", "-m", "pip", "check")
    installed = copy.run(".venv/bin/python", "-m", "pip", "freeze").lower()
    assert "flask==" in installed
    assert "pytest==" not in installed


def test_its_data_stays_in_its_folder(copy):
    assert (copy.path / "var" / "vexar.db").exists()
    made = {path.name for path in copy.path.iterdir()} - {Path(name).parts[0] for name in copy._files()}
    assert made <= {".venv", "var", ".cache", ".config", "first.log", "second.log", "__pycache__"}
