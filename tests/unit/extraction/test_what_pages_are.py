"""Pages of many kinds, each an article or none: what reads like a wall, a section or an error page, and what is one."""

import pytest

from storage.outcomes import Outcome
from tests.unit.extraction.pages import read

NAV = (
    "<nav><ul>"
    + "".join(f"<li><a href='/{name}'>{name}</a></li>" for name in ("News", "Sport", "Town"))
    + "</ul></nav>"
)
CARDS = "<section><h2>More</h2>" + "".join(
    f"<div><h3><a href='/town/2023/other-{n}'>The town gets another thing, its number {n}, before the winter</a></h3>"
    f"<p>What thing number {n} costs, who will pay for it, and why the baker laughs at it.</p></div>"
    for n in range(12)
) + "</section>"  # fmt: skip
RECAPTCHA = "<script src='https://www.google.com/recaptcha/api.js'></script>"
DATED = "<meta property='article:published_time' content='2023-05-01T10:00:00Z'>"
OG = "<meta property='og:type' content='article'>"


def ld(title: str, more: str = "") -> str:
    return (
        '<script type="application/ld+json">{"@context":"https://schema.org","@type":"NewsArticle",'
        f'"headline":"{title}","datePublished":"2023-05-01T10:00:00Z"{more}}}</script>'
    )


def shown(title: str, *texts: str, head: str = "", below: str = "", above: str = "") -> str:
    said = "".join(f"<p>{text}</p>" for text in texts)
    return (
        f"<html lang='en'><head><meta charset='utf-8'><title>{title} | The Courier</title>{head}</head>"
        f"<body>{NAV}{above}<main><article><h1>{title}</h1>{said}</article>{below}</main>"
        "<footer><a href='/privacy'>Privacy policy</a> <a href='/cookies'>Cookie settings</a></footer></body></html>"
    )


