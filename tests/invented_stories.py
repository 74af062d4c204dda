"""Stories by the dozen, for tests that need many articles and care little about what they say."""

from tests.newsroom import Newsroom


def paragraphs(number: int) -> list[str]:
    """Return the body of an invented story, long enough to be an article."""
    return [
        f"The council of district {number} met on Tuesday to settle how the old ferry landing is to be used, and "
        f"heard {number + 3} speakers before it voted on the plan that had been drawn up over the winter.",
        f"Residents of street {number} had asked for a market hall, while the harbour office wanted the space for "
        "repairs; the compromise gives both of them half of the building and shares the cost of a new roof.",
        f"Work is to start in week {number % 50 + 1} and will take about a year, the builders said, provided that "
        "the foundations are as sound as the survey of last autumn found them to be.",
    ]


def publish(newsroom: Newsroom, number: int, *, section: str = "News") -> str:
    """Publish an invented story and return its URL."""
    headline = f"District {number} settles its ferry landing"
    return newsroom.publish(f"story-{number}", headline=headline, body=paragraphs(number), section=section)
