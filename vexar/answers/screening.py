"""The last look at a model's words before anybody sees them: links that nobody may send become words.

It works on a stream and keeps back only what may become a link. What comes out does not depend on how the text was
cut on its way in: nothing is decided before more text could not change it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from vexar.answers.links import BLANKS, END, MAX_URL_CHARS, SOFT_ENDS, TRAILING, Links, host_at_end

MAX_EMAIL_CHARS = 260
CONTEXT_CHARS, SCHEME_CHARS = 300, 8
REMOVED = {
    "en": "(link removed)", "de": "(Link entfernt)", "fr": "(lien supprimé)", "es": "(enlace eliminado)",
    "pt": "(ligação removida)", "it": "(link rimosso)", "nl": "(link verwijderd)", "pl": "(link usunięty)",
    "uk": "(посилання вилучено)", "tr": "(bağlantı kaldırıldı)", "ar": "(أزيل الرابط)", "he": "(הקישור הוסר)",
    "zh": "（链接已删除）", "ja": "（リンクは削除されました）",
}

_NEXT = re.compile(r"[<\]@/?]|(?<![A-Za-z0-9])(?:https?:|www\.|(?:h(?:t(?:tp?)?)?|https|w{1,3})\Z)", re.IGNORECASE)
_URL = re.compile(rf"(?:https?:\\?/\\?/|www\.)[^{END}]*", re.IGNORECASE)
_URL_BEGUN = re.compile(r"(?:ht?|htt|https?(?::(?:\\?(?:/\\?)?)?)?|w{1,3})", re.IGNORECASE)
_SLASHES = re.compile(rf"/\\?/[^{END}]*")
_SLASHES_BEGUN = re.compile(r"/\\?")
_SCHEME_BEFORE = re.compile(r"(https?)?:\\?\Z", re.IGNORECASE)
_NO_NAME = re.compile(r"\A(?:https?:)?[/\\]*(?:www\.)?[\W_]*\Z", re.IGNORECASE)
_PATH = re.compile(rf"[/?][^{END}]*")
_REST = re.compile(rf"[^{END}]*")
_ENTITY = re.compile(r"&(?:#\d{1,20}|#x[0-9a-f]{1,20}|[a-z][a-z0-9]{0,30});?", re.IGNORECASE)
_ENTITY_BEGUN = re.compile(r"&(?:#(?:\d{1,20}|x(?:[0-9a-f]{1,20})?)?|[a-z][a-z0-9]{0,30})?", re.IGNORECASE)
# What entities hide; < and > written so are text to every reader.
_HIDES = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/\\.@?#%")
_DOMAIN = re.compile(r"@(?:[\w.-]|\\(?=\.))*\\?")
_IS_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)*\.(?:[^\W\d_]{2,}|xn--[\w-]+)")
_LOCAL_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_%"
_PLAIN_TAG = re.compile(
    r"</?(?:b|i|u|s|p|em|strong|br|hr|ul|ol|li|code|pre|sub|sup|small|mark|kbd|del|ins|q|span|div|h[1-6]|table|thead|"
    r"tbody|tr|td|th|blockquote|dl|dt|dd)\s?/?>", re.IGNORECASE)
_PLAIN_TAG_BEGUN = re.compile(r"</?(?:[a-z][a-z0-9]{0,9}\s?/?)?", re.IGNORECASE)
# Between < and >: an address, or a word that has no attributes and so does nothing.
_POINTED = re.compile(r"<(?:[a-z][a-z0-9+.-]{1,31}:[^\s<>\"'`]*|[\w.+%-]+@[\w.-]*)>", re.IGNORECASE)
_POINTED_BEGUN = re.compile(r"<(?:[a-z][a-z0-9+.-]{1,31}:[^\s<>\"'`]*|[\w.+%-]+@[\w.-]*)", re.IGNORECASE)
_LABELLED = re.compile(r"\](?:\(\s*|:[ \t]*\n?[ \t]*)?")
_DESTINATION_ENDS = re.compile(rf"\]\(|[{BLANKS}()]")
_PERILOUS = re.compile(r"(?!https?:)[a-z]+script:|data:", re.IGNORECASE)
_POINTED_DESTINATION = re.compile(r"<[^<>\n]*>?")

# What is decided: up to where, and what is said instead. None: more text is needed.
Step = tuple[int, str] | None


class Screen:
    """One answer on its way out. `lang`: the visitor's, for the words that stand where a link stood."""

    def __init__(self, links: Links, lang: str = "") -> None:
        self._links = links
        self._removed = REMOVED.get(lang.partition("-")[0].lower(), REMOVED["en"])
        self._spelled = Spelled()
        # What was decided already (only its end is kept, to know what stands before a place), then what was not.
        self._text = ""
        self._at = 0
        self._is_final = False
        # Inside a URL that is too long, up to its end.
        self._is_dropping = False
        self._deciders: dict[str, Callable[[], Step]] = {
            "<": self._pointed, "]": self._labelled, "@": self._email, "/": self._slash, "?": self._path,
        }

    def add(self, text: str) -> str:
        """What can be said now that `text` has come; may be empty."""
        self._text += self._spelled.add(text)
        said = self._decide()
        if self._at > 2 * CONTEXT_CHARS:
            self._text = self._text[self._at - CONTEXT_CHARS:]
            self._at = CONTEXT_CHARS
        return said

    def end(self) -> str:
        """What was still kept back, at the end of an answer or where it breaks off."""
        self._text += self._spelled.end()
        self._is_final = True
        return self._decide()

    def _decide(self) -> str:
        said: list[str] = []
        while self._at < len(self._text):
            if self._is_dropping and not self._drop():
                break
            found = _NEXT.search(self._text, self._at)
            until = found.start() if found else len(self._text)
            said.append(self._text[self._at:until])
            self._at = until
            if not found:
                break
            step = self._deciders.get(self._text[until], self._url)()
            if step is None:
                break
            self._at, instead = step
            said.append(instead)
        return "".join(said)

    def _drop(self) -> bool:
        """Leave out the rest of an endless URL; whether its end has come."""
        self._at = _REST.match(self._text, self._at).end()
        self._is_dropping = self._at == len(self._text)
        return not self._is_dropping

    @property
    def _before(self) -> str:
        return self._text[max(0, self._at - CONTEXT_CHARS):self._at]

    def _is_open(self, end: int, most: int = MAX_URL_CHARS) -> bool:
        """Whether what goes on up to `end` may go on in what comes next."""
        return end == len(self._text) and not self._is_final and end - self._at <= most

    def _pass(self) -> Step:
        return self._at + 1, self._text[self._at]

    def _url(self) -> Step:
        if not _URL.match(self._text, self._at):
            begun = _URL_BEGUN.fullmatch(self._text, self._at)
            return None if begun and self._is_open(begun.end()) else self._pass()
        return self._token(_URL, lambda token: token if token[:4].lower() == "http" else f"https://{token}")

    def _slash(self) -> Step:
        """Two slashes: an address whose scheme is written in another way, or that of the page. One: a path."""
        before = self._before
        scheme = _SCHEME_BEFORE.search(before[-SCHEME_CHARS:])
        if not scheme and (before[-1:].isalnum() or before[-1:] in ("/", "_", "-")):
            return self._path()
        found = _SLASHES.match(self._text, self._at)
        if not found:
            begun = _SLASHES_BEGUN.match(self._text, self._at)
            return None if self._is_open(begun.end()) else self._pass()
        if scheme:
            return self._token(_SLASHES, lambda token: f"{(scheme[1] or 'other').lower()}:{token}")
        if self._is_open(found.end()):
            return None
        # A comment in code: without a dot nobody's host.
        if "." not in re.split(r"[/?#]", found[0].lstrip("/\\"), maxsplit=1)[0].strip(TRAILING):
            return self._at + 2, found[0][:2]
        return self._token(_SLASHES, lambda token: f"https:{token}")

    def _path(self) -> Step:
        """What follows a host without a scheme: the host stays a word, and what would make it a link goes."""
        host = host_at_end(self._before)
        return self._token(_PATH, lambda token: f"https://{host}{token}", gap=" ") if host else self._pass()

    def _token(self, pattern: re.Pattern, whole: Callable[[str], str], gap: str = "") -> Step:
        """Decide about a URL in the text; `whole` makes a whole one of it."""
        found = pattern.match(self._text, self._at)
        token = found[0]
        # Or the words in brackets would be the address of a link.
        gap = gap or " " * self._before.endswith("]")
        cut = token.find("](")
        is_label = 0 <= cut < MAX_URL_CHARS - 1
        if is_label:
            token = token[:cut]
        elif self._is_open(found.end()):
            return None
        elif len(token) > MAX_URL_CHARS:
            self._is_dropping = found.end() == len(self._text)
            return found.end(), gap + self._removed
        if _NO_NAME.match(token):
            return self._at + len(token), token
        url, bare = whole(token), token.rstrip(TRAILING)
        kept, needs_space = self._links.kept(url)
        if kept:
            kept -= len(url) - len(token)
            # Where the label is none, for nothing closes it, all of it would be one URL.
            needs_space |= is_label and not self._links.leads_home(url)
            return self._at + kept, token[:kept] + (" " if needs_space else "")
        end = next((place for place, char in enumerate(bare) if ord(char) > 0x7f and char in SOFT_ENDS), len(bare))
        return self._at + end, gap + self._removed

    def _pointed(self) -> Step:
        """< before a letter begins a tag to some readers; a space behind it lets it be text to all of them."""
        rest = self._text[self._at:]
        if len(rest) == 1:
            return self._pass() if self._is_final else None
        if not re.match(r"<[a-zA-Z/!?]", rest):
            return self._pass()
        known = self._links.tag(rest)
        for whole, begun in ((_PLAIN_TAG, _PLAIN_TAG_BEGUN), (_POINTED, _POINTED_BEGUN)):
            if found := whole.match(rest[:MAX_URL_CHARS]):
                return self._pass() if whole is _PLAIN_TAG else self._address(found[0][1:-1])
            if begun.fullmatch(rest) and self._is_open(len(self._text)):
                return None
        if known:
            return self._at + len(known), known
        if known == "" and self._is_open(len(self._text)):
            return None
        return self._at + 1, "< "

    def _address(self, inside: str) -> Step:
        # Other schemes are links between these marks only; what else is inside is looked at again by itself.
        is_other = ":" in inside and not inside.lower().startswith(("http:", "https:", "mailto:"))
        is_forbidden = is_other and self._links.destination(inside) == "forbidden"
        # With slashes between them, attributes need no white space.
        return self._at + 1, "< " if is_forbidden or "=" in inside else "<"

    def _labelled(self) -> Step:
        """](address) and ]: address, wherever the label began."""
        begun = _LABELLED.match(self._text, self._at)
        if self._is_open(begun.end()):
            return None
        if begun[0] == "]":
            return self._pass()
        is_round = begun[0][1] == "("
        end = self._destination_end(begun.end(), is_round)
        if is_round and self._text[end:end + 1].isspace():
            # Some readers take all of the brackets, and browsers pass over white space in an address.
            closed = self._text.find(")", end, self._at + MAX_URL_CHARS)
            if closed < 0 and self._is_open(len(self._text)):
                return None
            if closed >= 0 and _PERILOUS.match("".join(html.unescape(self._text[begun.end():closed]).split())):
                end = closed
        if self._is_open(end):
            return None
        if end - self._at > MAX_URL_CHARS:
            # Too long to wait for: apart they are no link, and what is in them is looked at by itself.
            return self._at + 2, f"] {begun[0][1]}"
        return self._linked(begun, end, is_round)

    def _linked(self, begun: re.Match, end: int, is_round: bool) -> Step:
        text = self._text[begun.end():end]
        is_pointed = text[:1] == "<"
        text = text[1:].removesuffix(">") if is_pointed else text
        leads = self._links.destination(text)
        if leads == "allowed" and self._text.startswith("](", end):
            leads = "forbidden"
        if (leads == "own" and not is_pointed) or (leads == "allowed" and not is_round):
            return self._at + 2, begun[0][:2]
        if leads == "allowed" and not re.search(rf"[{END}]", text):
            return end, f"]({text}"
        end += is_round and self._text[end:end + 1] == ")"
        return end, f"] {self._removed}"

    def _destination_end(self, start: int, is_round: bool) -> int:
        """Where the address of a link ends: at white space, or at the bracket that closes it."""
        if self._text[start:start + 1] == "<":
            return _POINTED_DESTINATION.match(self._text, start).end()
        depth = 0
        # No further than is waited for, and not into the next one: hostile texts nest thousands.
        for found in _DESTINATION_ENDS.finditer(self._text, start, self._at + MAX_URL_CHARS + 1):
            depth += (found[0] == "(") - (found[0] == ")")
            if found[0].isspace() or found[0] == "](" or (is_round and depth < 0):
                return found.start()
        return len(self._text)

    def _email(self) -> Step:
        before = self._before
        # Markdown takes backslashes away, here and in the domain.
        before = before.removesuffix("\\")
        local = before[len(before.rstrip(_LOCAL_CHARS)):]
        if not local:
            return self._pass()
        found = _DOMAIN.match(self._text, self._at)
        if self._is_open(found.end(), MAX_EMAIL_CHARS):
            return None
        written = found[0][1:].rstrip(".-_\\")
        domain = written.replace("\\.", ".")
        if not _IS_DOMAIN.fullmatch(domain) or self._links.allows_email(f"{local}@{domain}"):
            return self._pass()
        return self._at + 1 + len(written), " " + self._removed


class Spelled:
    """Writes letters out that are spelled as entities, &#104; for h: readers take them for themselves, so a link
    could be written with them. Entities of other characters stay as they are."""

    def __init__(self) -> None:
        self._held = ""

    def add(self, text: str) -> str:
        """What is written out so far; an entity that may go on is kept back."""
        if not self._held and "&" not in text:
            return text
        text, self._held = self._held + text, ""
        last = text.rfind("&")
        if last >= 0 and _ENTITY_BEGUN.fullmatch(text, last):
            text, self._held = text[:last], text[last:]
        return _ENTITY.sub(_written_out, text)

    def end(self) -> str:
        """What was still kept back."""
        return _ENTITY.sub(_written_out, self._held)


def _written_out(found: re.Match) -> str:
    is_read_so = found[0].endswith(";") or found[0].startswith("&#")
    meant = html.unescape(found[0].rstrip(";") + ";")
    return meant if is_read_so and len(meant) == 1 and meant in _HIDES else found[0]
