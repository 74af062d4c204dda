"""Pages in many charsets, with a right label, a wrong one or none; each text is long enough for a detector."""

import pytest

from crawler.extraction import decode_html

TEXTS = {
    "ru": "Городской совет постановил во вторник вечером закрыть портовый мост на ремонт, который может продлиться "
    "целый год. Владельцы магазинов на северной набережной сказали, что потеряют половину покупателей, и попросили "
    "второй паром. Мэр ответил, что область обещала оплатить его и что он пойдёт раньше, чем закроется мост.",
    "uk": "Міська рада ухвалила у вівторок ввечері закрити портовий міст на ремонт, який може тривати цілий рік. "
    "Власники крамниць на північній набережній сказали, що втратять половину покупців, і попросили другий пором. "
    "Мер відповів, що область обіцяла його оплатити і що він піде раніше, ніж закриється міст.",
    "pl": "Rada miasta zdecydowała we wtorek wieczorem, że most portowy zostanie zamknięty na remont, który może "
    "potrwać cały rok. Właściciele sklepów na północnym nabrzeżu powiedzieli, że stracą połowę klientów, i poprosili "
    "o drugi prom. Burmistrz odpowiedział, że województwo obiecało za niego zapłacić, zanim most zostanie zamknięty.",
    "cs": "Městská rada se v úterý večer usnesla, že přístavní most bude uzavřen kvůli opravě, která může trvat celý "
    "rok. Majitelé obchodů na severním nábřeží řekli, že přijdou o polovinu zákazníků, a žádali druhý přívoz. Starosta "
    "odpověděl, že kraj slíbil jej zaplatit a že vypluje dříve, než se most uzavře.",
    "el": "Το δημοτικό συμβούλιο αποφάσισε το βράδυ της Τρίτης να κλείσει τη γέφυρα του λιμανιού για επισκευές που "
    "μπορεί να διαρκέσουν έναν χρόνο. Οι καταστηματάρχες της βόρειας προκυμαίας είπαν ότι θα χάσουν τους μισούς "
    "πελάτες τους και ζήτησαν δεύτερο πορθμείο πριν κλείσει η γέφυρα.",
    "tr": "Belediye meclisi salı akşamı, liman köprüsünün bir yıl sürebilecek onarım için kapatılmasına karar verdi. "
    "Kuzey rıhtımındaki esnaf müşterilerinin yarısını kaybedeceğini söyledi ve ikinci bir vapur istedi. Başkan, ilin "
    "bunun parasını ödeyeceğine söz verdiğini ve vapurun köprü kapanmadan önce başlayacağını söyledi.",
    "he": "מועצת העיר החליטה ביום שלישי בערב לסגור את גשר הנמל לתיקונים שעשויים להימשך שנה שלמה. בעלי החנויות ברציף "
    "הצפוני אמרו שיאבדו מחצית מלקוחותיהם וביקשו מעבורת שנייה. ראש העיר השיב שהמחוז הבטיח לשלם עבורה ושהיא תפליג "
    "לפני שהגשר ייסגר, ושאיש לא יישאר מאחור.",
    "ar": "قرر مجلس المدينة مساء الثلاثاء إغلاق جسر الميناء لإصلاحات قد تستمر سنة كاملة. وقال أصحاب المتاجر على الرصيف "
    "الشمالي إنهم سيخسرون نصف زبائنهم وطلبوا عبارة ثانية. وأجاب رئيس البلدية بأن المحافظة وعدت بدفع ثمنها وأنها ستبحر "
    "قبل إغلاق الجسر ولن يبقى أحد في الخلف.",
    "zh": "市议会星期二晚上决定关闭港口大桥进行维修，工程可能持续一年。北码头的店主们说，他们会失去一半的顾客，"
    "并要求增加第二艘渡船。"
    "市长回答说，省里已经答应支付费用，渡船会在大桥关闭之前开航。许多居民担心孩子们怎样上学，老人怎样去医院看病。",
    "zh-TW": "市議會星期二晚上決定關閉港口大橋進行維修，工程可能持續一年。北碼頭的店主們說，他們會失去一半的顧客"
    "，並要求增加第二艘渡船。"
    "市長回答說，省裡已經答應支付費用，渡船會在大橋關閉之前開航。許多居民擔心孩子們怎樣上學，老人怎樣去醫院看病。",
    "ja": "市議会は火曜日の夜、港の橋を修理のために閉鎖することを決めた。工事は一年続くかもしれない。北の岸壁の"
    "商店主たちは、客の半分を失う"
    "と言い、二隻目の渡し船を求めた。市長は、県が費用を払うと約束しており、橋が閉まる前に船が出ると答えた。",
    "ko": "시의회는 화요일 저녁에 항구 다리를 수리하기 위해 닫기로 결정했다. 공사는 일 년 동안 계속될 수 있다. "
    "북쪽 부두의 가게 주인들은 "
    "손님의 절반을 잃을 것이라고 말하며 두 번째 나룻배를 요구했다. 시장은 도에서 비용을 내기로 약속했다고 대답했다.",
    "th": "สภาเมืองมีมติเมื่อค่ำวันอังคารให้ปิดสะพานท่าเรือเพื่อซ่อมแซม ซึ่งอาจใช้เวลานานถึงหนึ่งปี เจ้าของร้านค้าที่ท่าเรือเห"
    "นือบอกว่า"
    "พวกเขาจะเสียลูกค้าไปครึ่งหนึ่ง และขอเรือข้ามฟากลำที่สอง นายกเทศมนตรีตอบว่าจังหวัดสัญญาว่าจะจ่ายเงินให้",
    "de": "Der Stadtrat beschloß am Dienstagabend, die Hafenbrücke für Ausbesserungen zu schließen, die ein Jahr"
    " dauern "
    "können. Die Händler am nördlichen Kai sagten, daß sie die Hälfte ihrer Käufer verlören, und baten um eine zweite "
    "Fähre. Die Bürgermeisterin antwortete, das Land werde für sie aufkommen, bevor die Brücke schließt.",
    "fr": "Le conseil municipal a décidé mardi soir de fermer le pont du port pour des réparations qui pourraien"
    "t durer "
    "une année entière. Les commerçants du quai nord ont déclaré qu'ils perdraient la moitié de leurs clients, et ont "
    "demandé un deuxième bac. Le maire a répondu que la région s'était engagée à le payer avant la fermeture.",
}
UNLABELLED = [
    ("ru", "koi8-r"), ("ru", "cp1251"), ("ru", "iso8859-5"), ("ru", "utf-8"), ("ru", "utf-16-le"), ("ru", "utf-16-be"),
    ("uk", "koi8-u"), ("uk", "cp1251"), ("pl", "cp1250"), ("pl", "iso8859-2"), ("cs", "cp1250"), ("cs", "iso8859-2"),
    ("el", "cp1253"), ("el", "iso8859-7"), ("tr", "cp1254"), ("he", "cp1255"), ("ar", "cp1256"), ("zh", "gb18030"),
    ("zh", "utf-16-le"), ("zh-TW", "big5"), ("zh-TW", "utf-8"), ("ja", "shift_jis"), ("ja", "euc_jp"),
    ("ja", "iso2022_jp"), ("ko", "euc_kr"), ("th", "tis-620"), ("de", "cp1252"), ("fr", "cp1252"), ("de", "utf-16-le"),
]  # fmt: skip


