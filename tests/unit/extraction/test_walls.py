"""What stands instead of an article, in many languages; and articles about such things, which are none of them."""

import pytest

from storage.model import Access
from storage.outcomes import Outcome
from tests.unit.extraction.pages import STORY, page, read

PROSE = "".join(f"<p>{paragraph}</p>" for paragraph in STORY)


def bare(title: str, *texts: str, extra: str = "") -> str:
    said = "".join(f"<p>{text}</p>" for text in texts)
    return f"<html><head><title>{title}</title></head><body><h1>{title}</h1>{said}{extra}</body></html>"


BOT_CHECKS = {
    "en": ("Just a moment...", "Checking your browser before accessing the site.", "This takes up to five seconds."),
    "en-human": ("Are you a robot?", "Please verify that you are human by completing the action below."),
    "en-traffic": ("Sorry", "Our systems have detected unusual traffic from your computer network."),
    "en-denied": (
        "Access Denied",
        "You don't have permission to open this page on this server.",
        "Reference #18.2f61ab",
    ),
    "en-cookies": ("One more step", "Enable JavaScript and cookies to continue"),
    "de": ("Einen Moment bitte", "Bitte bestätigen Sie, dass Sie ein Mensch sind.", "Ihr Browser wird geprüft."),
    "fr": ("Vérification", "Veuillez confirmer que vous êtes humain.", "Nous avons détecté un trafic inhabituel."),
    "es": ("Acceso denegado", "Hemos detectado tráfico inusual.", "Confirme que no es un robot."),
    "it": ("Verifica di sicurezza", "Conferma che non sei un robot per proseguire."),
    "pt": ("Verificação", "Confirme que você é humano para prosseguir.", "Detectamos tráfego incomum."),
    "nl": ("Toegang geweigerd", "Bevestig dat u een mens bent en geen robot."),
    "sv": ("Kontroll", "Bekräfta att du inte är en robot för att gå vidare."),
    "da": ("Kontrol", "Bekræft, at du ikke er en robot, før du går videre."),
    "fi": ("Tarkistus", "Vahvista, että et ole robotti, ennen kuin jatkat."),
    "pl": ("Odmowa dostępu", "Potwierdź, że nie jesteś robotem. Wykryliśmy nietypowy ruch."),
    "cs": ("Přístup odepřen", "Potvrďte, že nejste robot. Zaznamenali jsme neobvyklý provoz."),
    "ru": ("Проверка браузера", "Подтвердите, что вы не робот. Мы заметили необычный трафик."),
    "uk": ("Перевірка браузера", "Підтвердьте, що ви не робот, щоб перейти далі."),
    "tr": ("Güvenlik kontrolü", "Devam etmek için robot olmadığınızı doğrulayın."),
    "ar": ("تحقق", "يرجى تأكيد أنك لست روبوتا للمتابعة إلى الموقع."),
    "he": ("בדיקה", "אנא אשרו שאינך רובוט כדי להמשיך לאתר."),
    "hi": ("जाँच", "कृपया पुष्टि करें कि आप रोबोट नहीं हैं।"),
    "zh": ("安全验证", "请确认您不是机器人后继续访问本网站。"),
    "ja": ("確認", "続行するには、ロボットではないことを確認してください。"),
    "ko": ("보안 확인", "계속하려면 로봇이 아닙니다 항목을 확인해 주세요."),
    "id": ("Akses ditolak", "Pastikan bahwa Anda bukan robot untuk melanjutkan."),
}
CONSENT = {
    "en": ("We value your privacy", "We and our partners store and access cookies on your device.",
           "You can withdraw your consent at any time in our privacy policy.", "Accept all"),
    "de": ("Ihre Privatsphäre", "Wir und unsere Partner verarbeiten personenbezogene Daten mit Ihrer Einwilligung.",
           "Mit Klick auf den Knopf stimmen Sie unseren Cookies zu.", "Alle akzeptieren"),
    "fr": ("Votre vie privée", "Nous et nos partenaires déposons des cookies avec votre consentement.",
           "Vous pouvez retirer votre consentement à tout moment.", "Tout accepter"),
    "es": ("Su privacidad", "Nosotros y nuestros socios usamos cookies para tratar sus datos personales.",
           "Usted puede retirar su consentimiento.", "Aceptar"),
    "it": ("La tua privacy", "Noi e i nostri partner usiamo i cookie per trattare i tuoi dati personali.",
           "Puoi revocare il tuo consenso.", "Accetta tutto"),
    "pt": ("Sua privacidade", "Nós e nossos parceiros usamos cookies com o seu consentimento.",
           "Você pode retirar seu consentimento.", "Aceitar"),
    "nl": ("Uw privacy", "Wij en onze partners gebruiken cookies met uw toestemming.",
           "U kunt uw toestemming intrekken.", "Akkoord"),
    "sv": ("Din integritet", "Vi och våra partner använder kakor med ditt samtycke.", "Du kan återkalla ditt samtycke.",
           "Godkänn alla"),
    "da": ("Dit privatliv", "Vi og vores partnere bruger cookies.", "Du kan trække dit samtykke tilbage.",
           "Tillad alle"),
    "no": ("Ditt personvern", "Vi bruker informasjonskapsler med ditt samtykke.", "Du kan trekke ditt samtykke.",
           "Godta alle"),
    "fi": ("Yksityisyytesi", "Me ja kumppanimme käytämme evästeitä suostumuksellasi.", "Voit perua suostumuksen.",
           "Hyväksy kaikki"),
    "pl": ("Twoja prywatność", "My i nasi partnerzy używamy ciasteczek za Twoją zgodą. Szanujemy Twoje dane osobowe.",
           "Możesz wycofać zgodę, a nasz serwis ją usunie.", "Akceptuję"),
    "cs": ("Vaše soukromí", "My a naši partneři používáme cookies s vaším souhlasem.", "Váš souhlas můžete odvolat.",
           "Přijmout vše"),
    "ru": ("Ваши данные", "Мы и наши партнёры используем файлы cookie с вашего согласия.", "Вы можете отозвать его.",
           "Принять все"),
    "uk": ("Ваші дані", "Ми використовуємо файли cookie за вашою згодою.", "Ви можете відкликати свою згоду.",
           "Прийняти"),
    "tr": ("Gizliliğiniz", "Biz ve iş ortaklarımız çerez kullanırız.", "Biz kişisel verileri koruruz.",
           "Kabul et"),
    "ar": ("خصوصيتك", "نحن نستخدم ملفات تعريف الارتباط بموافقتك لحماية بياناتك.", "نحن نحترم الخصوصية.", "قبول الكل"),
    "he": ("הפרטיות שלך", "אנו משתמשים בעוגיות בהסכמה שלך.", "אנו שומרים על הפרטיות שלך.", "מסכים"),
    "hi": ("गोपनीयता", "हम आपकी सहमति से कुकी का उपयोग करते हैं।", "हम आपकी गोपनीयता का सम्मान करते हैं।", "स्वीकार करें"),
    "zh": ("隐私", "我们在您同意后使用Cookie并处理您的隐私数据。", "您可以随时撤回您的隐私设置。", "同意"),
    "ja": ("プライバシー", "当社はお客様の同意でクッキーを使います。", "お客様の個人情報を守ります。", "同意する"),
    "ko": ("개인정보", "당사는 귀하의 동의를 얻어 쿠키를 사용합니다.", "귀하의 개인정보를 보호합니다.", "동의"),
    "id": ("Privasi Anda", "Kami dan mitra kami memakai kuki dengan persetujuan Anda.", "Kami jaga data pribadi Anda.",
           "Setuju"),
}  # fmt: skip
LOGINS = {
    "en": ("Log in", "Username", "Password"), "de": ("Anmelden", "Benutzername", "Passwort"),
    "fr": ("Se connecter", "Adresse", "Mot de passe"), "es": ("Iniciar sesión", "Usuario", "Contraseña"),
    "it": ("Accedi", "Nome utente", "Password"), "pt": ("Entrar", "Usuário", "Senha"),
    "nl": ("Inloggen", "Gebruikersnaam", "Wachtwoord"), "sv": ("Logga in", "Användarnamn", "Lösenord"),
    "da": ("Log ind", "Brugernavn", "Adgangskode"), "no": ("Logg inn", "Brukernavn", "Passord"),
    "fi": ("Kirjaudu sisään", "Käyttäjätunnus", "Salasana"), "pl": ("Zaloguj się", "Użytkownik", "Hasło"),
    "cs": ("Přihlášení", "Uživatel", "Heslo"), "ru": ("Войти", "Имя", "Пароль"), "uk": ("Увійти", "Ім'я", "Пароль"),
    "tr": ("Giriş yap", "Kullanıcı", "Şifre"), "ar": ("تسجيل الدخول", "الاسم", "كلمة المرور"),
    "he": ("התחברות", "שם", "סיסמה"), "hi": ("लॉग इन करें", "नाम", "पासवर्ड"), "zh": ("登录", "用户名", "密码"),
    "ja": ("ログイン", "ユーザー名", "パスワード"),
    "ko": ("로그인", "아이디", "비밀번호"), "id": ("Masuk", "Nama", "Kata sandi"),
}  # fmt: skip
MAINTENANCE = {
    "en": ("We'll be back soon", "Our site is down for scheduled maintenance. Please check back in a few minutes."),
    "de": ("Wartungsarbeiten", "Unsere Seite wird gerade gewartet und ist bald wieder da."),
    "fr": ("Site en maintenance", "Notre site est momentanément indisponible. Revenez plus tard."),
    "es": ("En mantenimiento", "El sitio está en mantenimiento. Vuelva a intentarlo más tarde."),
    "it": ("Sito in manutenzione", "Il sito è temporaneamente in manutenzione. Riprova più tardi."),
    "pt": ("Em manutenção", "O site está em manutenção. Volte mais tarde."),
    "nl": ("Onderhoud", "Onze website is tijdelijk niet bereikbaar wegens onderhoud."),
    "sv": ("Underhåll", "Webbplatsen är tillfälligt nere för underhåll."),
    "pl": ("Przerwa techniczna", "Trwa przerwa techniczna, serwis wróci wkrótce."),
    "cs": ("Údržba", "Stránka je dočasně mimo provoz kvůli údržbě."),
    "ru": ("Технические работы", "На сайте ведутся технические работы. Зайдите позже."),
    "tr": ("Bakım çalışması", "Web sitemiz bakım nedeniyle geçici olarak kapalıdır."),
    "ar": ("صيانة", "الموقع مغلق حاليا لأعمال الصيانة."),
    "ja": ("メンテナンス中", "現在サイトはメンテナンス中です。"),
    "zh": ("系统维护", "网站正在维护，请稍后访问。"),
    "ko": ("서비스 점검", "사이트 점검 중입니다."),
}
NOT_FOUND = {
    "en": ("404 - Page not found | The Courier", "Use the search or go to our home page."),
    "en-oops": ("Oops! That page can't be found.", "It may have been moved or deleted. Try the search."),
    "en-sorry": ("Sorry, the page you requested could not be found", "The link may be old."),
    "de": ("Seite nicht gefunden", "Die Adresse wurde falsch eingegeben oder die Seite gelöscht."),
    "fr": ("Page introuvable", "La page demandée a été supprimée."),
    "es": ("Página no encontrada", "La página que buscas fue eliminada."),
    "it": ("Pagina non trovata", "La pagina è stata rimossa."),
    "pt": ("Página não encontrada", "O conteúdo foi removido."),
    "nl": ("Pagina niet gevonden", "De pagina is verwijderd."),
    "sv": ("Sidan hittades inte", "Den kan ha tagits bort."),
    "pl": ("Strona nie istnieje", "Została usunięta."),
    "ru": ("Страница не найдена", "Возможно, она удалена."),
    "uk": ("Сторінку не знайдено", "Можливо, її видалено."),
    "tr": ("Sayfa bulunamadı", "Sayfa kaldırılmış olabilir."),
    "ar": ("الصفحة غير موجودة", "ربما تم حذفها."),
    "he": ("הדף לא נמצא", "ייתכן שהוא הוסר."),
    "zh": ("页面不存在", "您访问的内容已被删除。"),
    "ja": ("ページが見つかりません", "削除された可能性があります。"),
    "ko": ("페이지를 찾을 수 없습니다", "삭제되었을 수 있습니다."),
    "id": ("Halaman tidak ditemukan", "Mungkin sudah dihapus."),
}


