"""Tolls in fourteen languages beside English.

``UNSEEN`` is held out: no weight was learned from it. The examples of ``seeds/tolls`` are what the weights were
learned from; they must still read as they are labelled.
"""

from __future__ import annotations

from importlib.resources import files

import pytest

from classifiers.assessment import Text
from classifiers.tolls import TollReading, read_toll

OTHERS = ("ar", "az", "de", "es", "fa", "fr", "he", "hy", "pl", "pt", "ru", "tr", "uk", "zh")

UNSEEN: list[tuple[str, int | None, int | None, str]] = [
    ("ru", 17, None, "17 военных погибли в засаде на севере Мали"),
    ("ru", 8, 34, "Взрыв в метро: восемь погибших, 34 пострадавших"),
    ("ru", 30, None, "Около 30 боевиков уничтожены в ходе операции в горах"),
    ("ru", 2, None, "Двух журналистов убили на окраине столицы"),
    ("ru", None, 6, "Шесть человек получили осколочные ранения при взрыве гранаты"),
    ("ru", 1, None, "Мэр города застрелен у своего дома"),
    ("ru", 11, 20, "Не менее 11 человек погибли и 20 ранены, сообщил представитель МВД"),
    ("uk", 17, None, "17 військових загинули в засідці на півночі Малі"),
    ("uk", 8, 34, "Вибух у метро: восьмеро загиблих, 34 постраждалих"),
    ("uk", 30, None, "Близько 30 бойовиків знищено під час операції в горах"),
    ("uk", 2, None, "Двох журналістів убили на околиці столиці"),
    ("uk", None, 6, "Шестеро людей дістали осколкові поранення"),
    ("uk", 11, 20, "Щонайменше 11 людей загинули і 20 поранені, повідомили рятувальники"),
    ("ar", 17, None, "مقتل 17 جنديا في كمين شمال مالي"),
    ("ar", 8, 34, "انفجار في محطة المترو يوقع ثمانية قتلى و34 جريحا"),
    ("ar", 30, None, "الجيش يقتل نحو 30 مسلحا في عملية جبلية"),
    ("ar", 2, None, "مقتل صحفيين اثنين في ضواحي العاصمة"),
    ("ar", None, 6, "إصابة ستة أشخاص بشظايا قنبلة"),
    ("ar", 11, 20, "مقتل 11 شخصا على الأقل وإصابة 20 آخرين في انفجار سيارة"),
    ("fa", 17, None, "۱۷ نظامی در کمین شورشیان کشته شدند"),
    ("fa", 8, 34, "انفجار مترو هشت کشته و ۳۴ مجروح داشت"),
    ("fa", 30, None, "حدود ۳۰ تروریست در عملیات ارتش به هلاکت رسیدند"),
    ("fa", 2, None, "دو خبرنگار در حومه پایتخت کشته شدند"),
    ("fa", None, 6, "شش نفر بر اثر انفجار نارنجک زخمی شدند"),
    ("fa", 11, 20, "حداقل ۱۱ نفر جان باختند و ۲۰ نفر زخمی شدند"),
    ("he", 17, None, "17 חיילים נהרגו במארב בצפון מאלי"),
    ("he", 8, 34, "פיצוץ ברכבת התחתית: שמונה הרוגים ו-34 פצועים"),
    ("he", 30, None, "כ-30 מחבלים חוסלו במבצע בהרים"),
    ("he", 2, None, "שני עיתונאים נרצחו בפאתי הבירה"),
    ("he", None, 6, "שישה בני אדם נפצעו מרסיסי רימון"),
    ("he", 11, 20, "לפחות 11 בני אדם נהרגו ו-20 נפצעו בפיצוץ מכונית תופת"),
    ("zh", 17, None, "马里北部伏击战中17名士兵阵亡"),
    ("zh", 8, 34, "地铁爆炸致八人死亡三十四人受伤"),
    ("zh", 30, None, "山区行动中约30名武装分子被击毙"),
    ("zh", 2, None, "两名记者在首都郊外遇害"),
    ("zh", None, 6, "手榴弹爆炸致六人受伤"),
    ("zh", 11, 20, "汽车炸弹爆炸,至少11人死亡,20人受伤"),
    ("tr", 17, None, "Mali'nin kuzeyindeki pusuda 17 asker öldü"),
    ("tr", 8, 34, "Metroda patlama: 8 ölü, 34 yaralı"),
    ("tr", 30, None, "Dağlık bölgedeki operasyonda yaklaşık 30 terörist öldürüldü"),
    ("tr", 2, None, "Başkentte iki gazeteci öldürüldü"),
    ("tr", None, 6, "El bombası patladı, altı kişi yaralandı"),
    ("tr", 11, 20, "Bombalı araç saldırısında en az 11 kişi hayatını kaybetti, 20 kişi yaralandı"),
    ("az", 17, None, "Malinin şimalındakı pusuda 17 əsgər həlak olub"),
    ("az", 8, 34, "Metroda partlayış: 8 ölü, 34 yaralı"),
    ("az", 30, None, "Əməliyyatda təxminən 30 silahlı məhv edilib"),
    ("az", 2, None, "Paytaxtda iki jurnalist öldürülüb"),
    ("az", None, 6, "Qumbara partlayıb, altı nəfər yaralanıb"),
    ("az", 11, 20, "Partlayışda ən azı 11 nəfər həlak olub, 20 nəfər yaralanıb"),
    ("hy", 17, None, "Մալիի հյուսիսում դարանակալման հետևանքով զոհվել է 17 զինվոր"),
    ("hy", 8, 34, "Մետրոյում պայթյունից զոհվել է ութ մարդ, 34-ը վիրավորվել է"),
    ("hy", 30, None, "Գործողության ընթացքում ոչնչացվել է մոտ 30 գրոհային"),
    ("hy", 2, None, "Մայրաքաղաքում սպանվել է երկու լրագրող"),
    ("hy", None, 6, "Նռնակի պայթյունից վիրավորվել է վեց մարդ"),
    ("hy", 11, 20, "Առնվազն 11 մարդ է սպանվել, 20-ը՝ վիրավորվել"),
    ("es", 17, None, "Diecisiete soldados mueren en una emboscada en el norte de Malí"),
    ("es", 8, 34, "Explosión en el metro: ocho muertos y 34 heridos"),
    ("es", 30, None, "Unos 30 insurgentes abatidos en una operación en la sierra"),
    ("es", 2, None, "Asesinados dos periodistas a las afueras de la capital"),
    ("es", None, 6, "Seis heridos por la explosión de una granada"),
    ("es", 11, 20, "Un coche bomba mata al menos a 11 personas y hiere a otras 20"),
    ("fr", 17, None, "Dix-sept soldats tués dans une embuscade au nord du Mali"),
    ("fr", 8, 34, "Explosion dans le métro : huit morts et 34 blessés"),
    ("fr", 30, None, "Environ 30 djihadistes tués dans une opération"),
    ("fr", 2, None, "Deux journalistes assassinés près de la capitale"),
    ("fr", None, 6, "Six personnes blessées par l'explosion d'une grenade"),
    ("fr", 11, 20, "Un attentat à la voiture piégée tue au moins 11 personnes et en blesse 20 autres"),
    ("de", 17, None, "17 Soldaten sterben bei Hinterhalt im Norden Malis"),
    ("de", 8, 34, "Explosion in U-Bahn: acht Tote und 34 Verletzte"),
    ("de", 30, None, "Rund 30 Aufständische bei Einsatz in den Bergen getötet"),
    ("de", 2, None, "Zwei Journalisten am Rande der Hauptstadt ermordet"),
    ("de", None, 6, "Sechs Menschen durch Granate verletzt"),
    ("de", 11, 20, "Bei einem Autobombenanschlag wurden mindestens 11 Menschen getötet und 20 verletzt"),
    ("pt", 17, None, "Dezessete soldados morrem em emboscada no norte do Mali"),
    ("pt", 8, 34, "Explosão no metrô: oito mortos e 34 feridos"),
    ("pt", 30, None, "Cerca de 30 insurgentes mortos em operação nas montanhas"),
    ("pt", 2, None, "Dois jornalistas assassinados perto da capital"),
    ("pt", None, 6, "Seis pessoas feridas por explosão de granada"),
    ("pt", 11, 20, "Carro-bomba mata ao menos 11 pessoas e fere outras 20"),
    ("pl", 17, None, "17 żołnierzy zginęło w zasadzce na północy Mali"),
    ("pl", 8, 34, "Wybuch w metrze: ośmiu zabitych, 34 rannych"),
    ("pl", 30, None, "Około 30 bojowników zabito podczas operacji w górach"),
    ("pl", 2, None, "Dwóch dziennikarzy zamordowano pod stolicą"),
    ("pl", None, 6, "Sześć osób rannych po wybuchu granatu"),
    ("pl", 11, 20, "Co najmniej 11 osób zginęło, a 20 zostało rannych w wybuchu samochodu pułapki"),
]


