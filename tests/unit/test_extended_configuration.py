"""A configuration that is extended by a source is valid, or stays as it was."""

import pytest

from scheduler.source_blocks import SourceBlock, append_blocks, is_slug
from storage.errors import ConfigurationError


@pytest.mark.parametrize("block", [SourceBlock(slug="Big News"), SourceBlock(slug="a", feeds=("ftp://a.example/",))])
def test_what_would_not_be_read_back_is_not_written(tmp_path, block):
    path = tmp_path / "morgue.toml"
    path.write_text("[crawl]\ndelay_seconds = 2.0\n")
    with pytest.raises(ConfigurationError, match=r"morgue\.toml: cannot be extended: \[\[source\]\]"):
        append_blocks(path, [block], start="")
    assert path.read_text() == "[crawl]\ndelay_seconds = 2.0\n"
    assert list(tmp_path.iterdir()) == [path], "nothing is left beside it"


def test_what_may_be_a_slug():
    assert [text for text in ("a", "a.b-c_1", "", "Big News", "-a", "x" * 64) if is_slug(text)] == ["a", "a.b-c_1"]
