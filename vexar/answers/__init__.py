"""Answers: runs, who makes them (runs.py), what they have said (live.py), who reads them (following.py)."""
