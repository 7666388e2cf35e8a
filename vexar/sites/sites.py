"""Sites: making one, its keys and origins, its row on the wire. Commands and operators' endpoints both come here.

What a site decides about its chat is in site_settings.py; how it is erased, in erasing.py.
"""

from __future__ import annotations

import re
import secrets
from typing import Any
from urllib.parse import SplitResult, urlsplit

from vexar.conversing.messages import to_time
from vexar.errors import invalid
from vexar.models import Site
from vexar.sites.settings import SiteSettings, read_settings, write_settings
from vexar.store import P, Statement, Transaction

MAX_NAME_CHARS = 200
MAX_URL_CHARS = 2_000
KEY = re.compile(r"sk_[A-Za-z0-9_-]{24,125}")
OWN_PORTS = {"http": 80, "https": 443}

_ADD = Statement(
    Site.insert(
        site_key=P.site_key, name=P.name, url=P.url, is_active=1, settings=P.settings,
        identity_secret=P.identity_secret, upload_bytes=0, knowledge_version=0, created_ms=P.now_ms,
        changed_ms=P.now_ms,
    )
)
_ALL = Statement(Site.select(Site).order_by(Site.id))
_ONE = Statement(Site.select(Site).where(Site.id == P.id))
_LOCK = Statement(Site.select(Site).where(Site.id == P.id), lock=True)
_BY_KEY = Statement(Site.select(Site).where(Site.site_key == P.site_key))
_CHANGE = Statement(
    Site.update(name=P.name, url=P.url, is_active=P.is_active, changed_ms=P.now_ms).where(Site.id == P.id)
)
_NEW_KEY = Statement(Site.update(site_key=P.site_key, changed_ms=P.now_ms).where(Site.id == P.id))


def new_key() -> str:
    """A site key that nobody can guess."""
    return f"sk_{secrets.token_urlsafe(24)}"


def add(
    tx: Transaction, *, url: str, site_key: str, identity_secret: str, name: str = "", origins: list[str] | None = None
) -> Any:
    """A new site: its row. `name` empty: the host name; `origins` None: that of the url and its www twin.

    The same key again, after a COMMIT whose answer was lost, is the same site. Raises Duplicate (site_key).
    """
    known = tx.one(_BY_KEY, site_key=site_key) if tx.may_be_done else None
    if known is not None and known.identity_secret == identity_secret:
        return known
    name = name or web_address(url).hostname
    settings = SiteSettings(bot_name=name, allowed_origins=default_origins(url) if origins is None else origins)
    number = tx.insert(
        _ADD, site_key=site_key, name=name, url=url, settings=write_settings(settings),
        identity_secret=identity_secret, now_ms=tx.now_ms(),
    )
    return tx.one(_ONE, id=number)


def every(tx: Transaction) -> list:
    """The rows of all sites, by number."""
    return tx.all(_ALL)


def find_all(tx: Transaction, *, site_ids: list[int]) -> list:
    """The rows of these sites, in their order."""
    found = (tx.one(_ONE, id=number) for number in site_ids)
    return [site for site in found if site is not None]


def lock(tx: Transaction, site_id: int) -> Any:
    """The row of a site, which nobody else changes until this job ends; None when there is none."""
    return tx.one(_LOCK, id=site_id)


def change(tx: Transaction, *, site_id: int, **values: Any) -> Any:
    """Change name, url or is_active, whichever is given: the row; None when the site is gone."""
    site = lock(tx, site_id)
    if site is None:
        return None
    now = {name: values.get(name, getattr(site, name)) for name in ("name", "url", "is_active")}
    tx.run(_CHANGE, id=site_id, now_ms=tx.now_ms(), **now)
    return tx.one(_ONE, id=site_id)


def rotate_key(tx: Transaction, *, site_id: int, site_key: str) -> None:
    """From now on only the new key works."""
    tx.run(_NEW_KEY, id=site_id, site_key=site_key, now_ms=tx.now_ms())


def to_wire(site: Any) -> dict:
    """A site as operators see it."""
    return {
        "id": site.id, "name": site.name, "url": site.url, "site_key": site.site_key,
        "is_active": bool(site.is_active), "allowed_origins": read_settings(site.settings).allowed_origins,
        "created_at": to_time(site.created_ms),
    }


def widget_code(base: str, site_key: str) -> str:
    """What a site pastes into its pages; `base`: where Vexar is reached."""
    return f'<script src="{base}/widget/chatbot.js" data-key="{site_key}" async></script>'


def web_address(text: str) -> SplitResult:
    """The parts of an http or https address whose origin can be told. Raises ValueError with a sentence."""
    try:
        parts = urlsplit(text)
        if parts.scheme in OWN_PORTS and parts.hostname and not re.search(r"[\s\x00-\x1f]", text) and origin_of(parts):
            return parts
    except ValueError:
        pass
    raise ValueError("must be an http or https address")


def checked_url(text: str) -> str:
    """A site's address as it is stored. Raises ApiError invalid (url)."""
    try:
        web_address(text)
    except ValueError as problem:
        raise invalid(url=str(problem)) from None
    return text


def normal_origin(text: str) -> str:
    """An origin, or `*`, as browsers send it. Raises ValueError with a sentence."""
    if text == "*":
        return text
    parts = web_address(text)
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must be * or scheme://host[:port]")
    return origin_of(parts)


def default_origins(url: str) -> list[str]:
    """The origin of a website and its twin with or without `www.`."""
    own = origin_of(urlsplit(url))
    scheme, _, host = own.partition("://")
    bare = host.removeprefix("www.")
    name = bare.partition(":")[0]
    has_twin = "." in name and not name.replace(".", "").isdigit()
    return [f"{scheme}://{bare}", f"{scheme}://www.{bare}"] if has_twin else [own]


def origin_of(parts: SplitResult) -> str:
    """The origin as browsers send it: lower case, without the scheme's own port, names in other scripts encoded."""
    host = parts.hostname
    if ":" in host:
        host = f"[{host}]"
    elif not host.isascii():
        host = host.encode("idna").decode()
    port = "" if parts.port in (None, OWN_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
