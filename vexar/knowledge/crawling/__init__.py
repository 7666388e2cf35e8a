"""A site's own pages, read into its knowledge: the crawler of a process, one crawl, and what is stored of it."""
