"""The console's pages: the shell for who is signed in, the pages to get in for everybody else, scripts and styles.

Everything else the console does goes through the operators' API, with the cookie that is set here.
"""

from __future__ import annotations

import hashlib
from functools import cache
from urllib.parse import quote

import msgspec
from flask import Blueprint, Response, render_template, request

from vexar.errors import ApiError
from vexar.parts import parts
from vexar.people import auth
from vexar.routes.api import json_answer
from vexar.routes.assets import FOREVER_CACHE, Asset, asset_answer, make_asset
from vexar.routes.auth import NewPassword, Password, own_bucket, to_user
from vexar.routes.cookies import check_csrf, cookie_token, csrf_token, forget_cookie, keep_cookie, refuse_other_pages
from vexar.routes.fields import Email, Filled, PersonName, Text
from vexar.routes.files import STATIC
from vexar.routes.reading import json_reader

blueprint = Blueprint("console", __name__, template_folder=str(STATIC))

FOLDER = STATIC / "console"
STATIC_PATH = "/console/static/"
TYPES = (".js", ".css", ".svg")
NO_CACHE = "no-cache"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob: https:; connect-src 'self'; "
    "font-src 'self'; media-src 'self'; frame-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    # The pages of one-time links have their token in the address.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# The preview shows the real widget as a page of a site would: in a frame of the console, and without Trusted Types.
PREVIEW_HEADERS = HEADERS | {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
}
TITLES = {
    "login": "Sign in", "setup": "Welcome to Vexar", "join": "Join the team", "password": "Choose a new password",
    "forgotten": "Forgot your password?", "dead": "This link does not work any more",
}  # fmt: skip


class LoginBody(msgspec.Struct, kw_only=True):
    """Who signs in."""

    email: Filled(320)
    password: Password


class SetupBody(msgspec.Struct, kw_only=True):
    """The first owner."""

    token: Text(200)
    email: Email
    name: PersonName
    password: NewPassword


class JoinBody(msgspec.Struct, kw_only=True):
    """Who was invited, or chooses a new password."""

    token: Text(200)
    password: NewPassword
    name: PersonName | None = None


_read_login = json_reader(LoginBody, is_strict=True)
_read_setup = json_reader(SetupBody, is_strict=True)
_read_join = json_reader(JoinBody, is_strict=True)


@blueprint.get("/console")
@blueprint.get("/console/")
@blueprint.get("/console/<path:page>")
def shell(page: str = "") -> Response:
    """The page that draws itself; who is not signed in goes to the login and comes back."""
    token = cookie_token()
    if not _is_signed_in(token):
        back = f"?next={quote(request.path)}" if page else ""
        return Response(status=303, headers={"Location": f"/console/login{back}", "Cache-Control": "no-store"})
    text = _static_text("app.html").replace("{csrf}", csrf_token(parts().config.secret_key, token))
    return _page(text)


@blueprint.get("/console/login")
def login_page() -> Response:
    """Email and password."""
    if _is_signed_in(cookie_token()):
        return Response(status=303, headers={"Location": "/console/", "Cache-Control": "no-store"})
    return _entry("login")


@blueprint.get("/console/preview")
def preview_page() -> Response:
    """The widget with settings that are not saved; they are in the fragment, which never reaches the server."""
    if not _is_signed_in(cookie_token()):
        raise ApiError("unauthorized")
    return _page(_static_text("preview.html"), headers=PREVIEW_HEADERS)


@blueprint.get("/console/setup")
def setup_page() -> Response:
    """Where the first owner's link leads."""
    try:
        parts().accounts.check_setup(request.args.get("token", ""))
    except ApiError:
        return _entry("dead", 404)
    return _entry("setup")


@blueprint.get("/console/join")
def join_page() -> Response:
    """Where an invitation leads."""
    return _personal("join")


@blueprint.get("/console/password")
def password_page() -> Response:
    """Where a link for a new password leads; without one, how to get it."""
    return _personal("password") if request.args.get("token") else _entry("forgotten")


@blueprint.post("/console/login")
def login() -> Response:
    """Sign in with the cookie. Raises ApiError unauthorized, rate_limited."""
    refuse_other_pages()
    body = _read_login(request)
    return _signed_in(parts().accounts.login(body.email, body.password, own_bucket(parts())))


@blueprint.post("/console/setup")
def set_up() -> Response:
    """Make the first owner. Raises ApiError not_found, invalid."""
    refuse_other_pages()
    body = _read_setup(request)
    return _signed_in(
        parts().accounts.set_up(body.token, email=body.email, name=body.name, password=body.password)
    )


@blueprint.post("/console/<any('join', 'password'):_page_name>")
def join(_page_name: str) -> Response:
    """Accept an invitation, or set a new password. Raises ApiError not_found, invalid."""
    refuse_other_pages()
    body = _read_join(request)
    return _signed_in(parts().accounts.accept(body.token, body.password, body.name))


@blueprint.post("/console/logout")
def logout() -> Response:
    """End the session of the cookie. Raises ApiError unauthorized, forbidden."""
    token = cookie_token()
    if not _is_signed_in(token):
        raise ApiError("unauthorized")
    check_csrf(token)
    parts().accounts.logout(token)
    return forget_cookie(_json())


@blueprint.get(f"{STATIC_PATH}<path:name>")
def console_file(name: str) -> Response:
    """A script, style or picture, as `name` or `<version>/name`. Raises ApiError not_found."""
    version, files = read_files()
    first, _, rest = name.partition("/")
    asset = files.get(name) or files.get(rest)
    if asset is None:
        raise ApiError("not_found")
    answer = asset_answer(asset, FOREVER_CACHE if first == version else NO_CACHE)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return answer


@cache
def read_files() -> tuple[str, dict[str, Asset]]:
    """The version (a hash over all files) and every file by its path below static/console."""
    found = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes()
        for path in sorted(FOLDER.rglob("*")) if path.suffix in TYPES
    }  # fmt: skip
    digest = hashlib.sha256(b"".join(name.encode() + b"\0" + data for name, data in found.items()))
    return digest.hexdigest()[:12], {name: make_asset(name, data) for name, data in found.items()}


@cache
def _static_text(name: str) -> str:
    text = (FOLDER / name).read_text(encoding="utf-8")
    # Its modules import each other by relative addresses, so all of them come below the version.
    return text.replace(STATIC_PATH, f"{STATIC_PATH}{read_files()[0]}/")


def _personal(name: str) -> Response:
    """The page of a link that is for one person."""
    try:
        operator = parts().accounts.whose(request.args.get("token", ""))
    except ApiError:
        return _entry("dead", 404)
    return _entry(name, email=operator.email, name=operator.name)


def _entry(page: str, status: int = 200, **values: str) -> Response:
    # Flask escapes every value in a template whose name ends in .html.
    text = render_template(
        "console/entry.html", page=page, title=TITLES[page], static=f"{STATIC_PATH}{read_files()[0]}/", **values
    )
    return _page(text, status)


def _page(text: str, status: int = 200, headers: dict[str, str] = HEADERS) -> Response:
    return Response(text, status, headers, content_type="text/html; charset=utf-8")


def _is_signed_in(token: str | None) -> bool:
    return bool(token) and parts().store.read(auth.find_by_session, token=token) is not None


def _signed_in(token: str) -> Response:
    live = parts()
    operator = live.store.read(auth.find_by_session, token=token)
    return keep_cookie(_json(user=to_user(live, operator)), token)


def _json(**values: object) -> Response:
    return json_answer({"success": True, **values}, headers={"Cache-Control": "no-store"})
