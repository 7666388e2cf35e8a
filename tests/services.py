"""Real servers for the tests: MariaDB, Redis and gunicorn, in temporary folders, on sockets and free ports.

No service of the machine is started or touched. Everything started here is handed to an undertaker, a small
process that ends it when the tests are gone, however they went.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pymysql

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 60.0
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# As it is now: the tests later move their own leftovers into a folder that only they can enter.
TEMPORARY = Path(tempfile.gettempdir())
SEARCH_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


class Missing(Exception):
    """A program the tests need is not installed; the text says which."""


def find_program(*names: str) -> str:
    """The path of the first of these programs that is installed. Raises Missing."""
    for name in names:
        path = shutil.which(name, path=SEARCH_PATH)
        if path:
            return path
    raise Missing(f"{names[0]} is not installed (make test brings it when it may)")


def find_chromium() -> str:
    """The path of a Chromium or Chrome. Raises Missing."""
    return find_program("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def free_port() -> int:
    """A TCP port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = START_TIMEOUT_S) -> object:
    """Wait for a condition and return its value; AssertionError naming `what` when it does not come."""
    give_up = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < give_up, f"waited {timeout_s:.0f} s in vain: {what}"
        time.sleep(0.02)
    return value


# Reads "+group 12", "-group 12", "+folder /x" and "-folder /x"; when the pipe ends, so do they.
_UNDERTAKER = r"""
import os, shutil, signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
left = {"group": set(), "folder": set()}
for line in sys.stdin:
    kind, _, name = line[1:].strip().partition(" ")
    (left[kind].add if line[0] == "+" else left[kind].discard)(name)
for group in left["group"]:
    try:
        os.killpg(int(group), signal.SIGKILL)
    except OSError:
        pass
for folder in left["folder"]:
    shutil.rmtree(folder, ignore_errors=True)
"""


@functools.cache
def _undertaker() -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-S", "-c", _UNDERTAKER], stdin=subprocess.PIPE, text=True, bufsize=1, start_new_session=True
    )


def _tell(sign: str, kind: str, name: object) -> None:
    _undertaker().stdin.write(f"{sign}{kind} {name}\n")


def start(command: list[str], **options: object) -> subprocess.Popen:
    """Start a process as the head of its own group, which ends with the tests at the latest."""
    _undertaker()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)
    _tell("+", "group", process.pid)
    return process


def end(process: subprocess.Popen) -> None:
    """Kill the process and every other of its group, and wait until they are gone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    wait_until(lambda: not _group_is_alive(process.pid), f"the end of process group {process.pid}", 10)
    _tell("-", "group", process.pid)


def _group_is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return any(_is_running(pid) for pid in _group_members(group))


def _group_members(group: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int((entry / "stat").read_text().rpartition(")")[2].split()[2]) == group:
                found.append(int(entry.name))
    return found


def _is_running(pid: int) -> bool:
    # An orphan that nobody waits for stays a zombie where process 1 does not collect them.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Folder:
    """A temporary folder that a service running as somebody else can own; removed with the tests."""

    def __init__(self, name: str, user: str | None = None, needs_bytes: int = 0) -> None:
        # In memory where there is room: an fsync costs nothing there, and a killed server loses nothing either.
        shared = Path("/dev/shm")
        in_memory = needs_bytes and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 2 * needs_bytes
        self.path = Path(tempfile.mkdtemp(prefix=f"vexar-{name}-", dir=shared if in_memory else TEMPORARY))
        _tell("+", "folder", self.path)
        if user:
            shutil.chown(self.path, user)

    def remove(self) -> None:
        """Delete it with everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        _tell("-", "folder", self.path)


def unprivileged(*names: str) -> str | None:
    """The user a server runs as when we are root, which servers refuse to be; None when we are not."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in (*names, "nobody") if name in known)


def _as_user(user: str | None) -> dict[str, object]:
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}


class MariaDB:
    """A MariaDB server of our own on a unix socket; `create()` gives the URL of a new, empty database."""

    def __init__(self) -> None:
        program = find_program("mariadbd", "mysqld")
        install = find_program("mariadb-install-db", "mysql_install_db")
        user = unprivileged("mysql")
        self._folder = Folder("db", user, needs_bytes=600_000_000)
        self.socket = self._folder.path / "s"
        self._log = self._folder.path / "log"
        options = [
            "--no-defaults",
            f"--datadir={self._folder.path / 'data'}",
            f"--tmpdir={self._folder.path}",
            "--innodb-log-file-size=64M",
            "--innodb-buffer-pool-size=128M",
        ]
        self._command = [
            program, *options, f"--socket={self.socket}", f"--pid-file={self._folder.path / 'pid'}",
            "--skip-networking", "--skip-log-bin", "--skip-name-resolve", "--max-connections=500",
        ]  # fmt: skip
        self._options = {"cwd": self._folder.path, "env": {"PATH": SEARCH_PATH, "HOME": str(self._folder.path)}}
        self._options.update(_as_user(user))
        prepare = [install, *options, "--auth-root-authentication-method=normal", "--skip-test-db"]
        made = subprocess.run(
            prepare, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **self._options
        )
        assert made.returncode == 0, f"mariadb-install-db failed:\n{made.stdout}{made.stderr}"
        self._databases = 0
        self.start()

    def start(self) -> None:
        """Start the server, again after `kill()`."""
        with self._log.open("ab") as log:
            self.process = start(self._command, stdout=log, stderr=log, **self._options)
        wait_until(self._answers, f"MariaDB to answer; its log is {self._log}")

    def kill(self) -> None:
        """Kill it as a crash would."""
        end(self.process)

    def create(self) -> str:
        """A new, empty database; its mysql:// URL."""
        self._databases += 1
        name = f"vexar_{self._databases}"
        self.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return f"mysql://root@/{name}?unix_socket={self.socket}"

    def drop(self, url: str) -> None:
        """Remove a database that `create` made."""
        self.execute(f"DROP DATABASE IF EXISTS {url.partition('@/')[2].partition('?')[0]}")

    def connect(self, **options: object) -> pymysql.Connection:
        """A connection of one's own, to look behind Vexar's back."""
        return pymysql.connect(unix_socket=str(self.socket), user="root", autocommit=True, **options)

    def execute(self, sql: str) -> tuple:
        """Run one statement; all its rows."""
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def close(self) -> None:
        """End it and remove its files."""
        end(self.process)
        self._folder.remove()

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"MariaDB ended at once:\n{self._log.read_text()[-3000:]}"
        try:
            self.connect().close()
        except pymysql.err.OperationalError:
            return False
        return True