@pytest.mark.parametrize("name", BOT_CHECKS)
def test_bot_check(name):
    reading = read(bare(*BOT_CHECKS[name]))
    assert (reading.outcome, reading.reason) == (Outcome.BOT_CHECK, "asks_if_human")


def test_bot_check_by_its_build():
    extra = "<form action='/challenge' id='challenge-form'><input type='hidden' name='token'></form><script></script>"
    reading = read(bare("Just a moment...", extra=extra))
    assert (reading.outcome, reading.reason) == (Outcome.BOT_CHECK, "challenge")


@pytest.mark.parametrize("name", CONSENT)
def test_consent_wall(name):
    title, *texts, accept = CONSENT[name]
    reading = read(bare(title, *texts, extra=f"<button>{accept}</button><button>…</button>"))
    assert (reading.outcome, reading.reason) == (Outcome.CONSENT_WALL, "asks_for_consent")


@pytest.mark.parametrize("name", LOGINS)
def test_login_wall(name):
    title, user, secret = LOGINS[name]
    form = (
        f"<form action='/login'><label>{user}</label><input name='username'><label>{secret}</label>"
        f"<input type='password' name='p'><button>{title}</button></form>"
    )
    reading = read(bare(title, extra=form))
    assert (reading.outcome, reading.reason) == (Outcome.LOGIN_WALL, "login_form")


