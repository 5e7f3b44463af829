"""What people see of the page or a zone whose scripts did not arrive: a line was cut, a server
restarted. Browsers do not ask again for a module that failed.

It is in the HTML, invisible for ten seconds (style sheets), and the scripts remove it.
"""

from __future__ import annotations

from flask import request
from markupsafe import Markup

#: By language: what is wrong, and the link that helps.
WORDS = {
    "ar": ("لم يُحمَّل جزء من هذه الصفحة.", "إعادة تحميل الصفحة"),
    "de": ("Ein Teil dieser Seite wurde nicht geladen.", "Seite neu laden"),
    "en": ("Part of this page did not load.", "Reload the page"),
    "es": ("No se ha cargado una parte de esta página.", "Volver a cargar la página"),
    "fr": ("Une partie de cette page n’a pas été chargée.", "Recharger la page"),
    "ja": ("このページの一部を読み込めませんでした。", "ページを再読み込み"),
    "pt": ("Uma parte desta página não foi carregada.", "Recarregar a página"),
    "zh": ("此页面的部分内容未能加载。", "重新加载页面"),
}

_MESSAGE = Markup(
    '<p class="chunked-upload-not-loaded" lang="{language}" dir="{direction}">{wrong}'
    ' <a href="">{reload}</a></p>'
)


def message(language: str | None = None) -> Markup:
    """Return the message.

    :param language: primary subtag; None for the first one that the browser asks for.
    """
    if language is None:
        language = request.accept_languages.best_match(list(WORDS))
    found = language if language in WORDS else "en"
    wrong, reload = WORDS[found]
    direction = "rtl" if found == "ar" else "ltr"
    return _MESSAGE.format(language=found, direction=direction, wrong=wrong, reload=reload)
