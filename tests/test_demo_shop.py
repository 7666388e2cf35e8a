"""The demo shop: it is made once, and ordinary questions find their entry while foreign ones are refused."""

from __future__ import annotations

import json
import threading

import pytest

from vexar import demo
from vexar.knowledge.ask import ask
from vexar.models import KnowledgeEntry, Site
from vexar.settings import read_settings, write_settings
from vexar.store import open_store

# What visitors write, and the last part of the url of the entry that answers it.
QUESTIONS = [
    ("I'm in Montreal, Canada. Can I get a rucksack sent there?", "shipping-canada"),
    ("how much is it to send to canada", "shipping-canada"),
    ("do you ship to France", "shipping-countries"),
    ("can you send to New Zealand", "shipping-countries"),
    ("do u deliver outside the US", "shipping-countries"),
    ("what does delivery cost", "shipping-costs"),
    ("how expensive is shipping", "shipping-costs"),
    ("is shipping free", "shipping-costs"),
    ("how long does shipping take", "delivery-times"),
    ("when will I receive my parcel", "delivery-times"),
    ("I need this before the weekend, can you hurry?", "express-delivery"),
    ("track my parcel", "tracking"),
    ("I lost my tracking number", "tracking"),
    ("My order is two weeks late", "lost-parcel"),
    ("My delivery went missing", "lost-parcel"),
    ("how much tax do I pay at the border", "customs"),
    ("wrong address on my order", "change-address"),
    ("how do returns work", "returns"),
    ("I want to return my sweater", "returns"),
    ("can I send it back for free", "returns"),
    ("refund status", "refunds"),
    ("how long do refunds take", "refunds"),
    ("my sweater has a hole and I just received it", "damaged"),
    ("I received someone else's item", "damaged"),
    ("what are my payment options", "payment"),
    ("do you accept american express", "payment"),
    ("klarna", "instalments"),
    ("payment rejected", "payment-failed"),
    ("what currency are prices in", "currency"),
    ("how long is a gift card valid", "gift-cards"),
    ("could you include a handwritten note for my mum", "gift-wrap"),
    ("I need a copy of my receipt", "invoices"),
    ("my voucher code gets rejected", "discount-codes"),
    ("student discont", "student-discount"),
    ("sizing chart", "sizes"),
    ("what fabric are the shirts", "materials"),
    ("are your shirts linen or cotton", "materials"),
    ("vegan bags", "vegan"),
    ("washing instructions for wool", "wool-care"),
    ("can enamel go in the microwave", "mugs"),
    ("does a 16 inch macbook fit", "rucksack-volume"),
    ("waranty on rucksack", "warranty"),
    ("my strap came off, do you do repairs", "repairs"),
    ("size M is out of stock", "stock"),
    ("can I cancel my order", "cancel-order"),
    ("change the colour in my order", "change-order"),
    ("do I need to create an account", "account"),
    ("I can't sign in", "password"),
    ("how do I update my email", "account-data"),
    ("is my data safe with you", "privacy"),
    ("I get too many emails from you", "newsletter"),
    ("do you have a physical shop", "store"),
    ("when do you open", "store"),
    ("pick up my order at the shop", "collect"),
    ("how do I contact you", "contact"),
    ("telephone number", "contact"),
    ("wholesale prices", "wholesale"),
    ("can you embroider a name", "embroidery"),
    ("are you eco friendly", "sustainability"),
    ("where is your stuff made", "made-in"),
    ("do you have jobs", "jobs"),
    ("is there a loyalty program", "loyalty"),
    ("hi, I live in Vancouver, Canada, would you post a mug to me?", "shipping-canada"),
    ("do you ship internationally", "shipping-countries"),
    ("can I order from Japan", "shipping-countries"),
    ("is delivery free over a certain amount", "shipping-costs"),
    ("whats the shipping fee", "shipping-costs"),
    ("how quickly do you deliver", "delivery-times"),
    ("how long will it take for my jumper to arrive", "delivery-times"),
    ("can I get my order tomorrow", "express-delivery"),
    ("i havent received a tracking email", "tracking"),
    ("where is my order", "tracking"),
    ("order still hasn't come and it's two weeks", "lost-parcel"),
    ("who pays the customs charges", "customs"),
    ("do you ship to pick up points", "pickup-points"),
    ("I'm moving house, can you change the shipping address", "change-address"),
    ("I don't like the sweater, can I give it back", "returns"),
    ("is returning free", "returns"),
    ("how long until the refund is on my credit card", "refunds"),
    ("wrong size, would like a smaller one", "exchanges"),
    ("the zipper was broken when it arrived", "damaged"),
    ("can I pay cash on delivery", "payment"),
    ("apple pay?", "payment"),
    ("can I pay in three parts", "instalments"),
    ("why doesn't my payment go through", "payment-failed"),
    ("do you charge in canadian dollars", "currency"),
    ("how do I redeem a voucher", "gift-cards"),
    ("gift wraping", "gift-wrap"),
    ("need a VAT invoice", "invoices"),
    ("where do I type in my promo code", "discount-codes"),
    ("any discount for teachers", "student-discount"),
    ("I'm usually a medium, what should I take", "sizes"),
    ("is the wool mulesing free", "materials"),
    ("is there leather in the Heron backpack", "vegan"),
    ("my jumper shrank in the washing machine", "wool-care"),
    ("how do I get mud off my bag", "rucksack-care"),
    ("are mugs dishwasher safe", "mugs"),
    ("how many liters is the Plover", "rucksack-volume"),
    ("does the warranty cover a torn seam", "warranty"),
    ("can you mend a hole in my jumper", "repairs"),
    ("will you restock the green blanket", "stock"),
    ("can I still cancel a preorder", "preorders"),
    ("I forgot to add a mug to my order", "change-order"),
    ("ordered by accident, please cancel", "cancel-order"),
    ("can I buy without an account", "account"),
    ("reset password", "password"),
    ("my phone number changed", "account-data"),
    ("gdpr delete data", "privacy"),
    ("unsubscribe", "newsletter"),
    ("where are you located", "store"),
    ("opening times on sunday", "store"),
    ("pick up in store", "collect"),
    ("what is your phone number", "contact"),
    ("email address of support", "contact"),
    ("can I talk to a human", "contact"),
    ("bulk orders for my boutique", "wholesale"),
    ("corporate gifts with logo", "embroidery"),
    ("are you carbon neutral", "sustainability"),
    ("are the sweaters made in China", "made-in"),
    ("are reviews fake", "reviews"),
    ("looking for work as a knitter", "jobs"),
    ("reward points", "loyalty"),
]