PAINTING = tuple(
    f"The museum said on day {n} that the canvas had lain in a cellar and bore the stamp of a dealer from Ghent."
    for n in range(6)
)
COOKIE_LAW = (
    "Parliament passed a law on cookies that will come into force some time next year, after three readings.",
    "The ministry had asked for consent rules at the same time as its neighbours, and it won by nine votes.",
    "Regulators will fine firms whose cookies outlive the sitting of a home computer.",
)
FIRE = (
    "A fire broke out in a boat shed on the north quay early on Tuesday; nobody was hurt, police said.",
    "The fire service left at noon, and an investigation has begun into how it started.",
)
FEUER = (
    "Im Bootsschuppen am Nordkai hat es am Dienstagmorgen gebrannt. Verletzt wurde nach Angaben der Polizei niemand.",
    "Die Feuerwehr war mit vierzig Kräften im Einsatz; das Haus nebenan konnte sie retten, den Schuppen nicht.",
)
HARBOUR = tuple(
    f"第{n}日，市港务局表示，灯塔已于周日晚间重新点亮，渔民们对此表示欢迎，专家称影响有限。" for n in range(12)
)
NEWSLETTER = "<div><p>Unser Newsletter.</p><form><input type='email' name='email'><button>OK</button></form></div>"
HEADER_LOGIN = "<header><form><input name='username'><input type='password'><button>Log in</button></form></header>"
COMMENTS = "<div class='comments'><p>Log in to continue the discussion.</p><a href='/login'>Log in</a></div>"
ARTICLES = {
    "x-ray id": shown("X-ray identifies lost painting", *PAINTING, below=RECAPTCHA),
    "unblock": shown("Troops unblock the coastal road", *PAINTING, below=RECAPTCHA),
    "third person on cookies": shown("Cookie law passes", *COOKIE_LAW, below="<button>Accept</button>"),
    "third person on cookies, dated": shown(
        "Cookie law passes", *COOKIE_LAW, below="<button>Accept</button>", head=ld("Cookie law passes")
    ),
    "a vote below": shown("Cookie law passes", *COOKIE_LAW, below="<button>Disagree</button>"),
    "newsletter and read on": shown(
        "Brand am Nordkai", *FEUER, below=NEWSLETTER + "<h2>Weiterlesen</h2>", head=ld("Brand am Nordkai")
    ),
    "login in the header": shown("Fire", *FIRE, above=HEADER_LOGIN, below="<h2>Continue reading</h2>", head=ld("Fire")),
    "comments want a login": shown("Fire", *FIRE, below=COMMENTS),
    "newsletter to read on": shown(
        "Fire", *FIRE, below="<p>Sign up to our newsletter to continue reading such stories.</p><a href='/l'>Log in</a>"
    ),
    "chinese with a login": shown(
        "灯塔重新点亮", *HARBOUR, above="<header><a href='/login'>登录</a></header>", head=ld("灯塔重新点亮"),
        below="<aside><p>登录后继续阅读更多精彩内容</p></aside>",
    ),
    "on registering": shown(
        "How to register to vote", "Islanders have until the third of May to register to vote in the elections.",
        "To continue on the list after a move they must register again at the town hall.",
        below="<a href='/login'>Log in</a>",
    ),
    "on passwords": shown(
        "The worst password", "The most used password of the year is the same as last year again, a study says.",
        "Whoever uses that password should change it today.", above=HEADER_LOGIN,
    ),
    "denied, with a captcha": shown("Access denied", *FIRE, below=RECAPTCHA),
    "a moment, with a captcha": shown(
        "Just a moment...", "It took the goalkeeper a second to see the ball. Then the stadium fell silent.",
        "The cup final was decided in the last minute.", below="<form><div class='g-recaptcha'></div></form>",
    ),
    "a challenge of photographs": shown(
        "Attention required: parents and phones", *FIRE, below="<div id='photo-challenge'></div>"
    ),
    "one more step": shown("One more step for the climber", "One more step and he was there: Ole Lind was up."),
    "cookies to eat": shown(
        "Chocolate cookies", "These cookies are what you want on a Sunday: your kitchen will smell of butter.",
        "Form your cookies and bake the cookies for twelve minutes.", below="<button>I agree: save recipe</button>",
    ),
    "titled 404": shown(
        "404", "Few numbers are known as well as the one that a server gives when there is nothing to show to you.",
        "It was the number of a room, says a legend which everybody who worked there calls nonsense.",
    ),
    "a film called not found": shown(
        "Not Found", "The new film by Ana Ruiz follows a woman who looks for her brother in the streets of Lima.",
        "It is shot in black and white, and runs for two hours without a single dull minute.",
    ),
    "on dead links": shown(
        "The page is no longer available: how link rot eats history",
        "Half of all links in court rulings lead nowhere by now, a study of the university has found.",
        "Researchers looked at pages that may have been moved or deleted since the year 2010.",
        "Libraries try to save what is left of them.",
    ),
    "on an outage": shown(
        "Service unavailable",
        "Customers of Northbank could not log in on Monday, as the site of the bank was temporarily unavailable.",
        "The bank said the service would be back shortly and apologised for the inconvenience.",
    ),
    "on javascript": shown(
        "JavaScript turns 30", "JavaScript was made in ten days in May 1995, and JavaScript rules the web.",
        "Without JavaScript no map would move.", below="<noscript>Enable JavaScript.</noscript><script></script>",
    ),
    "redirecting traffic": shown(
        "Redirecting traffic", "Police are redirecting traffic on the coast road after a lorry lost its apples.",
        below="<script></script>",
    ),
    "on ad blockers": shown(
        "Court allows ad blockers", "The regional court ruled on Monday that ad blockers do not break the law.",
        "The publisher that had sued said that it would think about an appeal.",
    ),
}  # fmt: skip
ASKS = "<form id='challenge-form'><p>Please verify you are human by solving the captcha below.</p></form>"
WALLS = {
    "login, called an article": (
        shown("Inside the ministry", "You need a free account to read this article. Create your account now.",
              below="<h2>Log in to continue reading</h2><form><input type='password'><button>Log in</button></form>",
              head=OG + ld("Inside the ministry")),
        Outcome.LOGIN_WALL, "login_form"),
    "bot check, called an article": (
        shown("Please verify you are human", below=ASKS, head=OG + DATED), Outcome.BOT_CHECK, "challenge"),
    "bot check, of a service": (
        shown("Sorry, you have been blocked", "This website is using a security service to protect itself from online "
              "attacks. The action you just performed triggered the security solution."),
        Outcome.BOT_CHECK, "asks_if_human"),
    "consent, called an article": (
        shown("Before you continue",
              "We and our partners use cookies to store your personal data, and we need your consent for it.",
              "You can change your choice later on at the bottom of each page.",
              below="<button>Accept all</button>", head=OG + DATED),
        Outcome.CONSENT_WALL, "asks_for_consent"),
    "consent, with every partner": (
        shown("Before you continue", "We and our partners use cookies to store your personal data.",
              *[f"Partner {n} Ltd processes your personal data for personalised ads, with your consent, for {n} days."
                for n in range(150)], below="<button>Accept all</button>"),
        Outcome.CONSENT_WALL, "asks_for_consent"),
    "consent or pay": (
        shown("Weiter mit Werbung lesen", "Besuchen Sie kurier.example wie gewohnt mit Werbung und Tracking.",
              "Nutzen Sie kurier.example ohne Werbetracking für drei Euro im Monat. Schon Abonnent? Hier anmelden.",
              below="<button>Akzeptieren und weiter</button>"),
        Outcome.CONSENT_WALL, "asks_for_consent"),
    "not found, called an article": (
        shown("Page not found", "Sorry, the page you are looking for does not exist or has been moved.",
              head=OG + DATED + ld("The Courier")), Outcome.SOFT_404, "not_found_page"),
    "cannot find": (
        shown("We can't find that page", "Sorry, we could not find the page that you asked for. It may have expired."),
        Outcome.SOFT_404, "not_found_page"),
    "expired": (
        shown("This article has expired", "The agency article is not available any more, as our licence has ended."),
        Outcome.SOFT_404, "not_found_page"),
    "ad blocker": (
        shown("Ad blocker detected", "We noticed that you are using an ad blocker. Please disable it to read on; our "
              "journalism is paid for by advertising."), Outcome.CONSENT_WALL, "ad_blocker"),
    "age": (
        shown("Are you over 18?", "You must be at least 18 years old to view this page. Please confirm your age."),
        Outcome.CONSENT_WALL, "asks_for_age"),
    "region": (
        shown("Unavailable", "Sorry, this content is not available in your region, for legal reasons in your country."),
        Outcome.SOFT_404, "not_in_region"),
    "law of a region": (
        shown("451: Unavailable due to legal reasons", "We recognise that you are visiting from a country of the "
              "European Economic Area, and cannot grant you access at this time."),
        Outcome.SOFT_404, "not_in_region"),
    "subscribers only": (
        shown("Inside the ministry", "This article is for subscribers only. Subscribe now to read all our journalism."),
        Outcome.LOGIN_WALL, "subscribers_only"),
    "server error": (
        shown("Internal server error", "Something went wrong on our side. Our engineers have been told of it."),
        Outcome.MAINTENANCE, "server_error"),
}  # fmt: skip
TEASED = "".join(
    f"<article {{mark}}><h2><a href='/2023/05/story-{n}/'>Story number {n} about something that happened</a></h2>"
    f"{{meta}}<p>What happened in story number {n}, which ran earlier this week and was read by many.</p></article>"
    for n in range(10)
)
PLAIN = TEASED.replace("{mark}", "").replace("{meta}", "")
MARKED = TEASED.replace("{mark}", "itemscope itemtype='https://schema.org/BlogPosting'").replace(
    "{meta}", "<time itemprop='datePublished' datetime='2023-05-01T10:00:00Z'></time>"
)
TOP = ld("Story number 1", ',"url":"https://courier.example/2023/05/story-1/"')
INDEXES = {
    "category, marked up": ("/category/sport/", "", MARKED, "section"),
    "tag, marked up": ("/tag/sport/page/3/", "", MARKED, "tag"),
    "short address, marked up": ("/film/", "", MARKED, "section"),
    "category with its top story": ("/category/sport/", TOP, PLAIN, "section"),
    "section with its top story": ("/sport", TOP, PLAIN, "section"),
    "tag with a date": ("/tag/sport/", DATED, PLAIN, "tag"),
    "section with a date, called an article": ("/sport", OG + DATED, PLAIN, "section"),
    "section at a long address": ("/news/sport/water-sports-and-sailing", "", PLAIN, "section"),
    "topic with an introduction": ("/topics/water-sports", "", f"<p>{FIRE[0]}</p>" + PLAIN, "tag"),
    "author with a life": ("/authors/ida-lund", "", f"<p>{FIRE[0]}</p><p>{FIRE[1]}</p>" + PLAIN, "author"),
    "pictures": ("/pictures/flood", "", "<p>The river rose, and this is what our photographers saw that night.</p>"
                 + "<figure><img src='a.jpg'></figure>" * 9, "gallery"),
}  # fmt: skip
DEEP = "/town/2023/what-happened-in-town-4711"
SENTENCE = "<p>The song was written in 1961, and four hundred artists have sung it since then.</p>"
THAI = "".join(f"<p>เมื่อวันที่ {n} เกิดน้ำท่วมหนักในหลายจังหวัดภาคใต้ ประชาชนหลายพันคนต้องอพยพออกจากบ้าน</p>" for n in range(5))
FIGURES = "<figure><img src='a.jpg'><figcaption>A sledge near the camp. Photo: I. Lund</figcaption></figure>" * 9
STORY_HEAD = ld("The lamp is lit")
SHORT_STORIES = {
    "one sentence among cards": (DEEP, "Fire on the quay", f"<p>{FIRE[0]}</p>{CARDS}", ""),
    "breaking news": (DEEP, "Minister resigns", f"<p>The minister has resigned. More follows soon.</p>{CARDS}", ""),
    "a letter": (DEEP, "Letter: Trees", f"<p>Sir, the trees in Mill Lane should stay. J. Smith</p>{CARDS}", ""),
    "a recipe": (
        "/food/pumpkin-soup", "Pumpkin soup", "<ul><li>1 kg pumpkin</li><li>2 onions</li></ul><ol><li>Cut the pumpkin "
        "into cubes.</li><li>Fry the onions in butter until they are golden.</li><li>Add all and boil it for twenty "
        f"minutes.</li><li>Serve it with cream.</li></ol>{CARDS}", ""),
    "a topic's story": (
        "/topics/water-in-the-desert", "Water in the desert",
        "".join(f"<p>Engineers have found a way, their number {n}, to make water from air.</p>" for n in range(3))
        + CARDS, ""),
    "a song": ("/music/by/stand-by-me", "Stand by me", SENTENCE + SENTENCE.replace("song", "tune") + CARDS, ""),
    "thai": (DEEP, "น้ำท่วมหนักในภาคใต้", THAI + CARDS, ""),
    "chinese": (DEEP, "灯塔重新点亮", "".join(f"<p>{text}</p>" for text in HARBOUR[:5]) + CARDS, ""),
    "a ticker": (
        "/live/storm-hits-the-coast-20230501", "Live: storm hits the coast",
        "".join(f"<div><h3><a href='/live/storm/{n}'>1{n}:00 Update {n}: the harbour is shut</a></h3><p>Winds of 9 "
                "kilometres an hour were measured at the lighthouse in an hour.</p></div>" for n in range(9)), ""),
    "pictures with a story": (
        "/pictures/ten-days-on-the-ice", "Ten days on the ice",
        f"<p>{FIRE[0]}</p>{FIGURES}<p>{PAINTING[0]}</p><p>At night they told us stories of the war.</p>", ""),
    "pictures with a date": ("/photos/on-trial", "On trial", f"<p>{FIRE[0]}</p>{FIGURES}", DATED),
    **{
        f"at {path}": (path, "The lamp is lit", "".join(f"<p>{text}</p>" for text in PAINTING) + CARDS, STORY_HEAD)
        for path in ("/default.aspx?articleId=1234", "/index.php?cid=77", "/?q=node/55", "/?storyid=5", "/?p=5")
    },
}  # fmt: skip


