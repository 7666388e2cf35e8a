"""What operators see and search: inbox, lists, leads, figures, and what changed since they looked."""
