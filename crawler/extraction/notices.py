"""Pages that stand in for an article and say why, in a few words to the reader: out of order, not here, not for you.

Pure. They are told from articles about such things by speaking of themselves and to the reader. The words are those of
the languages that we know best.
"""

from crawler.extraction import wall_words
from crawler.extraction.phrases import phrases
from crawler.extraction.said import PARAGRAPH, Said
from storage.outcomes import Outcome

_MAINTENANCE = phrases(wall_words.MAINTENANCE)
_OWN_SITE = phrases(wall_words.OWN_SITE)
_OUT_OF_ORDER = phrases(wall_words.MAINTENANCE, wall_words.OWN_SITE)
_SPEAKER = phrases(wall_words.CONSENT_SPEAKER, wall_words.NOTICE_SPEAKER)
_NOTICES = (
    (Outcome.CONSENT_WALL, "ad_blocker", phrases((
        "ad blocker", "ad-blocker", "adblock", "ad block", "werbeblocker", "bloqueur de pub", "bloqueurs de pub",
        "bloqueador de anuncios", "bloqueador de publicidad", "blocco della pubblicità", "bloqueador de anúncios",
        "advertentieblokker", "reclameblocker", "annonsblockerare", "блокировщик рекламы", "广告拦截", "広告ブロック",
        "광고 차단",
    ))),
    (Outcome.CONSENT_WALL, "asks_for_age", phrases((
        "at least 18", "over 18", "18 years or older", "18 or older", "confirm your age", "verify your age",
        "age check", "mindestens 18", "über 18", "ihr alter", "plus de 18 ans", "votre âge", "mayor de edad",
        "mayores de 18", "maggiorenn", "maior de 18", "ouder dan 18", "18 jaar of ouder", "över 18", "powyżej 18",
        "старше 18", "已年满18", "18歳以上", "만 19세",
    ))),
    (Outcome.SOFT_404, "not_in_region", phrases((
        "not available in your region", "not available in your country", "not available in your location",
        "unavailable due to legal reasons", "unavailable for legal reasons", "european economic area",
        "content not available", "in ihrem land nicht verfügbar", "in ihrer region nicht verfügbar",
        "pas disponible dans votre", "no está disponible en su", "no está disponible en tu",
        "non è disponibile nel tuo", "não está disponível no seu", "não está disponível na sua",
        "niet beschikbaar in uw", "недоступен в вашем", "недоступно в вашем", "您所在的地区", "お住まいの地域",
    ))),
    (Outcome.LOGIN_WALL, "subscribers_only", phrases((
        "subscribers only", "for subscribers", "only available to subscribers", "exclusive to subscribers",
        "subscribe now", "subscribe to read", "nur für abonnenten", "für abonnenten", "jetzt abonnieren",
        "réservé aux abonnés", "réservée aux abonnés", "abonnez-vous", "solo para suscriptores",
        "exclusivo para suscriptores", "suscríbete", "suscríbase", "riservato agli abbonati", "solo per abbonati",
        "abbonati per", "exclusivo para assinantes", "assine para", "alleen voor abonnees", "endast för prenumeranter",
        "kun for abonnenter", "tylko dla prenumeratorów", "tylko dla subskrybentów", "только для подписчиков",
        "仅限订阅", "有料会員限定", "会員限定",
    ))),
    (Outcome.MAINTENANCE, "server_error", phrases((
        "internal server error", "bad gateway", "gateway timeout", "gateway time-out", "application error",
        "database connection", "something went wrong", "an error has occurred", "an error occurred",
        "ein fehler ist aufgetreten", "ist ein fehler aufgetreten", "une erreur est survenue",
        "une erreur s'est produite", "ha ocurrido un error", "se ha producido un error", "si è verificato un errore",
        "ocorreu um erro", "er is iets misgegaan", "er is een fout opgetreden", "ett fel har uppstått",
        "ett fel uppstod", "der opstod en fejl", "wystąpił błąd", "произошла ошибка", "сталася помилка",
        "エラーが発生しました", "오류가 발생",
    ))),
)  # fmt: skip
_LONGEST_NOTICE = 700
_ONE_BREATH = 120
"""A notice so short needs no word that it is the site itself that speaks."""
_SHORT = 400
_MOST = 0.5
_NEARLY_ALL = 0.8


def notice_of(said: Said, *, called_article: bool) -> tuple[Outcome, str] | None:
    """Return which notice a page is, with a reason, or None.

    On a page whose markup calls it an article there may be no sentence but those of the notice.
    """
    if said.length > 2 * _LONGEST_NOTICE:
        return None
    if not called_article and _is_maintenance(said):
        return Outcome.MAINTENANCE, "maintenance_notice"
    if said.length > _LONGEST_NOTICE:
        return None
    spoken = said.share(_SPEAKER)
    for outcome, reason, pattern in _NOTICES:
        named, share = said.headed(pattern), said.share(pattern)
        if called_article and said.unlike(pattern, _SPEAKER) >= PARAGRAPH:
            continue
        if share >= _MOST and (spoken >= _MOST or named or (spoken and share >= _NEARLY_ALL)):
            return outcome, reason
        if named and spoken >= _MOST and not called_article:
            return outcome, reason
    return None


def _is_maintenance(said: Said) -> bool:
    if not said.any(_MAINTENANCE):
        return False
    named = said.headed(_MAINTENANCE)
    if named and said.length < PARAGRAPH:
        return True
    if said.length > _ONE_BREATH and said.share(_SPEAKER) < _MOST:
        return False
    share, own = said.share(_OUT_OF_ORDER), said.share(_OWN_SITE)
    return share >= _NEARLY_ALL and own > 0 and (named or said.length < _SHORT)
