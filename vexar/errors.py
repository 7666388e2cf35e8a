"""What can go wrong, as one closed list of codes, and the two exceptions that carry them.

A code is a promise to clients and never changes; the sentence is for a person and may.
"""

from __future__ import annotations

# code: (HTTP status, default sentence). Codes with status 0 occur only inside streams, as `error` events.
CODES: dict[str, tuple[int, str]] = {
    "bad_json": (400, "The body is not valid JSON."),
    "bad_request": (400, "The request could not be understood."),
    "unauthorized": (401, "Sign in or send a valid key."),
    "forbidden": (403, "You are not allowed to do this."),
    "origin_not_allowed": (403, "This site key does not work on this website."),
    "blocked": (403, "You cannot write in this chat."),
    "bad_user_hash": (403, "The user could not be verified: user_hash does not fit user_id."),
    "not_found": (404, "There is nothing here."),
    "site_not_found": (404, "No active site has this site_key."),
    "conversation_not_found": (404, "This session has no such conversation."),
    "message_not_found": (404, "This session has no message with this message_id."),
    "method_not_allowed": (405, "This address does not answer that method."),
    "conflict": (409, "This was already changed by someone else; reload and try again."),
    "message_id_conflict": (409, "This message_id was already used for another message; choose a new one."),
    "not_rated": (409, "Rate the conversation before adding a comment."),
    "body_too_large": (413, "The body is larger than allowed."),
    "image_too_large": (413, "The image is too large."),
    "quota": (413, "This site has no room left for images."),
    "unsupported_media_type": (415, "Send application/json."),
    "unsupported_image": (415, "Send a JPEG, PNG, WebP or GIF image."),
    "invalid": (422, "Some fields are missing or wrong."),
    "corrupt_image": (422, "The image is damaged and cannot be read."),
    "rate_limited": (429, "Too many requests; wait a moment and try again."),
    "too_many_runs": (429, "Too many answers are being written at the moment; wait for one to finish."),
    "too_many_streams": (429, "Too many open connections from this address."),
    "budget_exhausted": (429, "This site has used up its messages for now."),
    "internal": (500, "Something went wrong on our side; try again."),
    "restarting": (503, "The server is restarting; try again in a moment."),
    "unavailable": (503, "The service cannot be reached at the moment; try again."),
    "upstream_unavailable": (0, "The answer could not be fetched: the AI service cannot be reached."),
    "upstream_timeout": (0, "The answer could not be fetched in time."),
    "upstream_rejected": (0, "The AI service refused the question."),
    "upstream_broken": (0, "The answer broke off."),
    "upstream_empty": (0, "The AI service gave an empty answer."),
}


class ApiError(Exception):
    """What a caller did wrong or must wait for; becomes the JSON error envelope.

    `errors` names fields (422 only), `retry_after` is in seconds (429 and 503), `headers` go on the answer, `more`
    into its JSON.
    """

    def __init__(
        self,
        code: str,
        sentence: str = "",
        *,
        errors: dict[str, str] | None = None,
        retry_after: int | None = None,
        headers: dict[str, str] | None = None,
        more: dict[str, str] | None = None,
    ) -> None:
        self.status, default = CODES[code]
        self.code = code
        self.sentence = sentence or default
        self.errors = errors
        self.retry_after = retry_after
        self.headers = headers or {}
        self.more = more or {}
        super().__init__(self.sentence)

    def envelope(self) -> dict:
        """The JSON object of the answer."""
        body: dict = {"success": False, "error": self.sentence, "code": self.code}
        if self.errors is not None:
            body["errors"] = self.errors
        if self.retry_after is not None:
            body["retry_after"] = self.retry_after
        return body | self.more


class WrongFields(ApiError):
    """The 422 of fields that do not fit; `given`: the values as they came, for who must know whose they are."""

    def __init__(self, errors: dict[str, str], given: dict) -> None:
        super().__init__("invalid", errors=errors)
        self.given = given


class ProviderError(Exception):
    """An answer could not be made. `permanent`: asking again cannot help. `code` is one of CODES, status 0."""

    def __init__(self, code: str, detail: str = "", *, permanent: bool = False) -> None:
        self.code = code
        self.detail = detail
        self.permanent = permanent
        super().__init__(f"{code}: {detail}" if detail else code)


def invalid(**errors: str) -> ApiError:
    """A 422 that names each wrong field with a sentence."""
    return ApiError("invalid", errors=errors)
