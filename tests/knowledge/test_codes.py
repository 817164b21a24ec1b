"""The code lists of the first label: well formed, each code where it belongs, and every trap of public lists.

`PYTHONPATH=tests python tests/knowledge/test_codes.py` writes data/code_rows_to_review.csv anew: the rows whose name
has none of the words expected of their list. A person looks at what is new in it before it is committed.
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections import Counter
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from precaution.knowledge.check_digits import is_loinc, is_snomed
from precaution.knowledge.terminology import COLUMNS, Concept, Terminology, build, read_lists
from support.project import PROJECT

if TYPE_CHECKING:
    from types import ModuleType

LABEL = Path(__file__).resolve().parents[2] / "precaution/labels/baricitinib"
REVIEWED = PROJECT / "tests" / "data" / "code_rows_to_review.csv"
RESULTS = ("result_positive", "result_negative", "result_indeterminate")


class Row(NamedTuple):
    """A row of a list, with the concept whose list it is."""

    concept: str
    system: str
    code: str
    display: str


@cache
def rows() -> list[Row]:
    found = []
    for path in sorted((LABEL / "codes").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            table = csv.DictReader(line for line in file if not line.startswith("#"))
            found += [Row(path.name.split(".")[0], each["system"], each["code"], each["display"]) for each in table]
    return found


@cache
def concepts() -> dict[str, Concept]:
    tables = tomllib.loads((LABEL / "concepts.toml").read_text(encoding="utf-8"))["concept"]
    return {
        name: Concept(
            name=name,
            **{
                key.replace("-", "_"): tuple(value) if isinstance(value, list) else value
                for key, value in table.items()
            },
        )
        for name, table in tables.items()
    }


@cache
def terminology() -> Terminology:
    return build(read_lists(LABEL / "codes"), concepts())


def to_review() -> list[Row]:
    """Return the rows whose name has none of the words of their concept."""
    return [
        row
        for row in rows()
        if concepts().get(row.concept, Concept(name="")).words
        and row.concept not in terminology().spoken_of(row.display)
    ]


@cache
def importer() -> ModuleType:
    """Return tools/import_codes.py, which is no part of the package."""
    spec = spec_from_file_location("import_codes", LABEL.parents[2] / "tools" / "import_codes.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SHAPES = {
    "ICD10CM": r"[A-TV-Z]\d[0-9AB](\.[0-9A-Z]{1,4})?\*?|U07\.1",
    "ATC": r"[A-Z]\d{2}([A-Z]([A-Z](\d{2})?)?)?\*?",
    "CVX": r"\d{2,3}",
    "RxNorm": r"[1-9]\d{2,6}",
    "RxNormExt": r"OMOP\d+",
    "HL7v3-ObservationInterpretation": r"[A-Z]{1,3}",
    "LOINC": r"(LA)?\d{1,5}-\d",
    "SNOMED": r"[1-9]\d{5,17}",
}


def test_every_code_has_the_shape_of_its_system() -> None:
    wrong = [row for row in rows() if not re.fullmatch(SHAPES[row.system], row.code)]
    assert wrong == []


def test_every_check_digit_is_right() -> None:
    check = {"LOINC": is_loinc, "SNOMED": is_snomed}
    checked = [row for row in rows() if row.system in check]
    assert len(checked) > 10_000
    assert [row for row in checked if not check[row.system](row.code)] == []


@pytest.mark.parametrize("code", ["13952-0", "11259-1", "38372-3", "11580-3"])
def test_wrong_loincs_of_public_lists_fail_and_are_not_here(code: str) -> None:
    assert not is_loinc(code)
    assert terminology().concepts("LOINC", code) == ()


def test_a_snomed_id_rounded_by_a_spreadsheet_fails() -> None:
    assert is_snomed("16002111000119106")
    assert not is_snomed("16002111000119100")


def test_a_code_stands_once_in_a_concept() -> None:
    counts = Counter((row.concept, row.system, row.code) for row in rows())
    assert [key for key, count in counts.items() if count > 1] == []


def test_short_lists_name_their_source_and_long_ones_say_it_first() -> None:
    for path in (LABEL / "codes").glob("*.csv"):
        lines = path.read_text(encoding="utf-8").splitlines()
        head = next(line for line in lines if not line.startswith("#")).split(",")
        assert tuple(head[:2]) == COLUMNS
        if path.name.endswith(".more.csv"):
            assert lines[0].startswith("# ")
            assert "licence" in lines[0]
        else:
            assert head == ["system", "code", "display", "source", "verified"], path.name


def test_a_row_that_was_not_verified_says_so() -> None:
    for path in (LABEL / "codes").glob("*.csv"):
        if not path.name.endswith(".more.csv"):
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(line for line in file if not line.startswith("#")):
                    assert row["verified"] in {"yes", "no"}, (path.name, row)
                    assert row["source"] or row["verified"] == "no", (path.name, row)


def test_every_table_has_a_list_and_names_only_concepts() -> None:
    lists = set(read_lists(LABEL / "codes"))
    assert set(concepts()) <= lists
    for concept in concepts().values():
        assert {*concept.outranks, *concept.answers} <= lists, concept.name


def test_a_unit_has_plausible_limits_in_order() -> None:
    for concept in concepts().values():
        assert bool(concept.unit) == bool(concept.plausible), concept.name
        if concept.plausible:
            low, high = concept.plausible
            assert low < high
        assert all(factor > 0 for factor in concept.factors.values())


def test_a_spelling_means_one_thing() -> None:
    counts = Counter(text for concept in concepts().values() for text in concept.spellings)
    assert [text for text, count in counts.items() if count > 1] == []


IS = [
    # ICD-10-CM by prefix, with its dot
    ("ICD10CM", "I21.01", {"ascvd_mi"}),
    ("ICD10CM", "C34.90", {"malignancy_current", "lung_cancer"}),
    ("ICD10CM", "B02", {"herpes_zoster", "infection_any"}),
    ("ICD10CM", "B02.9", {"herpes_zoster", "infection_any"}),
    ("ICD10CM", "E11.9", {"diabetes"}),
    ("ICD10CM", "R73.03", set()),
    # history and sequelae are never active
    ("ICD10CM", "B90.9", {"infection_sequela", "tb_history"}),
    ("ICD10CM", "B94.8", {"infection_sequela"}),
    ("ICD10CM", "Z86.11", {"infection_sequela", "tb_history"}),
    ("ICD10CM", "Z86.19", {"infection_sequela"}),
    ("ICD10CM", "Z86.711", {"vte_history"}),
    ("ICD10CM", "Z87.440", {"infection_sequela"}),
    ("SNOMED", "473114006", {"tb_history"}),
    ("SNOMED", "429014004", {"malignancy_history"}),
    ("SNOMED", "415082004", {"malignancy_history"}),
    ("SNOMED", "161508001", {"vte_history"}),
    # acute zoster, and what may be it
    ("ICD10CM", "B02.23", {"herpes_zoster_nervous_system_or_sequela", "infection_any"}),
    ("SNOMED", "4740000", {"herpes_zoster"}),
    ("SNOMED", "309465005", {"herpes_zoster_nervous_system_or_sequela"}),
    ("SNOMED", "2177002", set()),  # postherpetic neuralgia
    ("SNOMED", "88594005", {"herpes_simplex"}),
    # suspected, uncertain, in situ
    ("SNOMED", "162573006", {"malignancy_suspected"}),
    ("SNOMED", "126906006", {"malignancy_in_situ_or_uncertain"}),
    ("SNOMED", "94754000", {"malignancy_in_situ_or_uncertain"}),
    ("SNOMED", "92754004", {"malignancy_in_situ_or_uncertain"}),
    ("SNOMED", "277577000", {"malignancy_in_situ_or_uncertain"}),
    ("SNOMED", "254701007", {"nmsc"}),
    ("SNOMED", "417036008", set()),
    ("SNOMED", "367336001", set()),  # a screening, a treatment
    # tuberculosis
    ("SNOMED", "56717001", {"tb_active"}),
    ("SNOMED", "11999007", {"tb_latent"}),
    ("ICD10CM", "Z22.7", {"tb_latent"}),
    # hepatitis: carriers, not the immune
    ("SNOMED", "235871004", {"hepatitis_b"}),
    ("SNOMED", "271511000", {"hepatitis_b_immune_or_antibody_only"}),
    ("SNOMED", "442374005", {"hepatitis_b", "hepatitis_c"}),
    # results
    ("LOINC", "71773-6", {"lab_igra_interpretation"}),
    ("LOINC", "71774-4", set()),  # the control tube
    ("LOINC", "718-7", {"lab_hemoglobin"}),
    ("LOINC", "59260-0", {"lab_hemoglobin"}),
    ("LOINC", "4548-4", set()),
    ("LOINC", "18262-6", {"lab_ldl"}),
    ("LOINC", "22748-8", {"lab_ldl"}),
    ("LOINC", "8663-7", set()),
    ("HL7v3-ObservationInterpretation", "POS", {"result_positive"}),
    ("LOINC", "LA11885-3", {"result_indeterminate"}),
    # smoking
    ("SNOMED", "8392000", {"smoking_unknown"}),
    ("SNOMED", "230065006", {"smoking_current"}),  # a chain smoker
    ("SNOMED", "8517006", {"smoking_former"}),
    ("SNOMED", "266919005", {"smoking_never"}),
    # drugs: ingredient, clinical drug, brand, and the class that holds the drug itself
    ("RxNorm", "2047232", {"drug_baricitinib"}),
    ("RxNorm", "2047241", {"drug_baricitinib"}),
    ("RxNorm", "2205474", {"drug_baricitinib"}),
    ("ATC", "L04AF02", {"drug_baricitinib"}),
    ("ATC", "L04AA37", {"drug_baricitinib"}),
    ("RxNorm", "27169", {"drug_csdmard"}),  # leflunomide, not adalimumab
    ("ATC", "L04AX03", {"drug_methotrexate", "drug_csdmard"}),
    ("ATC", "L01BA01", {"drug_methotrexate"}),
    ("ATC", "L01XC02", {"drug_bdmard_other"}),
    ("ATC", "J04AC01", {"drug_antituberculosis", "drug_systemic_antiinfective"}),
    ("ATC", "C10AA05", {"drug_statin"}),
    # combined against progestin-only, contraception against replacement
    ("RxNorm", "748856", {"drug_combined_hormonal_contraceptive"}),
    ("RxNorm", "978950", {"drug_combined_hormonal_contraceptive"}),
    ("RxNorm", "978949", {"drug_combined_hormonal_contraceptive"}),
    ("RxNorm", "402250", {"drug_hormone_replacement"}),
    ("RxNorm", "1000126", set()),
    ("ATC", "G03AC03", set()),  # medroxyprogesterone, levonorgestrel alone
    ("ATC", "G03AA07", {"drug_combined_hormonal_contraceptive"}),
    ("ATC", "G03CA03", {"drug_hormone_replacement"}),
    # vaccines
    ("CVX", "121", {"vaccine_live"}),
    ("CVX", "187", set()),
    ("CVX", "188", {"vaccine_live_status_ambiguous"}),
    ("CVX", "151", {"vaccine_live_status_ambiguous"}),
    ("CVX", "140", set()),
    # others of the public lists' traps
    ("SNOMED", "15777000", set()),  # prediabetes
    ("SNOMED", "195230003", {"vte"}),
    ("SNOMED", "132281000119108", {"vte"}),
    ("SNOMED", "74218008", set()),
    ("SNOMED", "232717009", {"ascvd_revascularization", "major_surgery"}),
]


@pytest.mark.parametrize(("system", "code", "expected"), IS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_code_is_where_it_belongs(system: str, code: str, expected: set[str]) -> None:
    risk_lists = {"skin_cancer_risk", "infection_chronic_or_recurrent", "infection_serious_or_opportunistic"}
    assert set(terminology().concepts(system, code)) - (risk_lists - expected) == expected


@pytest.mark.parametrize(
    "list_of_now",
    [
        "malignancy_current",
        "tb_active",
        "vte",
        "herpes_zoster",
        "infection_any",
        "hepatitis_b",
        "hepatitis_c",
        "smoking_current",
        "infection_chronic_or_recurrent",
        "diabetes",
    ],
)
def test_no_list_of_what_is_holds_what_was_or_may_be(list_of_now: str) -> None:
    """By name: 'history of', 'suspected', 'sequelae' belong to lists of their own."""
    said = re.compile(
        r"\bhistory|h/o|suspected|sequela|screening(?! programme)|\bimmune|postherpetic|family (?!transloc)"
        r"|uncertain|in situ",
        re.IGNORECASE,
    )
    listed = [row for row in rows() if row.concept == list_of_now and said.search(row.display)]
    assert [
        row
        for row in listed
        if row.concept in terminology().concepts(row.system, row.code)
        and "acquired immunodeficiency" not in row.display
    ] == []


def test_combined_contraceptives_have_an_estrogen() -> None:
    estrogen = re.compile(r"estradiol|estrogen|vaginal ring|patch|natazia|mestranol", re.IGNORECASE)
    listed = [row for row in rows() if row.concept == "drug_combined_hormonal_contraceptive"]
    assert [row for row in listed if not estrogen.search(row.display)] == []


def test_major_surgery_is_large() -> None:
    small = re.compile(r"colonoscop|central venous|pacemaker|transluminal|needle|injection", re.IGNORECASE)
    large = re.compile(
        r"open|laparo|thoraco|cranio|prosthe|endovascular repair|transplant|sternotomy|incision", re.IGNORECASE
    )
    listed = [row for row in rows() if row.concept == "major_surgery"]
    assert len(listed) > 5_000
    assert [row for row in listed if small.search(row.display) and not large.search(row.display)] == []


def test_no_new_row_lacks_the_words_of_its_list() -> None:
    with REVIEWED.open(encoding="utf-8", newline="") as file:
        reviewed = {(each["concept"], each["system"], each["code"]) for each in csv.DictReader(file)}
    new = [row for row in to_review() if row[:3] not in reviewed]
    assert new == [], "look at these rows, then run PYTHONPATH=tests python tests/knowledge/test_codes.py"


def test_words_speak_of_what_lost_its_code() -> None:
    """A code replaced by rubbish leaves a doubt: of every list nearly all names have words of their concept."""
    every, silent = Counter(row.concept for row in rows()), Counter(row.concept for row in to_review())
    for concept in every:
        if concepts().get(concept, Concept(name="")).words:
            least = 0.85 if concept == "major_surgery" else 0.95
            assert 1 - silent[concept] / every[concept] >= least, concept
    others = sum(count for concept, count in every.items() if concept not in {"major_surgery", *RESULTS})
    assert sum(count for concept, count in silent.items() if concept != "major_surgery") / others < 0.01


SPEAKS = [
    ("Tuberculosis", {"tb_active"}),
    ("TB", {"tb_active"}),
    ("Pulmonary TB", {"tb_active"}),
    ("LTBI", {"tb_latent"}),
    ("Breast cancer", {"malignancy_current"}),
    ("Adenocarcinoma", {"malignancy_current"}),
    ("Leukaemia", {"malignancy_current"}),
    ("DVT", {"vte"}),
    ("Pulmonary embolism", {"vte"}),
    ("Shingles", {"herpes_zoster"}),
    ("Herpes zoster", {"herpes_zoster"}),
    ("Hepatitis B", {"hepatitis_b"}),
    ("Chronic hepatitis C", {"hepatitis_c"}),
    ("Heart attack", {"ascvd_mi"}),
    ("MI", {"ascvd_mi"}),
    ("Stroke", {"ascvd_stroke_tia"}),
    ("TIA", {"ascvd_stroke_tia"}),
    ("CAD", {"ascvd_coronary"}),
    ("Angina", {"ascvd_coronary"}),
    ("PAD", {"ascvd_pad"}),
    ("Diabetes", {"diabetes"}),
    ("Hypertension", {"cv_risk_hypertension"}),
    ("Hyperlipidaemia", {"cv_risk_dyslipidemia"}),
    ("Obesity", {"cv_risk_obesity"}),
    ("HIV infection", {"hiv", "infection_any"}),
    ("Pneumonia", {"infection_any"}),
    ("UTI", {"infection_any"}),
    ("Current every day smoker", {"smoking_current"}),
    ("Former smoker", {"smoking_former"}),
    ("Total knee arthroplasty", {"major_surgery"}),
    ("MMR", {"vaccine_live"}),
    ("Zostavax", {"vaccine_live"}),
    ("Yellow fever vaccine", {"vaccine_live"}),
    ("Olumiant 2 mg", {"drug_baricitinib"}),
    ("Methotrexate", {"drug_methotrexate", "drug_csdmard"}),
    ("Yaz 28 Day Pack", {"drug_combined_hormonal_contraceptive"}),
    ("Estradiol patch", {"drug_hormone_replacement"}),
    ("Isoniazid 300 mg", {"drug_antituberculosis"}),
    ("Absolute neutrophil count", {"lab_anc"}),
    ("Lymphocytes", {"lab_alc"}),
    ("Haemoglobin", {"lab_hemoglobin"}),
    ("Hgb", {"lab_hemoglobin"}),
    ("ALT", {"lab_alt"}),
    ("AST (SGOT)", {"lab_ast"}),
    ("HBsAg", {"lab_hbsag"}),
    ("Anti-HBc total", {"lab_anti_hbc"}),
    ("QuantiFERON-TB Gold", {"lab_igra_interpretation"}),
    ("Factor V Leiden", {"thrombophilia_inherited"}),
    ("Suspected COVID-19", {"infection_any"}),
    ("Tuberculosis not ruled out", {"tb_active"}),
    ("Suspected melanoma", {"malignancy_current"}),
    ("Chronic candidiasis", {"infection_any"}),
    ("Smoker, amount unknown", {"smoking_current"}),
    ("History of tuberculosis", {"tb_history"}),
    ("History of breast cancer", {"malignancy_history"}),
    ("Chest pain", {"vte_symptom"}),
]


@pytest.mark.parametrize(("text", "expected"), SPEAKS, ids=lambda value: value if isinstance(value, str) else "")
def test_words_raise_a_doubt(text: str, expected: set[str]) -> None:
    assert expected <= set(terminology().spoken_of(text))


SILENT = [
    ("Family history of tuberculosis", "tb_active"),
    ("Tuberculosis screening", "tb_active"),
    ("Tuberculin skin test", "tb_active"),
    ("Hemoglobin A1c", "lab_hemoglobin"),
    ("Hemoglobin [Presence] in Urine", "lab_hemoglobin"),
    ("Prediabetes", "diabetes"),
    ("Pulmonary hypertension", "cv_risk_hypertension"),
    ("Heat stroke", "ascvd_stroke_tia"),
    ("Sunstroke", "ascvd_stroke_tia"),
    ("Hepatitis B vaccination", "hepatitis_b"),
    ("Hep B, adult", "lab_hbsag"),
    ("Recombinant zoster vaccine (Shingrix)", "vaccine_live"),
    ("Live birth", "vaccine_live"),
    ("Where do you live?", "vaccine_live"),
    ("Nystatin", "drug_statin"),
    ("Ethinyl estradiol", "drug_hormone_replacement"),
    ("Mirena 52 MG Intrauterine System", "drug_combined_hormonal_contraceptive"),
    ("Allergic rhinitis", "infection_any"),
    ("Postherpetic neuralgia", "herpes_zoster"),
    ("Arterial embolism", "vte"),
    ("Never smoker", "smoking_current"),
    ("Malignant hypertension", "malignancy_current"),
    ("Colonoscopy", "major_surgery"),
    ("Glaucoma", "malignancy_in_situ_or_uncertain"),
    ("Hematoma", "malignancy_in_situ_or_uncertain"),
    ("Basalt", "lab_alt"),
    ("Chronic obstructive bronchitis", "infection_any"),
    ("Executive assistant", "smoking_status_question"),
    ("Protein [Mass/volume] in Serum or Plasma", "malignancy_in_situ_or_uncertain"),
    ("Repair of myelomeningocele", "malignancy_current"),
]


@pytest.mark.parametrize(("text", "concept"), SILENT, ids=lambda value: value)
def test_words_raise_no_silly_doubt(text: str, concept: str) -> None:
    assert concept not in terminology().spoken_of(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Positive", "result_positive"),
        ("REACTIVE", "result_positive"),
        ("Detected", "result_positive"),
        ("DETECTED <LLOQ", "result_positive"),
        ("Not detected", "result_negative"),
        ("Non-Reactive", "result_negative"),
        ("not_detected", "result_negative"),
        ("Equivocal", "result_indeterminate"),
        ("borderline", "result_indeterminate"),
        ("Former smoker", "smoking_former"),
        ("", ""),
        ("-", ""),
        ("NR", ""),
        ("<20", ""),
        ("not positive", ""),
        ("negative for now, repeat", ""),
    ],
)
def test_spellings_of_results(text: str, name: str) -> None:
    assert terminology().spelled(text) == name


@pytest.mark.parametrize(
    ("display", "concept"),
    [
        ("Malignant tumor of colon (disorder)", "malignancy_current"),
        ("Hodgkin's disease in remission", "malignancy_current"),
        ("Neoplasm of uncertain behavior of anus (disorder)", "malignancy_in_situ_or_uncertain"),
        ("Borderline malignant melanoma (disorder)", "malignancy_in_situ_or_uncertain"),
        ("Gorlin syndrome", "malignancy_in_situ_or_uncertain"),
        ("H/O: * leukemia", "malignancy_history"),
        ("Oral chemotherapy (procedure)", ""),
        ("Cancer monitoring first letter (procedure)", ""),
        ("Poisoning caused by cactinomycin (disorder)", ""),
    ],
)
def test_the_import_sorts_cancer_rows_by_what_they_name(display: str, concept: str) -> None:
    assert importer().malignancy(display) == concept


@pytest.mark.parametrize(
    ("display", "kept"),
    [
        ("Total replacement of hip", True),
        ("Laparoscopic cholecystectomy", True),
        ("Open biopsy of lung", True),
        ("Endovascular repair of aortic aneurysm using fluoroscopic guidance", True),
        ("Colonoscopy and dilation of stricture", False),
        ("Replacement of cardiac pacemaker", False),
        ("Percutaneous transluminal angioplasty of coronary artery", False),
        ("Removal of tunneled central venous catheter", False),
    ],
)
def test_the_import_keeps_large_operations(display: str, kept: bool) -> None:
    row = importer().Row("SNOMED", "1", display, "", "yes")
    assert importer().sorted_out("major_surgery", row) == ("major_surgery" if kept else "")


def test_the_import_mends_text_that_was_decoded_wrongly() -> None:
    assert importer().mended("Waldenstr\u00c3\u00b6m  macroglobulinemia") == "Waldenström macroglobulinemia"
    assert importer().mended("Sézary's disease") == "Sézary's disease"


def test_the_lists_are_what_the_import_writes(shared: Path, tmp_path: Path) -> None:
    importer().main(shared / "clinical" / "codes", tmp_path)
    for written in tmp_path.iterdir():
        shipped = LABEL / "codes" / written.name
        assert written.read_text(encoding="utf-8") == shipped.read_text(encoding="utf-8"), written.name


if __name__ == "__main__":
    with REVIEWED.open("w", encoding="utf-8", newline="") as reviewed_file:
        writer = csv.writer(reviewed_file, lineterminator="\n")
        writer.writerow(Row._fields)
        writer.writerows(to_review())