FOREIGN_QUESTIONS = [
    "What is the capital of France?",
    "How tall is Mount Everest?",
    "Write me a poem about the sea",
    "What's the weather like tomorrow in Boston?",
    "Who won the world cup in 2018?",
    "What is 17 times 23?",
    "Can you recommend a good restaurant in Rome?",
    "Do you sell car tyres?",
    "Do you have bicycles for children?",
    "Tell me a joke",
    "What is the meaning of life?",
    "How do I bake sourdough bread?",
    "Do you rent out tents?",
    "Is there a swimming pool near you?",
    "Who is the president of the United States?",
    "What time is it in Tokyo?",
    "Do you offer travel insurance?",
    "Can I book a hotel room with you?",
    "Is the vaccine safe for dogs?",
    "How do I repair a leaking kitchen tap?",
    "What is the best way to train for a marathon?",
    "Do you sell fresh fish?",
    "Can you translate this letter into Spanish?",
    "When does the next train leave for Chicago?",
    "How do I treat a fever in a baby?",
    "asdf qwer zxcv",
    "What does the stock market do today?",
    "Do you have a menu with gluten free pizza?",
    "Can my dog stay at your kennel?",
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A store with the demo site in it, and the site's row."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('demo')}/vexar.db")
    demo.load(store)
    yield store, demo_site(store)
    store.close()


def demo_site(store):
    return store.read(lambda tx: tx.one(Site.select().where(Site.site_key == demo.SITE_KEY)))


def entries(store):
    return store.read(lambda tx: tx.all(KnowledgeEntry.select()))


@pytest.mark.parametrize(("question", "page"), QUESTIONS)
def test_an_ordinary_question_finds_its_entry(shop, question, page):
    answer = ask(*shop, question)
    assert answer["sources"][0]["url"] == f"/demo/help/{page}"
    assert answer["answered"]


@pytest.mark.parametrize("question", FOREIGN_QUESTIONS)
def test_a_question_of_another_world_is_refused(shop, question):
    answer = ask(*shop, question)
    assert not answer["answered"]
    assert "don't know" in answer["answer"]


def test_the_first_question_is_answered_with_yes_and_how(shop):
    answer = ask(*shop, "Do you ship to Canada?")
    assert answer["answered"]
    assert answer["answer"].startswith("Yes, we ship to Canada.")
    assert "$12" in answer["answer"]
    assert answer["sources"][0]["title"] == "Shipping to Canada"


def test_the_starters_are_answered(shop):
    assert all(ask(*shop, starter)["answered"] for starter in demo.SETTINGS.starters)


def test_no_question_of_the_tests_is_copied_from_an_entry():
    questions = demo.KNOWLEDGE.read_text(encoding="utf-8").casefold()
    assert len(QUESTIONS) >= 40
    assert [asked for asked, _ in QUESTIONS if asked.casefold() in questions and len(asked.split()) > 4] == []


def test_every_entry_is_whole_and_has_an_address_of_its_own():
    rows = [json.loads(line) for line in demo.KNOWLEDGE.read_text(encoding="utf-8").splitlines()]
    assert len(rows) >= 40
    assert all(row["title"] and row["question"] and row["content"] for row in rows)
    assert len({row["url"] for row in rows}) == len(rows)


def test_the_demo_site_can_be_used_from_everywhere(shop):
    settings = read_settings(shop[1].settings)
    assert settings.allowed_origins == ["*"]
    assert shop[1].is_active


def test_loading_again_changes_nothing_and_keeps_what_the_owner_set(store):
    demo.load(store)
    before = entries(store)
    changed = write_settings(read_settings("{}"))
    store.write(lambda tx: tx.run(Site.update(settings=changed)))
    assert demo.load(store) == demo_site(store).id
    assert demo_site(store).settings == changed
    assert entries(store) == before


def test_two_servers_that_start_at_once_make_one_shop(store):
    both = [threading.Thread(target=demo.load, args=(store,)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    lines = len(demo.KNOWLEDGE.read_text(encoding="utf-8").splitlines())
    assert len(entries(store)) == lines
