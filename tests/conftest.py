"""The fixtures of all tests: fresh databases on both engines, the app in this process, real servers, a browser."""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import config as settings
from tests import services

ENGINES = ["sqlite", pytest.param("mysql", marks=pytest.mark.servers)]


def config_for(folder: Path, **values: object) -> settings.Config:
    """Settings for one test: everything below `folder`, limits off, then `values` by their lower-case names
    (`config_for(tmp_path, max_message_chars=10, demo=True)`)."""
    environ = {
        "VEXAR_DATABASE_URL": f"sqlite:///{folder}/vexar.db",
        "VEXAR_DATA_DIR": str(folder / "var"),
        "VEXAR_UPLOAD_DIR": str(folder / "uploads"),
        "VEXAR_SECRET_KEY": "a secret of the tests",
        **services.limits_off(),
    }
    known = {setting.name.lower() for setting in settings.SETTINGS}
    for name, value in values.items():
        assert name in known, f"there is no setting {name}"
        words = {True: "on", False: "off"} if isinstance(value, bool) else {}
        environ[settings.PREFIX + name.upper()] = words.get(value, str(value))
    return settings.load(environ, env_file=None)


def add_site(store: object, site_key: str = "sk_demo", **values: object) -> int:
    """A site that allows every origin, with `values` in its settings and no knowledge; its id."""
    from vexar.models import Site
    from vexar.sites.settings import SiteSettings, write_settings

    def job(tx) -> int:
        found = tx.one(Site.select(Site.id).where(Site.site_key == site_key))
        return found.id if found else tx.insert(row)

    settings = SiteSettings(**{"allowed_origins": ["*"], **values})
    row = Site.insert(
        site_key=site_key, name=site_key, url="https://shop.example", is_active=1, settings=write_settings(settings),
        identity_secret="", upload_bytes=0, knowledge_version=0, created_ms=1, changed_ms=1,
    )  # fmt: skip
    return store.write(job)


@contextlib.contextmanager
def needed(what: str) -> Iterator[None]:
    """Skip when a program is missing, and say why; fail where it has to be there (CI=true)."""
    try:
        yield
    except services.Missing as problem:
        sentence = f"{what}: {problem}"
        pytest.fail(sentence, pytrace=False) if os.environ.get("CI") == "true" else pytest.skip(sentence)


@pytest.fixture(scope="session", autouse=True)
def short_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where Vexar puts what needs a short path (doorbells): a folder of this session, which goes with it."""
    tmp_path_factory.getbasetemp()
    folder = services.Folder("t")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder.path))
        patch.setenv("TMPDIR", str(folder.path))
        yield
    folder.remove()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[services.MariaDB]:
    """A MariaDB server of our own, started when the first test asks for it."""
    with needed("needs MariaDB"):
        server = services.MariaDB()
    yield server
    server.close()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[services.Redis]:
    """A Redis server of our own; tests may kill and start it, and leave it running."""
    with needed("needs Redis"):
        server = services.Redis()
    yield server
    server.close()


@pytest.fixture
def redis_url(redis_server: services.Redis) -> str:
    """The URL of an empty Redis."""
    redis_server.flush()
    return redis_server.url


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Runs the test once on each engine."""
    return request.param


@pytest.fixture
def make_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """`make_database(engine)`: the URL of a fresh database."""
    made: list[str] = []
    numbers = itertools.count(1)

    def make(engine: str) -> str:
        if engine == "sqlite":
            return f"sqlite:///{tmp_path}/fresh{next(numbers)}.db"
        made.append(request.getfixturevalue("mariadb").create())
        return made[-1]

    yield make
    for url in made:
        request.getfixturevalue("mariadb").drop(url)


@pytest.fixture
def database_url(engine: str, make_database: Callable[[str], str]) -> str:
    """A fresh database on each engine in turn."""
    return make_database(engine)


@pytest.fixture
def store(database_url: str) -> Iterator[object]:
    """An open store over a fresh database, on each engine in turn."""
    from vexar.store import open_store

    opened = open_store(database_url)
    yield opened
    opened.close()


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[Callable[..., object]]:
    """`make_app(**settings)`: the Flask app in this process, with the site `sk_demo` (allowing every origin, knowing
    nothing); its parts are closed after the test."""
    from app import create_app

    made = []

    def make(**values: object) -> object:
        made.append(create_app(config_for(tmp_path, **values)))
        # It works at moments of its own choice; tests that are about it run a server, or ring themselves.
        made[-1].extensions["vexar"].scheduler.close()
        add_site(made[-1].extensions["vexar"].store)
        return made[-1]

    yield make
    for app in made:
        app.extensions["vexar"].close()


@pytest.fixture
def app(make_app: Callable[..., object]) -> object:
    """The app in this process, on SQLite, with the site `sk_demo`."""
    return make_app()


@pytest.fixture
def client(app: object) -> object:
    """Flask's own test client of `app`."""
    return app.test_client()


@pytest.fixture
def upstream() -> Iterator[object]:
    """A local AI endpoint on the wire, with scripted answers and faults (tests/upstream.py)."""
    from tests.upstream import Upstream

    server = Upstream()
    yield server
    server.close()


@pytest.fixture
def boot(tmp_path: Path) -> Iterator[Callable[..., services.Server]]:
    """`boot(workers=1, env=None, database_url=None, port=None, data_dir=None)`: a real gunicorn that answers, with the
    site `sk_demo` (allowing every origin, knowing nothing); killed afterwards."""
    from vexar.store import open_store

    servers: list[services.Server] = []

    def start(*, data_dir: Path | None = None, database_url: str | None = None, **options: object) -> services.Server:
        data_dir = data_dir or tmp_path / f"server{len(servers) + 1}"
        database_url = database_url or f"sqlite:///{data_dir}/vexar.db"
        with contextlib.closing(open_store(database_url)) as store:
            add_site(store)
        servers.append(services.Server(data_dir, database_url=database_url, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Where Chromium is."""
    with needed("needs Chromium"):
        return services.find_chromium()


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[object]:
    """One headless Chromium for all tests that need it (playwright's Browser)."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium_path, args=list(services.CHROMIUM_FLAGS))
        yield running
        running.close()


@pytest.fixture
def page(browser: object) -> Iterator[object]:
    """A fresh page with storage and cookies of its own."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fails a test that leaves a thread of ours running: a store, run, broker or stream nobody closed."""
    before = set(threading.enumerate())
    yield
    give_up = time.monotonic() + 3
    while left := [thread for thread in threading.enumerate() if thread not in before and _is_ours(thread)]:
        assert time.monotonic() < give_up, f"left running: {', '.join(thread.name for thread in left)}"
        time.sleep(0.01)


def _is_ours(thread: threading.Thread) -> bool:
    return not thread.daemon or thread.name.startswith("vexar")
