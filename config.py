"""Every setting of Vexar once: its VEXAR_ name, type, unit, default and meaning.

`load()` reads the environment over an optional `.env` file and refuses a wrong value with one line that
names the variable. Nothing else in the project reads the environment.
"""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

PREFIX = "VEXAR_"
SECRET_FILE = "secret_key"
# Shorter ones could be guessed from one CSRF token.
MIN_SECRET_CHARS = 32


class ConfigError(Exception):
    """A setting has a value that cannot be used; the text is one line and names the variable."""


class Config(SimpleNamespace):
    """The settings of one process, as attributes in lower case without the prefix (`config.data_dir`)."""


@dataclass(frozen=True)
class Setting:
    """One setting: how its text is read, its unit and default, and what it is for."""

    name: str
    read: Callable[[str], Any]
    default: str
    unit: str
    meaning: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return PREFIX + self.name


def make_folders(config: Config) -> None:
    """Make the data and the upload folder, so that a wrong one is told at the start. Raises ConfigError."""
    for name in ("data_dir", "upload_dir"):
        folder = getattr(config, name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise ConfigError(f"{PREFIX}{name.upper()}: {folder} cannot be made: {problem.strerror}") from None
        if not os.access(folder, os.W_OK | os.X_OK):
            raise ConfigError(f"{PREFIX}{name.upper()}: {folder} cannot be written")


def keep_secret(config: Config) -> None:
    """Where no VEXAR_SECRET_KEY is given: the one kept in the data folder, made by the first process that looks for it.
    Raises ConfigError."""
    if config.secret_key:
        return
    file = config.data_dir / SECRET_FILE
    try:
        config.data_dir.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            _make_secret(file)
        config.secret_key = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"{PREFIX}SECRET_KEY: none is given, and {file} cannot be kept: {problem}") from None
    if len(config.secret_key) < MIN_SECRET_CHARS:
        raise ConfigError(f"{PREFIX}SECRET_KEY: none is given, and {file} is damaged; remove it")


def _make_secret(file: Path) -> None:
    """Write a whole file beside it first, and give it the name only where nobody else has: of several processes that
    start together one wins, and none reads half a key."""
    descriptor, name = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as draft:
            draft.write(secrets.token_hex(32) + "\n")
            draft.flush()
            os.fsync(draft.fileno())
        with suppress(FileExistsError):
            os.link(name, file)
    finally:
        os.unlink(name)


def keep_private() -> None:
    """Let nothing that this process writes be for everybody on the machine."""
    os.umask(os.umask(0o027) | 0o027)


def load(environ: Mapping[str, str] | None = None, env_file: str | Path | None = ".env") -> Config:
    """Read all settings; the environment wins over `env_file`. Raises ConfigError."""
    given = {**_read_file(env_file), **(os.environ if environ is None else environ)}
    config = Config()
    for setting in SETTINGS:
        text = given.get(setting.variable)
        text = setting.default if text is None else text.strip()
        try:
            value = setting.read(text)
        except ValueError as problem:
            raise ConfigError(f"{setting.variable}: {problem}") from None
        setattr(config, setting.name.lower(), value)
    if config.ai_embedding_model and not config.ai_base_url:
        raise ConfigError("VEXAR_AI_EMBEDDING_MODEL: needs VEXAR_AI_BASE_URL, the endpoint that has the model")
    return config


def _read_file(env_file: str | Path | None) -> dict[str, str | None]:
    try:
        return dict(dotenv_values(env_file)) if env_file and Path(env_file).is_file() else {}
    except UnicodeDecodeError:
        raise ConfigError(f"{env_file}: is not UTF-8") from None
    except OSError as problem:
        raise ConfigError(f"{env_file}: {problem.strerror}") from None


def _text(text: str) -> str:
    return text


def _folder(text: str) -> Path:
    if not text:
        raise ValueError("must name a folder")
    return Path(text).expanduser().absolute()


def _switch(text: str) -> bool:
    word = text.lower()
    if word in ("on", "1", "true", "yes"):
        return True
    if word in ("off", "0", "false", "no", ""):
        return False
    raise ValueError(f"must be on or off, not {text!r}")


def _whole(low: int, high: int = 2**53) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,16}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {text!r}")
        return int(text)

    return read


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text) or float(text) <= 0:
        raise ValueError(f"must be a number of seconds above 0, not {text!r}")
    return float(text)


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}, not {text!r}")
        return text

    return read


def _networks(text: str) -> tuple:
    return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def _database_url(text: str) -> str:
    if not re.match(r"(sqlite:///.|mysql://.)", text):
        raise ValueError("must begin with sqlite:/// or mysql:// and name a database")
    return text


def _bind(text: str) -> str:
    if text.startswith("unix:") and len(text) > 5:
        return text
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isdigit() and int(port) < 65536):
        raise ValueError(f"must be HOST:PORT or unix:PATH, not {text!r}")
    return text


def _model(text: str) -> str:
    # It is a column of every embedding.
    if len(text) > 200 or not text.isprintable():
        raise ValueError("must be a name of at most 200 characters")
    return text


def _web_url(text: str) -> str:
    if not text:
        return ""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an http or https address without a query")
    if parts.port == 0:
        raise ValueError("must have a port from 1 to 65535")
    return text.rstrip("/")


