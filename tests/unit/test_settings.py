"""The configuration: what is read from where, and that nothing misspelt passes."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from crawler.intervals import cron_expression, is_cron, parse_duration
from crawler.settings import CrawlSettings, robots_token
from scheduler.rule_book import PlanSettings, plan_settings
from scheduler.sample_configuration import SAMPLE_CONFIGURATION
from scheduler.settings import Settings, hide_password, load_settings
from storage.errors import ConfigurationError

WHOLE = """\
[database]
url = "postgres://ann:secret@db.example/morgue"
[archive]
directory = "warc"
keep = "all"
[crawl]
user_agent = "example/1 (+https://example.org/bot)"
delay_seconds = 2
max_bytes = 2_000_000
[service]
poll = "5m"
[[source]]
slug = "courier"
name = "The Harbour Courier"
homepage = "https://COURIER.example"
feeds = ["https://courier.example/news.rss"]
timezone = "Asia/Kolkata"
poll = "*/20 6-22 * * 1-5"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configured(folder, text, **environ) -> Settings:
    path = folder / "given.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path, environ)


def refused(folder, text, **environ) -> str:
    with pytest.raises(ConfigurationError) as caught:
        configured(folder, text, **environ)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.exit_code == 2
    return message


def test_without_a_file_the_defaults_hold(folder):
    settings = load_settings(None, {"HOME": "/x"})
    assert settings.database.url == "sqlite:///morgue.db"
    assert settings.archive.directory == Path("archive")
    assert settings.crawl.delay_seconds == 1
    assert settings.crawl.allow_private_addresses is False
    assert settings.service.poll == "15m"
    assert settings.source == []
    assert "contact not set" in settings.crawl.user_agent
    assert settings.crawl.user_agent.startswith("morgue")


def test_a_whole_file(folder):
    settings = configured(folder, WHOLE)
    assert settings.crawl.max_bytes == 2_000_000
    assert settings.archive.keep == "all"
    (source,) = settings.source
    assert source.homepage == "https://courier.example/"
    assert source.poll == "*/20 6-22 * * mon,tue,wed,thu,fri"
    assert source.timezone == "Asia/Kolkata"


def test_which_file_is_read(folder):
    for name, delay in (("morgue.toml", 3), ("named.toml", 4), ("variable.toml", 5)):
        (folder / name).write_text(f"[crawl]\ndelay_seconds = {delay}\n")
    variable = {"MORGUE_CONFIG": "variable.toml"}
    assert load_settings(None, {}).crawl.delay_seconds == 3
    assert load_settings(None, variable).crawl.delay_seconds == 5
    assert load_settings(Path("named.toml"), variable).crawl.delay_seconds == 4


def test_variables_override_the_file(folder):
    settings = configured(
        folder,
        WHOLE,
        MORGUE_CRAWL__DELAY_SECONDS="0.5",
        MORGUE_CRAWL__ALLOW_PRIVATE_ADDRESSES="true",
        MORGUE_DATABASE__URL="sqlite:///elsewhere.db",
        MORGUE_ARCHIVE__DIRECTORY="there",
        MORGUE_TEST_KILLS="50",
    )
    assert settings.crawl.delay_seconds == 0.5
    assert settings.crawl.allow_private_addresses is True
    assert settings.crawl.max_bytes == 2_000_000
    assert settings.database.url == "sqlite:///elsewhere.db"
    assert settings.archive.directory == Path("there")


