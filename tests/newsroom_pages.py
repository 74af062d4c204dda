"""What the invented newspaper's site looks like: article pages with all their chrome, lists, feeds (pure)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from html import escape
from itertools import islice
from typing import TypeVar
from zlib import crc32

Item = TypeVar("Item")

SITE_NAME = "The Harbour Courier"
TEASERS = 4

STYLE = """
body { font: 18px/1.5 Georgia, serif; margin: 0 auto; max-width: 60rem }
.masthead { border-bottom: 3px double #333 } .teaser { display: inline-block; width: 14rem }
"""

SCRIPT = """
window.courier = window.courier || {}; courier.consent = function (choice) { document.cookie = "consent=" + choice; };
"""

# What the box "From the archive" is filled with while the paper has few other stories.
OLD_HEADLINES = (
    "When the herring came back",
    "A walk along the eleven piers",
    "How the lighthouse lost its keeper",
    "Ten recipes for a windy day",
    "The last rope maker of Cooper Lane",
    "Why our trams are green",
    "Tide tables for the month",
    "Letters: the bench by the pump",
    "Quiz: do you know your knots?",
)

COMMENTS = (
    ("tidewatcher", "My grandfather always said this would happen one day. Thank you for writing about it."),
    ("E. Pallas", "A good piece, although the photograph shows the wrong side of the harbour."),
    ("norrvik_anna", "Does anybody know when the next public meeting is? The town’s calendar is empty again."),
    ("Old Salt", "They said the same ten years ago, and look what came of it."),
    ("M. Quist", "I was there, and it was colder than you make it sound."),
)


@dataclass(frozen=True, kw_only=True)
class PublishedStory:
    """A story on the site, as it stands now. `revision` grows with each edit; times are aware."""

    slug: str
    path: str
    headline: str
    standfirst: str | None
    authors: tuple[str, ...]
    section: str
    body: tuple[str, ...]
    published_at: datetime
    modified_at: datetime
    revision: int = 1
    withdrawn: bool = False


@dataclass(frozen=True, kw_only=True)
class Site:
    """What every page needs to know of its surroundings: where the site is, and its stories, newest first."""

    origin: str
    stories: Sequence[PublishedStory] = field(default_factory=tuple)

    def url(self, path: str) -> str:
        """Return the absolute URL of a path."""
        return self.origin + path


def section_path(section: str) -> str:
    """Return where a section's list is."""
    return f"/{'-'.join(section.lower().split())}/"


def article_page(story: PublishedStory, site: Site, *, views: int) -> str:
    """Return the page of a story. Its teasers and its reader count differ from one view to the next."""
    standfirst = f'<p class="standfirst">{escape(story.standfirst)}</p>' if story.standfirst else ""
    body = "\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in story.body)
    updated = ""
    if story.modified_at > story.published_at:
        updated = f'<span class="updated">Updated {_time_tag(story.modified_at)}</span>'
    content = f"""<article class="story" id="story-{escape(story.slug)}">
<header>
<p class="kicker"><a href="{section_path(story.section)}">{escape(story.section)}</a></p>
<h1 class="headline">{escape(story.headline)}</h1>
{standfirst}
{_byline(story)}
<p class="dates"><span class="published">{_time_tag(story.published_at)}</span> {updated}</p>
{_share_links(story, site)}
</header>
<div class="article-body">
{body}
</div>
</article>
{_teasers(story, site, views)}
{_comments(story, views)}"""
    return _page(title=story.headline, head=_article_head(story, site), content=content, site=site)


def list_page(title: str, stories: Sequence[PublishedStory], site: Site) -> str:
    """Return the home page or a section's list."""
    items = "\n".join(
        f'<li class="teaser"><h2><a href="{story.path}">{escape(story.headline)}</a></h2>'
        f"<p>{escape(story.standfirst or '')}</p></li>"
        for story in stories
    )
    head = f'<meta property="og:type" content="website">\n<meta property="og:site_name" content="{SITE_NAME}">'
    return _page(title=title, head=head, content=f"<h1>{escape(title)}</h1>\n<ul>\n{items}\n</ul>", site=site)


def error_page(title: str, explanation: str, site: Site) -> str:
    """Return the page that stands where nothing is."""
    return _page(title=title, head="", content=f"<h1>{escape(title)}</h1>\n<p>{escape(explanation)}</p>", site=site)


def rss_feed(site: Site) -> str:
    """Return the RSS 2.0 feed of the newest stories."""
    items = "\n".join(_rss_item(story, site) for story in site.stories)
    return f"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom">
<channel>
<title>{SITE_NAME}</title>
<link>{site.url("/")}</link>
<atom:link href="{site.url("/feed.rss")}" rel="self" type="application/rss+xml"/>
<description>News from Saltmere and the islands</description>
<language>en</language>
{items}
</channel>
</rss>
"""


def atom_feed(site: Site) -> str:
    """Return the Atom feed of the newest stories."""
    latest = max((story.modified_at for story in site.stories), default=None)
    updated = latest.isoformat() if latest else "2000-01-01T00:00:00+00:00"
    entries = "\n".join(_atom_entry(story, site) for story in site.stories)
    return f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
<title>{SITE_NAME}</title>
<id>{site.url("/feed.atom")}</id>
<link rel="self" href="{site.url("/feed.atom")}"/>
<link rel="alternate" href="{site.url("/")}"/>
<updated>{updated}</updated>
{entries}
</feed>
"""


def _rss_item(story: PublishedStory, site: Site) -> str:
    url = escape(site.url(story.path))
    creators = "".join(f"<dc:creator>{escape(author)}</dc:creator>" for author in story.authors)
    return (
        f"<item><title>{escape(story.headline)}</title><link>{url}</link>"
        f'<guid isPermaLink="true">{url}</guid><pubDate>{format_datetime(story.published_at)}</pubDate>{creators}'
        f"<category>{escape(story.section)}</category>"
        f"<description>{escape(story.standfirst or '')}</description></item>"
    )


def _atom_entry(story: PublishedStory, site: Site) -> str:
    url = escape(site.url(story.path))
    authors = "".join(f"<author><name>{escape(author)}</name></author>" for author in story.authors)
    return (
        f'<entry><title>{escape(story.headline)}</title><id>{url}</id><link rel="alternate" href="{url}"/>'
        f"<published>{story.published_at.isoformat()}</published><updated>{story.modified_at.isoformat()}</updated>"
        f"{authors}<summary>{escape(story.standfirst or '')}</summary></entry>"
    )


def _page(*, title: str, head: str, content: str, site: Site) -> str:
    sections = dict.fromkeys(story.section for story in site.stories)
    navigation = "\n".join(f'<li><a href="{section_path(name)}">{escape(name)}</a></li>' for name in sorted(sections))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{escape(title)} | {SITE_NAME}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="alternate" type="application/rss+xml" title="{SITE_NAME}" href="{site.url("/feed.rss")}">
<link rel="alternate" type="application/atom+xml" title="{SITE_NAME}" href="{site.url("/feed.atom")}">
{head}
<style>{STYLE}</style>
<script>{SCRIPT}</script>
</head>
<body>
<div class="cookie-banner" role="dialog">We use cookies to count our readers. <button>Accept</button></div>
<header class="masthead"><a class="logo" href="/">{SITE_NAME}</a> <a href="/account/subscribe">Subscribe</a></header>
<nav class="main-nav"><ul>
<li><a href="/">Home</a></li>
{navigation}
</ul></nav>
<main>
{content}
</main>
<footer class="site-footer">
<p class="newsletter">Sign up for the morning tide, our letter at seven.</p>
<ul class="footer-links">
<li><a href="/about">About us</a></li>
<li><a href="/contact">Contact</a></li>
<li><a href="/privacy">Privacy</a></li>
</ul>
<p class="copyright">© {SITE_NAME}, Saltmere. All rights reserved.</p>
</footer>
</body>
</html>
"""


def _article_head(story: PublishedStory, site: Site) -> str:
    url = escape(site.url(story.path))
    description = escape(story.standfirst or "")
    authors = "\n".join(f'<meta name="author" content="{escape(author)}">' for author in story.authors)
    return f"""<link rel="canonical" href="{url}">
<meta name="description" content="{description}">
{authors}
<meta property="og:type" content="article">
<meta property="og:site_name" content="{SITE_NAME}">
<meta property="og:title" content="{escape(story.headline)}">
<meta property="og:description" content="{description}">
<meta property="og:url" content="{url}">
<meta property="og:image" content="{site.url(f"/images/{escape(story.slug)}.jpg")}">
<meta property="article:published_time" content="{story.published_at.isoformat()}">
<meta property="article:modified_time" content="{story.modified_at.isoformat()}">
<meta property="article:section" content="{escape(story.section)}">
<script type="application/ld+json">{_linked_data(story, site)}</script>"""


def _linked_data(story: PublishedStory, site: Site) -> str:
    url = site.url(story.path)
    article = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "@id": url,
        "mainEntityOfPage": url,
        "headline": story.headline,
        "datePublished": story.published_at.isoformat(),
        "dateModified": story.modified_at.isoformat(),
        "author": [{"@type": "Person", "name": author} for author in story.authors],
        "articleSection": story.section,
        "publisher": {"@type": "NewsMediaOrganization", "name": SITE_NAME},
        "image": site.url(f"/images/{story.slug}.jpg"),
        "isAccessibleForFree": True,
    }
    if story.standfirst:
        article["description"] = story.standfirst
    # A "</script>" in a headline would end the element.
    return json.dumps(article, ensure_ascii=False).replace("<", "\\u003c")


def _byline(story: PublishedStory) -> str:
    if not story.authors:
        return ""
    names = " and ".join(f'<a rel="author" href="/authors/">{escape(author)}</a>' for author in story.authors)
    return f'<p class="byline">By {names}</p>'


def _time_tag(moment: datetime) -> str:
    return f'<time datetime="{moment.isoformat()}">{moment.day} {moment:%B %Y, %H:%M}</time>'


def _share_links(story: PublishedStory, site: Site) -> str:
    target = escape(site.url(story.path))
    return f"""<ul class="share-tools social">
<li><a href="https://share.example/post?url={target}">Share</a></li>
<li><a href="mailto:?body={target}">Send by e-mail</a></li>
<li><a href="javascript:print()">Print</a></li>
</ul>"""


def _teasers(story: PublishedStory, site: Site, views: int) -> str:
    others = [(other.path, other.headline) for other in islice(site.stories, 20) if other.path != story.path]
    others += [(f"/archive/{number}", headline) for number, headline in enumerate(OLD_HEADLINES)]
    chosen = islice(_turned(others, views * TEASERS), TEASERS)
    links = "\n".join(f'<div class="teaser"><a href="{path}">{escape(headline)}</a></div>' for path, headline in chosen)
    return f'<aside class="related"><h2>More from the {SITE_NAME[4:]}</h2>\n{links}\n</aside>'


def _turned(values: Sequence[Item], steps: int) -> Iterator[Item]:
    start = steps % len(values)
    yield from values[start:]
    yield from values[:start]


def _comments(story: PublishedStory, views: int) -> str:
    chosen = islice(_turned(COMMENTS, crc32(story.slug.encode())), 3)
    items = "\n".join(
        f'<li class="comment"><b>{escape(name)}</b> <span>{escape(text)}</span></li>' for name, text in chosen
    )
    return f"""<section id="comments" class="comments"><h2>3 comments</h2>
<p class="counter">{views % 90 + 7} people are reading this now</p>
<ol class="comment-list">
{items}
</ol></section>"""
