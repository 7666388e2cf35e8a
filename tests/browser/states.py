"""Every state a visitor can see the widget in, and the way there; for tests that look at all of them.

A state is a function that acts on a Stage: STATES names them. Each is reached as a visitor or an operator would.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PIL import Image

from tests.browser.conftest import Chat
from tests.knowledge import SHOP
from tests.test_widget_js import words_of
from tests.upstream import Upstream
from vexar.knowledge.index import add_entries
from vexar.nudges import nudge_rules

# The server that shows "too many messages" after so many, and nothing else before.
LIMITS = {"VEXAR_LIMIT_SESSION_MESSAGES_PER_MINUTE": "4"}
NUDGED_PATH = "/plain/lamps*"

RICH = """## Delivery

We ship **everywhere**, *mostly* by train, with `express` where it is wanted:

1. Choose a lamp
   - floor or table
2. Say [where to](https://shop.example/checkout)

> Lamps are packed in straw.

| Country | Days | Price | With straw | Without straw | Remarks |
|---|---|---|---|---|---|
| Switzerland | 2 | 12.50 | 13.00 | 12.00 | not on Sundays and holidays |

```
curl https://shop.example/api/orders/2026/11/22/a-very-long-path-that-goes-on-and-on --header "Accept: text/plain"
```

https://shop.example/lamps/floor/a-very-long-address-without-a-single-space-in-it-that-has-to-break-somewhere
Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaftsvorsitzender
"""


class Stage:
    """A page with the widget, and everybody who acts on it. `gate` holds back the rest of a slow answer."""

    def __init__(
        self, chat: Chat, backstage: SimpleNamespace, upstream: Upstream, olga: Any, folder: Path, lang: str = "en"
    ) -> None:
        self.chat, self.upstream, self.olga, self.folder = chat, upstream, olga, folder
        self.words = words_of(lang)
        self.parts, self.site_id = backstage.parts, backstage.site_id
        self.gate = threading.Event()

    def act(self, verb: str, *args: Any, **more: Any) -> None:
        """A verb of the server's conversations, for this visitor."""
        getattr(self.parts.conversations, verb)(self.site_id, self.chat.session_id, *args, **more)

    def open(self) -> Chat:
        """The panel, opened unless it stands open in the page."""
        if self.chat.widget.get_attribute("data-inline") is not None:
            self.chat.text.wait_for()
        return self.chat if self.chat.panel.is_visible() else self.chat.open()

    def answered(self, *tokens: str, question: str = "Do you ship?") -> None:
        """Ask, and wait until the answer is over."""
        self.upstream.script(list(tokens) or ["Yes, we do."])
        self.open().ask(question)
        self.chat.find(".row.assistant .bubble:not(:has(.dots))").first.wait_for()
        self.chat.settled()

    def choose(self, entry: str) -> None:
        """Take an entry of the menu, by the name it has in the language files."""
        self.chat.find(".icon.menu").click()
        self.chat.find(".drop button").get_by_text(self.words[entry]).click()

    def slowly(self, *tokens: str) -> None:
        """The next answer: these tokens, then silence until the gate opens."""

        def script(wire: Any, body: Any) -> None:
            wire.head()
            for token in tokens:
                wire.token(token)
            self.gate.wait(30)
            wire.token(" The end.")
            wire.done()

        self.upstream.script(script)

    def picture(self, size: tuple[int, int] = (900, 600)) -> Path:
        """A picture on this machine's disk."""
        path = self.folder / "picture.png"
        Image.linear_gradient("L").resize(size).save(path)
        return path


def prepare(backstage: SimpleNamespace) -> None:
    """What the site has for all states: knowledge and a nudge."""
    rule = {"path": NUDGED_PATH, "delay_seconds": 0, "frequency": "always",
            "variants": [{"message": "Lamps are 20 % off until Sunday. Shall I show you some?", "weight": 1}]}
    backstage.parts.store.write(nudge_rules.replace, site_id=backstage.site_id, rules=[rule])
    add_entries(backstage.parts.store, backstage.site_id, SHOP)


def closed(stage: Stage) -> None:
    stage.chat.page.wait_for_load_state("networkidle")


def unread(stage: Stage) -> None:
    stage.answered()
    stage.act("accept", stage.olga)
    stage.chat.find(".row.system").wait_for()
    stage.chat.page.evaluate("Vexar.close()")
    stage.act("say", stage.olga, content="Are you there?")
    stage.chat.find(".badge").wait_for()


def nudged(stage: Stage) -> None:
    stage.chat.page.goto(f"{stage.chat.host.url}/plain/lamps")
    stage.chat.find(".nudge").wait_for()


def empty(stage: Stage) -> None:
    stage.open()
    stage.chat.find(".starters").wait_for()


def written(stage: Stage) -> None:
    stage.open()
    stage.chat.text.fill("I would like to know\nwhether the lamp in the window\nis still there.")


def menu(stage: Stage) -> None:
    stage.answered()
    stage.chat.find(".icon.menu").click()
    stage.chat.find(".drop button").first.wait_for()


def waiting(stage: Stage) -> None:
    stage.slowly()
    stage.open().ask("Do you ship?")
    stage.chat.find(".dots").wait_for()


def streaming(stage: Stage) -> None:
    stage.slowly("We ship **everywhere**, ", "mostly by ")
    stage.open().ask("Do you ship?")
    stage.chat.wait("assistant", "We ship everywhere, mostly by")


def answered(stage: Stage) -> None:
    stage.answered(RICH)
    stage.chat.find(".row.assistant table").wait_for()


def sources(stage: Stage) -> None:
    stage.answered("Yes, for **12 dollars**.", question="Do you ship to Canada?")
    stage.chat.find(".sources").wait_for()
    stage.chat.find(".sources summary").click()


def stopped(stage: Stage) -> None:
    streaming(stage)
    stage.chat.find(".icon.stop").click()
    stage.chat.find(".row.assistant .meta").wait_for()


def failed(stage: Stage) -> None:
    stage.answered()
    stage.upstream.script("cut_mid_stream")
    stage.chat.ask("Really?")
    stage.chat.find(".row .pill").wait_for()


def offline(stage: Stage) -> None:
    stage.answered()
    stage.chat.page.context.set_offline(True)
    stage.chat.ask("Are you there?")
    stage.chat.find(".note:not(:empty)").wait_for()


def too_many(stage: Stage) -> None:
    stage.open()
    for number in range(5):
        stage.chat.ask(f"Question {number}")
    stage.chat.find(".note:not(:empty)").wait_for()


def blocked(stage: Stage) -> None:
    stage.answered()
    stage.parts.conversations.block(stage.site_id, "session", stage.chat.session_id, reason="Be kind.")
    stage.chat.find(".note:not(:empty)").wait_for()


def person(stage: Stage) -> None:
    stage.answered()
    stage.act("accept", stage.olga)
    stage.chat.find(".row.system").wait_for()
    stage.act("say", stage.olga, content="Good morning! I have the lamp **in my hand**.")
    stage.chat.find(".row.operator").wait_for()
    stage.act("operator_types", True)
    stage.chat.find(".typing:not([hidden])").wait_for()


def earlier(stage: Stage) -> None:
    stage.answered()
    for number in range(55):
        stage.act("say", stage.olga, content=f"number {number}")
    stage.chat.page.reload()
    stage.chat.button.wait_for(state="attached")
    # On a phone the chat does not open by itself.
    stage.chat.page.evaluate("Vexar.open()")
    stage.chat.find(".log > .pill").wait_for()
    stage.chat.find(".log").evaluate("(log) => { log.scrollTop = 0; }")


def contact(stage: Stage) -> None:
    stage.open()
    stage.choose("contact")
    stage.chat.find(".card input[name=phone]").wait_for()


def contact_refused(stage: Stage) -> None:
    contact(stage)
    stage.chat.find("input[name=email]").fill("nonsense")
    stage.chat.find(".card .strong").click()
    stage.chat.until(lambda: stage.chat.find(".card .error").all_inner_texts(), "the refusal")


def rating(stage: Stage) -> None:
    stage.answered()
    stage.choose("rate")
    stage.chat.find(".stars").wait_for()


def rating_comment(stage: Stage) -> None:
    rating(stage)
    stage.chat.find(".stars > *").nth(3).click()
    stage.chat.find(".card textarea").wait_for()


def rated(stage: Stage) -> None:
    rating_comment(stage)
    stage.chat.find(".card textarea").fill("Very good")
    stage.chat.find(".card .strong").click()
    stage.chat.find(".card").get_by_text(stage.words["saved"]).wait_for()


def image_attached(stage: Stage) -> None:
    stage.open()
    stage.chat.find("input[type=file]").set_input_files(stage.picture())
    stage.chat.find(".chip canvas").wait_for()


def image_sent(stage: Stage) -> None:
    stage.open()
    with stage.chat.page.expect_response(lambda answer: answer.url.endswith("upload-image")):
        stage.chat.find("input[type=file]").set_input_files(stage.picture())
    stage.answered("A nice one.", question="Look")


def image_refused(stage: Stage) -> None:
    path = stage.folder / "text.png"
    path.write_text("no image")
    stage.open()
    stage.chat.find("input[type=file]").set_input_files(path)
    stage.chat.find(".note:not(:empty)").wait_for()


STATES: dict[str, Callable[[Stage], None]] = {
    state.__name__: state for state in (
        closed, unread, nudged, empty, written, menu, waiting, streaming, answered, sources, stopped, failed, offline,
        too_many, blocked, person, earlier, contact, contact_refused, rating, rating_comment, rated, image_attached,
        image_sent, image_refused)
}  # fmt: skip
