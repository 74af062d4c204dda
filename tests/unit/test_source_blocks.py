"""Sources that are written into a configuration."""

import tomllib

import pytest

from crawler.discovery.opml import OpmlSource
from scheduler.sample_configuration import SAMPLE_CONFIGURATION
from scheduler.source_blocks import SourceBlock, append_blocks, blocks_of_feeds, slug_for, toml_block
from storage.errors import ConfigurationError, UsageError
from storage.escaping import printable

COURIER = SourceBlock(
    slug="courier.example",
    name='The "Harbour" Courier\\\n\x1b[31m',
    homepage="https://courier.example/",
    feeds=("https://courier.example/a.rss", 'https://courier.example/b?x="1"'),
    sitemaps=("https://courier.example/sitemap.xml",),
)


def test_a_block_reads_back_as_it_was_meant():
    (source,) = tomllib.loads(toml_block(COURIER))["source"]
    assert source == {
        "slug": "courier.example",
        "name": 'The "Harbour" Courier\\  [31m',
        "homepage": "https://courier.example/",
        "feeds": list(COURIER.feeds),
        "sitemaps": list(COURIER.sitemaps),
    }


def test_a_name_has_nothing_that_commands_a_terminal_or_hides():
    block = toml_block(SourceBlock(slug="a", name="\ufeffLa\u200bmp\u2060s \x9b31m\u2028\u202eevil\U000e0041\x7f"))
    assert printable(block) == block
    assert tomllib.loads(block)["source"][0]["name"] == "Lamps  31m evil"


def test_what_is_not_there_is_not_written():
    assert toml_block(SourceBlock(slug="a")) == '[[source]]\nslug = "a"\n'
    assert "# timezone" in toml_block(SourceBlock(slug="a", needs_time_zone=True))


@pytest.mark.parametrize(
    ("url", "taken", "slug"),
    [
        ("https://www.courier.example.co.uk/x", (), "example.co.uk"),
        ("https://courier.de/", {"courier.de"}, "courier.de-2"),
        ("https://courier.de/", {"courier.de", "courier.de-2"}, "courier.de-3"),
        ("http://127.0.0.1:8080/", (), "127.0.0.1"),
        ("http://[::1]/", (), "1"),
        ("https://zeitung-münchen.de/", (), "xn--zeitung-mnchen-osb.de"),
    ],
)
def test_a_slug_is_the_domain_until_it_is_taken(url, taken, slug):
    assert slug_for(url, taken) == slug


def test_blocks_are_appended_and_the_rest_stays_to_the_letter(tmp_path):
    path = tmp_path / "morgue.toml"
    path.write_text("# mine\n[crawl]\ndelay_seconds = 2.0 # slow\n", encoding="utf-8")
    path.chmod(0o600)
    append_blocks(path, [COURIER, SourceBlock(slug="b")], start=SAMPLE_CONFIGURATION)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# mine\n[crawl]\ndelay_seconds = 2.0 # slow\n\n[[source]]\n")
    assert [source["slug"] for source in tomllib.loads(text)["source"]] == ["courier.example", "b"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [child.name for child in tmp_path.iterdir()] == ["morgue.toml"]


def test_a_configuration_is_begun_where_there_is_none(tmp_path):
    append_blocks(tmp_path / "morgue.toml", [COURIER], start=SAMPLE_CONFIGURATION)
    written = tomllib.loads((tmp_path / "morgue.toml").read_text(encoding="utf-8"))
    assert set(written) == {"database", "archive", "crawl", "service", "source"}


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.toml").write_text("", encoding="utf-8")
    (tmp_path / "morgue.toml").symlink_to("real.toml")
    append_blocks(tmp_path / "morgue.toml", [COURIER], start="")
    assert (tmp_path / "morgue.toml").is_symlink()
    assert "courier" in (tmp_path / "real.toml").read_text(encoding="utf-8")


def test_what_is_no_toml_is_left_alone(tmp_path):
    path = tmp_path / "morgue.toml"
    path.write_text('source = "one"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="by hand"):
        append_blocks(path, [COURIER], start="")
    assert path.read_text(encoding="utf-8") == 'source = "one"\n'
    assert [child.name for child in tmp_path.iterdir()] == ["morgue.toml"]


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(UsageError, match="cannot be written"):
        append_blocks(tmp_path / "none" / "morgue.toml", [COURIER], start="")


def test_feeds_of_one_publisher_make_one_source():
    outlines = [
        OpmlSource(title="Courier news", xml_url="https://feeds.example.net/1", html_url="https://courier.example/"),
        OpmlSource(title="Gazette", xml_url="https://gazette.example/rss"),
        OpmlSource(title="Courier sport", xml_url="https://courier.example/sport", html_url="https://courier.example/"),
        OpmlSource(title="Known", xml_url="https://known.example/rss"),
        OpmlSource(title="Folder", xml_url=None, skipped="no_url"),
    ]
    blocks, skipped = blocks_of_feeds(outlines, configured={"https://known.example/rss"}, taken={"courier.example"})
    assert [(block.slug, block.name, block.homepage, block.feeds) for block in blocks] == [
        (
            "courier.example-2",
            "Courier news",
            "https://courier.example/",
            ("https://feeds.example.net/1", "https://courier.example/sport"),
        ),
        ("gazette.example", "Gazette", None, ("https://gazette.example/rss",)),
    ]
    assert skipped == [("https://known.example/rss", "is configured already"), ("Folder", "no_url")]


def test_sources_keep_the_names_that_a_list_of_ours_gives_them():
    site = {"html_url": "https://courier.example/"}
    outlines = [
        OpmlSource(title="Other", xml_url="https://courier.example/other.rss", slug="Not a slug", **site),
        OpmlSource(title="News", xml_url="https://courier.example/news.rss", slug="courier", **site),
        OpmlSource(title="Sport", xml_url="https://courier.example/sport.rss", slug="courier.example", **site),
        OpmlSource(title="News", xml_url="https://elsewhere.example/more.rss", slug="courier"),
    ]
    blocks, _ = blocks_of_feeds(outlines, configured=(), taken=())
    assert [(block.slug, len(block.feeds)) for block in blocks] == [
        ("courier", 2),
        ("courier.example", 1),
        ("courier.example-2", 1),
    ]
    blocks, _ = blocks_of_feeds(outlines[1:2], configured=(), taken={"courier"})
    assert [block.slug for block in blocks] == ["courier-2"]
