"""Function words by language: words that labels leave out, may have inside only, or end before.

The lists are short and general: the most frequent words of each language that name no subject. Of other languages,
words that are frequent in most topics are function words.
"""

import functools
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, eq=False)
class FunctionWords:
    """Function words of a language, in lower case.

    ``articles`` stand before a noun; ``auxiliaries`` are left out, as in headlines; ``inner`` words join the parts of a
    phrase; ``separators`` are pronouns, question words, modal verbs, greetings and other conversational words, where a
    phrase ends and the next one starts. ``has_english`` is true if English words are function words, too.
    """

    articles: frozenset[str]
    auxiliaries: frozenset[str]
    inner: frozenset[str]
    separators: frozenset[str]
    has_english: bool = False

    @functools.cached_property
    def every(self) -> frozenset[str]:
        """All words of the lists."""
        return self.articles | self.auxiliaries | self.inner | self.separators

    def with_separators(self, words: Collection[str]) -> "FunctionWords":
        """The same words and more separators."""
        return replace(self, separators=self.separators | frozenset(words)) if words else self


def _words(articles: str, auxiliaries: str, inner: str, separators: str) -> FunctionWords:
    articles_, auxiliaries_, inner_, separators_ = (
        frozenset(words.split()) for words in (articles, auxiliaries, inner, separators)
    )
    return FunctionWords(articles_, auxiliaries_, inner_, separators_)


FUNCTION_WORDS = {
    "en": _words(
        """
        a an the my your our their his her its this that these those some any every each me us another such
        own both several
        """,
        "is are was were be been being am has have had having will it's that's there's",
        """
        of to for in on at with from by or and without into as per between vs near like via during about than
        before after behind below above against among around beside beyond since toward towards under upon
        within across along through outside inside except using
        """,
        """
        i i'm i've i'd i'll you you're you've we we're we've he she it they them him yourself myself itself
        who whom whose what whats what's which when where where's why how how's if because so but while
        although though that until unless then can could would should might must may shall do does did done
        please pls plz kindly hi hello hey dear thanks thank ok okay yes no yeah yep nope well um uh oh ah hmm
        sorry sir madam want wants wanted wanting need needs needed wanna gonna gotta would like know
        wondering wonder trying tried try looking let lets let's think hoping hope wish possible able maybe
        just really actually basically also too very more most much many less few still already again ever
        always often once else guy guys there here now etc e.g i.e anyone someone somebody everyone one ones
        tell asked ask asking said saying says seem seems today tomorrow yesterday help helping calling
        interested planning going asap y'all y'alls two three four five six seven eight nine ten eleven twelve
        twenty thirty forty fifty hundred thousand
        """,
    ),
    "de": _words(
        """
        der die das den dem des ein eine einen einem einer eines mein meine meinen meinem meiner dein deine
        deinen ihr ihre ihren ihrem ihrer sein seine seinen unser unsere unseren diese dieser dieses diesen
        kein keine keinen mir mich dir dich uns
        """,
        "ist sind war waren bin bist sei wird werden wurde wurden hat habe haben hatte hast wirst",
        """
        und oder von vom zu zum zur für in im an am auf mit aus bei nach über unter vor durch ohne gegen um
        als seit bis
        """,
        """
        ich du er sie es wir man was wer wie wo wann warum wieso weshalb welche welcher welches wenn weil dass
        ob aber denn sondern kann kannst können könnte könnten könntest möchte möchten will wollen würde muss
        müssen soll sollte darf gerne gern bitte danke hallo guten tag ja nein nicht noch schon auch nur so
        sehr mal hier da dann jetzt etwas gibt brauche sich
        """,
    ),
    "fr": _words(
        """
        le la les l un une des du mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs ce cet cette
        ces moi
        """,
        "est sont était été être suis es sera ai as a ont avez avons avoir avait n ne",
        "et ou de d à au aux en dans sur pour par avec sans sous vers chez entre",
        """
        je j tu il elle on nous vous ils elles me m te t se s y que qu qui quoi quel quelle quels quelles
        quand où comment pourquoi combien si mais donc car parce peux peut pouvez pouvons pourrais pourriez
        pourrait veux voudrais voulez souhaite dois doit faut svp plaît merci bonjour bonsoir salut oui non
        pas plus aussi très bien ici là c est-ce besoin aimerais
        """,
    ),
    "es": _words(
        """
        el la los las un una unos unas mi mis tu tus su sus nuestro nuestra este esta estos estas ese esa lo
        me te nos
        """,
        "es son está están estoy era fue ser estar ha he han has hay había sido",
        "y o e de del a al en con por para sin sobre entre desde hasta hacia",
        """
        yo él ella usted ustedes ellos nosotros se que qué quién cuál cuáles cuándo cuando dónde donde cómo
        como cuánto cuánta por qué porque si pero puedo puede puedes podría podrías podrían quiero quisiera
        quieres necesito necesita debo debe favor gracias hola buenos buenas días tardes sí no muy más también
        ya aquí ahora gustaría deseo
        """,
    ),
    "pt": _words(
        """
        o a os as um uma uns umas meu minha meus minhas teu tua seu sua seus suas nosso nossa este esta esse
        essa isso isto me te nos
        """,
        "é são está estão estou era foi ser estar tem tenho têm há havia sido",
        "e ou de do da dos das em no na nos nas com por para sem sobre entre desde até ao à pelo pela",
        """
        eu tu ele ela você vocês eles nós se que quê quem qual quais quando onde como quanto porque porquê mas
        posso pode podem poderia poderiam quero queria gostaria preciso precisa devo deve favor obrigado
        obrigada olá oi bom boa dia sim não muito mais também já aqui agora
        """,
    ),
    "it": _words(
        """
        il lo la l i gli le un uno una mio mia miei mie tuo tua suo sua nostro nostra questo questa questi
        queste mi ti ci vi
        """,
        "è sono era sei siamo essere stato stata ha ho hanno hai abbiamo c'è",
        "e o ed di del della dello dei delle a al alla ai alle da dal dalla in nel nella con su sul per tra fra senza",
        """
        io tu lui lei noi voi loro si che chi cosa quale quali quando dove come perché quanto se ma posso può
        puoi potrei potrebbe potresti voglio vorrei devo deve bisogno favore grazie ciao buongiorno salve sì
        no non molto più anche già qui ora
        """,
    ),
    "nl": _words(
        "de het een mijn jouw je uw zijn haar ons onze hun dit dat deze die mij me",
        "is zijn was waren ben bent wordt worden werd heb heeft hebben had geweest",
        "en of van voor in op aan met uit bij naar over onder door zonder tegen om te tot als sinds",
        """
        ik jij hij zij ze wij we jullie u er wat wie hoe waar wanneer waarom welke welk als omdat maar want
        kan kun kunt kunnen zou zouden wil wilt willen moet moeten mag graag alsjeblieft alstublieft bedankt
        dank hallo hoi goede dag ja nee niet nog al ook heel hier daar dan nu iets geen
        """,
    ),
}
"""Function words by ISO 639-1 code of the language."""

