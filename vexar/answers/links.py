"""Which links an answer may hold: of the site itself, or said word for word by who may say them. Knows no stream."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from urllib.parse import unquote

# A URL goes on up to one of these, for whoever makes links of texts; up to a soft end only for some of them.
# What is white space to browsers; control characters are to Python, too, and would end a URL here that goes on there.
BLANKS = r"\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
END = rf"{BLANKS}<>\"`"
_CONTROLS = "".join(map(chr, (*range(0x09), *range(0x0E, 0x20), *range(0x7F, 0xA0), 0xFEFF)))
SOFT_ENDS = _CONTROLS + "|()[]{}'*~_\\^,;!，。！？；：、（）「」『』【】《》…"
TRAILING = ".,;:!?)]}'*_~|，。！？；：、）」』】》…"
# Country codes and the names most in use: what a text may call a host without saying http.
_TOP_LEVELS = frozenset(re.findall(r"\S+", """
    com net org info biz edu gov mil int app dev shop store online site website xyz top club pro name tech space
    live cloud blog news agency click link example test zip mov icu cyou buzz work fun host press cam rest bar
    monster quest photos photo google email support world today life media group team tools page chat download
    stream video games game bet casino money finance bank loan credit shopping sale deals gift gdn vip win men date
    party racing review trade webcam science accountant faith cricket lol africa asia berlin london nyc eus mobi
    jobs travel ltd gmbh ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br
    bs bt bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu
    fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq
    ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml
    mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr
    ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj
    tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw
