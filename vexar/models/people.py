"""Operators: who they are, where they may work, how they sign in, whether they are there."""

from __future__ import annotations

from peewee import AutoField, BigIntegerField, CharField, CompositeKey, IntegerField, Model, TextField


class Operator(Model):
    """A person of the site."""

    id = AutoField()
    email = CharField()
    name = CharField()
    avatar_url = CharField(null=True)
    is_owner = IntegerField()
    key_hash = CharField(null=True)
    created_ms = BigIntegerField()
    password_hash = CharField(null=True)
    is_active = IntegerField()

    class Meta:
        indexes = ((("email",), True),)


class OperatorSite(Model):
    """Which sites an operator works for."""

    operator_id = IntegerField()
    site_id = IntegerField()
    can_chat = IntegerField()
    can_view_conversations = IntegerField()
    can_edit = IntegerField()

    class Meta:
        table_name = "operator_site"
        primary_key = CompositeKey("operator_id", "site_id")


class OperatorSession(Model):
    """Somebody signed in."""

    token_hash = CharField(primary_key=True)
    operator_id = IntegerField()
    created_ms = BigIntegerField()
    until_ms = BigIntegerField()

    class Meta:
        table_name = "operator_session"
        indexes = ((("operator_id",), False),)


class OneTimeLink(Model):
    """A link that works once."""

    token_hash = CharField(primary_key=True)
    purpose = CharField()
    operator_id = IntegerField(null=True)
    until_ms = BigIntegerField()
    created_ms = BigIntegerField()

    class Meta:
        table_name = "one_time_link"
        indexes = ((("operator_id",), False),)


class LoginFailure(Model):
    """Failed logins of an account or an address."""

    name = CharField(primary_key=True)
    failures = IntegerField()
    failed_ms = BigIntegerField()
    blocked_until_ms = BigIntegerField()

    class Meta:
        table_name = "login_failure"
        indexes = ((("failed_ms",), False),)


class Presence(Model):
    """Which operator is there for which site."""

    operator_id = IntegerField()
    site_id = IntegerField()
    is_online = IntegerField()
    seen_ms = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("operator_id", "site_id")
        indexes = ((("site_id", "seen_ms"), False),)


class CannedReply(Model):
    """A ready-made reply of a site."""

    id = AutoField()
    site_id = IntegerField()
    shortcut = CharField()
    content = TextField()
    created_ms = BigIntegerField()

    class Meta:
        table_name = "canned_reply"
        indexes = ((("site_id", "shortcut"), True),)