def test_paths_of_a_file_are_relative_to_its_folder(folder):
    settings = configured(folder, '[database]\nurl = "sqlite:///data/m.db"\n[archive]\ndirectory = "warc"\n')
    assert settings.database.url == f"sqlite:///{folder}/data/m.db"
    assert settings.archive.directory == folder / "warc"
    settings = configured(folder, "")
    assert settings.database.url == f"sqlite:///{folder}/morgue.db"
    assert settings.archive.directory == folder / "archive"
    settings = configured(folder, '[database]\nurl = "sqlite:////srv/m.db"\n[archive]\ndirectory = "/srv/warc"\n')
    assert settings.database.url == "sqlite:////srv/m.db"
    assert settings.archive.directory == Path("/srv/warc")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[crawl]\nmax_byte = 1\n", "[crawl] max_byte is unknown (did you mean max_bytes?)"),
        ("[crawler]\n", "[crawler] is unknown (did you mean [crawl]?)"),
        ("[[sources]]\nslug = 'a'\n", "sources is unknown (did you mean [[source]]?)"),
        ("colour = 1\n", "colour is unknown"),
        ("[[source]]\nslug='a'\n[[source]]\nslug='b'\nfeed=['x']\n", "b feed is unknown (did you mean feeds?)"),
        ("[[source]]\nname = 'a'\n", "[[source]] 1 slug is required"),
        ("[crawl]\nmax_bytes = 'lots'\n", "[crawl] max_bytes must be a whole number"),
        ("[crawl]\ndelay_seconds = 'long'\n", "[crawl] delay_seconds must be a number"),
        ("[crawl]\ndelay_seconds = -1\n", "[crawl] delay_seconds must be greater than or equal to 0"),
        ("[crawl]\ndelay_seconds = nan\n", "[crawl] delay_seconds must be"),
        ("[crawl]\nallow_private_addresses = 'perhaps'\n", "[crawl] allow_private_addresses must be true or false"),
        ("[crawl]\nuser_agent = 'Mozilla/5.0'\n", "[crawl] user_agent must name a contact"),
        ("[crawl]\nuser_agent = 'Mozilla/5.0 (+https://e.org/)'\n", "[crawl] user_agent must name the crawler"),
        ("[archive]\nkeep = 'none'\n", "[archive] keep must be 'versions' or 'all'"),
        ("database = 'sqlite:///a.db'\n", "[database] must be a section"),
        ("[database]\nurl = 5\n", "[database] url must be text in quotes"),
        ("[source]\nslug = 'a'\n", "[[source]] must be written as [[source]]"),
        ("[service]\npoll = 'often'\n", "[service] poll is neither a duration"),
        ("[[source]]\nslug = 'A b'\n", "slug must be lower-case letters"),
        ("[[source]]\nslug = 'a'\nfeeds = 'https://a.example/f'\n", "[[source]] a feeds must be a list"),
        ("[[source]]\nslug='a'\nfeeds=['https://a.example', 'a.example']\n", "[[source]] a feeds number 2 is no http"),
        ("[[source]]\nslug = 'a'\nfeeds = ['https://u:p@a.example/f']\n", "must not carry a user name"),
        ("[[source]]\nslug = 'a'\ntimezone = 'Mars/North'\n", "timezone is no IANA time zone: 'Mars/North'"),
        ("[[source]]\nslug = 'a'\npoll = '60 * * * *'\n", "poll has a minute outside 0-59"),
        ("[[source]]\nslug = 'a'\ninclude = ['news']\n", "include number 1 must begin with"),
        ("[crawl\n", "is no TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_in_one_line(folder, text, expected):
    message = refused(folder, text)
    assert expected in message
    assert "given.toml" in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[service]\nrecrawl = "plann"',
            "[service] recrawl is neither a rule (plan, geometric, fixed)",
        ),
        ('[service]\nrecrawl = "nutch"', "[service] recrawl is `nutch`, which is no longer a rule: put `plan`"),
        ('[service]\nwatch_for = "59m"', "[service] watch_for must be an hour at least"),
        ('[service]\nwatch_for = "soon"', "[service] watch_for is no duration; write 30s, 10m, 6h or 30d"),
        ('[service]\nfreshness = "30s"', "[service] freshness must be a minute at least"),
        ('[[source]]\nslug = "a"\nrecrawl = "0s"', "[[source]] a recrawl is neither a rule (plan, geo"),
        ('[[source]]\nslug = "a"\nrecrawl = 6', "[[source]] a recrawl must be text in quotes"),
    ],
)
def test_what_is_wrong_with_recrawling_is_named_with_what_is_allowed(folder, text, expected):
    assert expected in refused(folder, text)


