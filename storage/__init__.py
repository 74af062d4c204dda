"""What is true: articles, versions, fetches, captures and the change feed. This layer owns all SQL."""
