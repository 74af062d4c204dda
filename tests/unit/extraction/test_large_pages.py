"""Pages of very many elements and fields of very many characters: what is read of them, and that it is read."""

from crawler.extraction.document import MAX_ELEMENTS, parse, surplus_of
from crawler.extraction.headline import headline_of
from crawler.extraction.markup import read_markup

URL = "https://courier.example/harbour/lamp"


def test_what_stands_behind_fifty_thousand_elements_is_not_read():
    tree = parse(f"<body><p>First.</p>{'<b>x</b>' * MAX_ELEMENTS}<p>Last.</p></body>")
    assert tree is not None
    assert sum(1 for _ in tree.iter()) == MAX_ELEMENTS
    assert tree.find(".//p").text == "First."
    assert "Last." not in tree.text_content()


def test_captions_of_pictures_that_stand_together_are_found_once():
    pictures = "<div><img src='a.png'><img src='b.png'>The lamp at night</div>" * 3
    tree = parse(f"<body><p>{'Story of the lamp. ' * 30}</p>{pictures}{'<div><img src=c.png></div>' * 2_000}</body>")
    assert tree is not None
    assert surplus_of(tree, url=URL).captions == ("The lamp at night",)


def test_a_headline_ends_somewhere():
    tree = parse(f"<title>{'Lamp lit again ' * 40_000}</title><body><p>Story.</p></body>")
    assert tree is not None
    assert len(headline_of(read_markup(tree, URL), None)) <= 1_000
