"""The demo shop: it is made once, and ordinary questions find their entry while foreign ones are refused."""

from __future__ import annotations

import json
import threading

import pytest

from vexar import demo
from vexar.knowledge.ask import ask
from vexar.models import KnowledgeEntry, Site
from vexar.sites.settings import read_settings, write_settings
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
    ("can I talk to a human", "human"),
    ("bulk orders for my boutique", "wholesale"),
    ("corporate gifts with logo", "embroidery"),
    ("are you carbon neutral", "sustainability"),
    ("are the sweaters made in China", "made-in"),
    ("are reviews fake", "reviews"),
    ("looking for work as a knitter", "jobs"),
    ("reward points", "loyalty"),
    ("hey, u guys deliver to vancouver bc?", "shipping-canada"),
    ("are you a robot?", "robot"),
    ("the sweater i got has moth holes in it, now what?", "damaged"),
    ("are you open on sunday", "store"),
    ("the shirt is too small, can I get a bigger one", "exchanges"),
    ("how to rewax the canvas", "rucksack-care"),
    ("price of the heron backpack", "heron-rucksack"),
    ("how much does a mug cost", "camp-mug"),
    ("how much are your blankets", "quay-blanket"),
    ("can i wash the linen shirt at 40 degrees", "linen-care"),
    ("my package says delivered but its not here", "lost-parcel"),
    ("havent got my refund yet", "refunds"),
    ("the mug came chipped", "damaged"),
    ("u sent me the wrong colour", "damaged"),
    ("do i have to pay for return shipping", "returns"),
    ("how long do I have to return something", "returns"),
    ("can i use two coupon codes at once", "discount-codes"),
    ("do you take visa", "payment"),
    ("i typed my address wrong", "change-address"),
    ("do you ship to the uk", "shipping-countries"),
    ("i never got a confirmation email", "order-confirmation"),
    ("when are you available by phone", "contact"),
    ("my bag is leaking in the rain", "rucksack-care"),
    ("how do i get a stain out of my sweater", "wool-care"),
    ("can I return a sale item", "no-returns"),
    ("how old is your company", "about"),
    ("is the plover carry on size", "rucksack-volume"),
    ("do gift cards expire", "gift-cards"),
    ("can you gift wrap it", "gift-wrap"),
    ("what sizes do you have", "sizes"),
    ("whats your instagram", "social"),
    ("parcel damaged by the courier", "damaged"),
    ("hiya, can you post a blanket to toronto for me", "shipping-canada"),
    ("is postage free if i spend $100", "shipping-costs"),
    ("do you guys deliver to ireland?", "shipping-countries"),
    ("can you ship to singapore", "not-served"),
    ("the parcel was stolen from my porch", "lost-parcel"),
    ("I need a gift by saturday, is that possible?", "express-delivery"),
    ("will I be charged duty in Switzerland", "customs"),
    ("I bought the wrong size, what do I do", "exchanges"),
    ("how do I print a return label", "returns"),
    ("i wore the shirt once, can i still return it?", "no-returns"),
    ("its been two weeks and no refund", "refunds"),
    ("one of the mugs was smashed when i opened the box", "damaged"),
    ("you forgot to put the soap in my package", "damaged"),
    ("can i pay by bank transfer", "payment"),
    ("do you take amex", "payment"),
    ("my card got charged twice", "payment-failed"),
    ("do you have afterpay", "instalments"),
    ("my coupon isn't working", "discount-codes"),
    ("what size should a 6 foot tall guy get", "sizes"),
    ("is the sweater scratchy", "materials"),
    ("how much for the linen shirt", "linen-shirt"),
    ("what's the cheapest thing you sell", "products"),
    ("can the backpack get wet", "rucksack-care"),
    ("my sweater is pilling", "wool-care"),
    ("can I mend my sweater with you, the elbow is worn through", "repairs"),
    ("when will the navy sweater be back", "stock"),
    ("cant log into my account", "password"),
    ("do you have a shop i can visit", "store"),
    ("what time do you close today", "store"),
    ("are you a bot", "robot"),
    ("who founded juniper lane", "about"),
    ("do you send stuff to spain", "shipping-countries"),
    ("is shipping to quebec free", "shipping-canada"),
    ("can you deliver to my office instead", "change-address"),
    ("do i need to sign for the delivery", "courier"),
    ("what happens if nobody is home", "courier"),
    ("I haven't received my order", "lost-parcel"),
    ("i want to send this blanket back", "returns"),
    ("can I swap my jumper for a different colour", "exchanges"),
    ("received a faulty backpack", "damaged"),
    ("i think i got someone elses order", "damaged"),
    ("do you accept mastercard", "payment"),
    ("can i pay with cheque", "payment"),
    ("paypal isn't working", "payment-failed"),
    ("can i pay in GBP", "currency"),
    ("how much money is left on my gift card", "gift-cards"),
    ("it's a birthday present, can you hide the price", "gift-wrap"),
    ("i need an invoice for my taxes", "invoices"),
    ("I'm between two sizes", "sizes"),
    ("does the wool shrink", "wool-care"),
    ("can i put my bag in the washing machine", "rucksack-care"),
    ("how much are shirts", "linen-shirt"),
    ("how much is a bar of soap", "wool-soap"),
    ("is the mug lead free", "mugs"),
    ("how much does a repair cost", "repairs"),
    ("guarantee on sweaters?", "warranty"),
    ("i want to add something to my order", "change-order"),
    ("please cancel order 10442", "cancel-order"),
    ("how do i make an account", "account"),
    ("forgot my login", "password"),
    ("stop emailing me", "newsletter"),
    ("whats your email", "contact"),
    ("can i get a live agent", "human"),
    ("do you have any vacancies", "jobs"),
    ("can I see the sweaters in person somewhere", "store"),
    ("is this website legit", "payment-safe"),
    ("Do you have black friday deals", "sales"),
    ("could you ship a rucksack to my sister in Ottawa", "shipping-canada"),
    ("do you ship to finland", "shipping-countries"),
    ("how much is shipping for two shirts", "shipping-costs"),
    ("ordered last monday, when does it come", "delivery-times"),
    ("is next day delivery possible", "express-delivery"),
    ("can't find my tracking number anywhere", "tracking"),
    ("parcel never showed up", "lost-parcel"),
    ("how do I start a return", "returns"),
    ("i changed my mind about a sweater i received, can i return it", "returns"),
    ("when do i get my refund", "refunds"),
    ("blanket too large can i swap it", "exchanges"),
    ("there is a stain on the shirt you sent me", "damaged"),
    ("do you accept google pay", "payment"),
    ("why was my payment declined", "payment-failed"),
    ("do you have a size guide", "sizes"),
    ("is the rucksack waterproof", "rucksack-care"),
    ("does a 15 inch laptop fit in the heron", "rucksack-volume"),
    ("my zip is stuck can you fix it", "repairs"),
    ("i'd like to cancel", "cancel-order"),
    ("opening hours please", "store"),
    ("talk to someone", "human"),
    ("whats the price of a blanket", "quay-blanket"),
    ("who makes the sweaters", "made-in"),
    ("do you have a facebook page", "social"),
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
    "Who wrote Romeo and Juliet?",
    "What is the price of gold?",
    "How do I change a flat tyre?",
    "Is it safe to fly to Brazil at the moment?",
    "Which is the best restaurant in Toronto?",
    "How many people live in Canada?",
    "Can you help me with my maths homework?",
    "What is the population of India?",
    "Do you have rooms with a sea view?",
    "how do I lose weight fast",
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


def test_the_address_follows_the_server_until_its_owner_gives_it_another(store):
    for address in ("http://127.0.0.1:8000/", "http://127.0.0.1:9999/", "https://shop.example/"):
        demo.load(store, address)
        assert demo_site(store).url == address
    demo.load(store, "http://127.0.0.1:8000/")
    assert demo_site(store).url == "https://shop.example/"


def test_two_servers_that_start_at_once_make_one_shop(store):
    both = [threading.Thread(target=demo.load, args=(store,)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    lines = sum(len(shop.knowledge.read_text(encoding="utf-8").splitlines()) for shop in demo.SHOPS)
    assert len(entries(store)) == lines