def html_of(language: str, *, said: bool = True, head: str = "") -> str:
    named = f" lang='{language}'" if said else ""
    text = TEXTS[language]
    return f"<!doctype html><html{named}><head>{head}<title>{text[:40]}</title></head><body><p>{text}</p></body></html>"


@pytest.mark.parametrize(("language", "encoding"), UNLABELLED)
def test_unlabelled_with_its_language(language, encoding):
    html = html_of(language)
    assert decode_html(html.encode(encoding), content_type="text/html") == html


@pytest.mark.parametrize(("language", "encoding"), UNLABELLED)
def test_unlabelled_without_any_hint(language, encoding):
    html = html_of(language, said=False)
    assert decode_html(html.encode(encoding), content_type=None) == html


@pytest.mark.parametrize(
    ("language", "encoding"),
    [case for case in UNLABELLED if case[0] in ("ru", "el", "he", "ar", "zh", "ja", "ko") and case[1] != "iso8859-6"],
)
@pytest.mark.parametrize("template", ["en", "en-US", "de"])
def test_unlabelled_under_a_template_in_another_language(language, encoding, template):
    html = html_of(language).replace(f"lang='{language}'", f"lang='{template}'")
    assert decode_html(html.encode(encoding), content_type="text/html") == html


@pytest.mark.parametrize(("language", "encoding"), UNLABELLED)
def test_labelled_by_the_header(language, encoding):
    html = html_of(language)
    assert decode_html(html.encode(encoding), content_type=f"text/html; charset={encoding}") == html


