"""What a site knows: its entries, the index of their terms, and the search that answers from them.

    add_entries(store, site_id, [Entry("faq", title, question, content, url)])
    search(store, site_id, "Do you ship to Canada?")
"""
