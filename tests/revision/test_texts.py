"""A label's text is read from plain text, FHIR documents and SPL; what is none of them is refused with a clear word."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from precaution.errors import InputError, UsageError
from precaution.revision.texts import read_text

if TYPE_CHECKING:
    from pathlib import Path

DIV = (
    '<div xmlns="http://www.w3.org/1999/xhtml"><p>Do not start <b>examplinib</b>\n in gout.</p><ul><li>Ask&#160;for '
    "pain &lt; 3 days.</li></ul></div>"
)
BODY = "Do not start examplinib in gout.\nAsk for pain < 3 days."
COMPOSITION = {
    "resourceType": "Composition",
    "language": "en",
    "section": [
        {
            "title": "4.3 Contraindications",
            "code": {"coding": [{"system": "200000029659", "code": "200000029805"}]},
            "text": {"status": "generated", "div": DIV},
        },
        {
            "title": "4.4 Warnings",
            "code": {"coding": [{"code": "200000029806"}]},
            "section": [{"title": "Kidney", "text": {"div": "<div><p>Measure creatinine.</p></div>"}}],
        },
    ],
}
XML = f"""<?xml version="1.0"?><Bundle xmlns="http://hl7.org/fhir"><entry><resource><Composition>
<language value="en"/><section><title value="4.3 Contraindications"/><code><coding><code value="200000029805"/></coding>
</code><text><status value="generated"/>{DIV}</text></section></Composition></resource></entry></Bundle>"""
SPL = """<?xml version="1.0" encoding="UTF-8"?><?xml-stylesheet type="text/xsl" href="spl.xsl"?>
<document xmlns="urn:hl7-org:v3"><languageCode code="en-US"/><title>Examplinib</title><component><structuredBody>
<component><section><code code="43685-7" codeSystem="2.16.840.1.113883.6.1"/><title>5 WARNINGS</title>
<excerpt><highlight><text><paragraph>Short.</paragraph></text></highlight></excerpt>
<component><section><code code="42229-5"/><title>5.1 Kidney</title><text><paragraph>Measure <content styleCode="bold">
creatinine</content> <linkHtml href="#a">(2.1)</linkHtml>.</paragraph><list><item>Ask for pain.</item></list>
<table><tbody><tr><td>Dose</td><td>5 mg</td></tr></tbody></table></text></section></component></section></component>
<component><section><code code="34084-4"/><title>6 ADVERSE REACTIONS</title><text><paragraph>Gout.</paragraph></text>
</section></component></structuredBody></component></document>"""


def written(tmp_path: Path, content: str | bytes, name: str = "text") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_plain_text_is_taken_as_it_is(tmp_path: Path) -> None:
    assert read_text(written(tmp_path, "\ufeff Ask.\r\nWait.\n")).text == " Ask.\nWait.\n"


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_fhir_document_is_read_section_by_section(tmp_path: Path, *, wrapped: bool) -> None:
    value = {"resourceType": "Bundle", "entry": [{"resource": COMPOSITION}]} if wrapped else COMPOSITION
    text = read_text(written(tmp_path, json.dumps(value)))
    assert text.text == f"4.3 Contraindications\n{BODY}\n4.4 Warnings\nKidney\nMeasure creatinine."
    assert text.language == "en"


@pytest.mark.parametrize("name", ["200000029806", "4.4", "4.4 Warnings"])
def test_a_section_is_taken_by_code_or_number_with_those_in_it(tmp_path: Path, name: str) -> None:
    text = read_text(written(tmp_path, json.dumps(COMPOSITION)), [name])
    assert text.text == "4.4 Warnings\nKidney\nMeasure creatinine."
    assert [each.shown() for each in text.left_out] == ["200000029805 4.3 Contraindications"]


def test_a_fhir_document_in_xml_reads_as_in_json(tmp_path: Path) -> None:
    assert read_text(written(tmp_path, XML)).text == f"4.3 Contraindications\n{BODY}"


def test_an_spl_document_is_read_section_by_section(tmp_path: Path) -> None:
    text = read_text(written(tmp_path, SPL), ["43685-7"])
    assert text.text == "5 WARNINGS\n5.1 Kidney\nMeasure creatinine (2.1).\nAsk for pain.\nDose 5 mg"
    assert text.language == "en-US"
    assert read_text(written(tmp_path, SPL), ["5.1"]).text.startswith("5.1 Kidney\n")


def test_a_section_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no section '4\.9'; it has: 200000029805 4\.3 Contraindications"):
        read_text(written(tmp_path, json.dumps(COMPOSITION)), ["4.9"])
    with pytest.raises(UsageError, match="plain text, which has no sections"):
        read_text(written(tmp_path, "Ask."), ["4.9"])


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    + "]><document>&j;</document>"
)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is empty"),
        (b"\xff\x00\xfe", "can't be read as UTF-8"),
        ("a\0b", "NUL"),
        (LAUGHS, "document type"),
        ('<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><document>&x;</document>', "document type"),
        ("<document><component>", "can't be read as XML: it breaks at line 1"),
        ("<p>" * 100_000, "levels deep"),
        ("<html><body>Ask.</body></html>", "neither an SPL document nor a FHIR"),
        ("<document><title>x</title></document>", "no section"),
        ('<Composition xmlns="http://hl7.org/fhir"/>', "no sections"),
        ('<?xml version="1.0" encoding="no-such"?><document/>', "can't be read as XML"),
        ("{", "JSON"),
        ('{"resourceType": "Patient"}', "neither a FHIR Bundle nor a Composition"),
        ('{"resourceType": "Bundle", "entry": [null, {"resource": 3}]}', "one Composition"),
        ('{"resourceType": "Composition", "section": [{"title": 4, "text": "x", "code": []}, 7]}', None),
        ('{"resourceType": "Composition", "section": [{}]}', "holds no text"),
    ],
)
def test_what_is_no_label_is_refused_with_a_clear_word(tmp_path: Path, content: str | bytes, says: str | None) -> None:
    began = time.monotonic()
    if says is None:
        assert read_text(written(tmp_path, content)).text
    else:
        with pytest.raises(InputError, match=says):
            read_text(written(tmp_path, content))
    assert time.monotonic() - began < 5


def test_a_real_product_information_reads_as_its_own_lines(shared: Path) -> None:
    folder = shared / "clinical" / "methotrexate"
    lines = read_text(folder / "epi.json", ["4.3", "4.4"]).text.split("\n")
    plain = (folder / "label.txt").read_text(encoding="utf-8").splitlines()
    assert [" ".join(line.split()) for line in plain if line.strip()] == lines
