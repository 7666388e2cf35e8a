"""The WSGI entry: `gunicorn -c gunicorn.conf.py wsgi:app`. Patches with gevent before anything else is imported."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

from app import create_app  # noqa: E402

app = create_app()
