"""The text that `morgue init` writes: a configuration that works, every line explained."""

import json
from pathlib import Path

SAMPLE_CONFIGURATION = """\
# Configuration of morgue. Lines that begin with # are notes, or settings at their defaults.
# A variable MORGUE_SECTION__KEY overrides a key, as MORGUE_CRAWL__DELAY_SECONDS=2 or MORGUE_DATABASE__URL=…
# Relative paths are relative to this file's folder.

[database]
# A file, or for big archives postgresql://user@host/name (better given as MORGUE_DATABASE__URL, with its password).
url = "sqlite:///morgue.db"

[archive]
# Where the pages are kept as they were sent, in WARC files.
directory = "archive"
# keep = "versions"              # or "all": also captures that made no new version

[crawl]
# Who you are: publishers read it in their logs and can write to you. Please set a contact.
# user_agent = "example-archive/1 (+https://example.org/crawler; crawler@example.org)"
# delay_seconds = 1.0            # least pause between two requests to one host; slow hosts get a longer one
# timeout_seconds = 60           # for a whole response
# idle_timeout_seconds = 20      # for a pause in which nothing of it comes
# max_bytes = 10485760           # of a page after decoding
# max_redirects = 10
# concurrency = 16               # requests in flight, each to another host
# requests_per_host_per_day = 20000  # of all processes together; 0 for any number
# new_pages_per_source_per_day = 20000  # that feeds and sections may bring; 0 for any number
# processes = 2                  # that read pages; by default one a core, four at most
# extract_timeout_seconds = 20   # for reading one page
# respect_noarchive = false      # true: keep nothing of pages that say noarchive, which is only recorded else
# refetches_per_article = 6      # how often an article is looked at again in the time it is watched, on average
# allow_private_addresses = false

[service]
# poll = "15m"                   # how often a feed is asked until it is learnt how often it is worth it (30s, 6h, 1d),
                                 # or when all are: a cron expression, as "*/20 6-22 * * mon-fri"
# recrawl = "plan"               # when articles are looked at again: by plan, geometric or fixed (how often, [crawl]
                                 # refetches_per_article says), or each "6h"
# watch_for = "60d"              # how long after it came out an article is watched
# freshness = "auto"             # an edit that is seen so late is worth half as much as one seen at once, as "7d"
# keep_fetches = "400d"          # how long the row of each attempt is kept; "forever" for all of them
# grace_seconds = 25             # how long a stop may take to finish what is in flight
# max_memory = "none"            # as "1500M": beyond it the service ends, to be started again by its supervisor
# http = "127.0.0.1:6674"        # where /healthz and /metrics are told; "off" for nowhere

# One [[source]] for each publisher. Take the # away and put in yours:

# [[source]]
# slug = "courier"                               # its name in commands and in the database
# name = "The Harbour Courier"
# homepage = "https://courier.example/"
# feeds = ["https://courier.example/news.rss", "https://courier.example/local.atom"]
# timezone = "Europe/London"                     # for times that its pages give without a zone
# delay_seconds = 2.0
# poll = "10m"                                   # always, whatever is learnt and whatever its feeds ask for
# recrawl = "6h"
"""


def sample_configuration(data: Path | None = None) -> str:
    """Return the sample; with `data`, an absolute path, the database and the archive are in that folder."""
    if data is None:
        return SAMPLE_CONFIGURATION
    text = SAMPLE_CONFIGURATION
    for line, key, value in (
        ('url = "sqlite:///morgue.db"', "url", f"sqlite:///{data / 'morgue.db'}"),
        ('directory = "archive"', "directory", str(data / "archive")),
    ):
        text = text.replace(f"\n{line}\n", f"\n{key} = {json.dumps(value, ensure_ascii=False)}\n")
    return text
