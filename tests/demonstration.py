"""`make crawl` without arguments: the whole job on a local newsroom of invented stories.

Publishes stories, crawls them, corrects one, cuts one, gives one a new headline, crawls again, and prints what the
database then knows. Everything is left in `demo/` to look at.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.morgue_command import MORGUE, environment
from tests.newsroom import Newsroom
from tests.newsroom_stories import STORIES

FOLDER = Path("demo")
CONFIGURATION = """\
[database]
url = "sqlite:///morgue.db"

[archive]
directory = "archive"

[crawl]
user_agent = "morgue-demonstration/1 (+local demonstration)"
allow_private_addresses = true  # the newsroom is on this machine
delay_seconds = 0.2
processes = 1  # so that articles get their numbers in the order of the feed

[[source]]
slug = "{slug}"
name = "The Harbour Courier"
feeds = ["{feed}"]
"""


def say(text: str) -> None:
    """Print a line of the story, apart from what commands print."""
    print(f"\n# {text}", flush=True)


def morgue(*words: str) -> None:
    """Run a morgue command as it would be typed, and show it."""
    print(f"$ morgue {' '.join(words)}", flush=True)
    settings = {"MORGUE_CONFIG": str(FOLDER / "morgue.toml")}
    finished = subprocess.run([MORGUE, *words], env=environment(settings), check=False)
    if finished.returncode:
        sys.exit(f"that ended with exit code {finished.returncode}")


def main() -> None:
    """Show the main job from end to end."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    with Newsroom() as newsroom:
        urls = {story.slug: newsroom.publish_story(story) for story in STORIES}
        corrected, cut, retitled = list(urls.values())[:3]
        (FOLDER / "morgue.toml").write_text(CONFIGURATION.format(slug="courier", feed=newsroom.url("/feed.rss")))

        say(f"{len(urls)} stories are published. The first crawl archives them:")
        morgue("crawl")

        first, _, third = STORIES[:3]
        say("The newsroom corrects one story, cuts another, and gives a third a new headline. The next crawl:")
        newsroom.correct(corrected, body=[*first.body[:1], first.correction, *first.body[2:]])
        newsroom.cut(cut, paragraphs=1)
        newsroom.retitle(retitled, third.new_headline)
        morgue("crawl", "--recrawl")

        say("What the database knows now:")
        morgue("list")
        say("Every version of the corrected story, and what changed:")
        morgue("history", corrected)
        morgue("diff", corrected)
        say("The story that was cut, and the one that was retitled:")
        morgue("diff", cut)
        morgue("diff", retitled)
        say("Every capture is where the database says, and whole:")
        morgue("verify")
    say(f"All of it is in {FOLDER}/. Try: .venv/bin/morgue --config {FOLDER}/morgue.toml show 1")
    say("For the real web: make crawl URL=https://…")


if __name__ == "__main__":
    main()
