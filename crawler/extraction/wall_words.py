"""What walls say, in the languages of the news that we know best.

Each list holds phrases as `text.folded` leaves them (lower case, straight quotation marks, single spaces) and as
`phrases` reads them: they begin where a word begins, and may go on unless a space ends them. They are looked for within
one sentence, heading or label at a time. They name what such pages say, never who makes them.
"""

BOT_CHECK = (
    # English
    "checking your browser", "checking if the site connection", "verify you are human", "verify that you are human",
    "verify you're human", "verify that you're", "verify you are not a robot", "verifying you are human",
    "confirm you are human", "confirm that you are human", "confirm you're human", "prove you are human",
    "prove that you are human", "prove you're human",
    "i'm not a robot", "i am not a robot", "you're not a robot", "you are not a robot", "you are a robot",
    "javascript and cookies", "cookies and javascript", "unusual traffic", "unusual activity from",
    "suspicious activity from", "automated access", "automated requests", "automated queries",
    "automated tools to browse", "complete the captcha", "solve the captcha", "complete the security check",
    "security check to access", "performing security verification", "review the security of your connection",
    "ddos protection by", "you have been blocked", "why have i been blocked", "access to this page has been denied",
    "your request has been blocked", "pardon our interruption",
    "made us think you were a bot", "made us think that you are a bot",

    "please unblock",
    "site owner to let them know", "your ip address", "your ip:",
    "ray id ", "security service to protect itself", "triggered the security",
    # German
    "überprüfung ihres browsers", "ihr browser wird überprüft", "browser wird geprüft", "ein mensch sind",
    "sind sie ein mensch", "sind sie ein roboter", "kein roboter", "ein roboter sind",
    "ungewöhnlichen datenverkehr", "ungewöhnlicher datenverkehr", "ungewöhnliche zugriffe",
    "ungewöhnliche aktivität", "sicherheitsüberprüfung", "sicherheitsabfrage",
    "automatisierte anfragen", "automatisierte zugriffe", "ihre ip-adresse", "vorgangsnummer",
    "referenz-id",
    # French
    "vérification de votre navigateur", "vérifions votre navigateur", "vous êtes humain", "vous êtes un humain",
    "êtes un être humain", "êtes-vous un robot", "êtes-vous humain", "pas un robot", "trafic inhabituel",
    "activité inhabituelle", "activité suspecte", "vérification de sécurité",
    "votre adresse ip",
    # Spanish
    "comprobando su navegador", "comprobando tu navegador", "comprobando el navegador", "verificando su navegador",
    "que es humano", "que eres humano", "que es usted humano", "es un ser humano", "eres un robot", "es un robot",
    "no soy un robot", "tráfico inusual", "actividad inusual", "verificación de seguridad",
    "comprobación de seguridad", "su dirección ip", "tu dirección ip",
    # Italian, Portuguese
    "verifica del browser", "controllo del browser", "essere umano", "non sono un robot", "non sei un robot",
    "traffico insolito", "traffico anomalo", "attività insolita", "verifica di sicurezza",
    "verificando seu navegador", "verificando o seu navegador", "você é humano", "é um ser humano", "é humano",
    "não sou um robô", "não é um robô", "tráfego incomum", "atividade incomum",
    # Dutch, Swedish, Danish, Norwegian, Finnish
    "controleren uw browser", "controleren je browser", "u een mens bent", "je een mens bent", "geen robot",
    "bent u een robot", "ongebruikelijk verkeer", "är en människa", "är du en robot",
    "inte en robot", "inte är en robot", "ovanlig trafik", "er et menneske", "er du en robot",
    "ikke en robot", "ikke er en robot", "usædvanlig trafik", "uvanlig trafikk",
    "kontrollerer nettleseren", "oletko robotti", "et ole robotti", "olet ihminen", "epätavallista liikennettä",
    "tarkistetaan selaintasi",
    # Polish, Czech
    "nie jestem robotem", "nie jesteś robotem", "jesteś człowiekiem", "nietypowy ruch",
    "sprawdzamy twoją przeglądarkę", "sprawdzanie przeglądarki", "nejste robot",
    "nejsem robot", "jste člověk", "neobvyklý provoz", "kontrola prohlížeče",
    # Russian, Ukrainian, Turkish
    "не робот", "вы человек", "необычный трафик", "подозрительный трафик", "подозрительная активность",
    "подозрительную активность", "автоматические запросы", "запросы, поступившие с вашего ip",
    "проверка браузера", "проверка вашего браузера", "проверяем ваш браузер",
    "ви людина", "незвичний трафік", "підозріла активність",
    "перевірка браузера", "перевіряємо ваш браузер", "robot olmadığınız", "insan olduğunuz", "olağan dışı trafik",
    "olağandışı trafik", "tarayıcınız kontrol", "güvenlik kontrolü",
    # Arabic, Hebrew, Hindi
    "لست روبوت", "أنك إنسان", "أنك لست", "التحقق من المتصفح", "التحقق من متصفحك", "حركة مرور غير", "تم رفض الوصول",
    "אינך רובוט", "אינני רובוט", "לא רובוט", "אתה אנושי", "בן אדם", "תעבורה חריגה", "הגישה נדחתה",
    "בודקים את הדפדפן", "रोबोट नहीं", "आप मानव", "आप इंसान", "आप एक इंसान", "असामान्य ट्रैफ", "असामान्य गतिविधि",
    "ब्राउज़र की जाँच",
    # Chinese, Japanese, Korean, Indonesian
    "不是机器人", "不是機器人", "人机验证", "人機驗證", "安全验证", "安全驗證", "异常流量", "異常流量", "访问异常",
    "检查您的浏览器", "檢查您的瀏覽器", "请输入验证码", "請輸入驗證碼", "拖动滑块",
    "ロボットではない", "ロボットではあり", "人間である", "通常と異なるトラフィック",
    "ブラウザを確認", "ブラウザーを確認", "로봇이 아닙니다", "로봇이 아님", "사람인지 확인",
    "비정상적인 트래픽", "비정상적인 접근", "브라우저를 확인", "자동입력 방지",
    "자동등록방지", "bukan robot", "anda manusia", "anda adalah manusia", "lalu lintas tidak biasa",
    "lalu lintas yang tidak biasa", "memeriksa browser", "memeriksa peramban",
)  # fmt: skip
BOT_TITLES = (
    "are you a robot", "are you a human", "are you human", "access denied", "request blocked", "press & hold",
    "press and hold", "just a moment...", "just a moment…", "attention required", "one more step",
    "incident id ", "reference id ", "reference #", "reference number:", "support id ", "request id ", "block id ",
    "zugriff verweigert", "zugriff blockiert", "accès refusé", "accès bloqué", "acceso denegado", "accesso negato",
    "acesso negado", "toegang geweigerd", "åtkomst nekad", "adgang nægtet", "ingen tilgang", "pääsy estetty",
    "odmowa dostępu", "dostęp zablokowany", "přístup odepřen", "доступ запрещен", "доступ запрещён",
    "доступ ограничен", "доступ заборонено", "доступ обмежено", "erişim engellendi", "erişim reddedildi", "访问被拒绝",
    "存取被拒", "アクセスが拒否", "アクセスが制限", "접근이 거부", "접근이 차단", "akses ditolak",
)  # fmt: skip
"""What only headings and lines of such pages say as a whole; in a sentence of a story it may mean anything."""
BOT_STRUCTURE = ("captcha", "challenge", "turnstile", "bot-check", "botcheck", "human-verification")
"""In ids, classes, names and addresses of a page's own form, frame or script."""

