"""The tables as peewee models: the one source of column names, from which every statement is compiled.

They are never bound to a connection; `vexar.store` compiles a query for its engine and runs it. What each
column means, and its unit, stands in schema.sql; a test holds both equal.
"""

from __future__ import annotations

from vexar.models.crawls import Crawl, CrawlPage
from vexar.models.knowledge import KnowledgeChunk, KnowledgeEntry, KnowledgeTerm, KnowledgeVector
from vexar.models.people import (
    CannedReply,
    LoginFailure,
    OneTimeLink,
    Operator,
    OperatorSession,
    OperatorSite,
    Presence,
)
from vexar.models.sites import Budget, Lease, NudgeEvent, NudgeRule, Site, SiteDay
from vexar.models.unanswered import UnansweredAsk, UnansweredGroup
from vexar.models.visitors import (
    Block,
    Conversation,
    ConversationTerm,
    Message,
    Note,
    OnlineSession,
    Run,
    Upload,
    Visitor,
)

TABLES = (
    Site, Budget, SiteDay, NudgeRule, NudgeEvent, Lease, Visitor, Conversation, Message, Run, Upload, Block,
    Note, ConversationTerm, OnlineSession, Operator, OperatorSite, OperatorSession, OneTimeLink, LoginFailure,
    Presence, CannedReply, Crawl, CrawlPage, KnowledgeEntry, KnowledgeChunk, KnowledgeTerm,
    KnowledgeVector, UnansweredGroup, UnansweredAsk,
)

__all__ = [
    "TABLES", "Block", "Budget", "CannedReply", "Conversation", "ConversationTerm", "Crawl", "CrawlPage",
    "KnowledgeChunk", "KnowledgeEntry", "KnowledgeTerm", "KnowledgeVector", "Lease", "LoginFailure", "Message", "Note",
    "NudgeEvent", "NudgeRule", "OneTimeLink", "OnlineSession", "Operator", "OperatorSession", "OperatorSite",
    "Presence", "Run", "Site", "SiteDay", "UnansweredAsk", "UnansweredGroup", "Upload", "Visitor",
]
