"""A web site that embeds the widget: serves tests/browser/pages on an origin of its own, with the headers of a test.

`{base}` in a page is where Vexar is, `{tag}` the pasted tag (with the attributes of the test), `{nonce}` a nonce.
Reports of violated policies are collected.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGES = Path(__file__).with_name("pages")
NONCE = "r4nd0mn0nc3"


class Host:
    """The site. `url` is its origin; `headers` and `attributes` may be changed between two page loads."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.headers: dict[str, str] = {}
        self.attributes = 'data-key="sk_demo"'
        self.reports: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def strict(self) -> None:
        """Send the strictest policies under which the tag works: what docs/widget.md tells a site to allow."""
        self.headers = {
            "Content-Security-Policy": (
                f"default-src 'none'; script-src 'nonce-{NONCE}'; connect-src {self.base}; img-src {self.base}; "
                "require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'; form-action 'none'; "
                "report-uri /report"
            ),
            "Cross-Origin-Embedder-Policy": "require-corp",
            "Cross-Origin-Opener-Policy": "same-origin",
        }

    def html(self, name: str) -> str:
        """A page with its places filled."""
        tag = f'<script nonce="{NONCE}" src="{self.base}/widget/chatbot.js" {self.attributes} async></script>'
        text = (PAGES / f"{name}.html").read_text(encoding="utf-8")
        return text.replace("{tag}", tag).replace("{base}", self.base).replace("{nonce}", NONCE)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.partition("?")[0].strip("/").split("/")[0] or "plain"
                is_page = (PAGES / f"{name}.html").exists()
                body = host.html(name).encode() if is_page else b""
                self.send_response(200 if is_page else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                for key, value in host.headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                host.reports.append(self.rfile.read(length).decode())
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        return Handler