CONSENT = (
    "cookie", "consent", "your privacy", "we value your", "personal data", "personalised ads", "personalized ads",
    "personalised advertising", "personalized advertising", "privacy policy", "our partners", "withdraw your",
    "legitimate interest", "store and/or access", "precise geolocation", "einwilligung", "zustimm", "datenschutz",
    "personenbezogen", "ihre daten", "unsere partner", "unseren partnern", "personalisierte", "mit werbung",
    "werbefrei", "werbetracking", "mit tracking", "und tracking", "zum tracking", "traceurs", "consentement",
    "données personnelles", "caractère personnel", "vie privée",
    "nos partenaires", "confidentialité", "publicité personnalisée", "publicités personnalisées", "consentimiento",
    "datos personales", "privacidad", "nuestros socios", "publicidad personalizada", "consenso", "dati personali",
    "nostri partner", "pubblicità personalizzat", "informativa sulla privacy", "consentimento", "dados pessoais",
    "nossos parceiros", "toestemming", "persoonsgegevens", "onze partners", "kakor", "samtycke", "personuppgifter",
    "våra partner", "samtykke", "personoplysninger", "personopplysninger", "informasjonskapsler", "vores partnere",
    "våre partnere", "evästei", "evästeet", "suostumu", "henkilötie", "kumppanimme", "ciasteczk", "zgody", "zgodę",
    "zgoda", "danych osobowych", "dane osobowe", "nasi partnerzy", "naszych partnerów", "souhlas", "osobní údaje",
    "osobních údajů", "naši partneři", "куки", "согласи", "персональных данных", "персональные данные",
    "конфиденциальност", "згод", "персональних даних", "персональні дані", "çerez", "kişisel veri", "rızanız",
    "iş ortaklarımız", "ملفات تعريف الارتباط", "الخصوصية", "بياناتك", "شركاؤنا", "עוגיות", "פרטיות", "השותפים שלנו",
    "कुकी", "कुकीज़", "गोपनीयता", "सहमति", "クッキー", "個人情報", "個人データ", "プライバシー", "隐私", "隱私",
    "쿠키", "개인정보", "persetujuan", "data pribadi", "mitra kami", "kuki",
)  # fmt: skip
CONSENT_SPEAKER = (
    "we ", "our ", "you ", "your ", "besuchen sie", "nutzen sie", "finden sie", "wir ", "unser", "ihre ", "ihrer ",
    "ihren ", "ihnen ", "ihr ", "dein", "nous ",
    "notre ", "nos ", "vous ", "votre ", "vos ", "nosotros", "nuestr", "usted", "tu ", "tus ", "noi ", "nostr",
    "tuo ", "tuoi ", "tua ", "nós ", "noss", "você", "seu ", "sua ", "seus ", "wij ", "onze ", "jouw ", "uw ",
    "je ", "vi ", "våra ", "vår ", "vores ", "våre ", "din ", "dina ", "dine ", "ditt ", "dit ", "me ", "meidän",
    "-mme", "sinun", "nasz", "nasi ", "twoj", "twoich", "państwa", "naš", "vaš", "váš", "мы ", "наш", "ваш", "вы ",
    "ми ", "ви ", "biz ", "-imiz", "sizin", "kami ", "anda ", "نحن", "لدينا", "بياناتك", "اנו", "שלנו", "שלך",
    "אנחנו", "हम ", "हमार", "आप", "当社", "弊社", "お客様", "あなた", "我们", "我們", "您", "당사", "귀하", "저희",
)  # fmt: skip
"""Whoever asks for consent speaks of itself and to the reader; an article about consent speaks of others."""
ACCEPT = (
    "accept", "agree ", "i agree", "allow all", "got it", "akzeptier", "zustimm", "einverstanden", "alle zulassen",
    "j'accepte",
    "tout autoriser", "aceptar", "acepto", "accett", "acconsent", "aceit", "concord", "akkoord", "godkänn", "godta",
    "tillad", "hyväksy", "salli", "akceptuj", "zgadzam", "zgoda", "přijmout", "souhlas", "принять", "соглас",
    "прийняти", "погодж", "kabul", "onayl", "موافق", "قبول", "أوافق", "מסכים", "אישור", "אשר", "स्वीकार", "सहमत",
    "同意", "接受", "承諾", "許可", "동의", "수락", "허용", "setuju", "terima",
)  # fmt: skip