@pytest.mark.parametrize(("language", "encoding"), UNLABELLED)
def test_labelled_by_an_xml_declaration(language, encoding):
    html = f"<?xml version='1.0' encoding='{encoding}'?>" + html_of(language)
    assert decode_html(html.encode(encoding), content_type="application/xhtml+xml") == html


@pytest.mark.parametrize(
    ("language", "encoding", "label"),
    [("ru", "utf-8", "windows-1251"), ("zh", "utf-8", "gbk"), ("de", "utf-8", "iso-8859-1"),
     ("ja", "shift_jis", "utf-8"),
     ("fr", "cp1252", "utf-8"), ("ko", "utf-8", "utf-16"), ("ru", "cp1251", "utf-8"), ("de", "utf-8", "nonsense")],
)  # fmt: skip
def test_a_wrong_label_is_not_believed(language, encoding, label):
    html = html_of(language)
    assert decode_html(html.encode(encoding), content_type=f"text/html; charset={label}") == html


@pytest.mark.parametrize("label", ["utf-7", "unicode-1-1-utf-7", "hex", "base64", "rot13", "idna", "punycode"])
def test_what_is_no_charset_of_the_web_is_never_used(label):
    body = b"<p>+ADw-script+AD4-alert(1)+ADw-/script+AD4- and no more</p>"
    head = f"<meta charset='{label}'>".encode()
    for content_type in (None, f"text/html; charset={label}"):
        assert decode_html(head + body, content_type=content_type) == (head + body).decode("ascii")


@pytest.mark.parametrize("language", ["ru", "de", "fr", "pl", "ja", "ar"])
def test_text_that_was_encoded_twice_is_read(language):
    html = html_of(language)
    once = html.encode().decode("latin-1")
    assert decode_html(once.encode(), content_type="text/html; charset=utf-8") == html


def test_text_that_was_taken_for_windows_and_encoded_again_is_read():
    html = html_of("fr").replace("'", "’") + "<p>« Où ? » – ‘là’…</p>"
    twice = html.encode().decode("cp1252", errors="replace")
    assert "\ufffd" not in twice
    assert decode_html(twice.encode(), content_type=None) == html


@pytest.mark.parametrize(
    "text", ["<p>Ã© stands for é in broken pages, as Ã¼ for ü.</p>", "<p>São João</p>", "<p>â€™</p>"]
)
def test_text_that_may_be_meant_stays_as_it_is(text):
    assert decode_html(text.encode(), content_type=None) == text


def test_nul_bytes_and_a_torn_end_cost_nothing_else():
    html = html_of("ru")
    body = html.encode().replace(b"<p>", b"<p>\0\0", 1)[:-3]
    assert decode_html(body, content_type="text/html").replace("\0", "") == html[:-3]