def owned(language: str) -> list[tuple[str, str, str, str]]:
    """The examples of one language in ``seeds/tolls``."""
    lines = (files("seeds") / "tolls" / f"{language}.tsv").read_text(encoding="utf-8").splitlines()
    return [(language, *line.split("\t")) for line in lines]  # type: ignore[misc]


OWN = [example for language in OTHERS for example in owned(language)]


def read(text: str, language: str) -> TollReading:
    """The toll of a text that is known to be about casualties."""
    title, _, summary = text.partition(" || ")
    return read_toll(Text(title, summary), language, ["armed_clash", "casualties"])


@pytest.mark.parametrize(("language", "killed", "injured", "text"), UNSEEN)
def test_unseen_examples_are_read(language: str, killed: int | None, injured: int | None, text: str) -> None:
    """What was learned in English and a few lines of the language reads new sentences of it."""
    reading = read(text, language)
    assert (reading.killed.best if reading.killed else None) == killed
    assert (reading.injured.best if reading.injured else None) == injured


@pytest.mark.parametrize(("language", "killed", "injured", "text"), OWN)
def test_own_examples_are_read(language: str, killed: str, injured: str, text: str) -> None:
    """Every own example of the language reads as it is labelled: numbers, ranges, totals and vague words."""
    reading = read(text, language)
    for cell, toll in ((killed, reading.killed), (injured, reading.injured)):
        best = toll.best if toll else None
        if cell == "-":
            assert toll is None
        elif cell[0] in "~=":
            assert toll is not None
            assert (best, str(toll.words if cell[0] == "~" else toll.total)) == (None, cell[1:])
        elif "-" in cell:
            assert toll is not None
            assert f"{toll.low}-{toll.high}" == cell
        else:
            assert toll is not None
            assert cell in {str(best), f"{best}+{toll.total}"}
