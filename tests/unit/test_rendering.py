"""Text for terminals: broken between words, and nowhere else."""

from rich.text import Text

from storage.rendering import wrapped

ADDRESS = "https://www.example.com/harbour/night-ferry"


def lines(text, width):
    return wrapped(text, width).plain.split("\n")


def test_lines_are_broken_between_words():
    assert lines("one two three four", 9) == ["one two", "three", "four"]
    assert lines("one\n\ntwo  three", 20) == ["one", "", "two  three"]
    assert lines("", 20) == [""]
    assert lines("日本語 日本語", 8) == ["日本語", "日本語"]


def test_words_that_fit_into_no_line_stay_where_they_are():
    assert lines(f"url: {ADDRESS} (listed)", 20) == [f"url: {ADDRESS}", "(listed)"]
    assert lines(f"See the page at {ADDRESS}, please.", 50) == ["See the page at", f"{ADDRESS},", "please."]


def test_a_line_that_is_indented_goes_on_further_in():
    assert lines(f"  article {ADDRESS} (listed)", 50) == ["  article", f"    {ADDRESS}", "    (listed)"]


def test_styles_stay_with_their_words():
    text = wrapped(Text.assemble("one ", ("two three", "bold"), " four"), 8)
    assert text.plain == "one two\nthree\nfour"
    assert [text.plain[span.start : span.end].strip() for span in text.spans if span.style == "bold"] == [
        "two",
        "three",
    ]
