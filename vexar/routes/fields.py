"""The words of the wire as types: each field's rule, its JSON schema and the sentence said when it is broken.

Routes describe bodies, queries and forms as msgspec structs of these types. Rules that need a setting, the
database or two fields at once are not here; a struct may hold those of two fields in `__post_init__`, which
raises `errors.invalid(...)`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

MAX_CURSOR = 2**53 - 1  # the largest whole number that JavaScript holds exactly
_NAME = r"(?!-)[^\s@.\x00-\x2c\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]{1,63}(?<!-)"  # one label of a domain, any script
_MAILBOX = r"[^\s@.\"(),:;<>\[\]\\\x00-\x1f\x7f]+"


def _whole(pattern: str) -> str:
    # `$` also matches before a last line break; JSON schema knows no \Z.
    return rf"^{pattern}$(?!\n)"


def Text(max_chars: int, *, min_chars: int = 1, sentence: str = "", **schema: Any) -> Any:
    """Unicode text of `min_chars` to `max_chars` code points, kept exactly as given."""
    said = sentence or f"must be text of at most {max_chars} characters"
    return Annotated[str, Meta(min_length=min_chars, max_length=max_chars, extra={"sentence": said}, **schema)]


def Filled(max_chars: int, **schema: Any) -> Any:
    """The same, with at least one character that is not white space."""
    return Text(max_chars, pattern=r"\S", **schema)


def Whole(low: int = 0, high: int = MAX_CURSOR) -> Any:
    """A whole number from `low` to `high`; true and false are none, 5.0 is 5."""
    return Annotated[int, Meta(ge=low, le=high)]


def OneOf(*words: str) -> Any:
    """One of these words."""
    return Literal[words]


SiteKey = Text(
    128,
    pattern=_whole("sk_[A-Za-z0-9_-]{1,125}"),
    sentence="must be a site key, which begins with sk_",
    description="The public key of the site, from the pasted tag.",
    examples=["sk_demo"],
)
SessionId = Text(
    128,
    pattern=_whole("[A-Za-z0-9._:-]{1,128}"),
    sentence="must be 1 to 128 characters of A-Z a-z 0-9 . _ : -",
    description="The visitor's own secret; make it from 128 random bits.",
    examples=["sess_4f1c9a7be2d04c5f"],
)
MessageId = Text(
    64,
    sentence="must be 1 to 64 characters",
    description="The sender's own id; sending it again never makes a second message.",
    examples=["m_abc"],
)
Lang = Text(
    35,
    pattern=_whole("[A-Za-z]{1,8}(?:[-_][A-Za-z0-9]{1,8})*"),
    sentence="must be a language tag such as en or pt-BR",
    description="Language tag (BCP 47).",
    examples=["en"],
)
Email = Text(
    254,
    pattern=_whole(rf"(?=.{{3,254}}$){_MAILBOX}(?:\.{_MAILBOX})*@(?:{_NAME}\.)+(?![0-9]+$){_NAME}"),
    sentence="must be an email address",
    examples=["jane@example.org"],
)
Phone = Text(40, pattern="[0-9]", sentence="must be a phone number of at most 40 characters", examples=["+15550100"])
PersonName = Filled(200, examples=["Jane"])
UserId = Text(200, description="The site's own id of a signed-in visitor.", examples=["42"])
UserHash = Text(128, description="HMAC-SHA256 of user_id with the site's identity secret, as hex.")
PageUrl = Text(2000, description="The page the visitor is on.", examples=["https://shop.example/returns"])
PagePath = Text(2000, description="The path of the page the visitor is on.", examples=["/returns"])
ImageUrl = Text(2000, description="The url of an image this visitor uploaded.")
Score = Whole(1, 5)
Cursor = Annotated[int, Meta(ge=0, le=MAX_CURSOR, description="A message's id: what lies behind it.", examples=[7])]


class Scope(msgspec.Struct):
    """Which visitor of which site this is about. A subclass with optional fields says `kw_only=True`."""

    site_key: SiteKey
    session_id: SessionId


class Done(msgspec.Struct, kw_only=True):
    """It worked; there is nothing more to say."""


class Saved(msgspec.Struct, kw_only=True):
    """It worked, with a sentence for a person."""

    message: str
