"""What a Data API can be asked: each action with its parameters, as a model is told of it and as a call is checked.

`ping` is for the "test connection" button; no model has a use for it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

PING = "ping"
MAX_ARGUMENT_CHARS = 4_000


def _text(max_chars: int, description: str) -> Any:
    return Annotated[str, Meta(min_length=1, max_length=max_chars, description=description)]


ProductId = _text(100, "The id of a product, as search_products or get_product gave it.")
Price = Annotated[float, Meta(ge=0, le=1e9)]


class _Params(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Parameters of an action."""


class SearchProducts(_Params, kw_only=True):
    """Which products."""

    query: _text(200, "What to look for, in the words of the shop: a product, kind, use, size or colour.")
    category: _text(100, "Only in this category, an id as get_categories gave it.") | UnsetType = UNSET
    min_price: Price | UnsetType = UNSET
    max_price: Price | UnsetType = UNSET
    in_stock: bool | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=20)] | UnsetType = UNSET


class GetProduct(_Params, kw_only=True):
    """Which product."""

    product_id: ProductId


class GetCategories(_Params, kw_only=True):
    """Nothing is needed."""


class CheckAvailability(_Params, kw_only=True):
    """Which product, in which make, how many."""

    product_id: ProductId
    variant: _text(100, "Size, colour or other make the visitor asks for.") | UnsetType = UNSET
    quantity: Annotated[int, Meta(ge=1, le=100_000)] | UnsetType = UNSET


class CheckOrderStatus(_Params, kw_only=True):
    """Which order, and proof that it is the visitor's."""

    order_number: _text(64, "The number of the order, as the visitor wrote it.")
    email: _text(254, "The email address of the order, as the visitor wrote it. Ask for it; never guess one.")


class LookupAccount(_Params, kw_only=True):
    """Nothing is needed: whose account it is, the server knows."""


@dataclass(frozen=True)
class Action:
    """One action. `doing`: which line the visitor reads meanwhile; `needs_user`: for verified visitors only, whose
    user_id the server sends along; `given`: parameters that have to be in the visitor's own words."""

    name: str
    params: type[_Params]
    doing: str
    description: str
    needs_user: bool = False
    given: tuple[str, ...] = ()

    def schema(self) -> dict:
        """The parameters as a JSON schema."""
        return _schema(self.params)

    def read(self, arguments: str, *, said: Sequence[str]) -> dict:
        """The parameters that a model gave, as they are sent. Raises ValueError with a sentence for the model.

        `said`: what the visitor wrote, message by message, and its known email address.
        """
        params = _read(arguments, self.params)
        for name in self.given:
            # A model may be talked into trying somebody else's order by a page it read, or make a number up.
            if not any(_has_said(text, params[name]) for text in said):
                raise ValueError(f"the visitor has not given this {name}; ask for it")
        return params


ACTIONS: dict[str, Action] = {action.name: action for action in (
    Action(
        "search_products", SearchProducts, "products",
        "Searches the products of this shop: names, prices, stock, links. Use it for every question about what is "
        "sold, what it costs or what would fit.",
    ),
    Action(
        "get_product", GetProduct, "products",
        "Everything about one product: description, price, makes, stock. Needs its id from search_products.",
    ),
    Action("get_categories", GetCategories, "products", "The categories of this shop's products, with their ids."),
    Action(
        "check_availability", CheckAvailability, "availability",
        "Whether a product is in stock, and when it will be. Needs its id from search_products.",
    ),
    Action(
        "check_order_status", CheckOrderStatus, "order",
        "Where an order is. Needs the order's number and the email address it was made with, both written by the "
        "visitor; ask for what is missing.",
        given=("order_number", "email"),
    ),
    Action(
        "lookup_account", LookupAccount, "account",
        "The signed-in visitor's own account: name, orders, points and what else the shop keeps. It is always that "
        "of the visitor you are talking to.",
        needs_user=True,
    ),
)}  # fmt: skip


@cache
def _schema(params: type[_Params]) -> dict:
    found = msgspec.json.schema(params)
    schema = found["$defs"][params.__name__]
    # Some endpoints read a schema literally, and none needs a title.
    return {name: value for name, value in schema.items() if name not in ("title", "description")}


def _read(arguments: str, params: type[_Params]) -> dict:
    if len(arguments) > MAX_ARGUMENT_CHARS:
        raise ValueError(f"the arguments are longer than {MAX_ARGUMENT_CHARS} characters")
    try:
        # Nothing at all is how some models call what needs nothing.
        found = msgspec.json.decode(arguments.strip() or "{}")
    except (ValueError, RecursionError):
        raise ValueError("the arguments are not valid JSON") from None
    if not isinstance(found, dict):
        raise ValueError("the arguments must be a JSON object")
    # Models fill in what they were not told with null or nothing.
    filled = {name: value.strip() if isinstance(value, str) else value for name, value in found.items()}
    filled = {name: value for name, value in filled.items() if value not in (None, "")}
    # Shops number their products, and models write such an id as the number it is.
    kinds = _schema(params)["properties"]
    for name, value in filled.items():
        if type(value) is int and kinds.get(name, {}).get("type") == "string":
            filled[name] = str(value)
    return msgspec.to_builtins(msgspec.convert(filled, params, strict=False))


def _has_said(text: str, value: str) -> bool:
    text, value = _folded(text), _folded(value)
    if "@" in value:
        # All of an address: joann@shop.example is not ann@shop.example.
        return bool(re.search(rf"(?<![\w.+-]){re.escape(value)}(?!\.?[\w-])", text))
    # 10-23 and 10 23 are 1023 to who wrote it.
    return bool(_bare(value)) and _bare(value) in _bare(text)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _bare(text: str) -> str:
    return "".join(sign for sign in text if sign.isalnum())
