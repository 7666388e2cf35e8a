"""A site of 300 pages with everything a crawler can stumble over; `pages` are the right ones. It notes who asks for
what: `asked`. `extra` replaces or adds answers by path: (status, headers, body)."""

from __future__ import annotations

import gzip
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MENU = "<nav><a href=/>Home</a><a href=/calendar/2026/01>Calendar</a><a href=/loop/1>Loop</a></nav>"
FOOT = "<footer>Imprint and cookies <a href=/login>Log in</a></footer>"
HTML = {"Content-Type": "text/html; charset=utf-8"}


def html(title: str, body: str, head: str = "") -> bytes:
    """A page with menu and footer around it."""
    return f"<!doctype html><title>{title}</title>{head}{MENU}<main><h1>{title}</h1>{body}</main>{FOOT}".encode()


class ShopSite:
    """Serves on 127.0.0.1; `delay_s` before each page."""

    def __init__(self, *, products: int = 280, delay_s: float = 0.0, forbidden_port: int = 9) -> None:
        self.asked: list[str] = []
        # Of each request, when it came and when its answer was complete.
        self.times: list[tuple[float, float]] = []
        self.extra: dict[str, tuple[int, dict, bytes]] = {}
        self.delay_s = delay_s
        self.products = products
        self.forbidden_port = forbidden_port
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body leave together: apart, the second waits 40 ms for the receipt of the first.
            wbufsize = 65536

            def do_GET(self) -> None:
                site.asked.append(self.path)
                came_at = time.monotonic()
                time.sleep(site.delay_s)
                status, headers, body = site.answer(self.path)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()
                site.times.append((came_at, time.monotonic()))

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        self.pages = self._pages()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _pages(self) -> dict[str, bytes]:
        """The right pages: path -> HTML."""
        even = range(0, self.products, 2)
        links = "".join(f"<a href='/product/{n}?utm_source=home#top'>Product {n}</a> " for n in even)
        traps = (
            "<a href='/out'>o</a><a href='/moved'>m</a><a href='/private-redirect'>p</a><a href='/huge'>h</a>"
            "<a href='/soft404'>s</a><a href='/missing'>x</a><a href='/admin/secret'>a</a><a href='/copy'>c</a>"
            "<a href='/canonical?x=1'>k</a><a href='/noindex'>n</a><a href='/image.png'>i</a><a href='/data'>d</a>"
            "<a href='/list?sort=price&page=1'>l</a><a href='/a/b/a/b/a/b/'>r</a><a href='mailto:x@y.example'>m</a>"
            "<a href='javascript:alert(1)'>j</a><a href='http://elsewhere.example/'>e</a><a href='/spin'>s</a>"
            "<a href='/latin'>1</a><a href='/liar'>2</a><a href='/broken'>3</a><a href='/empty'>4</a>"
            "<a href='/ping'>5</a><a href='/product/1/../1'>6</a><a href='/busy'>7</a><a href='http://[broken'>8</a>"
            "<a href='/old-shop'>9</a><a href='/session?sid=1'>10</a><a href='/session?sid=2'>11</a>"
        )
        found = {"/": html("Our shop", f"<p>Welcome to the shop of many things.</p>{links}{traps}")}
        for n in range(self.products):
            found[f"/product/{n}"] = html(f"Product {n}", f"<p>Number {n} is a thing called word{n}, made by hand.</p>")
        found["/moved-here"] = html("Moved", "<p>This page has moved here from another place.</p>")
        found["/canonical"] = html("Canonical", "<p>One page with many addresses, this is the right one.</p>")
        found["/session"] = html("Session", "<p>The same page for every session there may be.</p>")
        found["/busy"] = html("Busy", "<p>This page was busy at the first time it was asked.</p>")
        found["/broken"] = (
            b"<html><p>Broken <b>HTML <i>never</b> closed </i><table><tr><td>still readable for people<div></span>"
        )
        return found

    def answer(self, target: str) -> tuple[int, dict, bytes]:
        """What is answered for a path with its query."""
        path = target.partition("?")[0]
        if target in self.extra or path in self.extra:
            return self.extra.get(target) or self.extra[path]
        special = getattr(self, "_" + path.strip("/").replace(".", "_").replace("-", "_"), None)
        if special:
            return special(target)
        if path.startswith("/calendar/"):
            link = f"<a href={path}/../{len(self.asked)}>next</a>"
            return 200, HTML, html(f"Calendar {path}", f"<p>Nothing happens on {path}.</p>{link}")
        if path.startswith("/loop/"):
            link = f"<a href={path}/{len(self.asked)}>more</a>"
            return 200, HTML, html("Loop", f"<p>The same words again and again.</p>{link}")
        if path.startswith("/a/b/"):
            return 200, HTML, html("Deep", "<p>Relative links that never end.</p><a href='a/b/'>deeper</a>")
        if path.startswith("/spin"):
            return 302, {"Location": f"/spin?n={len(self.asked)}"}, b""
        if path in self.pages:
            return 200, HTML, self.pages[path]
        # A server that never says 404.
        return 200, HTML, html("Nothing here", f"<p>We looked for {path} and there is no such thing.</p>")

    def _robots_txt(self, target: str) -> tuple[int, dict, bytes]:
        return 200, {"Content-Type": "text/plain"}, (
            f"User-agent: *\nDisallow: /admin/\nSitemap: {self.url}/maps.xml\n".encode()
        )

    def _maps_xml(self, target: str) -> tuple[int, dict, bytes]:
        names = ("one.xml.gz", "broken-map.xml")
        body = "".join(f"<sitemap><loc>{self.url}/{name}</loc></sitemap>" for name in names)
        return 200, {}, f"<sitemapindex>{body}</sitemapindex>".encode()

    def _one_xml_gz(self, target: str) -> tuple[int, dict, bytes]:
        urls = [f"{self.url}/product/{n}" for n in range(1, self.products, 2)]
        urls += ["http://elsewhere.example/x", f"{self.url}/admin/listed"]
        body = "".join(f"<url><loc>\n{url}</loc></url>" for url in urls)
        return 200, {}, gzip.compress(f"<urlset>{body}</urlset>".encode())

    def _broken_map_xml(self, target: str) -> tuple[int, dict, bytes]:
        return 200, {}, b"\x1f\x8bno gzip at all"

    def _latin(self, target: str) -> tuple[int, dict, bytes]:
        body = html("Über uns", "<p>Schöne Grüße aus dem Café an der Straße.</p>")
        return 200, {"Content-Type": "text/html"}, body.decode().encode("latin-1")

    def _liar(self, target: str) -> tuple[int, dict, bytes]:
        return 200, {"Content-Type": "text/html; charset=iso-8859-1"}, html("Größe", "<p>Größen von Süß bis Öl.</p>")

    def _moved(self, target: str) -> tuple[int, dict, bytes]:
        return 301, {"Location": "/moved-here"}, b""

    def _out(self, target: str) -> tuple[int, dict, bytes]:
        return 302, {"Location": "http://elsewhere.example/"}, b""

    def _private_redirect(self, target: str) -> tuple[int, dict, bytes]:
        return 302, {"Location": f"http://127.0.0.2:{self.forbidden_port}/latest/meta-data"}, b""

    def _huge(self, target: str) -> tuple[int, dict, bytes]:
        return 200, HTML, html("Huge", "<p>" + "huge " * 600_000)

    def _soft404(self, target: str) -> tuple[int, dict, bytes]:
        return 200, HTML, html("Page not found", "<p>The page that you wanted is not here, try the search.</p>")

    def _copy(self, target: str) -> tuple[int, dict, bytes]:
        return 200, HTML, self.pages["/product/7"]

    def _canonical(self, target: str) -> tuple[int, dict, bytes]:
        body = self.pages["/canonical"].replace(b"<nav>", b"<link rel=canonical href='/canonical'><nav>", 1)
        return 200, HTML, body + (b"<p>extra" if "?" in target else b"")

    def _noindex(self, target: str) -> tuple[int, dict, bytes]:
        return 200, HTML, html("Secret", "<p>Not for any index at all.</p>", "<meta name=robots content=noindex>")

    def _data(self, target: str) -> tuple[int, dict, bytes]:
        return 200, {"Content-Type": "application/octet-stream"}, b"\x00\x01" * 100

    def _empty(self, target: str) -> tuple[int, dict, bytes]:
        return 200, HTML, b"<html><nav>Menu only, nothing else on this page</nav></html>"

    def _ping(self, target: str) -> tuple[int, dict, bytes]:
        return 302, {"Location": "/pong"}, b""

    def _pong(self, target: str) -> tuple[int, dict, bytes]:
        return 302, {"Location": "/ping"}, b""

    def _busy(self, target: str) -> tuple[int, dict, bytes]:
        if self.asked.count("/busy") < 2:
            return 503, {"Retry-After": "0"}, b""
        return 200, HTML, self.pages["/busy"]
