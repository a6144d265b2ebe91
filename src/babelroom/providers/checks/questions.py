"""Signs that a question was answered: what asks must still ask in another language."""

from __future__ import annotations

import re

from babelroom.providers.checks.exchange import Exchange, sentences, without_addresses
from babelroom.providers.checks.wording import folded, word_list

_MARKS = re.compile(r"[?？؟;\u037e]")  # noqa: RUF001  full width
_OWN_MARKS = frozenset({"ja", "th", "lo", "km", "my", "bo", "hy", "am"})
"""Languages that write a question in other ways."""

# How a question begins that was heard without its mark. Not "quién sabe", "cuanto antes": these ask nothing.
_ASKS = {
    "en": re.compile(
        r"(?:what|who|whose|where|when|why|which|how)(?: is| are| was| were| do| does| did| can| much| many| old| far"
        r"| long| tall| big| deep| high)\b|(?:what|who|where|how) s\b(?! up)"
        r"|what (?:time|year|day|colou?r|language|kind)\b|who (?:\w+ed|wrote|won|made|built)\b"
    ),
    "es": re.compile(
        r"(?:(?:cual|cuales|quien|quienes)(?! sabe)|cuant[oa]s?(?! (?:mas|menos|antes))"
        r"|donde (?:esta|estan|queda|vive|nacio)|que (?:hora|dia|ano|significa|idioma|color|es)"
        r"|por que (?:no|es|el|la|hay)|en que (?:ano|pais|ciudad)|como (?:se hace|puedo|hago|funciona|esta|estan)) \w"
    ),
    "pt": re.compile(
        r"(?:(?:qual|quais|quem)(?! sabe| dera)|quant[oa]s?(?! (?:mais|menos|antes))"
        r"|onde (?:esta|estao|fica|mora|vive|nasceu)|(?:o )?que (?:horas?|dia|ano|significa|idioma|cor)|o que e"
        r"|por que (?:nao|e|o|a)|em que (?:ano|pais|cidade)|como (?:se faz|posso|faco|funciona|esta|estao)) \w"
    ),
}
_ASKS_YES_OR_NO = re.compile(r"(?:are|is|do|does|did|can|could|will|would|have|has) (?:you|he|she|it|they|we|there)\b")
_AGREES = re.compile(
    r"\W*(?:(?:sure|of course|certainly|absolutely|yes|gladly|claro|por supuesto|desde luego|con gusto|si|sim"
    r"|com certeza|com prazer)\b(?! que)|(?:no|nao)[,.!])"
)
_OPENING = 3
"""Words at the beginning of a question among which a yes or a no may stand."""

_EXCUSE = 20
"""Characters that a "Perdone." has at most, where the question has a comma after it."""

_EXCLAMATION = 2


def lost_the_question(exchange: Exchange) -> str | None:
    """What has a question mark keeps it, but for an exclamation of two words: "¿Sabes qué?" is "Guess what!"."""
    if "?" not in without_addresses(exchange.text) or exchange.target in _OWN_MARKS:
        return None
    is_short = len(exchange.text_words) <= _EXCLAMATION and exchange.reply.rstrip().endswith("!")
    if _MARKS.search(exchange.reply) or (is_short and not _AGREES.match(folded(exchange.reply))):
        return None
    return "is no question, and the text is one"


def lost_the_question_word(exchange: Exchange) -> str | None:
    """A question that was heard without its mark has a mark or a question word."""
    asks = _ASKS.get(exchange.source)
    if asks is None or exchange.target not in _ASKS or "!" in exchange.text:
        return None
    asks_still = _MARKS.search(exchange.reply) or word_list(f"interrogatives {exchange.target}") & set(
        exchange.reply_words
    )
    return None if asks_still or not asks.match(" ".join(exchange.text_words)) else "asks nothing, and the text does"


def answers_first(exchange: Exchange) -> str | None:
    """To one question, the reply agrees, or states something before it asks."""
    said, replied = sentences(exchange.text), sentences(exchange.reply)
    is_heard = exchange.source == "en" and _ASKS_YES_OR_NO.match(" ".join(exchange.text_words))
    if len(said) != 1 or not (said[0].endswith("?") or is_heard):
        return None
    agreed = word_list("question openings") & set(exchange.text_words[:_OPENING])
    agrees = _AGREES.match(folded(exchange.reply)) and not agreed
    fewest = _EXCUSE if re.search(r"[,;:]", said[0]) else 0
    states = not is_heard and len(replied) > 1 and "?" not in replied[0] and len(replied[0]) > fewest
    return "answers before it asks, and the text only asks" if agrees or states else None
