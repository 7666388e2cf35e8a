"""The database: `open_store(url)`, jobs in transactions, statements compiled from the models."""

from vexar.store.base import Duplicate, Job, Store, StoreError, Transaction
from vexar.store.db import open_store
from vexar.store.statement import P, Statement

__all__ = ["Duplicate", "Job", "P", "Statement", "Store", "StoreError", "Transaction", "open_store"]
