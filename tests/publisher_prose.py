"""Invented news prose: thousands of texts that read alike and say different things. Pure, and the same for one seed.

The town of Saltmere and everybody in it are made up; the sentences are put together from lists.
"""

from random import Random

PLACES = (
    "Saltmere", "Gull Island", "Norrvik", "the Old Harbour", "Cooper Lane", "Eastfold", "the Lower Town", "Birchholm",
    "the Ropeworks", "Tern Bay", "Marsh End", "Skipper’s Row", "the Tanneries", "Holm Abbey", "Upper Quarry",
    "the Canal Quarter", "Lindhaven", "Stonebridge", "the Glassworks", "Heron Point", "Wick Sands", "Millgate",
)  # fmt: skip
ACTORS = (
    "Council", "Harbour board", "Ferry company", "Island school", "Hospital trust", "Bakers’ guild", "Tram operator",
    "Fishing fleet", "Theatre", "Rowing club", "Housing office", "Water authority", "University", "Youth orchestra",
    "Fire brigade", "Court", "Museum", "Market traders", "Farmers’ union", "Power station", "City library",
    "Football club", "Cannery", "Coast guard", "Pensioners’ league", "Shipyard", "Parish", "Film festival",
    "Botanic garden", "Cycling team", "Auditors", "Night porters", "Chess society", "Ice rink", "Mayor", "Treasurer",
)  # fmt: skip
VERBS = (
    "backs", "rejects", "delays", "reopens", "defends", "cuts", "doubles", "questions", "celebrates", "sues over",
    "abandons", "rescues", "votes on", "inspects", "postpones", "wins", "loses", "repairs", "moves", "plans", "blames",
    "returns to", "closes", "rethinks", "inherits", "measures", "sells", "buys back", "protects", "revives",
)  # fmt: skip
THINGS = (
    "night ferry", "harbour wall", "school kitchen", "tram line", "dredging plan", "lighthouse lease", "summer stage",
    "parking charge", "flood barrier", "library roof", "fish auction", "bus shelter", "winter timetable", "bell tower",
    "swimming baths", "market hall", "heating network", "archive", "regatta", "sea bridge", "allotments", "clinic",
    "apprentice scheme", "cycle path", "wind farm", "cable car", "ice house", "railway yard", "orchard", "cup tie",
    "property tax", "ambulance contract", "choir festival", "seed bank", "customs shed", "dry dock", "nursery places",
    "stadium lights", "rent ceiling", "weather station",
)  # fmt: skip
ENDINGS = (
    "after long debate", "in surprise vote", "despite protests", "for third year running", "before winter", "at last",
    "with narrow majority", "as costs climb", "amid staff shortage", "by end of month", "without public hearing",
    "following storm damage", "under new rules", "on second attempt", "ahead of election", "as tourists return",
    "despite engineers’ warning", "after chance find", "with volunteers’ help", "in joint effort", "once and for all",
)  # fmt: skip
FIRST_NAMES = (
    "Agnes", "Piet", "Marta", "Oskar", "Ines", "Tomas", "Ruth", "Emil", "Nadia", "Viktor", "Selma", "Jonah", "Freya",
    "Anton", "Ida", "Marek", "Hanne", "Louis", "Petra", "Samuel",
)  # fmt: skip
LAST_NAMES = (
    "Thorvald", "Osei", "Lindqvist", "Pallas", "Brandt", "Quist", "Marlowe", "Adeyemi", "Holm", "Castellane", "Varga",
    "Ekdahl", "Norling", "Sandoval", "Teague", "Wiese", "Kovalik", "Rask", "Delmare", "Oyelaran",
)  # fmt: skip
ROLES = (
    "chair of the board", "a retired pilot", "the head teacher", "who runs a café nearby", "the works manager",
    "a nurse on the night shift", "speaking for the residents", "the chief engineer", "a student of hydrology",
    "deputy mayor", "who has lived there for forty years", "the union’s secretary", "an independent surveyor",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_OPENINGS = (
    "The {actor} of {place} said on {day} that the {thing}, which has divided the town for {n} years, is to be "
    "settled within {m} weeks.",
    "After {n} hours of argument in a packed hall, the {actor} decided on {day} what is to become of the {thing} in "
    "{place}.",
    "People in {place} woke on {day} to the news that the {actor} will spend {n} thousand crowns on the {thing}.",
    "A report of {n} pages, published on {day}, finds that the {thing} in {place} has cost {m} times what the {actor} "
    "had promised.",
    "For the first time in {n} years the {actor} has opened its books on the {thing}, and in {place} they were read "
    "with care on {day}.",
)
_MIDDLES = (
    "Of the {n} households that were asked, {m} wanted the {thing} left alone, while the rest were for something "
    "“altogether smaller”.",
    "The {thing} was last repaired when {name} was in office, and the bill of {n} thousand crowns is still remembered.",
    "Engineers measured {n} places between {place} and {place2} and found {m} of them in need of work.",
    "No ship has been turned away so far, but the harbour master keeps a list of {n} that had to wait longer than "
    "{m} hours.",
    "The money is to come from a fund for {place}, which was set up {n} years ago and holds less than people think.",
    "Shops along the way to {place2} expect to lose a tenth of their trade for the {m} weeks that the work will take.",
    "In a letter to members, seen by this newspaper, the {actor} admits that {n} of the {m} conditions were never met.",
    "Volunteers from {place2} have offered {n} boats and {m} pairs of hands, an offer that was accepted at once.",
    "Two earlier attempts failed: one for want of timber, the other because the tender drew {m} bids that all named "
    "the same price.",
    "Whoever walks from {place} to {place2} today passes {n} lamps, of which {m} are lit; the rest wait for parts.",
    "The figures do not include the {thing}, for which another office is responsible and which has its own budget.",
    "Last winter {n} cellars in {place2} stood under water, and their owners have not forgotten who promised what.",
    "A model of the {thing}, on a scale of one to {n}, can be seen in {place2} until the end of the month.",
    "What the {actor} calls a reserve is, by its own account of last year, a debt to {place} of {n} thousand crowns.",
    "Elsewhere on the coast the same was done with {m} workers and a crane; here it is to be {n} workers and no crane.",
    "{name}, {role}, keeps the minutes, in which the {thing} is named {n} times and the price of it once.",
    "Those who fish off {place2} say that the catch has fallen by a third since {m} of the old piles were pulled.",
    "Children from {place2} have drawn their own version of it, and {n} of the drawings hang in the town hall.",
)
_QUOTES = (
    "“We have waited {n} years, and we can wait {m} more weeks, but not longer,” said {name}, {role}.",
    "“Nobody asked us about the {thing},” said {name}, {role}. “If they had, it would have taken {m} minutes.”",
    "{name}, {role}, was less sure: “It looks well on paper. In {place} we have drawers full of paper.”",
    "“I have counted them myself, and there were {n},” {name}, {role}, told the meeting to applause.",
    "“It is a start,” said {name}, {role}, who had brought a folder of {n} photographs from {place2}.",
)
_CLOSINGS = (
    "The next meeting is on {day}, and the doors of the hall in {place} open at half past six.",
    "Whether the {thing} will be ready in time is to be known by {day}, when the last {n} beams arrive from {place2}.",
    "Objections can be handed in at the town hall until {day}; by this morning there were {n} of them.",
    "Until then, everything in {place} stays as it is, but for {n} benches that have gone to the painter.",
)


def name(random: Random) -> str:
    """Return somebody's name."""
    return f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}"


