"""Pages of one invented story in several forms: plain, AMP, print, in parts; and what they say of themselves."""

from html import escape

PARAGRAPHS = (
    "The ferry to Saltmere left the eastern quay at six in the morning, for the first time in eleven years.",
    "Forty passengers stood on deck when the captain sounded the horn, and most of them had come for that alone.",
    "The council had voted for the line in spring by nine votes to eight, after a debate that lasted until midnight.",
    "Fares will stay at four crowns until the summer, when the harbour office will look at the figures again.",
    "Behind the breakwater the sea was calm, and the crossing took thirty-one minutes from rope to rope.",
    "On the island a brass band played, and the baker had put up a table with rolls that were gone by seven.",
)
OTHER = (
    "A whale was seen off the lighthouse on Tuesday evening by two brothers who were mending their nets there.",
    "It stayed for an hour and showed its back eleven times, as the elder of the two told this newspaper.",
    "The last whale in these waters was noted in the keeper's log ninety-three years ago, in the same month.",
)


def story(
    *paragraphs: str, headline: str = "Ferry returns", head: str = "", attributes: str = "", below: str = ""
) -> str:
    """Return an article page. `head` goes into its head, `below` under its text."""
    text = "\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in (paragraphs or PARAGRAPHS))
    return (
        f'<!DOCTYPE html><html lang="en" {attributes}><head><title>{escape(headline)}</title>'
        f'<meta property="og:type" content="article">{head}</head>'
        f"<body><article><h1>{escape(headline)}</h1>{text}</article>{below}</body></html>"
    )


def canonical(url: str) -> str:
    """Return a canonical link."""
    return f'<link rel="canonical" href="{escape(url)}">'


def pager(*hrefs: str) -> str:
    """Return the numbers under a part, from 1; the part's own, given as "", is no link."""
    numbers = (f'<a href="{href}">{n}</a>' if href else f"<b>{n}</b>" for n, href in enumerate(hrefs, start=1))
    return f'<div class="pages">{" ".join(numbers)}</div>'


def list_of(origin: str, *paths: str) -> str:
    """Return an RSS feed that lists these paths."""
    items = "".join(f"<item><title>{path}</title><link>{origin}{escape(path)}</link></item>" for path in paths)
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Feed</title>{items}</channel></rss>'