LOGIN = (
    "log in", "login", "log into", "sign in", "sign up", "register", "create an account", "create your account",
    "create a free account", "password", "already a subscriber", "already have an account", "already registered",
    "anmelden", "anmeldung", "einloggen", "registrier", "passwort", "kennwort", "benutzername", "konto anlegen",
    "schon abonnent", "bereits abonnent", "se connecter", "connectez-vous", "connexion", "s'inscrire",
    "inscrivez-vous", "mot de passe", "créer un compte", "créez un compte", "déjà abonné", "iniciar sesión",
    "inicia sesión", "inicie sesión", "regístr", "registrarse", "contraseña", "crear una cuenta", "accedi",
    "effettua il login", "registrati", "iscriviti", "hai già un account", "entrar", "faça login", "iniciar sessão",
    "cadastr", "senha", "inloggen", "log in", "registreer", "wachtwoord", "account aanmaken", "logga in",
    "registrera", "lösenord", "log ind", "logg inn", "opret en konto", "opprett", "adgangskode", "passord",
    "kirjaudu", "rekisteröi", "salasana", "zaloguj", "zarejestruj", "hasło", "załóż konto", "přihlas", "přihlášení",
    "registrujte", "heslo", "войти", "войдите", "авториз", "зарегистрир", "пароль", "увійти", "увійдіть",
    "зареєстр", "giriş yap", "üye ol", "kayıt ol", "şifre", "تسجيل الدخول", "سجل الدخول", "إنشاء حساب",
    "كلمة المرور", "התחבר", "הירשמ", "הרשמה", "סיסמה", "लॉग इन", "लॉगिन", "साइन इन", "पासवर्ड", "रजिस्टर", "登录",
    "登入", "注册", "註冊", "密码", "密碼", "ログイン", "会員登録", "パスワード", "로그인", "회원가입", "비밀번호",
    "masuk", "daftar", "mendaftar", "kata sandi",
)  # fmt: skip
NOT_TO_READ_ON = (
    "newsletter", "discussion", "comment", "kommentar", "kommentier", "diskussion", "diskutier", "commentaire",
    "comentar", "comentario", "comentário", "commenti", "commentare", "infolettre", "boletín", "reageren", "reactie",
    "коммент", "комент", "yorum", "评论", "評論", "コメント", "댓글",
)  # fmt: skip
"""What else readers are asked to log in or to sign up for."""
READ_ON = (
    "continue reading", "keep reading", "read the full", "read the rest", "read this article", "read this story",
    "read more than", "to read on", "full access", "unlock this", "weiterlesen", "weiterzulesen",
    "weiter lesen", "vollständigen artikel", "ganzen artikel", "artikel lesen", "lire la suite",
    "lire l'article", "lire cet article", "continuer la lecture", "poursuivre la lecture",
    "seguir leyendo", "continuar leyendo", "leer el artículo", "leer la nota",
    "continuare a leggere", "continua a leggere", "leggere l'articolo", "continuar lendo",
    "continuar a ler", "ler a matéria", "verder lezen", "lees verder", "verder te lezen", "artikel te lezen",
    "läsa vidare", "fortsätta läsa", "läsa hela", "læse videre", "læs videre", "læse hele", "lese videre",
    "lese hele", "lukea koko", "jatka lukemista", "czytać dalej", "czytaj dalej", "przeczytać cały",
    "číst dál", "pokračovat ve čtení", "celý článek", "читать дальше", "продолжить чтение", "прочитать полностью",
    "читати далі", "продовжити читання", "okumaya devam", "devamını okumak", "tamamını okumak", "مواصلة القراءة",
    "لمتابعة القراءة", "לקריאת הכתבה", "להמשך קריאה", "להמשיך לקרוא", "आगे पढ़ने", "पूरा पढ़ने", "पढ़ना जारी",
    "继续阅读", "繼續閱讀", "阅读全文", "閱讀全文", "続きを読む", "続きをお読み", "全文を読む", "계속 읽",
    "전문을 보", "기사 전문", "membaca selengkapnya", "lanjut membaca", "terus membaca", "baca selengkapnya",
)  # fmt: skip
GO_ON = ("to continue", "um fortzufahren", "pour continuer", "para continuar", "per continuare", "jatkaaksesi")
"""Calls to read on only where little else is said."""

