"""Invented stories of The Harbour Courier, the paper of a town that is on no map.

Each comes with what a newsroom does to a story later: a corrected second paragraph and a new headline.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Story:
    """A story as it is filed, and how it may be edited later.

    `correction` replaces `body[1]`, from which it differs in a few words and a number. `new_headline` is what the desk
    might put over it in the afternoon. `hours_ago` is how long before its publication in a test it is dated.
    """

    slug: str
    headline: str
    standfirst: str
    authors: tuple[str, ...]
    section: str
    body: tuple[str, ...]
    correction: str
    new_headline: str
    hours_ago: int = 1


FERRY = Story(
    slug="night-ferry-to-return-after-eleven-years",
    headline="Night ferry to return after eleven years",
    standfirst="The island crossing that shift workers fought for will run six nights a week from the spring.",
    authors=("Marta Lindqvist",),
    section="Harbour",
    hours_ago=2,
    body=(
        "The night ferry between Saltmere and Gull Island is to sail again for the first time in eleven years, after "
        "the harbour board voted by a single voice on Monday evening to buy a second-hand vessel from a northern yard.",
        "The boat, which carries 84 passengers and a dozen bicycles, will leave the old customs quay at half past ten "
        "and again at a quarter to two, the board's chair, Agnes Thorvald, told a packed meeting at the sailors’ hall.",
        "For the two hundred or so islanders who work late shifts at the cannery and the hospital, the last boat home "
        "has left at nine since the previous service was given up. Many of them rent beds on the mainland during the "
        "week, and some have moved away altogether.",
        "“I have slept on my sister’s sofa three nights a week since my daughter was born,” said Piet Osei, a night "
        "porter who collected most of the signatures under the petition. “She starts school this year. I would like to "
        "be there at breakfast.”",
        "Opponents on the board warned that the vessel’s engine is older than its crew and that fuel alone could "
        "swallow the reserve meant for dredging. The treasurer asked for a yearly review, which was accepted without "
        "a vote.",
        "Trial sailings begin when the ice is off the sound, and tickets will cost the same as by day. Whether the "
        "café on the upper deck opens at night has been left to the captain.",
    ),
    correction=(
        "The boat, which carries 68 passengers and a dozen bicycles, will leave the new customs quay at half past ten "
        "and again at a quarter to two, the board's chair, Agnes Thorvald, told a packed meeting at the sailors’ hall."
    ),
    new_headline="Islanders win back their night ferry by a single vote",
)

LIBRARY = Story(
    slug="library-roof-closes-reading-rooms",
    headline="Library roof closes reading rooms until the summer",
    standfirst="Engineers found rot in beams that were thought to be oak; the children’s section moves next door.",
    authors=("Jonas Adeyemi", "Rosa Villareal"),
    section="Town",
    hours_ago=5,
    body=(
        "Saltmere’s public library will shut both of its reading rooms from Friday because the beams above them can no "
        "longer be trusted to hold the snow, the town engineer said after an inspection that took most of last week.",
        "Her report counts 17 beams with rot deeper than a hand, all of them on the seaward side, and puts the cost of "
        "replacing them at a little under half a million crowns before scaffolding.",
        "The roof was believed to be of oak, as the builder’s drawings say. Samples sent to the forestry school showed "
        "that at least a third of it is spruce, painted to match, presumably because the money ran out when the house "
        "was finished in the autumn of the herring failure.",
        "Lending goes on at a counter in the entrance hall. The children’s section moves into the former post office "
        "next door, where volunteers spent the weekend carrying picture books across the yard in fish crates.",
        "“Nobody has complained yet, and that worries me more than the rot,” said the librarian, Ilse Brandt. She "
        "fears that readers who lose the habit over the winter will not come back to it in June.",
        "The council is to decide next month whether to draw on the insurance fund. A collection begun by the chess "
        "club, which has met under the beams every Wednesday for forty years, had raised enough for one of them.",
    ),
    correction=(
        "Her report counts 23 beams with rot deeper than a hand, most of them on the seaward side, and puts the cost "
        "of replacing them at a little over half a million crowns before scaffolding."
    ),
    new_headline="Rotten beams shut the library’s reading rooms",
)

KELP = Story(
    slug="kelp-farm-outgrows-its-bay",
    headline="Kelp farm outgrows its bay",
    standfirst="What began with three ropes and a borrowed dinghy now employs thirty people, and needs more water.",
    authors=("Hanne Sørby",),
    section="Business",
    hours_ago=9,
    body=(
        "The ropes of the Norrvik kelp farm hang so close together this winter that its harvest boat can no longer "
        "turn between them, and its owners have applied for a second bay behind the lighthouse.",
        "Last year the farm landed 410 tonnes of sugar kelp, nearly twice what it had promised its bank, and sold all "
        "of it before the season’s end to bakers, soap makers and a brewery on the far side of the country.",
        "Sigrid and Tomas Okafor started with three ropes and a dinghy lent to them by a retired eel fisher. They now "
        "pay thirty people from January to May, many of whom mend nets or teach for the rest of the year.",
        "Not everyone is glad of it. Lobster fishers say that the buoys push them out into rougher water, and the "
        "sailing club has marked two of its summer courses as closed. Both have asked for a hearing.",
        "Biologists from the marine station, who dive at the farm every month, have counted more young cod under the "
        "ropes than anywhere else along the coast. They caution that three seasons are too short to call it a trend.",
        "The county’s decision is expected before midsummer. Should it be no, the couple say, they will dry less and "
        "ferment more: pickled kelp takes up less room than anything else they have tried.",
    ),
    correction=(
        "Last year the farm landed 310 tonnes of sugar kelp, half as much again as it had promised its bank, and sold "
        "all of it before the season’s end to bakers, soap makers and a brewery on the far side of the country."
    ),
    new_headline="After a record harvest, kelp farmers ask for a second bay",
)

FOOTBALL = Story(
    slug="goalkeeper-scores-from-his-own-half",
    headline="Goalkeeper scores from his own half as Saltmere stay up",
    standfirst="A gust, a bounce and a long silence: the league’s oldest player decides the last match of the season.",
    authors=("Declan Moraru",),
    section="Sport",
    hours_ago=14,
    body=(
        "With four minutes left and relegation certain, the Saltmere goalkeeper Olu Benning kicked the ball as far "
        "away from his goal as he could, and the wind off the harbour carried it into the other one.",
        "It was the first goal of a career of 519 matches for the 41-year-old, who works mornings at the fish market, "
        "and it gave his side a draw against Eastby that keeps them in the second division by one point.",
        "For several seconds nobody cheered. The referee looked at his assistant, the assistant looked at the corner "
        "flag, which was bent flat, and then the whole of the wooden stand began to drum with its feet.",
        "“I meant to waste time,” Benning said afterwards, with a towel round his neck and his youngest son asleep on "
        "his arm. “My coach says that I should call it a shot. So it was a shot.”",
        "Eastby had led since the tenth minute through a header by Lund, and hit the bar twice after the break. Their "
        "manager congratulated his opponents, then asked whether the ground might one day be turned by ninety degrees.",
        "Saltmere have avoided relegation on the last day in three of the past five seasons. The club announced a free "
        "bus to the first away match, and that the ball would be kept in the cabinet by the bar.",
    ),
    correction=(
        "It was the first goal of a career of 473 matches for the 41-year-old, who works nights at the fish market, "
        "and it gave his side a draw against Eastby that keeps them in the second division by one point."
    ),
    new_headline="The wind, the keeper and the point that saved Saltmere",
)

SCHOOL = Story(
    slug="pupils-measure-the-noise-of-their-street",
    headline="Pupils measure the noise of their street, and the council listens",
    standfirst="Twelve-year-olds with borrowed microphones have shown that the official survey was done on a holiday.",
    authors=("Rosa Villareal",),
    section="Schools",
    hours_ago=20,
    body=(
        "A class of the Cooper Lane school has persuaded the council to withdraw its noise map of the old town, after "
        "proving with borrowed microphones that lorries pass their windows far more often than it shows.",
        "Over six weeks the pupils logged 2,940 vehicles during lessons, a third of them bound for the container yard, "
        "and found that a teacher has to stop speaking about every four minutes until the panes are still again.",
        "The official survey had counted a tenth of that traffic. It was Noor Haddad, who is twelve, who noticed that "
        "the date on its cover was the Monday after Easter, when the yard is closed and the gulls are the loudest "
        "thing in the lane.",
        "“We first thought we had made a mistake, so we counted again,” she told the planning committee, reading from "
        "a sheet that she had covered in corrections. “Then we thought that perhaps you had.” There was laughter, and "
        "then there was not.",
        "The committee’s chair thanked the class and promised a new count on working days before the autumn. Until "
        "then, a limit of thirty kilometres an hour applies past the school, and the yard has agreed to send its first "
        "lorries out before eight.",
        "Their mathematics teacher, Emil Castellan, said that the microphones had been due back at the university long "
        "ago. The class has asked to keep them for another month, to see whether the new limit makes a difference.",
    ),
    correction=(
        "Over six weeks the pupils logged 3,940 vehicles during lessons, almost half of them bound for the container "
        "yard, and found that a teacher has to stop speaking about every four minutes until the panes are still again."
    ),
    new_headline="Noise map withdrawn after pupils count the lorries themselves",
)

STORM = Story(
    slug="storm-uncovers-a-forgotten-slipway",
    headline="Storm uncovers a forgotten slipway under the east beach",
    standfirst="Archaeologists have until the next spring tide to draw what the sea laid bare in one night.",
    authors=("Marta Lindqvist", "Kofi Arnesen"),
    section="Environment",
    hours_ago=27,
    body=(
        "The gale that took the roofs off the bathing huts on Thursday also took a metre and a half of sand off the "
        "east beach, and under it lay the timbers of a slipway that is on no chart of the harbour.",
        "It is 31 metres long and built of split trunks pegged with juniper, said Vera Malik of the county museum, who "
        "dates it by its joints to the years when the town was still forbidden to build ships of its own.",
        "A smugglers’ yard, then? She will not go so far. “Somebody went to great trouble to launch something large "
        "where the bailiff could not see it from the tower,” she said. “What they called it when he asked, I can’t "
        "tell you.”",
        "The find was reported by Henrik Dale, who walks the beach every morning with two elderly dogs and took the "
        "first row of pegs for the ribs of a whale. He has been given a museum pass for life and says that he would "
        "rather have had his fence back.",
        "Sand returns to this shore as quickly as it leaves. The museum expects the timbers to be covered again within "
        "three weeks, and has asked walkers to keep to the boards, because the wood softens as it dries.",
        "Three samples are to be dated by their rings. The rest will stay where it is, under wet sacking and then "
        "under the beach, which has after all looked after it for four hundred years.",
    ),
    correction=(
        "It is 26 metres long and built of split trunks pegged with yew, said Vera Malik of the county museum, who "
        "dates it by its joints to the years when the town was still forbidden to build ships of its own."
    ),
    new_headline="Secret slipway comes to light on the east beach",
)

COURT = Story(
    slug="court-rules-on-the-bells-of-saint-anskar",
    headline="Court lets the bells of Saint Anskar ring, but not before seven",
    standfirst="A dispute that divided two neighbours, a choir and a bakery ends with a timetable.",
    authors=("Declan Moraru",),
    section="Courts",
    hours_ago=33,
    body=(
        "The bells of Saint Anskar may go on ringing the hours, the district court has decided, but they are to be "
        "silent between ten at night and seven in the morning, which is two hours longer than the parish had offered.",
        "Judge Leonie Farrow found that the tenor bell reached 82 decibels in the bedroom of the claimant, a baker who "
        "sleeps from two in the afternoon, and that no tradition is harmed by a clapper wrapped in leather.",
        "The baker, Samuel Reyes, had asked for silence by day as well. That, the court held, would turn the purpose "
        "of a bell tower on its head; he may expect the parish to pay for shutters instead.",
        "It is the first judgment of its kind since the tower was reopened. The parish council heard it standing at "
        "the back of the room, and its chair said only that she was relieved that nobody had asked about the organ.",
        "Mr Reyes said he would not appeal. He and the sexton have not spoken since the autumn fair, when a tray of "
        "almond buns was returned untouched, but both were seen holding the same door open for each other afterwards.",
        "The new hours begin on Sunday. On the eve of the feast of the town’s patron, the judgment allows one "
        "exception, at midnight, “for as long as is customary and no longer”.",
    ),
    correction=(
        "Judge Leonie Farrow found that the tenor bell reached 74 decibels in the bedroom of the claimant, a baker who "
        "sleeps from one in the afternoon, and that no tradition is harmed by a clapper wrapped in felt."
    ),
    new_headline="Seven o’clock is early enough, judge tells bell ringers",
)

THEATRE = Story(
    slug="theatre-plays-to-an-empty-house-on-purpose",
    headline="Theatre plays to an empty house, on purpose",
    standfirst="For one week the actors at the Lantern rehearse in public view while the audience waits outside.",
    authors=("Ilka Novotná",),
    section="Culture",
    hours_ago=40,
    body=(
        "There is a queue outside the Lantern every evening this week, and at eight o’clock the doors close without "
        "letting anybody in. The play goes on regardless, and the audience watches it through the windows.",
        "The director, Bastien Achebe, has had 9 panes of the old chandlery cleaned for the occasion and hung small "
        "loudspeakers under the eaves, so that voices reach the street about as well as those of neighbours would.",
        "The piece is a quarrel over an inheritance that everybody knows, or knows a version of. Seen through glass it "
        "becomes something else: one follows hands, doors, who sits down first. On Tuesday it rained, and nobody left.",
        "Not all of it succeeds. The long letter of the second act cannot be heard over a passing moped, and the "
        "actors, who are told never to look outside, look outside. When the lights fail in the last scene one sees "
        "only oneself.",
        "Achebe says that the idea came to him while he was waiting for a bus. The theatre has lost a quarter of its "
        "visitors since the bridge was closed, and he wondered what they could see of it on their way around.",
        "There are performances until Sunday, and no tickets. The Lantern asks that people bring a coat and leave the "
        "bench by the pump to those who need it.",
    ),
    correction=(
        "The director, Bastien Achebe, has had 14 panes of the old ropery cleaned for the occasion and hung small "
        "loudspeakers under the eaves, so that voices reach the street about as well as those of neighbours would."
    ),
    new_headline="At the Lantern, the audience stays outside",
)

STORIES: tuple[Story, ...] = (FERRY, LIBRARY, KELP, FOOTBALL, SCHOOL, STORM, COURT, THEATRE)