@pytest.mark.parametrize("name", INDEXES)
def test_an_index(name):
    path, head, body, reason = INDEXES[name]
    html = f"<html><head><title>Sport</title>{head}</head><body>{NAV}<main><h1>Sport</h1>{body}</main></body></html>"
    reading = read(html, url="https://courier.example" + path)
    assert (reading.outcome, reading.reason) == (Outcome.NOT_ARTICLE, reason)


@pytest.mark.parametrize("name", SHORT_STORIES)
def test_a_story_that_looks_like_an_index(name):
    path, title, body, head = SHORT_STORIES[name]
    html = (
        f"<html><head><title>{title}</title>{head}</head><body>{NAV}<main><h1>{title}</h1>{body}</main></body></html>"
    )
    reading = read(html, url="https://courier.example" + path)
    assert reading.article is not None, reading


PATH = "https://courier.example/town/2023/what-happened-in-town-4711"


@pytest.mark.parametrize("name", ARTICLES)
def test_an_article(name):
    reading = read(ARTICLES[name], url=PATH)
    assert reading.article is not None, reading


@pytest.mark.parametrize("name", WALLS)
def test_a_wall(name):
    html, *expected = WALLS[name]
    reading = read(html, url=PATH)
    assert [reading.outcome, reading.reason] == expected