def _redis_url(text: str) -> str:
    if text and not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return text


SETTINGS = (
    Setting("DATABASE_URL", _database_url, "sqlite:///var/vexar.db", "url",
            "where everything is kept: sqlite:///FILE, mysql://user:password@host:3306/name or "
            "mysql://user@/name?unix_socket=/path"),
    Setting("DATA_DIR", _folder, "var", "folder", "what Vexar keeps beside the database: doorbells and metrics"),
    Setting("UPLOAD_DIR", _folder, "var/uploads", "folder", "where uploaded images are stored"),
    Setting("SECRET_KEY", _text, "", "text",
            "signs what the console's pages send, the same on every machine; empty: made, kept in the data folder"),
    Setting("BIND", _bind, "127.0.0.1:8000", "host:port", "where the server listens"),
    Setting("WORKERS", _whole(1, 64), "1", "processes", "worker processes; more than one uses more cores"),
    Setting("AI_BASE_URL", _web_url, "", "url",
            "an OpenAI-compatible endpoint, up to and without /chat/completions; empty: the builtin answerer"),
    Setting("AI_API_KEY", _text, "", "text", "the key sent to that endpoint as a bearer token"),
    Setting("AI_MODEL", _text, "", "text", "the model asked there"),
    Setting("AI_EMBEDDING_MODEL", _model, "", "text",
            "the model asked for embeddings there, so that knowledge is found by its meaning, too; empty: off"),
    Setting("AI_FALLBACK", _switch, "on", "switch",
            "let the builtin answerer answer when the endpoint fails before its first token"),
    Setting("AI_CONNECT_TIMEOUT_S", _seconds, "3", "seconds", "longest wait for a connection to the endpoint"),
    Setting("AI_FIRST_TOKEN_TIMEOUT_S", _seconds, "30", "seconds",
            "longest wait for the first token, retries included"),
    Setting("AI_TOKEN_TIMEOUT_S", _seconds, "15", "seconds", "longest silence between two tokens"),
    Setting("AI_ANSWER_TIMEOUT_S", _seconds, "120", "seconds", "longest time for a whole answer"),
    Setting("AI_MAX_ANSWER_CHARS", _whole(1, 1_000_000), "16000", "characters", "where an answer is cut with `length`"),
    Setting("REDIS_URL", _redis_url, "", "url", "doorbells and rates shared by several machines; empty: none"),
    Setting("PUBLIC_URL", _web_url, "", "url", "the address visitors reach Vexar at; makes image addresses absolute"),
    Setting("TRUSTED_PROXIES", _networks, "", "CIDR list", "proxies whose X-Forwarded-For and -Proto are believed"),
    Setting("DEMO", _switch, "off", "switch", "serve the demo shop at / and make its site `sk_demo`"),
    Setting("LOG_FORMAT", _one_of("text", "json"), "text", "word", "how log lines look: text or json"),
    Setting("METRICS_TOKEN", _text, "", "text",
            "bearer token for /metrics; empty: only direct loopback requests may read it"),
    Setting("MAX_MESSAGE_CHARS", _whole(1, 1_000_000), "4000", "characters", "the longest message of a visitor"),
    Setting("MAX_BODY_BYTES", _whole(1024), "65536", "bytes", "the largest JSON body"),
    Setting("MAX_IMAGE_BYTES", _whole(1024), "10485760", "bytes", "the largest image file"),
    Setting("MAX_IMAGE_PIXELS", _whole(1), "25000000", "pixels", "the largest image, width times height"),
    Setting("MAX_IMAGE_SIDE", _whole(16, 16384), "2560", "pixels", "longer images are scaled down to this side"),
    Setting("FETCH_ALLOW", _networks, "", "CIDR list", "private networks the server may fetch from; for tests"),
    Setting("LIMIT_MESSAGES_PER_MINUTE", _whole(0), "60", "per address and site", "messages; 0 switches it off"),
    Setting("LIMIT_SESSION_MESSAGES_PER_MINUTE", _whole(0), "20", "per session", "messages; 0 switches it off"),
    Setting("LIMIT_CONVERSATIONS_PER_MINUTE", _whole(0), "30", "per address and site",
            "sessions seen for the first time; 0 switches it off"),
    Setting("LIMIT_UPLOADS_PER_MINUTE", _whole(0), "20", "per address and site", "images; 0 switches it off"),
    Setting("LIMIT_FORMS_PER_MINUTE", _whole(0), "30", "per address and site",
            "email, contact and rating; 0 switches it off"),
    Setting("LIMIT_POLLS_PER_MINUTE", _whole(0), "120", "per session, ten times that per address",
            "reads, replays and attaching to a run; 0 switches it off"),
    Setting("LIMIT_STREAMS_PER_ADDRESS", _whole(0), "200", "per address and site",
            "open chat/events streams; 0 switches it off"),
    Setting("LIMIT_RUNS_PER_SESSION", _whole(0), "3", "per session", "runs waiting or running; 0 switches it off"),
    Setting("LIMIT_RUNS_PER_SITE", _whole(0), "50", "per site", "runs waiting or running; 0 switches it off"),
    Setting("LIMIT_LOGINS_PER_MINUTE", _whole(0), "10", "per address", "logins; 0 switches it off"),
)
