"""Scrapy's settings for us: single attempts, nothing hidden, nothing that a news crawler does not need."""

from typing import Any

from crawler.http_handler import ALLOW_PRIVATE_ADDRESSES, CONNECT_SECONDS, IDLE_SECONDS
from crawler.settings import CrawlSettings

ACCEPT = (
    "text/html,application/xhtml+xml,application/rss+xml;q=0.9,application/atom+xml;q=0.9,"
    "application/xml;q=0.8,*/*;q=0.5"
)
_HTTP_HANDLER = "crawler.http_handler.HttpHandler"
_LONGEST_CONNECT_SECONDS = 15.0


def scrapy_settings(settings: CrawlSettings) -> dict[str, Any]:
    """Return the settings of the engine.

    Robots, spacing, redirects, conditional requests and content decoding are ours (`crawler.fetching`), because each
    attempt and each hop leaves a row and captures keep the bytes as sent. So Scrapy's middlewares for these are out,
    as are its handlers for anything but HTTP, its cookies, proxies, retries and remote control.
    """
    return {
        "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
        "USER_AGENT": settings.user_agent,
        "DEFAULT_REQUEST_HEADERS": {"Accept": ACCEPT, "Accept-Encoding": "gzip, deflate, br, zstd"},
        "DOWNLOADER_MIDDLEWARES_BASE": {
            "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
            "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
            "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
        },
        "SPIDER_MIDDLEWARES_BASE": {},
        "EXTENSIONS_BASE": {},
        "DOWNLOAD_HANDLERS_BASE": {"http": _HTTP_HANDLER, "https": _HTTP_HANDLER},
        "DOWNLOAD_TIMEOUT": settings.timeout_seconds,
        IDLE_SECONDS: settings.idle_timeout_seconds,
        ALLOW_PRIVATE_ADDRESSES: settings.allow_private_addresses,
        CONNECT_SECONDS: min(_LONGEST_CONNECT_SECONDS, settings.timeout_seconds / 2),
        "DOWNLOAD_MAXSIZE": settings.max_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_DELAY": 0,
        "CONCURRENT_REQUESTS": 0,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1_000,
        "ROBOTSTXT_OBEY": False,
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "MEMUSAGE_ENABLED": False,
        "LOG_ENABLED": False,
    }
