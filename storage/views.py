"""The data dictionary: what each column of the views means that programs read. The migrations define the views."""

from storage.article_fields import MEANINGS

_ARTICLE = {
    "article_id": "The article's number, which it keeps.",
    "source": "The source's name (`slug`).",
    "url": "The address of the article's primary page.",
}
_PLACE = {
    "warc_file": "The file of the archive folder that holds the capture.",
    "warc_offset": "Where in it, in bytes, the capture's record begins.",
}

VIEW_COLUMNS: dict[str, dict[str, str]] = {
    "articles_v1": _ARTICLE
    | MEANINGS
    | {
        "first_seen_at": "When it was first captured.",
        "last_checked_at": "When it was last seen to stand there, changed or not.",
        "version_count": "How many versions there are.",
        "version_id": "The current version, in article_versions_v1.",
        "status": "live, gone (it was taken down; the versions stay), or paused (it or its source is not watched now).",
        "syndication_group_id": "The articles that carry one wire copy share it; null where none is known.",
        "opt_outs": "What the publisher asks of those who use the text, as fetches_v1 has it, at the last reading.",
    },
    "article_versions_v1": {
        "article_id": "The article, in articles_v1.",
        "version": "The version's number within the article, from 1.",
    }
    | MEANINGS
    | {
        "version_id": "The version's own number, which it keeps.",
        "change": "What changed: created, or of headline, standfirst, body, authors, date those that did, joined by +.",
        "reverts_to": "The version_id of the earlier version whose state came back; null for a new state.",
        "captured_at": "When this state was first seen.",
        "last_seen_at": "When it was last seen.",
        "content_digest": "Digest of normalised headline, standfirst, body and authors; equal for equal texts.",
        "extractor": "Which extractor read it; readings of two extractors are never compared.",
    }
    | _PLACE,
    "article_events_v1": {
        "seq": "The event's number, which only grows: remember the last one and ask for those after it.",
        "kind": "created, updated, reverted, gone, restored, merged, withdrawn, reread or purged; ignore others.",
        "article_id": "The article that it happened to.",
        "version_id": "The version that it made or is about; null where there is none.",
        "occurred_at": "When it was seen.",
    },
    "headline_changes_v1": _ARTICLE
    | {
        "version_id": "The version with the new headline.",
        "version": "Its number within the article.",
        "headline_before": "The headline of the version before.",
        "headline_after": "The new headline.",
        "changed_at": "When the new headline was first seen.",
    },
    "fetches_v1": {
        "fetch_id": "The attempt's number.",
        "record_id": "The id of the exchange, and of its WARC record if one was kept.",
        "chain_id": "The same for all hops of one request.",
        "hop": "The place in a chain of redirects, from 0.",
        "kind": "What was fetched: page, feed, sitemap, section or robots.",
        "source": "The source's name (`slug`).",
        "url": "The address that was asked for.",
        "started_at": "When the request began.",
        "finished_at": "When the last byte came, or the attempt failed.",
        "outcome": "What it came to, of a closed list.",
        "reason": "A short code that says more, such as dns, tls, short_body or flapping.",
        "status": "The HTTP status; null where there was no answer.",
        "bytes_received": "Length of the body as sent.",
        "location": "Where a redirect led.",
        "article_id": "The article whose page this was, where it has one.",
        "version_id": "The version that was made, or seen again.",
    }
    | _PLACE
    | {
        "headers": "The response's headers that matter, as a JSON object with names in lower case.",
        "opt_outs": "What the answer reserves, as a JSON list of words such as noarchive or noai; often empty.",
    },
}
"""Every view, every column, in the order in which they stand there."""
