"""Which campaigns may bid for a request, and which of them bid most: a small service on `rm.Matcher`.

    python -m examples.targeting demo

Campaigns live in a table of SQLite or PostgreSQL. The service loads them in one query, keeps up with
the table while it answers, and answers each request with the campaigns of the highest bids.
"""