MAINTENANCE = (
    "maintenance", "we'll be back", "we will be back", "be right back", "back soon", "back shortly", "back online",
    "systemwartung",
    "temporarily unavailable", "temporarily offline", "temporarily down", "service unavailable", "wartung",
    "vorübergehend nicht", "gleich wieder", "bald wieder", "indisponible", "de retour", "mantenimiento",
    "manutenzione", "temporalmente", "temporaneamente", "manutenção", "temporariamente", "onderhoud",
    "tijdelijk niet", "underhåll", "tillfälligt", "vedligehold", "vedlikehold", "midlertidig", "huolto",
    "tilapäisesti", "konserwac", "prace techniczne", "przerwa techniczna", "chwilowo", "údržb", "odstávk",
    "dočasně", "технические работы", "технических работ", "техническое обслуживание", "профилактическ", "временно",
    "технічні роботи", "технічних робіт", "тимчасово", "bakım", "geçici olarak", "صيانة", "الصيانة", "מתוחזק",
    "תחזוקה", "रखरखाव", "मेंटेनेंस", "维护", "維護", "メンテナンス", "점검", "pemeliharaan", "perbaikan sistem",
    "sementara tidak",
)  # fmt: skip
OWN_SITE = (
    "site", "website", "webseite", "internetseite", "hjemmeside", "nettside", "hemsida", "verkkosivu", "our service",
    "this service", "this page", "back soon", "back shortly", "try again", "check back",
    "inconvenience", "few minutes", "seite", "angebot", "unser dienst", "später", "gleich wieder", "plus tard",
    "sitio", "página", "más tarde", "sito", "più tardi", "tarde", "later", "webbplats", "sidan", "siden", "sivust",
    "stron", "serwis", "stránk", "web", "сайт", "портал", "позже", "пізніше", "siteniz", "sitemiz", "daha sonra",
    "موقع", "אתר", "वेबसाइट", "साइट", "网站", "網站", "系统", "系統", "サイト", "サービス", "사이트", "서비스",
    "situs", "laman",
)  # fmt: skip