def test_recrawling_is_read_for_everything_and_for_a_source(folder):
    text = """
[service]
recrawl = "Geometric"
watch_for = "30d"
freshness = "12h"
[crawl]
refetches_per_article = 4
[[source]]
slug = "a"
recrawl = "6H"
"""
    settings = configured(folder, text)
    assert plan_settings(settings) == PlanSettings(
        recrawl="geometric",
        watch_for=timedelta(days=30),
        half_life=timedelta(hours=12),
        refetches_per_article=4,
    )
    assert settings.source[0].recrawl == "6h"
    assert plan_settings(load_settings(None, {})) == PlanSettings(), "the defaults are the same in both places"


def test_everything_unknown_is_named_at_once(folder):
    message = refused(folder, "[crawl]\ndelay = 1\nagent = 2\n[[source]]\nslug='a'\nzone='x'\n")
    assert "delay" in message
    assert "agent" in message
    assert "zone" in message


def test_what_is_unknown_hides_nothing_else_that_is_wrong(folder):
    text = "[crawl]\ndelay = 1\ntimeout_seconds = 'soon'\n[[source]]\nslug='a'\nzone='x'\npoll='never'\n"
    message = refused(folder, text, MORGUE_CRAWL__AGENT="x", MORGUE_CRAWL__MAX_BYTES="many")
    named = ("delay is", "timeout_seconds must", "zone is", "poll", "MORGUE_CRAWL__AGENT is", "MORGUE_CRAWL__MAX_BYTES")
    assert [word for word in named if word not in message] == []
    assert message.count("delay is") == message.count("zone is") == 1, "each once"


def test_a_syntax_error_names_its_line(folder):
    assert "line 2" in refused(folder, "[crawl]\ndelay_seconds = = 1\n")


def test_unreadable_files(folder):
    with pytest.raises(ConfigurationError, match=r"absent\.toml: is not there"):
        load_settings(Path("absent.toml"), {})
    with pytest.raises(ConfigurationError, match=r"absent\.toml: is not there"):
        load_settings(None, {"MORGUE_CONFIG": "absent.toml"})
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(folder, {})
    (folder / "latin.toml").write_bytes(b'[[source]]\nslug = "\xe9"\n')
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load_settings(Path("latin.toml"), {})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MORGUE_CRAWL__DELAY", "did you mean MORGUE_CRAWL__DELAY_SECONDS?"),
        ("MORGUE_DATABASE_URL", "did you mean MORGUE_DATABASE__URL?"),
        ("MORGUE_CONFIGURATION", "did you mean MORGUE_CONFIG?"),
        ("MORGUE_SOURCE__SLUG", "MORGUE_SOURCE__SLUG is unknown"),
    ],
)
def test_unknown_variables_are_named(folder, name, expected):
    message = refused(folder, "", **{name: "1"})
    assert name in message
    assert expected in message


def test_a_wrong_variable_is_named_by_its_name(folder):
    message = refused(folder, WHOLE, MORGUE_CRAWL__CONCURRENCY="many")
    assert message == "environment: MORGUE_CRAWL__CONCURRENCY must be a whole number"


def test_passwords_are_never_shown(folder):
    settings = configured(folder, WHOLE)
    assert settings.describe_database() == "postgres://ann:***@db.example/morgue"
    for text in (settings.describe(), settings.describe_database(), repr(settings), str(settings)):
        assert "secret" not in text
    assert "secret" not in refused(folder, WHOLE + 'colour = "x"\n')
    assert hide_password("postgresql://a:p@ss/w:rd@h/d") == "postgresql://a:***@h/d"
    assert hide_password("postgresql://h/d?user=a&password=secret&x=1") == "postgresql://h/d?user=a&password=***&x=1"
    hidden = hide_password(
        "postgresql:///d?host=h&PGPASSWORD=s3cret&sslpassword=s3cret&passfile=/s3cret&pass%77ord=s3cret"
    )
    assert hidden == "postgresql:///d?host=h&PGPASSWORD=***&sslpassword=***&passfile=***&pass%77ord=***"
    assert hide_password("sqlite:///morgue.db") == "sqlite:///morgue.db"


