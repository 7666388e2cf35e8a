"""Proactive messages: their rules, which one a visitor gets, and what became of them."""
