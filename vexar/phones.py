"""Telephone numbers: E.164 where they can be read, as given where not."""

from __future__ import annotations

import re


def normalise(text: str) -> str:
    """`+44 20 7946 0018` becomes `+442079460018`. Numbers without a country code stay as they are."""
    try:
        import phonenumbers
    except ImportError:
        return _without_library(text)
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return text.strip()
    if not phonenumbers.is_possible_number(number):
        return text.strip()
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _without_library(text: str) -> str:
    """The extra `phone` knows every country; without it, an international number only loses its spacing."""
    bare = re.sub(r"[\s()./-]", "", re.sub(r"\(0\)", "", text))
    bare = "+" + bare[2:] if bare.startswith("00") else bare
    return bare if re.fullmatch(r"\+[1-9]\d{6,14}", bare) else text.strip()