@pytest.mark.parametrize("name", MAINTENANCE)
def test_maintenance(name):
    assert read(bare(*MAINTENANCE[name])).outcome is Outcome.MAINTENANCE


@pytest.mark.parametrize("name", NOT_FOUND)
def test_soft_404(name):
    reading = read(bare(*NOT_FOUND[name]))
    assert (reading.outcome, reading.reason) == (Outcome.SOFT_404, "not_found_page")


def test_an_error_page_with_teasers_is_one_still():
    teasers = "".join(f"<div><h3><a href='/a-{n}'>{STORY[n % 3]}</a></h3></div>" for n in range(9))
    assert read(bare("404 Not Found", extra=teasers)).outcome is Outcome.SOFT_404


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<noscript>Please enable JavaScript to run this app.</noscript><div id='root'></div>", "asks_for_scripts"),
        ("<noscript>Bitte aktivieren Sie JavaScript in Ihrem Browser, um diese Seite zu sehen.</noscript>"
         "<div id='app'></div>", "asks_for_scripts"),
        ("<p>Redirecting you to a lighter version of this site…</p>", "redirects_by_script"),
        ("<div id='root'></div>", "no_text_without_scripts"),
        ("<div id='root'>Loading…</div>", "no_text_without_scripts"),
    ],
)  # fmt: skip
def test_script_shell(body, reason):
    html = f"<html><head><title>Courier</title></head><body>{body}<script src='/app.js'></script></body></html>"
    reading = read(html)
    assert (reading.outcome, reading.reason) == (Outcome.SCRIPT_SHELL, reason)


