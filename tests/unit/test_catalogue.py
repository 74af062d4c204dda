"""From the configuration to the sources."""

import pytest

from crawler.catalogue import sources
from crawler.settings import SourceSettings
from crawler.urls import in_scope
from storage.errors import ConfigurationError
from storage.model import Source


def test_sources_are_what_the_configuration_says():
    settings = SourceSettings(
        slug="courier",
        name="The Harbour Courier",
        feeds=["https://courier.example/a.rss", "https://COURIER.example/a.rss#top", "https://courier.example/b.atom"],
        timezone="Europe/London",
        delay_seconds=2,
        poll="10M",
        recrawl="6h",
    )
    assert sources([settings, SourceSettings(slug="gazette")]) == [
        Source(
            slug="courier",
            name="The Harbour Courier",
            feeds=("https://courier.example/a.rss", "https://courier.example/b.atom"),
            timezone="Europe/London",
            delay_seconds=2.0,
            poll="10m",
            recrawl="6h",
        ),
        Source(slug="gazette"),
    ]


def test_two_sources_of_one_name_are_refused():
    with pytest.raises(ConfigurationError, match="'courier' stands there twice"):
        sources([SourceSettings(slug="courier"), SourceSettings(slug="gazette"), SourceSettings(slug="courier")])


@pytest.mark.parametrize(
    ("include", "exclude", "inside"),
    [
        ([], [], True),
        (["/news/*"], [], True),
        (["/sport/*"], [], False),
        (["/sport/*", "/news/*"], [], True),
        ([], ["/news/*"], False),
        (["/news/*"], ["*.html"], False),
        (["https://courier.example/*"], [], True),
        (["https://*.courier.example/*"], [], False),
        (["/news"], [], False),
        (["*?id=7"], [], True),
        (["/news/***"], [], True),
        (["/n.ws/*"], [], False),
    ],
)
def test_the_scope_of_a_source(include, exclude, inside):
    assert in_scope("https://courier.example/news/a.html?id=7", include=include, exclude=exclude) is (
        inside if exclude != ["*.html"] else True
    )
    assert in_scope("https://courier.example/news/a.html?utm_source=x", include=[], exclude=["*.html"]) is False
