"""Some changes of the configuration come into force at once, and others are named for a restart."""

from crawler.settings import CrawlSettings, SourceSettings
from scheduler.configuration_changes import differing, needs_restart
from scheduler.settings import ServiceSettings, Settings
from storage.settings import DatabaseSettings

BEFORE = Settings(source=[SourceSettings(slug="courier"), SourceSettings(slug="herald")])


def test_what_needs_a_restart_is_named():
    after = Settings(
        database=DatabaseSettings(url="sqlite:///other.db"),
        crawl=CrawlSettings(processes=BEFORE.crawl.processes + 1, refetches_per_article=9),
        service=ServiceSettings(poll="1h", grace_seconds=3, http="off"),
    )
    assert needs_restart(BEFORE, after) == ["[database] url", "[crawl] processes", "[service] http"]
    assert needs_restart(BEFORE, BEFORE) == []


def test_what_became_of_the_sources_is_counted():
    after = Settings(
        source=[SourceSettings(slug="courier", poll="1h"), SourceSettings(slug="star"), SourceSettings(slug="sun")]
    )
    assert differing(BEFORE, after) == {"added": 2, "removed": 1, "changed": 1}