ASKS_FOR_SCRIPTS = (
    "enable", "turn on", "turned on", "requires", "required", "disabled", "not supported", "aktivier", "einschalt",
    "eingeschaltet", "erforderlich", "deaktiviert", "activ", "désactivé", "habilit", "desactivad", "attiv", "abilit",
    "disattivat", "ativ", "inschakel", "uitgeschakeld", "aktiver", "käyttöön", "włącz", "povol", "zapn", "включ",
    "отключ", "увімк", "вимк", "etkin", "تفعيل", "تمكين", "הפעל", "सक्षम", "启用", "啟用", "開啟", "开启", "有効",
    "활성", "사용", "aktifkan",
)  # fmt: skip
NOTICE_SPEAKER = (
    "please", "bitte", "veuillez", "revenez", "por favor", "vuelva", "riprova", "si prega", "tente", "alstublieft",
    "probeer", "försök", "prøv", "yritä", "prosimy", "spróbuj", "zkuste", "пожалуйста", "зайдите", "спробуйте",
    "будь ласка", "lütfen", "يرجى", "الرجاء", "אנא", "कृपया", "请", "請", "ください", "주세요", "바랍니다", "silakan",
    "nossa", "nosso", "nuestro sitio", "besuchen sie", "nutzen sie", "finden sie", "können sie", "müssen sie",
)  # fmt: skip
"""Beside those of requests for consent: notices ask their readers for something."""

REDIRECTING = (
    "redirecting", "you are being redirected", "you will be redirected", "weiterleitung", "weitergeleitet",
    "redirection", "redirigé", "redirigiendo", "redirigido", "reindirizz", "redirecionando", "redirecionado",
    "doorgestuurd", "omdirigera", "omdirigeres", "przekierow", "přesměrov", "перенаправ", "yönlendiril",
    "إعادة التوجيه", "跳转", "跳轉", "リダイレクト", "리디렉션", "dialihkan",
)  # fmt: skip
LOADING = (
    "loading", "wird geladen", "chargement", "cargando", "caricamento", "carregando", "laden", "загрузка", "加载中",
    "読み込み中", "로딩",
)  # fmt: skip