class Redis:
    """A Redis server of our own on a free port; keeps nothing on disk."""

    def __init__(self) -> None:
        user = unprivileged("redis")
        program = find_program("redis-server")
        self._folder = Folder("redis", user)
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [
            program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
            "--dir", str(self._folder.path), "--daemonize", "no",
        ]  # fmt: skip
        self._options = {"cwd": self._folder.path, **_as_user(user)}
        self.start()

    def start(self) -> None:
        """Start the server, again after `kill()`."""
        log = self._folder.path / "log"
        with log.open("ab") as output:
            self.process = start(self._command, stdout=output, stderr=output, **self._options)
        wait_until(self._answers, "Redis to answer")

    def kill(self) -> None:
        """Kill it as a crash would."""
        end(self.process)

    def flush(self) -> None:
        """Forget every key."""
        self._ask(b"FLUSHALL\r\n")

    def close(self) -> None:
        """End it and remove its files."""
        end(self.process)
        self._folder.remove()

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"Redis ended at once:\n{(self._folder.path / 'log').read_text()[-3000:]}"
        try:
            return self._ask(b"PING\r\n").startswith(b"+PONG")
        except OSError:
            return False

    def _ask(self, line: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as link:
            link.sendall(line)
            return link.recv(100)


class Server:
    """`gunicorn -c gunicorn.conf.py wsgi:app` as in production, with a data folder of its own.

    `env` names settings (`VEXAR_...`) beyond the defaults of the tests: limits off. `python` is the interpreter of
    another environment.
    """

    def __init__(
        self, data_dir: Path, *, workers: int = 1, env: dict[str, str] | None = None, port: int | None = None,
        database_url: str | None = None, python: str = sys.executable,
    ) -> None:  # fmt: skip
        self.data_dir = data_dir
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database_url = database_url or f"sqlite:///{data_dir}/vexar.db"
        self.env = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(data_dir),
            "LANG": "C.UTF-8",
            "TMPDIR": tempfile.gettempdir(),
            "PYTHONPATH": str(ROOT),
            "VEXAR_DATABASE_URL": self.database_url,
            "VEXAR_DATA_DIR": str(data_dir),
            "VEXAR_UPLOAD_DIR": str(data_dir / "uploads"),
            "VEXAR_BIND": f"127.0.0.1:{self.port}",
            "VEXAR_WORKERS": str(workers),
            **limits_off(),
            **(env or {}),
        }
        self._command = [python, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), "wsgi:app"]
        self._log = self.data_dir / "server.log"
        self.start()

    @property
    def pid(self) -> int:
        """The master process."""
        return self.process.pid

    def start(self) -> None:
        """Start it and wait until it answers /healthz."""
        # Not in the project's folder: a developer's .env must not reach the tests.
        with self._log.open("ab") as log:
            self.process = start(self._command, cwd=self.data_dir, env=self.env, stdout=log, stderr=log)
        wait_until(self._answers, f"the server to answer; its log is {self._log}")

    def log(self) -> str:
        """Everything it has written so far."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    def worker_pids(self) -> list[int]:
        """The running worker processes."""
        return [pid for pid in _group_members(self.pid) if pid != self.pid and _is_running(pid)]

    def kill(self) -> None:
        """Kill the master and every worker at once (SIGKILL)."""
        end(self.process)

    def kill_worker(self, pid: int) -> None:
        """Kill one worker; the master starts another."""
        os.kill(pid, signal.SIGKILL)

    def terminate(self, timeout_s: float = 30.0) -> int:
        """Ask it to end as `systemctl stop` does; the exit code of the master."""
        self.process.terminate()
        try:
            return self.process.wait(timeout_s)
        finally:
            end(self.process)

    def restart(self) -> None:
        """Kill it if it runs, and start it again on the same port and data."""
        self.kill()
        self.start()

    def get(self, path: str) -> tuple[int, bytes]:
        """One GET on a connection of its own: status and body."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            link.request("GET", path, headers={"Connection": "close"})
            answer = link.getresponse()
            return answer.status, answer.read()
        finally:
            link.close()

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"the server ended at once:\n{self.log()[-3000:]}"
        try:
            return self.get("/healthz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False


def limits_off() -> dict[str, str]:
    """The environment that switches every limit off."""
    from config import SETTINGS

    return {setting.variable: "0" for setting in SETTINGS if setting.name.startswith("LIMIT_")}