LOGIN_PROMPT = (
    "<div><h2>Log in to continue reading</h2><form><input type='email' name='email'>"
    "<input type='password' name='p'><button>Log in</button></form></div>"
)
PAID = '<script type="application/ld+json">{"@type":"NewsArticle","isAccessibleForFree":false}</script>'


def test_a_teaser_with_a_form_is_a_login_wall_unless_markup_says_that_it_is_a_part():
    html = "<html><head>{}<title>Bridge</title></head><body><article><h1>Bridge</h1><p>{}</p>{}</article></body></html>"
    unmarked = read(html.format("", STORY[0], LOGIN_PROMPT))
    assert (unmarked.outcome, unmarked.reason) == (Outcome.LOGIN_WALL, "login_to_read_on")
    marked = read(html.format(PAID, STORY[0], LOGIN_PROMPT)).article
    assert marked.access is Access.PAYWALLED
    assert marked.body == STORY[0]
    metered = "<meta property='article:content_tier' content='metered'>"
    assert read(html.format(metered, STORY[0], LOGIN_PROMPT)).article.access is Access.METERED
    assert read(html.format(PAID, "", LOGIN_PROMPT)).outcome is Outcome.LOGIN_WALL


BANNER = (
    "<div id='cookie-banner' role='dialog'><h2>We value your privacy</h2><p>We and our partners store cookies on your "
    "device to show personalised ads, and you can withdraw your consent at any time.</p>"
    + "<p>We process your personal data, "
    "such as your address, with our partners on the basis of your consent.</p>"
    * 6
    + "<button>Accept all</button></div>"
)
HEADER_LOGIN = (
    "<header><form><input type='text' name='username'><input type='password'><button>Log in</button></form></header>"
)


