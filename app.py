"""The parts list: where settings, store, broker, limiter, providers, routes and error handlers meet. No logic.

`python app.py COMMAND` is the command line.
"""

from __future__ import annotations

import os
import secrets
import sys
from functools import partial

from flask import Flask

from config import Config, keep_private, keep_secret, load
from vexar import demo as shop
from vexar import logs, metrics
from vexar.answers.data_api import DataApi
from vexar.answers.runs import Runs
from vexar.answers.tools import Toolbox
from vexar.broker import Broker
from vexar.conversing.conversations import Conversations
from vexar.desk import digest
from vexar.erasing.erasing import EXPIRE_EVERY_S, Eraser
from vexar.housekeeping import Housekeeping
from vexar.knowledge import rebuild
from vexar.knowledge.crawling.crawler import Crawler
from vexar.knowledge.meaning.embedder import Embedder
from vexar.knowledge.meaning.nearness import Meaning, open_client
from vexar.knowledge.reading.reader import Reader
from vexar.knowledge.unanswered import finding, rechecking
from vexar.limits import Limits
from vexar.live.push import Streams
from vexar.live.push_operators import OperatorStreams
from vexar.media.uploads import PREFIX, Uploads
from vexar.outbound.outside import Outside
from vexar.parts import Parts
from vexar.people.accounts import Accounts
from vexar.people.links import base_url
from vexar.providers import Registry
from vexar.providers.builtin import BuiltinProvider
from vexar.providers.openai import OpenAIProvider
from vexar.routes import (
    assets,
    auth,
    blocks,
    canned,
    chatbot,
    console,
    conversations,
    data_api,
    demo,
    figures,
    files,
    forms,
    knowledge,
    knowledge_ask,
    knowledge_crawl,
    knowledge_unanswered,
    nudges,
    operator,
    privacy,
    service,
    sites,
    stream,
    team,
    watching,
    widget,
)
from vexar.routes.api import install_errors
from vexar.routes.cors import install_cors
from vexar.routes.draining import install_draining
from vexar.scheduler import Scheduler
from vexar.store import Store, open_store

# Whoever searches catches up first; this keeps what is left for him small.
DIGEST_EVERY_S = 5.0
# Unanswered questions may wait: each is asked again, which costs a search, and clocks come first.
REVIEW_EVERY_S, REVIEW_S = 5.0, 0.7
# After an upgrade that cuts words by other rules: so often a slice of the knowledge is indexed anew.
REINDEX_EVERY_S = 1.0
# So soon after it was changed the embedder looks for what lacks an embedding; it works for some seconds at a time.
EMBED_EVERY_S = 1.0