"""))
_HOST_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:"
_HOST = re.compile(r"(?:.*:)?((?:[a-z0-9-]{1,63}\.)+([a-z]{2,24}|xn--[a-z0-9-]{1,59}))(:\d{1,5})?", re.IGNORECASE)
_ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[^\s/?#:@\\\[\]%]+)(?::(\d{1,5}))?(?=[/?#]|$)", re.IGNORECASE)
_URLS = re.compile(rf"https?://[^{END}]+|(?<![\w@/.:-])(?:[a-z0-9-]{{1,63}}\.)+[a-z]{{2,24}}(?::\d+)?(?![\w@])"
                   rf"(?:[/?#][^{END}]*)?", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_PHONE = re.compile(r"\+?\d[\d ()./\u00a0-]{4,24}\d")
_TAG = re.compile(r"<[a-z][^<>]{0,600}=[^<>]{0,600}>", re.IGNORECASE)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_BLANK = re.compile("[\x00-\x20\x7f-\xa0\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]")
# Longer ones are nobody's: browsers and servers cut them, and no answer should wait for them.
MAX_URL_CHARS = 2_048
# Scheme, port and escapes: by how much a URL may be longer than what it is known by.
MORE_CHARS = 40
# What begins behind a soft end is no part of the URL to readers that end it there, but the next cell of a table.
_ANOTHER = re.compile(rf"[{re.escape(SOFT_ENDS)}](?=www\.|[\w.+%-]{{1,64}}@[\w-]+\\?\.)", re.IGNORECASE)
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class Links:
    """What may be linked. `origins`: the site's own (`*` is none); `texts`: whose links may be said as they stand;
    `plain_texts`: whose email addresses may be said, but not linked.

    Texts are read when an answer holds the first link: most hold none, and reading takes milliseconds.
    """

    def __init__(self, origins: Iterable[str], texts: Iterable[str] = (), plain_texts: Iterable[str] = ()) -> None:
        self._origins = {_origin(origin) for origin in origins} - {None}
        self._urls: set[str] = set()
        self._longest = max([0, *(len(host) + MORE_CHARS for _, host, _ in self._origins)])
        self._phones: set[str] = set()
        self._emails: set[str] = set()
        # Email addresses that may be repeated as plain text only.
        self._plain_texts = plain_texts
        self._plain_emails: set[str] = set()
        self._tags: set[str] = set()
        self._unread = [texts]

    def learn(self, text: str, *, said_before: str = "") -> None:
        """Take the links of a text in; none that `said_before` holds, for then the text only repeats it."""
        # As it was written, and as _key reads it: a model may spell a link in a way that comes back as another.
        once = _ESCAPED.sub(r"\1", html.unescape(said_before))
        said = "\n".join((said_before, once, _ESCAPED.sub(r"\1", once))).lower()
        self._urls |= {url for url in _keys(text) if url.lower() not in said}
        self._longest = max([self._longest, *(len(url) + MORE_CHARS for url in self._urls)])
        self._emails |= {email.lower() for email in _EMAIL.findall(text) if email.lower() not in said}
        self._phones |= {_digits(phone) for phone in _PHONE.findall(text) if phone not in said}
        self._tags |= {tag for tag in _TAG.findall(text) if tag.lower() not in said}

    def kept(self, token: str) -> tuple[int, bool]:
        """How much of a URL in a text may stand, 0 for nothing, and whether a space has to follow: what comes behind
        a URL of somebody else would become a part of it where links are made of texts."""
        if self.leads_home(token.rstrip(TRAILING)):
            another = _ANOTHER.search(token)
            return (another.start(), True) if another else (len(token), False)
        self._read()
        # What is longer than any known URL cannot begin with one and end softly there.
        for end in range(min(len(token), self._longest), 7, -1):
            if end < len(token) and token[end] not in SOFT_ENDS:
                continue
            if _key(token[:end]) in self._urls or self._is_bare_origin(token[:end]):
                return (end, True) if token[end:].strip(TRAILING) else (len(token), False)
        return 0, False

    def leads_home(self, url: str) -> bool:
        """Whether a URL is one of the site, and carries no other one."""
        return self._is_own(url) and not _goes_elsewhere(url)

    def destination(self, text: str) -> str:
        """What a link would lead to: `own` (no other server), `allowed` or `forbidden`."""
        self._read()
        text = _BLANK.sub("", html.unescape(html.unescape(text)))
        # With and without escapes: readers differ.
        found = {self._destination(text), self._destination(_ESCAPED.sub(r"\1", text))}
        return next(leads for leads in ("forbidden", "allowed", "own") if leads in found)

    def _destination(self, text: str) -> str:
        if text[:2].replace("\\", "/") == "//":
            text = f"https:{text}"
        scheme = _SCHEME.match(text)
        if scheme:
            return "allowed" if self._allows(scheme[1].lower(), text) else "forbidden"
        if not is_host(re.split(r"[/?#]", text, maxsplit=1)[0]):
            return "own"
        return "allowed" if self._allows("https", f"https://{text}") else "forbidden"

    def allows_email(self, address: str) -> bool:
        """Whether an email address may be named."""
        self._read()
        address = address.lower()
        return self._is_known_email(address) or address in self._plain_emails

    def tag(self, begins: str) -> str | None:
        """The known HTML tag that a text begins with; empty when it may still become one, None when not."""
        self._read()
        whole = [tag for tag in self._tags if begins.startswith(tag)]
        if whole:
            return max(whole, key=len)
        return "" if any(tag.startswith(begins) for tag in self._tags) else None

    def _read(self) -> None:
        while self._unread:
            for text in self._unread.pop():
                self.learn(text)
            self._plain_emails = {email.lower() for text in self._plain_texts for email in _EMAIL.findall(text)}

    def _allows(self, scheme: str, url: str) -> bool:
        if scheme in ("http", "https"):
            return self.leads_home(url) or _key(url) in self._urls
        if scheme == "mailto":
            return self._is_known_email(unquote(url[7:]).lower())
        return scheme in ("tel", "sms") and _digits(url) in self._phones

    def _is_bare_origin(self, url: str) -> bool:
        return self._is_own(url) and not re.search(r"[/?#]", url.partition("://")[2])

    def _is_own(self, url: str) -> bool:
        origin = _origin(url)
        if origin is None:
            return False
        # A site that still says http is no other site with https.
        return origin in self._origins or (origin[0] == "https" and ("http", origin[1], "80") in self._origins
                                           and origin[2] == "443")

    def _is_known_email(self, address: str) -> bool:
        if address in self._emails:
            return True
        domain = address.rpartition("@")[2]
        return "@" in address and any(domain == host.removeprefix("www.") for _, host, _ in self._origins)


def is_host(text: str) -> bool:
    """Whether a text without a scheme would be taken for a host."""
    return host_at_end(text) == text != ""


def host_at_end(text: str) -> str:
    """The host (with its port) that a text ends with, as `shop.example` in "see shop.example"; else nothing."""
    # Markdown takes the backslash away.
    text = text.replace("\\.", ".")
    run = text[len(text.rstrip(_HOST_CHARS)):]
    found = _HOST.fullmatch(run)
    if not found:
        return ""
    last = found[2].lower()
    is_known = last in _TOP_LEVELS or last.startswith("xn--") or found[1].lower().startswith("www.")
    return found[1] + (found[3] or "") if is_known else ""


def _origin(url: str) -> tuple[str, str, str] | None:
    found = _ORIGIN.match(url)
    if not found:
        return None
    scheme, host = found[1].lower(), found[2].lower()
    try:
        # As browsers do: a letter that only looks like ours is another host.
        host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return None
    return scheme, host.rstrip("."), found[3] or _DEFAULT_PORTS[scheme]


def _goes_elsewhere(url: str) -> bool:
    """Whether an address of the site carries another one, as redirects do."""
    rest = url.partition("://")[2]
    for _ in range(3):
        rest = unquote(rest)
    return bool(re.search(r"[/\\]{2}|\\/|/\\", rest))


def _keys(text: str) -> set[str]:
    """Every URL of a text, with and without what may be the punctuation behind it."""
    found = set()
    for url in _URLS.findall(text):
        if "://" not in url and not is_host(re.split(r"[/?#]", url, maxsplit=1)[0]):
            continue
        url = url.partition("](")[0]
        if len(url) > MAX_URL_CHARS:
            continue
        for end in range(len(url), 3, -1):
            if end == len(url) or url[end] in TRAILING + SOFT_ENDS:
                found.add(_key(url[:end]))
                if url[end - 1] not in TRAILING:
                    break
    return found


def _key(url: str) -> str:
    """By what two spellings of one URL are the same."""
    rest = html.unescape(url)
    rest = rest[rest.find("://") + 3:] if re.match(r"https?:\\?/\\?/", rest, re.IGNORECASE) else rest
    rest = _ESCAPED.sub(r"\1", rest)
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    return (host.lower() + rest[len(host):]).removesuffix("/")


def _digits(phone: str) -> str:
    return re.sub(r"\D", "", phone).removeprefix("00")
