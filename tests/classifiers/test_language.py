"""Which language a text is in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.assessment import Text
from classifiers.language import SUPPORTED, detect, script_of

SUPPORTED_TEXTS = {
    "en": ["Rebels shell the harbour town for a second night", "Two soldiers killed in border ambush"],
    "ru": ["Ночью был обстрелян портовый город", "Двое военных погибли при нападении на заставу"],
    "uk": ["Уночі обстріляли портове місто", "Двоє військових загинули під час нападу на заставу"],
    "ar": ["قصف ليلي على المدينة الساحلية", "مقتل جنديين في كمين على الحدود"],
    "es": ["Bombardean por segunda noche la ciudad portuaria", "Dos soldados muertos en una emboscada"],
    "fr": ["La ville portuaire bombardée pour la deuxième nuit", "Deux soldats tués dans une embuscade"],
    "tr": ["Liman kenti ikinci gece de vuruldu", "Sınırdaki pusuda iki asker öldü", "Ordu geri çekildi"],
    "fa": ["شهر بندری برای دومین شب گلوله‌باران شد", "دو سرباز در کمین مرزی کشته شدند"],
    "he": ["עיר הנמל הופגזה לילה שני ברציפות", "שני חיילים נהרגו במארב בגבול"],
    "hy": ["Նավահանգստային քաղաքը գնդակոծվել է երկրորդ գիշերը", "Երկու զինվոր է զոհվել"],
    "az": ["Liman şəhəri ikinci gecə də atəşə tutulub", "Sərhəddə iki əsgər həlak olub"],
    "zh": ["港口城市连续第二晚遭到炮击", "两名士兵在边境伏击中丧生"],
    "de": ["Hafenstadt die zweite Nacht beschossen", "Zwei Soldaten bei Hinterhalt an der Grenze getötet"],
    "pt": ["Cidade portuária bombardeada pela segunda noite", "Dois soldados mortos em emboscada na fronteira"],
    "pl": ["Miasto portowe ostrzelane drugą noc z rzędu", "Dwaj żołnierze zginęli w zasadzce na granicy"],
}
OTHER_TEXTS = {
    "it": "Due soldati uccisi in un agguato al confine, secondo il governo",
    "nl": "Twee soldaten gedood bij een hinderlaag aan de grens, zegt de regering",
    "sv": "Två soldater dödades i ett bakhåll vid gränsen, säger regeringen",
    "fi": "Kaksi sotilasta kuoli väijytyksessä rajalla, kertoo hallitus, mutta asia on epäselvä",
    "hu": "Két katona meghalt egy rajtaütésben a határon, közölte a kormány",
    "cs": "Dva vojáci zahynuli při přepadení na hranici, uvedla vláda",
    "ro": "Doi soldați au fost uciși într-o ambuscadă la graniță, spune guvernul",
    "id": "Dua tentara tewas dalam penyergapan di perbatasan, kata pemerintah",
    "vi": "Hai binh sĩ thiệt mạng trong vụ phục kích ở biên giới",
    "bg": "Двама войници са убити при засада на границата, заяви правителството",
    "sr": "Два војника су погинула у заседи на граници, саопштила је влада",
    "ur": "سرحد پر گھات لگا کر حملے میں دو فوجی ہلاک ہو گئے ہیں",
    "el": "Δύο στρατιώτες σκοτώθηκαν σε ενέδρα στα σύνορα",
    "ka": "საზღვარზე ჩასაფრებისას ორი ჯარისკაცი დაიღუპა",
    "ja": "国境での待ち伏せで兵士2人が死亡した",
    "ko": "국경 매복 공격으로 군인 두 명 사망",
    "hi": "सीमा पर घात लगाकर किए गए हमले में दो सैनिक मारे गए",
    "am": "በድንበር ላይ በተደረገ ጥቃት ሁለት ወታደሮች ተገደሉ",
}


@pytest.mark.parametrize(("code", "title"), [(c, t) for c, texts in SUPPORTED_TEXTS.items() for t in texts])
def test_headlines_of_each_supported_language_are_told(code: str, title: str) -> None:
    """A bare headline is enough to tell each of the fifteen languages."""
    assert detect(Text(title)) == (code, True)


@pytest.mark.parametrize(("code", "title"), OTHER_TEXTS.items())
def test_other_languages_are_named_and_not_claimed(code: str, title: str) -> None:
    """A language that is not read is named as what it is and reported as unsupported."""
    assert detect(Text(title)) == (code, False)


def test_every_supported_language_is_tested() -> None:
    """Nobody adds a language without an example of it."""
    assert set(SUPPORTED_TEXTS) == SUPPORTED


def test_the_text_outweighs_the_source() -> None:
    """A feed that says it is English may carry a Spanish item."""
    assert detect(Text("Dos soldados muertos en una emboscada en la frontera", language="en-GB")) == ("es", True)


@pytest.mark.parametrize(("stated", "told"), [("pt-BR", "pt"), ("de_AT", "de"), (None, "und")])
def test_the_source_decides_where_the_text_says_nothing(stated: str | None, told: str) -> None:
    """Without a letter in the text only the source's own statement is left."""
    assert detect(Text("12:30 – 45!", language=stated))[0] == told


def test_names_alone_are_english_unless_the_source_says_otherwise() -> None:
    """A headline that is names only reads as English, or as what the feed says it is."""
    assert detect(Text("Kandahar, Herat"))[0] == "en"
    assert detect(Text("Kandahar, Herat", language="fr"))[0] == "fr"


def test_foreign_names_do_not_sway() -> None:
    """One accented name in an English sentence leaves it English."""
    assert detect(Text("Police in São Tomé say the coup leader Müller was held at the airport"))[0] == "en"


def test_script_of_mixed_text_is_that_of_most_letters() -> None:
    """A Latin name in a Chinese sentence does not make it Latin."""
    assert script_of("北约秘书长Stoltenberg表示支持") == "han"
    assert script_of("") == ""


@given(st.text(max_size=300), st.text(max_size=300), st.one_of(st.none(), st.text(max_size=12)))
def test_any_text_has_an_answer(title: str, summary: str, stated: str | None) -> None:
    """Whatever comes in, a code comes out, and it is supported exactly if it is one of the fifteen."""
    code, supported = detect(Text(title, summary, stated))
    assert 2 <= len(code) <= 8
    assert supported == (code in SUPPORTED)