def create_app(config: Config | None = None) -> Flask:
    """The WSGI application, with its parts in `app.extensions["vexar"]`. Raises ConfigError, StoreError."""
    keep_private()
    config = config or load()
    keep_secret(config)
    logs.configure(config)
    metrics.start(config.data_dir)
    app = Flask("vexar", static_folder=None)
    app.extensions["vexar"] = create_parts(config)
    if config.demo:
        shop.load(app.extensions["vexar"].store, f"{base_url(config)}/")
    install_draining(app)
    install_cors(app)
    app.register_blueprint(stream.blueprint, url_prefix="/api/v1")
    app.register_blueprint(widget.blueprint, url_prefix="/api/v1")
    app.register_blueprint(forms.blueprint, url_prefix="/api/v1")
    app.register_blueprint(auth.blueprint, url_prefix="/api/v1")
    app.register_blueprint(operator.blueprint, url_prefix="/api/v1")
    app.register_blueprint(sites.blueprint, url_prefix="/api/v1")
    app.register_blueprint(chatbot.blueprint, url_prefix="/api/v1")
    app.register_blueprint(canned.blueprint, url_prefix="/api/v1")
    app.register_blueprint(data_api.blueprint, url_prefix="/api/v1")
    app.register_blueprint(nudges.blueprint, url_prefix="/api/v1")
    app.register_blueprint(knowledge.blueprint, url_prefix="/api/v1")
    app.register_blueprint(knowledge_ask.blueprint, url_prefix="/api/v1")
    app.register_blueprint(knowledge_crawl.blueprint, url_prefix="/api/v1")
    app.register_blueprint(knowledge_unanswered.blueprint, url_prefix="/api/v1")
    app.register_blueprint(privacy.blueprint, url_prefix="/api/v1")
    app.register_blueprint(watching.blueprint, url_prefix="/api/v1")
    app.register_blueprint(blocks.blueprint, url_prefix="/api/v1")
    app.register_blueprint(team.blueprint, url_prefix="/api/v1")
    app.register_blueprint(console.blueprint)
    app.register_blueprint(conversations.blueprint, url_prefix="/api/v1")
    app.register_blueprint(figures.blueprint, url_prefix="/api/v1")
    app.register_blueprint(files.blueprint)
    app.register_blueprint(demo.blueprint)
    app.register_blueprint(assets.blueprint)
    app.register_blueprint(service.service)
    install_errors(app)
    logs.install_logging(app)
    if app.extensions["vexar"].embedder:
        app.extensions["vexar"].embedder.start()
    app.extensions["vexar"].scheduler.start()
    app.extensions["vexar"].crawler.start()
    return app


def create_parts(config: Config, store: Store | None = None, providers: Registry | None = None) -> Parts:
    """The live objects of one process."""
    store = store or open_store(config.database_url)
    owner = f"{os.getpid()}-{secrets.token_hex(8)}"
    broker = create_broker(config)
    uploads = Uploads(config, store)
    eraser = Eraser(store, broker, uploads)
    limits = Limits(config)
    reader = Reader()
    conversations = Conversations(store, broker, config, owner=owner)
    data = DataApi(Outside(config.fetch_allow))
    client = open_client(config)
    embedder = Embedder(store, client) if client else None
    return Parts(
        config=config,
        store=store,
        broker=broker,
        limits=limits,
        accounts=Accounts(config, store, limits),
        conversations=conversations,
        runs=Runs(store, broker, config, providers=providers or create_providers(config), owner=owner,
                  toolbox=Toolbox(store, data, conversations.request_operator)),
        data_api=data,
        uploads=uploads,
        reader=reader,
        crawler=Crawler(store, Outside(config.fetch_allow), reader, owner=owner),
        streams=Streams(store, broker, image_base=f"{config.public_url}{PREFIX}"),
        operator_streams=OperatorStreams(store, broker, image_base=f"{config.public_url}{PREFIX}"),
        eraser=eraser,
        housekeeping=Housekeeping(uploads.sweep, eraser.finish),
        scheduler=Scheduler(
            store, owner=owner, ring=conversations.ring_clock,
            chores=((DIGEST_EVERY_S, partial(digest.catch_up, store)), (EXPIRE_EVERY_S, eraser.expire),
                    (REINDEX_EVERY_S, partial(rebuild.catch_up, store)),
                    (REVIEW_EVERY_S, partial(finding.catch_up, store, timeout_s=REVIEW_S)),
                    (REVIEW_EVERY_S, partial(rechecking.catch_up, store, timeout_s=REVIEW_S)),
                    *([(EMBED_EVERY_S, embedder.wake)] if embedder else [])),
        ),
        meaning=Meaning(store, client) if client else None,
        embedder=embedder,
    )


def create_broker(config: Config) -> Broker:
    """The doorbells of one process, joined with those of the others."""
    return Broker(folder=config.data_dir / "doorbells", redis_url=config.redis_url)


def create_providers(config: Config) -> Registry:
    """Who may make answers."""
    registry = Registry()
    registry.add(BuiltinProvider())
    if config.ai_base_url:
        registry.add(OpenAIProvider(config))
    return registry


if __name__ == "__main__":
    from vexar.cli import main

    sys.exit(main())