ENGLISH = replace(FUNCTION_WORDS[DEFAULT_LANGUAGE], has_english=True)

KNOWN_SHARE, READ_WORDS = 0.1, 60
"""More than this share of a text's first words must be function words of its language. Requests have more."""

MAIN_SHARE = 0.25
"""The texts of a topic are in a language if at least this share of them shows it: short texts often do not."""

FREQUENT_SHARE, MIN_TOPICS, MIN_TEXTS = 0.05, 4, 5
"""Of an unknown language, words are function words if this share of the texts has them in most of at least MIN_TOPICS
topics with at least MIN_TEXTS texts each."""


def select_function_words(language: str | None) -> FunctionWords:
    """Function words of a language, English ones for an unknown language."""
    return ENGLISH if language is None or language == DEFAULT_LANGUAGE else FUNCTION_WORDS.get(language, ENGLISH)


def has_function_words(language: str | None) -> bool:
    """True for a language whose function words are listed here."""
    return language in FUNCTION_WORDS or language == DEFAULT_LANGUAGE


def detect_language(text: str) -> str | None:
    """The language whose function words the text has most of; None if it has too few of any."""
    words = [word.strip('.,;:!?"()') for word in text.lower().replace("\u2019", "'").split()[:READ_WORDS]]
    hits = {language: sum(word in known.every for word in words) for language, known in FUNCTION_WORDS.items()}
    best = max(hits, key=lambda language: (hits[language], language == DEFAULT_LANGUAGE, language))
    return best if hits[best] > KNOWN_SHARE * len(words) else None


def commonest_language(languages: Sequence[str | None]) -> str | None:
    """The known language of most texts, the first by code if several have as many; None if few texts have one."""
    counts = Counter(language for language in languages if language is not None)
    best = min(counts, key=lambda language: (-counts[language], language), default=None)
    return best if best and counts[best] >= MAIN_SHARE * len(languages) else None


def derive_function_words(topics: Sequence[Sequence[str]]) -> frozenset[str]:
    """Words that are frequent in most of the topics, given by their texts."""
    large = [texts for texts in topics if len(texts) >= MIN_TEXTS]
    if len(large) < MIN_TOPICS:
        return frozenset()
    frequent: Counter[str] = Counter()
    for texts in large:
        counts = Counter(word for text in texts for word in set(text.lower().split()[:READ_WORDS]))
        frequent.update(word for word, count in counts.items() if count > FREQUENT_SHARE * len(texts))
    return frozenset(word for word, count in frequent.items() if 2 * count > len(large))
