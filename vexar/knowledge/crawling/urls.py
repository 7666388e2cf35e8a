"""Which addresses are pages of a site: one spelling for each, none of another server, none of an endless kind."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from posixpath import normpath
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit

MAX_URL_CHARS, MAX_SEGMENTS, MAX_PARAMS = 1000, 12, 4
PORTS = {"http": 80, "https": 443}
# They tell where a visitor came from, never what the page says.
_TRACKING = re.compile(
    r"utm_\w+|gclid|fbclid|msclkid|mc_[ce]id|_ga|ref|referrer|s(?:ess(?:ion)?)?_?id|phpsessid|jsessionid|sid|token",
    re.IGNORECASE,
)
# Other orders and views of the same things, and doors to doing something.
_VIEWS = re.compile(
    r"sort\w*|order\w*|dir|direction|filter\w*|view|layout|print\w*|replytocom|share|add[-_]to[-_]\w+|action|do"
    r"|per_?page|limit|q|s|search|query|return(?:_?url|to)?|redirect\w*|next|back|year|month|week|day|date|cal\w*|from|to",
    re.IGNORECASE,
)
_DATED = re.compile(
    r"/(?:19|20|21)\d\d(?:[/-]\d{1,2}){1,2}/?$|/(?:calendar|kalender|calendrier|events?)/[\d/-]+$", re.IGNORECASE
)
_DOORS = re.compile(
    r"/(?:log-?in|log-?out|sign-?(?:in|out|up)|register|cart|basket|checkout|wp-admin|wp-json|feed)(?:/|$)",
    re.IGNORECASE,
)
_FILES = re.compile(
    r"\.(?:jpe?g|png|gif|webp|avif|svg|ico|bmp|tiff?|mp[34]|m4[av]|webm|ogg|wav|avi|mov|zip|gz|tgz|rar|7z|exe|dmg|apk"
    r"|iso|css|js|mjs|map|json|xml|rss|atom|woff2?|ttf|eot|pdf|docx?|xlsx?|pptx?|csv|txt|ics)$", re.IGNORECASE,
)  # fmt: skip


class Domain:
    """The addresses of one site: its own host, with and without `www.`, on its own port."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url if "//" in url else f"https://{url}")
        bare = _host(parts.hostname).removeprefix("www.")
        self._hosts = {bare, f"www.{bare}"}
        self._port = parts.port or PORTS.get(parts.scheme, 0)
        self._start = self.plain(parts.geturl())
        self._settled = urlsplit(self._start)

    @property
    def start(self) -> str:
        """The site's first page; empty when there is none that can be asked for."""
        return self.page(self._start)

    @property
    def root(self) -> str:
        """Scheme and host, as they were given."""
        return "{0.scheme}://{0.netloc}".format(urlsplit(self._start))

    def settle(self, url: str) -> None:
        """From now on this own address's scheme and host stand for all the names of the site."""
        if self.is_own(url):
            self._settled = urlsplit(self.plain(urljoin(url, "/")))

    def is_own(self, url: str) -> bool:
        """Whether an address is on this site's server, page or not."""
        with suppress(ValueError):
            return bool(self.plain(urljoin(url, "/")))
        return False

    def page(self, url: str) -> str:
        """The one spelling of an address under the name the site lives at; empty when it is none of its pages."""
        plain, home = self.plain(url), self._settled
        return urlsplit(plain)._replace(scheme=home.scheme, netloc=home.netloc).geturl() if plain else ""

    def plain(self, url: str) -> str:
        """The one spelling of an address of this site, under its own name; empty when it is none of its pages."""
        try:
            parts = urlsplit(url)
            host, port = _host(parts.hostname), parts.port or PORTS.get(parts.scheme, 0)
        except ValueError:
            return ""
        is_own = host in self._hosts and (port == self._port or {port, self._port} <= set(PORTS.values()))
        if parts.scheme not in PORTS or not is_own or "@" in parts.netloc or len(url) > MAX_URL_CHARS:
            return ""
        netloc = host if port == PORTS[parts.scheme] else f"{host}:{port}"
        path = _path(parts.path)
        return f"{parts.scheme}://{netloc}{path}{_query(parts.query)}" if path else ""


def is_twin(url: str, other: str) -> bool:
    """Whether two addresses differ in scheme and host only."""
    return urlsplit(url)[2:] == urlsplit(other)[2:] and url != other


def is_root(url: str) -> bool:
    """Whether it is the first page of a server."""
    parts = urlsplit(url)
    return parts.path in ("", "/") and not parts.query


def is_trap(url: str) -> bool:
    """Whether links to it may go on without an end, or lead to no text; what a sitemap lists is taken all the same."""
    parts = urlsplit(url)
    segments = [segment for segment in parts.path.split("/") if segment]
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    return (
        len(segments) > MAX_SEGMENTS or max(Counter(segments).values(), default=0) > 2 or len(names) > MAX_PARAMS
        or any(_VIEWS.fullmatch(name) for name in names)
        or bool(_DATED.search(parts.path) or _DOORS.search(parts.path))
    )


def _host(name: str | None) -> str:
    """As it goes over the wire: `müller.example` and `xn--mller-kva.example` are one."""
    name = (name or "").lower().rstrip(".")
    with suppress(UnicodeError):
        return name.encode("idna").decode("ascii")
    return name


def _path(path: str) -> str:
    with suppress(ValueError):
        path = quote(unquote(path, errors="strict"), safe="/~!$&'()*+,;=:@-._")
    path = re.sub(r";(?:jsessionid|sid)=[^/;]*", "", path, flags=re.IGNORECASE)
    if _FILES.search(path):
        return ""
    whole = normpath("/" + path.lstrip("/"))
    return whole + "/" if path.endswith(("/", "/.", "/..")) and whole != "/" else whole


def _query(query: str) -> str:
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if not _TRACKING.fullmatch(name)]
    # An order of names is no other page.
    return "?" + urlencode(sorted(kept)) if kept else ""
