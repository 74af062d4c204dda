"""A label is believed only where the bytes bear it out."""

import pytest

from crawler.extraction import decode_html

JAPANESE = "<title>港の橋が一年間閉鎖へ</title><p>市議会は火曜日、港の橋を一年間閉鎖することを決めた。</p>"
FRENCH = "<html lang='fr'><p>Le conseil a voté la fermeture du pont, où l'on répète déjà.</p>"


@pytest.mark.parametrize(
    ("text", "encoding", "content_type"),
    [
        (JAPANESE, "shift_jis", "text/html; charset=Shift_JIS"),
        (JAPANESE, "euc_jp", "text/html; charset=EUC-JP"),
        (JAPANESE, "iso2022_jp", "text/html; charset=iso-2022-jp"),
        (JAPANESE, "utf-8", "text/html; charset=Shift_JIS"),
        (JAPANESE, "utf-8", "text/html; charset=iso-8859-1"),
        (JAPANESE, "utf-16", None),
        (JAPANESE, "utf-16-le", "text/html; charset=utf-16le"),
        (JAPANESE, "utf-8-sig", "text/html; charset=ascii"),
        ("<meta charset=gbk>" + "市议会周二决定关闭港口大桥一年。", "gbk", "text/html"),
        (FRENCH, "cp1252", None),
        (FRENCH, "cp1252", "text/html; charset=utf-8"),
        ("<html lang='pl'><p>Rada zagłosowała za zamknięciem mostu.</p>", "cp1250", None),
    ],
)
def test_decoding(text, encoding, content_type):
    assert decode_html(text.encode(encoding), content_type=content_type) == text


def test_utf8_that_was_cut_stays_utf8():
    body = (JAPANESE * 3).encode()[:-5]
    assert decode_html(body, content_type="text/html; charset=iso-8859-1").startswith(JAPANESE)