def test_the_sample_is_a_configuration_and_its_notes_are_true(folder):
    settings = configured(folder, SAMPLE_CONFIGURATION)
    assert settings == configured(folder, "")
    # With the marks taken away, every setting in it is one that exists.
    setting = re.compile(r"(# )?(\[+\w+\]+|\w+ = .+)")
    lines = [line.removeprefix("# ") for line in SAMPLE_CONFIGURATION.splitlines() if setting.fullmatch(line)]
    everything = configured(folder, "\n".join(lines))
    assert everything.source[0].slug == "courier"
    assert everything.service == settings.service
    unset = {"user_agent", "processes"}
    assert everything.crawl.model_dump(exclude=unset) == settings.crawl.model_dump(exclude=unset)


def test_settings_of_code_are_checked_too():
    assert CrawlSettings(user_agent="t/1 (+mailto:t@example.org)", delay_seconds=0).delay_seconds == 0
    with pytest.raises(ValueError, match="ASCII"):
        CrawlSettings(user_agent="t/1 (+x)\r\nCookie: a=b")


@pytest.mark.parametrize(
    ("user_agent", "token"),
    [
        ("morgue/1.0 (+contact not set)", "morgue"),
        ("example-archive/1 (+https://example.org/crawler; crawler@example.org)", "example-archive"),
        ("ExampleBot (+https://example.org/)", "ExampleBot"),
        ("Mozilla/5.0 (compatible; ExampleBot/1.0; +https://example.org/bot)", "ExampleBot"),
        ("Mozilla/5.0 (Compatible;ExampleBot; +https://example.org/bot)", "ExampleBot"),
        (
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; examplebot/2.0; +https://e.org)",
            "examplebot",
        ),
        ("Mozilla/5.0 (X11; Linux) Chrome/120 Safari/537 (compatible; example_bot/2; +https://e.org)", "example_bot"),
        ("Mozilla/5.0 (+https://example.org/)", "Mozilla"),
        ("(+https://example.org/)", ""),
    ],
)
def test_the_name_that_robots_txt_is_obeyed_by(user_agent, token):
    assert robots_token(user_agent) == token


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("5s", timedelta(seconds=5)),
        (" 10M ", timedelta(minutes=10)),
        ("6h", timedelta(hours=6)),
        ("30d", timedelta(days=30)),
        ("1h30m", timedelta(minutes=90)),
        ("0.5s", timedelta(milliseconds=500)),
    ],
)
def test_durations(text, duration):
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "5", "m", "5 m 3", "-5m", "5y", "1e3s", "999999999d", "٥s"])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("*/15 * * * *", "*/15 * * * *"),
        ("0 6,18 * * *", "0 6,18 * * *"),
        ("0 6 * JAN-mar *", "0 6 * jan-mar *"),
        ("0 6 * * 0", "0 6 * * sun"),
        ("0 6 * * 7", "0 6 * * sun"),
        ("0 6 * * 1-5", "0 6 * * mon,tue,wed,thu,fri"),
        ("0 6 * * 5-7", "0 6 * * sun,fri,sat"),
        ("0 6 * * */2", "0 6 * * sun,tue,thu,sat"),
        ("0 6 * * Mon", "0 6 * * mon"),
        ("5/20 0 1 1 *", "5/20 0 1 1 *"),
        ("0 0 29 2 *", "0 0 29 2 *"),
        ("0 0 31 2-3 *", "0 0 31 2-3 *"),
    ],
)
def test_cron_expressions(text, normal):
    assert is_cron(text)
    assert cron_expression(text) == normal
    assert cron_expression(normal) == normal


@pytest.mark.parametrize(
    "text",
    [
        "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "* * * foo *", "a b c d e",
        "0 0 31 2 *", "0 0 30,31 feb *", "0 0 31 4,6,9,11 *",
        "*/0 * * * *", "5-1 * * * *", "*-5 * * * *", "1,,2 * * * *", "* * 1 * mon", "* * * *",
    ],
)  # fmt: skip
def test_what_is_no_cron_expression(text):
    with pytest.raises(ValueError, match=r"\w"):
        cron_expression(text)