@pytest.mark.parametrize(
    "html",
    [
        page(above=BANNER + "<h1>Bridge to close</h1>"),
        page(below=BANNER),
        f"<html><body>{BANNER}<main><h1>Bridge</h1>{PROSE}</main></body></html>",
        f"<html><body>{HEADER_LOGIN}<main><h1>Bridge</h1>{PROSE}</main></body></html>",
        f"<html><body>{BANNER}<main><h1>Bridge</h1><p>{STORY[0]}</p></main></body></html>",
        f"<html><body><main><h1>Bridge</h1>{PROSE}</main><noscript>Please enable JavaScript.</noscript></body></html>",
        f"<html><body><main><h1>Bridge</h1>{PROSE}</main><div class='g-recaptcha'></div></body></html>",
    ],
)
def test_an_article_under_a_banner_is_read_without_it(html):
    article = read(html).article
    assert article is not None
    assert STORY[0] in article.body
    for surplus in ("cookies", "consent", "Log in", "JavaScript"):
        assert surplus not in article.body


ABOUT = {
    "captchas": ("Are you a robot? Why websites ask", (
        "The small boxes that ask visitors to prove they are no machines turn twenty this spring, and hardly anyone "
        "will celebrate them.", "A survey of two thousand people by the University of Port Marlow found that each "
        "loses nine minutes a month to blurred traffic lights.", "The inventor, who lives on the coast, says that he "
        "apologised to his mother, and that she has not forgiven him.")),
    "cookies": ("Cookie banners must go, says court", (
        "The regional court of Port Marlow ruled on Monday that cookie banners with a single button break the law.",
        "The newspaper that was sued had shown readers nothing but a request for consent for three years.",
        "The judges gave it until March to change the page, and a fine that its owner called painful but fair.")),
    "maintenance": ("Lift bridge closed for maintenance", (
        "The lift bridge in the old harbour stays closed for maintenance until the end of the month, the port said.",
        "Divers found that two of its four chains had rusted through below the waterline.",
        "Boats higher than nine metres have to go round by the northern lock until then.")),
    "404": ("Page not found: the library's oldest book has lost a leaf", (
        "A leaf of the oldest book in the town library is gone, and nobody knows since when.",
        "The librarian noticed it when a visitor from Bergen asked to see the drawing of a whale on its back.",
        "Police say that they do not expect to find it, but that they would like to be surprised.")),
    "oops": ("Oops, they did it again: swans hold up the ferry", STORY),
    "gone": ("No longer available: the last phone box of the island", STORY),
    "login": ("Log in to vote: island tries online polls", (
        "Residents of the island may log in and vote from their kitchens this autumn, the council decided on Tuesday.",
        "Every household gets a password by post, in an envelope that the post mistress will hand over herself.",
        "The opposition asked what happens to those who lose it, and was told to walk to the school.")),
    "scripts": ("The island's new site runs without JavaScript", (
        "The municipality has put up a new site that works on the oldest phones, and is proud of it.",
        "Its author, a retired teacher, wrote it in one winter and says that he never learnt anything newer.",
        "Visitors from three other towns have asked him since whether he would do the same for them.")),
}  # fmt: skip


@pytest.mark.parametrize("name", ABOUT)
def test_an_article_about_walls_is_no_wall(name):
    title, paragraphs = ABOUT[name]
    article = read(bare(title, *paragraphs)).article
    assert article is not None
    assert article.body == "\n\n".join(paragraphs)
