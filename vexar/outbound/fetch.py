"""The one door to `requests`: a call to another server whose every wait has a deadline and that any thread can end.

It refuses proxies, netrc files and cookies (nothing but the settings decides where a call goes), redirects, and
retries: whether asking again is right is the caller's to know.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from functools import cache
from http.client import HTTPException, HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from ssl import SSLContext
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.certs import where
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_ import create_urllib3_context

from vexar.outbound.dialing import FetchError, Resolver, Unreachable, connect

READ_BYTES = 65536
BUFFER_BYTES = 16384  # held for each open call
KEPT_CONNECTIONS = 512  # more calls than this at a time work too, their connections are just not kept


class Broken(FetchError):
    """The connection broke before the answer was whole."""


class Late(FetchError):
    """The deadline passed."""


class Ended(FetchError):
    """The call was ended with `cancel()`."""


class Session:
    """Kept connections for any number of calls at the same time; one per process and purpose."""

    def __init__(self, connect_timeout_s: float, resolver: Resolver | None = None) -> None:
        self.connect_timeout_s = connect_timeout_s
        self.resolver = resolver or Resolver()
        self.requests = requests.Session()
        # Else a netrc entry for the host would replace the Authorization header, and a proxy would read it.
        self.requests.trust_env = False
        self.requests.headers.clear()
        self.requests.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        for scheme in ("http://", "https://"):
            self.requests.mount(scheme, _Adapter(pool_maxsize=KEPT_CONNECTIONS))

    def call(self, deadline: float) -> Call:
        """A call that has not begun; `deadline` as in `time.monotonic()`."""
        return Call(self, deadline)

    def close(self) -> None:
        """Close the kept connections."""
        self.requests.close()
        self.resolver.close()


class Call:
    """One request and its answer. `deadline` may be moved at any time and holds for the next wait."""

    def __init__(self, session: Session, deadline: float) -> None:
        self.deadline = deadline
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.session = session
        self._raw: Any = None
        self._socket: Any = None
        self._is_cancelled = False
        self._lock = threading.Lock()

    def send(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None) -> None:
        """Ask, and wait for the answer's `status` and `headers`. Raises FetchError."""
        token = _CALL.set(self)
        try:
            answer = self.session.requests.request(
                method, url, data=body, headers=headers, stream=True, allow_redirects=False,
                timeout=(min(self.session.connect_timeout_s, self.remaining_s()), self.remaining_s()),
            )
        except FetchError:
            raise
        except requests.exceptions.SSLError as problem:
            raise Unreachable("the certificate or TLS was refused") from problem
        except (requests.RequestException, HTTPError, HTTPException, OSError, ValueError) as problem:
            raise self._failure(problem) from problem
        finally:
            _CALL.reset(token)
        self._raw, self.status, self.headers = answer.raw, answer.status_code, answer.headers

    def read(self) -> bytes:
        """The next bytes of the body as soon as there are any; b"" at its regular end. Raises FetchError."""
        try:
            return self._raw.read1(READ_BYTES, decode_content=True) or b""
        except FetchError:
            raise
        except (HTTPError, HTTPException, OSError, ValueError) as problem:
            raise self._failure(problem) from problem

    def remaining_s(self) -> float:
        """Seconds until the deadline. Raises Late when there are none, Ended when the call was cancelled."""
        if self._is_cancelled:
            raise Ended("cancelled")
        left_s = self.deadline - time.monotonic()
        if left_s <= 0:
            raise Late("deadline passed")
        return left_s

    def cancel(self) -> None:
        """End the call from any thread; a wait of it ends at once. May be repeated, and come too late."""
        with self._lock:
            self._is_cancelled = True
            if self._socket is not None:
                # Not sock.shutdown(): an SSLSocket would drop its TLS state under the thread that reads from it.
                with suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Release the connection: kept when the body was read to its end, else closed."""
        if self._raw is not None:
            self._raw.close()
        self.detach()

    def attach(self, sock: Any) -> None:
        """From now on `sock` is what this call waits for."""
        with self._lock:
            self._socket = sock
        sock.settimeout(self.remaining_s())

    def detach(self) -> None:
        """The socket is no longer this call's: another call may get it from the pool."""
        with self._lock:
            self._socket = None

    def _failure(self, problem: Exception) -> FetchError:
        if self._is_cancelled:
            return Ended("cancelled")
        if self.deadline <= time.monotonic():
            return Late("deadline passed")
        return Broken(f"connection broken ({type(problem).__name__})")


# urllib3 makes connections far below the call; the context is per thread and per greenlet.
_CALL: ContextVar[Call] = ContextVar("call")


class _TimedReader(io.RawIOBase):
    """A socket's reading end that gives every single receive the time that is left.

    A plain socket timeout starts anew with each byte, so a dripping server would hold a reader for ever.
    """

    def __init__(self, raw: Any, sock: Any, call: Call) -> None:
        self._raw, self._sock, self._call = raw, sock, call

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """One receive. Raises Late, Ended."""
        self._sock.settimeout(self._call.remaining_s())
        try:
            return self._raw.readinto(buffer)
        except TimeoutError:
            raise Late("deadline passed") from None

    def close(self) -> None:
        """Let go of the socket."""
        if not self.closed:
            # Before the connection returns to the pool: a late cancel() must not cut the call that gets it next.
            self._call.detach()
            self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    def __init__(self, sock: Any, call: Call, **options: Any) -> None:
        super().__init__(sock, **options)
        self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), sock, call), BUFFER_BYTES)


class _Watched:
    """A connection that tells the call in progress which socket it waits for."""

    def _new_conn(self) -> socket.socket:
        deadline = time.monotonic() + self.timeout
        resolver = _CALL.get().session.resolver
        for family, place in resolver.find(self._dns_host, self.port, self.timeout):
            with suppress(OSError):
                left_s = max(0.001, deadline - time.monotonic())
                return connect(family, place, left_s, self.socket_options, resolver.check)
        raise Unreachable("no connection")

    def connect(self) -> None:
        """Connect for the call in progress."""
        super().connect()
        _CALL.get().attach(self.sock)

    def request(self, *args: Any, **options: Any) -> None:
        """Send on behalf of the call in progress, over a kept connection too."""
        if self.sock is not None:
            _CALL.get().attach(self.sock)
        super().request(*args, **options)

    def response_class(self, sock: Any, **options: Any) -> _TimedResponse:
        """What http.client reads the answer with."""
        return _TimedResponse(sock, _CALL.get(), **options)


class _Connection(_Watched, HTTPConnection):
    pass


class _TLSConnection(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


@cache
def _tls_context(certificates: str) -> SSLContext:
    """One context for all connections: reading the certificates again for each costs 10 ms and more."""
    context = create_urllib3_context()
    context.load_verify_locations(certificates)
    return context


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Pools of our own connections."""
        super().init_poolmanager(*args, ssl_context=_tls_context(where()), **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Always; the certificates are in the context."""
        conn.cert_reqs = "CERT_REQUIRED"