def headline(random: Random) -> str:
    """Return a headline of about seven to ten words."""
    return (
        f"{random.choice(ACTORS)} {random.choice(VERBS)} {random.choice(THINGS)} "
        f"in {random.choice(PLACES)} {random.choice(ENDINGS)}"
    )


def paragraphs(random: Random, *, least: int = 4, most: int = 7) -> list[str]:
    """Return the body of a story."""
    inner = [_paragraph(random) for _ in range(random.randint(least, most) - 2)]
    first = f"{_filled(random, random.choice(_OPENINGS))} {_filled(random, random.choice(_MIDDLES))}"
    last = f"{_filled(random, random.choice(_MIDDLES))} {_filled(random, random.choice(_CLOSINGS))}"
    return [first, *inner, last]


def caption(random: Random) -> str:
    """Return the few words below a picture; a gallery whose captions tell a story would be a story."""
    thing = random.choice(THINGS)
    return f"The {thing}, {random.choice(PLACES)}. Photo: {name(random)}"


def sentence(random: Random) -> str:
    """Return a sentence, as a standfirst."""
    return _filled(random, random.choice(_MIDDLES))


def _paragraph(random: Random) -> str:
    pieces = random.sample(_MIDDLES, random.randint(1, 2))
    if random.random() < 0.6:
        pieces.append(random.choice(_QUOTES))
    return " ".join(_filled(random, piece) for piece in pieces)


def _filled(random: Random, template: str) -> str:
    place, other = random.sample(PLACES, 2)
    actor = random.choice(ACTORS)
    return template.format(
        actor=actor[0].lower() + actor[1:],
        place=place,
        place2=other,
        thing=random.choice(THINGS),
        name=name(random),
        role=random.choice(ROLES),
        day=random.choice(WEEKDAYS),
        n=random.randint(12, 480),
        m=random.randint(3, 11),
    )
