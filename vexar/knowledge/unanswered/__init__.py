"""Questions that a site's knowledge did not answer: which messages ask one, which of them ask the same, the list."""
