"""Which web pages may read the public answers: flask-cors answers, the site's list of origins decides.

A preflight is answered for any origin, since the site is not known yet; the request itself decides.
"""

from __future__ import annotations

from flask import Flask, Response, g, request
from flask_cors import CORS

PUBLIC = r"/api/v1/(chat|proactive)/.*"
MAX_AGE_S = 7_200


def install_cors(app: Flask) -> None:
    """Add the CORS headers of the public endpoints."""
    # Registered first, so it runs after flask-cors has added its headers.
    app.after_request(_withhold)
    CORS(
        app,
        resources={PUBLIC: {}},
        origins="*",
        send_wildcard=False,
        methods=["GET", "POST", "OPTIONS"],
        allow_headers="*",
        expose_headers=["Retry-After", "Vexar-Message-Id"],
        max_age=MAX_AGE_S,
        supports_credentials=False,
        vary_header=True,
    )


def _withhold(response: Response) -> Response:
    """Take the headers back from a page that is not allowed, and vary by origin either way."""
    if not request.path.startswith(("/api/v1/chat/", "/api/v1/proactive/")):
        return response
    if g.get("is_origin_refused"):
        for name in [name for name in response.headers.keys() if name.lower().startswith("access-control-")]:
            del response.headers[name]
    response.vary.add("Origin")
    return response
