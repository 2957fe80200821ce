"""Which encoding a file is taken for."""

import codecs

import pytest

from rapport.files.encoding import CHOICES, checked, sniff_encoding
from rapport.files.read import ReadOptions, open_table
from rapport.files.refusal import FileRefused

TEXT = "Name,Stadt\r\nJürgen,Köln\r\nZoë,Łódź\r\n"
WESTERN = "Name,Stadt\r\nJürgen,Köln\r\n"


@pytest.fixture
def sniffed(tmp_path):
    def sniff(data):
        path = tmp_path / "file"
        path.write_bytes(data)
        return sniff_encoding(path)

    return sniff


@pytest.mark.parametrize(
    ("mark", "name"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_byte_order_mark_is_certain(sniffed, mark, name):
    found = sniffed(mark + TEXT.encode(name))

    assert (found.name, found.sure, found.bom) == (name, "certain", True)


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_encodings_are_told_without_a_mark(sniffed, name):
    found = sniffed(TEXT.encode(name))

    assert (found.name, found.sure, found.bom) == (name, "likely", False)


@pytest.mark.parametrize(
    ("data", "name", "sure"),
    [
        (b"a,b\n1,2\n", "utf-8", "certain"),
        (TEXT.encode(), "utf-8", "likely"),
        (WESTERN.encode("cp1252"), "cp1252", "guess"),
        ("Straße,Größe\nÀ côté,été\n".encode("cp1252"), "cp1252", "guess"),
        ("Ort,Name\nÖsterreich,Ärzte\nÉcole,Ångström\n".encode("cp1252"), "cp1252", "guess"),
        ("¿Qué?,N.º\n£5,“so” – l’été\nMÜLLER,GRÖSSE\nÞór,©\n".encode("cp1252"), "cp1252", "guess"),
        ("Jürgen;Müller\rJörg;Weiß\r".encode("mac-roman"), "mac-roman", "guess"),
        ("Søren;Kjær\nBjørn;Møller\n".encode("cp850"), "cp850", "guess"),
        ("Имя,Город\nИван,Москва\nОльга,Казань\n".encode("cp1251"), "cp1251", "guess"),
        ("Имя,Город\nИван,Москва\nОльга,Казань\n".encode("koi8-r"), "koi8-r", "guess"),
        ("Αθήνα,Ελλάδα\nΝίκος,\n".encode("cp1253"), "cp1253", "guess"),
        ("שלום,חברה\nישראל,\n".encode("cp1255"), "cp1255", "guess"),
        ("Łukasz,Piękna\nStanisław,Śliska\n".encode("cp1250"), "cp1250", "guess"),
        ("Jiří,Dvořák\nBožena,Němcová\nJiří,\n".encode("cp1250"), "cp1250", "guess"),
        ("Ana,Kovačić\nIva,Čačić\nLuka,Perić-Dančić\n".encode("cp1250"), "cp1250", "guess"),
        ("Jørgen,Sørensen\nSøren,Møller\n\n".encode("cp1252") * 2, "cp1252", "guess"),
        ("Søren,Lefèvre\nJørgen,Irène\n".encode("cp1252"), "cp1252", "guess"),
        (
            "Sørensen,Lefèvre\nJørgen,Thérèse\nBjørn,Irène Muñoz\n".encode("cp1252"),
            "cp1252",
            "guess",
        ),
        ("Jérôme,Évry\nJörg,Größe\n".encode("mac-roman"), "mac-roman", "guess"),
        ("Jérôme,Évry\nJörg,Größe\n".encode("cp850"), "cp850", "guess"),
        ("名,姓\n太郎,山田\n".encode("cp932"), "cp932", "guess"),
        ("名前,会社\n田中,株式会社サンプル\n鈴木,東京\n".encode("cp932"), "cp932", "guess"),
        ("名前,会社\n田中,株式会社サンプル\n鈴木,東京\n".encode("euc-jp"), "euc-jp", "guess"),
        ("姓名,公司\n王伟,北京有限公司\n李娜,上海\n".encode("gb18030"), "gb18030", "guess"),
        ("姓名,公司\n陳怡君,台北股份有限公司\n".encode("big5"), "big5", "guess"),
        ("이름,회사\n김민준,서울주식회사\n".encode("cp949"), "cp949", "guess"),
        (b"a,b\n\x00,2\n", "utf-8", "certain"),
        ((TEXT * 20).encode() + b"\xff,x\n", "utf-8", "guess"),
    ],
)
def test_eight_bit_text_is_taken_for(sniffed, data, name, sure):
    found = sniffed(data)

    assert (found.name, found.sure) == (name, sure)


TURKISH = (
    "Ayşe", "Barış", "Uğur;Taşlı", "Işık", "Kılıç", "İstanbul", "İzmir", "Yıldız", "Yılmaz",
    "Balcı", "Aydın", "Hacıoğlu", "Doğan;Güneş", "Eskişehir", "Şahin", "Kadıköy", "Şükrü",
)  # fmt: skip


@pytest.mark.parametrize("name", TURKISH)
def test_few_turkish_letters_are_told_by_their_words(sniffed, name):
    assert sniffed(f"Name;Ort\n{name};Berlin\n".encode("cp1254")).name == "cp1254"
    assert sniffed(f"Name;Ort\n{name};Köln\nMüller;Düren\n".encode("cp1254")).name == "cp1254"


@pytest.mark.parametrize(
    "text",
    [
        "Þorsteinn;Alþingi", "Davíð;Jónaþan", "Sigurður;Norður", "Ýmir;Ýr;Ýsa", "Guðný;Ský;Dagný",
        "Aþena;Eyþór", "Þýskaland;Alþýða", "Auður;Suðurnes", "Friðrik;Eðvald;Daði", "Barði;Goði",
        "Novotný;Malý;Týn", "Výborný Malý", "Þak;Þing;lýðveldi", "það;með;við", "Eiði;býur",
        # One word would pass for Turkish.
        "Beþlehem;Þorsteinn Örn Sigurðsson",
    ],
)  # fmt: skip
def test_icelandic_and_czech_letters_stay(sniffed, text):
    assert sniffed(f"Name;Ort\n{text}\n".encode("cp1252")).name == "cp1252"


def test_alternatives_are_only_what_decodes(sniffed):
    found = sniffed(b"a\n\xc3\x28\x81\n")

    assert "utf-8" not in found.alternatives
    assert "iso8859-1" in found.alternatives


def test_sequence_across_a_block_is_no_error(sniffed):
    assert sniffed(b"a" * ((1 << 20) - 1) + "é\n".encode()).name == "utf-8"


def test_every_choice_is_known_by_its_own_name():
    assert [checked(name) for name in CHOICES] == list(CHOICES)


@pytest.mark.parametrize("name", ["rot13", "base64", "unicode_escape", "no such", "", "idna"])
def test_what_is_no_text_encoding_is_refused(tmp_path, name):
    path = tmp_path / "file"
    path.write_bytes(b"a,b\n")

    with pytest.raises(FileRefused) as refused:
        checked(name)

    assert refused.value.code == "encoding"


def test_chosen_encoding_wins(tmp_path):
    path = tmp_path / "file"
    path.write_bytes("Имя\nИван\n".encode("cp1251"))

    with open_table(path, ReadOptions(encoding="windows-1251")) as table:
        assert [record.cells for record in table] == [("Иван",)]
        assert table.columns == ("Имя",)


def test_short_text_with_a_damaged_letter_stays_what_it_is(sniffed):
    damaged = "Jürgen;Groß;Möbel\nGünter;Böll;Süß\n".encode() + b"Ren\xe9;X;Y\n"
    assert sniffed(damaged).name == "utf-8"
    assert sniffed("Ann;Böll\n".encode() + b"Ren\xe9;S\xfc\xdf\n").name == "cp1252"
