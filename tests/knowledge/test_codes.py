"""The code lists of the first label: well formed, each code where it belongs, and every trap of public lists.

`PYTHONPATH=tests python tests/knowledge/test_codes.py` writes data/code_rows_to_review.csv anew: the rows whose name
has none of the words expected of their list. A person looks at what is new in it before it is committed.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from precaution.knowledge.assembly import read_files
from precaution.knowledge.check_digits import is_loinc, is_snomed, well_formed
from precaution.knowledge.folder import list_files, read_codes
from precaution.knowledge.shared import CODES
from precaution.knowledge.terminology import COLUMNS, EDITIONS, SYSTEMS, Concept, Terminology, build
from precaution.knowledge.unlisted import read_irrelevant, read_unlisted
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
    for path in list_files(LABEL):
        with path.open(encoding="utf-8", newline="") as file:
            table = csv.DictReader(line for line in file if not line.startswith("#"))
            found += [Row(path.name.split(".")[0], each["system"], each["code"], each["display"]) for each in table]
    return found


@cache
def concepts() -> dict[str, Concept]:
    tables = {name: table for each in read_files(LABEL)[1].values() for name, table in each.get("concept", {}).items()}
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
    lists = read_codes(LABEL)
    return build(lists, concepts(), unlisted=read_unlisted(CODES, SYSTEMS, lists))


def to_review() -> list[Row]:
    """Return the rows whose name has none of the words of their concept."""
    return [
        row
        for row in rows()
        if concepts().get(row.concept, Concept(name="")).words
        and row.concept not in terminology().spoken_of(row.display)
    ]


def importer() -> ModuleType:
    """Return tools/import_codes.py."""
    return tool("import_codes")


@cache
def tool(name: str) -> ModuleType:
    """Return a module of tools/, which is no part of the package."""
    spec = spec_from_file_location(name, LABEL.parents[2] / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SHAPES = {
    "ICD10CM": r"[A-TV-Z]\d[0-9AB](\.[0-9A-Z]{1,4})?\*?|U0(7\.1|9\.9)",
    "ICD10": r"[A-Z]\d\d(\.\d)?\*?",
    "ICD10GM": r"[A-Z]\d\d(\.\d{1,2})?\*?",
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
    for path in list_files(LABEL):
        lines = path.read_text(encoding="utf-8").splitlines()
        head = next(line for line in lines if not line.startswith("#")).split(",")
        assert tuple(head[:2]) == COLUMNS
        if path.name.endswith(".more.csv"):
            assert lines[0].startswith("# ")
            assert "licence" in lines[0]
        else:
            assert head == ["system", "code", "display", "source", "verified"], path.name


def test_a_row_that_was_not_verified_says_so() -> None:
    for path in list_files(LABEL):
        if not path.name.endswith(".more.csv"):
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(line for line in file if not line.startswith("#")):
                    assert row["verified"] in {"yes", "no"}, (path.name, row)
                    assert row["source"] or row["verified"] == "no", (path.name, row)


def test_every_table_has_a_list_and_names_only_concepts() -> None:
    lists = set(read_codes(LABEL))
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
    ("LOINC", "29609-5", {"lab_hcv_rna"}),  # by another method
    ("LOINC", "5012-0", {"lab_hcv_rna"}),
    ("LOINC", "49377-5", set()),  # in cerebrospinal fluid
    ("LOINC", "40726-2", {"lab_anti_hcv"}),
    ("LOINC", "47441-1", set()),  # of a donor
    ("LOINC", "45161-7", {"lab_hbv_dna"}),
    ("LOINC", "95234-1", {"lab_hbsag"}),
    ("LOINC", "77739-1", set()),  # the mother's
    ("LOINC", "40725-4", {"lab_anti_hbc"}),
    ("LOINC", "31204-1", {"lab_anti_hbc_igm"}),  # a list of its own: a negative one says nothing of the others
    ("LOINC", "30451-9", {"lab_anc"}),
    ("LOINC", "26505-8", {"lab_neutrophil_percent"}),
    ("LOINC", "30394-1", set()),  # granulocytes are more than neutrophils
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
    ("RxNorm", "308192", {"drug_systemic_antiinfective"}),  # amoxicillin 500 mg tablets
    ("RxNorm", "723", {"drug_systemic_antiinfective"}),
    ("RxNorm", "6038", {"drug_antituberculosis"}),  # treats a latent infection, and is no sign of an active one
    ("RxNorm", "9793", set()),  # silver sulfadiazine is for the skin
    ("RxNorm", "2590608", set()),  # ciclosporin for the eye
    ("RxNorm", "328160", {"drug_csdmard"}),
    ("RxNorm", "105585", {"drug_methotrexate"}),
    ("RxNorm", "205285", {"drug_csdmard"}),
    ("RxNorm", "1441527", {"drug_bdmard_other"}),
    # combined against progestin-only, contraception against replacement
    ("RxNorm", "748856", {"drug_combined_hormonal_contraceptive"}),
    ("RxNorm", "978950", {"drug_combined_hormonal_contraceptive"}),
    ("RxNorm", "978949", {"drug_combined_hormonal_contraceptive"}),
    ("RxNorm", "402250", {"drug_hormone_replacement"}),
    ("RxNorm", "1000126", set()),
    ("ATC", "G03AC03", set()),  # medroxyprogesterone, levonorgestrel alone
    ("ATC", "G03AA07", {"drug_combined_hormonal_contraceptive"}),
    ("ATC", "G03CA03", {"oestrogen_of_any_route"}),
    # vaccines
    ("CVX", "121", {"vaccine_live"}),
    ("CVX", "187", {"vaccine_not_live"}),
    ("CVX", "188", {"vaccine_live_status_ambiguous"}),
    ("CVX", "151", {"vaccine_live_status_ambiguous"}),
    ("CVX", "140", {"vaccine_not_live"}),
    ("CVX", "88", {"vaccine_not_live"}),  # the nasal ones have codes of their own
    ("CVX", "317", {"vaccine_live"}),
    ("CVX", "329", {"vaccine_not_live"}),
    ("CVX", "333", {"vaccine_live"}),
    ("CVX", "169", {"vaccine_live"}),
    ("CVX", "330", {"vaccine_live"}),
    ("CVX", "214", {"vaccine_live_status_ambiguous"}),
    ("CVX", "999", {"vaccine_live_status_ambiguous"}),
    ("CVX", "998", {"vaccine_not_live"}),
    # editions of ICD-10: what the WHO's and the German one have besides, and what means something else there
    ("ICD10", "A16.2", {"tb_active"}),
    ("ICD10GM", "A16.2", {"tb_active"}),
    ("ICD10CM", "A16.2", set()),
    ("ICD10", "A15.1", {"tb_active"}),
    ("ICD10", "M49.0", {"tb_active"}),
    ("ICD10GM", "M49.02", {"tb_active"}),
    ("ICD10", "J65", {"tb_active"}),
    ("ICD10", "K67.3", {"tb_active"}),
    ("ICD10GM", "N74.1", {"tb_active"}),
    ("ICD10", "K93.0", {"tb_active"}),
    ("ICD10", "R76.1", {"tb_latent"}),
    ("ICD10CM", "R76.1", set()),
    ("ICD10", "B24", {"hiv", "infection_any"}),
    ("ICD10GM", "B22", {"hiv", "infection_any"}),
    ("ICD10", "B20.6", {"hiv", "infection_any", "infection_serious_or_opportunistic"}),
    ("ICD10", "B21.2", {"hiv", "infection_any", "malignancy_current", "lymphoma"}),
    ("ICD10", "C97", {"malignancy_current"}),
    ("ICD10GM", "E14.90", {"diabetes"}),
    ("ICD10", "E12.5", {"diabetes"}),
    ("ICD10", "I64", {"ascvd_stroke_tia"}),
    ("ICD10", "I69.4", {"ascvd_stroke_tia"}),
    ("ICD10GM", "I10.90", {"cv_risk_hypertension"}),
    ("ICD10", "I10", {"cv_risk_hypertension"}),
    ("ICD10GM", "I25.22", {"ascvd_mi", "ascvd_coronary"}),
    ("ICD10GM", "E66.99", {"cv_risk_obesity"}),
    ("ICD10", "D68.5", {"thrombophilia_inherited"}),
    ("ICD10GM", "D68.6", {"thrombophilia_acquired"}),
    ("ICD10CM", "D68.5", set()),
    ("ICD10GM", "Z22.5", {"hepatitis_b", "infection_any"}),
    ("ICD10", "Z82.4", {"cv_risk_family_history"}),
    ("ICD10", "Z86.7", {"circulatory_disease_history"}),
    ("ICD10CM", "Z86.7", set()),
    ("ICD10", "R65.2", {"inflammation_without_infection"}),
    ("ICD10GM", "R65.3", {"inflammation_without_infection"}),
    ("ICD10", "R65.1", {"infection_any", "infection_serious_or_opportunistic"}),
    ("ICD10CM", "R65.20", {"infection_serious_or_opportunistic"}),
    ("ICD10GM", "I80.81", {"vte"}),
    ("ICD10GM", "I80.80", {"superficial_thrombophlebitis"}),
    ("ICD10GM", "Z72.0", {"smoking_unknown"}),  # alcohol, tobacco or drugs
    ("ICD10", "Z72.0", {"smoking_current"}),
    # an American code that was sent as ICD-10's
    ("ICD10", "I82.409", {"vte"}),
    ("ICD10", "Z86.711", {"vte_history"}),
    ("ICD10", "D68.51", {"thrombophilia_inherited"}),
    ("ICD10", "R65.20", {"infection_serious_or_opportunistic"}),
    # results of British primary care, which have no LOINC
    ("SNOMED", "1022551000000104", {"lab_anc"}),
    ("SNOMED", "1022581000000105", {"lab_alc"}),
    ("SNOMED", "1022561000000101", set()),  # eosinophils
    ("SNOMED", "1022431000000105", {"lab_hemoglobin"}),
    ("SNOMED", "1018251000000107", {"lab_alt"}),
    ("SNOMED", "1000881000000102", {"lab_ast"}),
    ("SNOMED", "1022191000000100", {"lab_ldl"}),
    ("SNOMED", "1005681000000107", {"lab_hdl"}),
    ("SNOMED", "1015681000000109", set()),  # a ratio
    # serious infections, as by ICD-10
    ("SNOMED", "233604007", {"infection_any", "infection_serious_or_opportunistic"}),
    ("SNOMED", "76571007", {"infection_any", "infection_serious_or_opportunistic"}),
    ("SNOMED", "40970001", {"infection_any", "infection_serious_or_opportunistic", "infection_chronic_or_recurrent"}),
    ("SNOMED", "295661001", set()),  # dactinomycin is no actinomycosis
    # no disease is meant
    ("ICD10CM", "Z12.31", {"no_disease_meant"}),
    ("ICD10", "Z24.6", {"no_disease_meant"}),
    ("ICD10GM", "Z80.3", {"no_disease_meant"}),
    ("ICD10CM", "Z12.83", {"no_disease_meant", "skin_examination"}),
    ("ICD10CM", "Z82.49", {"no_disease_meant", "cv_risk_family_history"}),
    ("SNOMED", "24623002", {"no_disease_meant"}),
    # smoking by LOINC's answers
    ("LOINC", "LA18976-3", {"smoking_current"}),
    ("LOINC", "LA15920-4", {"smoking_former"}),
    ("LOINC", "LA18978-9", {"smoking_never"}),
    ("LOINC", "LA18980-5", {"smoking_unknown"}),
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


MEANS_LESS = {
    ("ICD10", "R65.2"): "severe sepsis in the CM",
    ("ICD10GM", "Z72.0"): "tobacco alone in the CM",
    ("ICD10GM", "I80.81"): "deep veins, of which the CM's I80.8 says nothing",
}


def test_rows_of_an_edition_lose_no_concept_of_the_edition_below() -> None:
    """An edition's own rows alone decide: they say what the edition below says, unless that is wrong there."""
    lost = {}
    for row in rows():
        if row.system in EDITIONS:
            code = row.code.rstrip("*")
            below = set(terminology().concepts(EDITIONS[row.system], code))
            if missing := below - set(terminology().concepts(row.system, code)) - {"no_disease_meant"}:
                lost[row.system, code] = missing
    assert set(lost) == set(MEANS_LESS), lost


def test_combined_contraceptives_have_an_estrogen() -> None:
    estrogen = re.compile(r"estradiol|estrogen|vaginal ring|patch|natazia|mestranol", re.IGNORECASE)
    listed = [row for row in rows() if row.concept == "drug_combined_hormonal_contraceptive"]
    assert [row for row in listed if not estrogen.search(row.display)] == []


def test_no_test_is_of_another_specimen_or_of_another_person() -> None:
    other = re.compile(r"spinal|marrow|tissue|body fluid|urine|stool|donor|mother|cord|saliva", re.IGNORECASE)
    tests = [row for row in rows() if row.concept.startswith("lab_") and row.system == "LOINC"]
    assert len(tests) > 150
    assert [row for row in tests if other.search(row.display)] == []


def test_every_cvx_code_is_on_one_list() -> None:
    """All that the CDC has given out, but those it reserved: what is on no list is newer than the lists."""
    cvx = Counter(row.code for row in rows() if row.system == "CVX")
    assert len(cvx) > 280
    assert max(cvx.values()) == 1
    known = {int(code) for code in cvx}
    assert set(range(1, 199)) - known == {99, 124}
    assert set(range(300, 334)) <= known


def test_no_vaccine_that_is_called_live_is_on_the_other_list() -> None:
    listed = [row for row in rows() if row.concept == "vaccine_not_live"]
    assert [row for row in listed if re.search(r"\blive\b|attenuat|nasal|\bLAV\b", row.display, re.IGNORECASE)] == []


def test_no_systemic_drug_is_for_the_skin_or_the_eye() -> None:
    local = re.compile(r"ophthalm|otic\b|topical|vaginal|cream|ointment|nasal|shampoo|inhal", re.IGNORECASE)
    systemic = ("drug_systemic_antiinfective", "drug_csdmard", "drug_bdmard_other", "drug_antituberculosis")
    listed = [row for row in rows() if row.concept in systemic and row.system == "RxNorm"]
    assert len(listed) > 900
    assert [row for row in listed if local.search(row.display)] == []


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


LEAST_SPOKEN_OF = {
    "major_surgery": 0.85,
    "lab_anti_hbc": 0.9,  # IgG and IgM together
    "vaccine_live_status_ambiguous": 0.5,  # vaccines that were never given out are named by their disease alone
}


def test_words_speak_of_what_lost_its_code() -> None:
    """A code replaced by rubbish leaves a doubt: of every list nearly all names have words of their concept."""
    every, silent = Counter(row.concept for row in rows()), Counter(row.concept for row in to_review())
    for concept in every:
        if concepts().get(concept, Concept(name="")).words:
            least = LEAST_SPOKEN_OF.get(concept, 0.95)
            assert 1 - silent[concept] / every[concept] >= least, concept
    others = sum(count for concept, count in every.items() if concept not in {*LEAST_SPOKEN_OF, *RESULTS})
    assert sum(count for concept, count in silent.items() if concept not in LEAST_SPOKEN_OF) / others < 0.01


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
    ("Ixchiq", {"vaccine_live"}),
    ("M-M-R II", {"vaccine_live"}),
    ("Priorix Tetra", {"vaccine_live"}),
    ("FLUENZ nasal spray", {"vaccine_live"}),
    ("Jynneos", {"vaccine_live_status_ambiguous"}),
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
    # as doctors write in German, French, Spanish, Italian and Dutch
    ("Lungenembolie", {"vte"}),
    ("LE", {"vte"}),
    ("Tiefe Beinvenenthrombose links", {"vte"}),
    ("TVT rechts 02/2025", {"vte"}),
    ("Embolie pulmonaire bilatérale", {"vte"}),
    ("Phlébite surale", {"vte"}),
    ("Tromboembolismo pulmonar", {"vte"}),
    ("Trombosis venosa profunda de miembro inferior", {"vte"}),
    ("Embolia polmonare", {"vte"}),
    ("Diepe veneuze trombose van het been", {"vte"}),
    ("Longembolie", {"vte"}),
    ("Z.n. Lungenembolie 2012", {"vte_history"}),
    ("Antécédent d'embolie pulmonaire", {"vte_history"}),
    ("Gürtelrose", {"herpes_zoster"}),
    ("Guertelrose thorakal", {"herpes_zoster"}),
    ("Zona", {"herpes_zoster"}),
    ("Zona ophtalmique gauche", {"herpes_zoster"}),
    ("Culebrilla", {"herpes_zoster"}),
    ("Fuoco di Sant'Antonio", {"herpes_zoster"}),
    ("Gordelroos", {"herpes_zoster"}),
    ("Lungentuberkulose", {"tb_active"}),
    ("Offene Lungen-Tbc", {"tb_active"}),
    ("Tuberculose pulmonaire", {"tb_active"}),
    ("Tubercolosi polmonare", {"tb_active"}),
    ("Latente Tuberkulose", {"tb_latent"}),
    ("Infection tuberculeuse latente", {"tb_latent"}),
    ("Tubercolosi latente", {"tb_latent"}),
    ("Z.n. Tuberkulose", {"tb_history"}),
    ("Chronische Virushepatitis B", {"hepatitis_b"}),
    ("Hépatite B chronique", {"hepatitis_b"}),
    ("Epatite C cronica", {"hepatitis_c"}),
    ("Hépatite virale C", {"hepatitis_c"}),
    ("Urosepsis", {"infection_any", "infection_serious_or_opportunistic"}),
    ("Lungenentzündung", {"infection_any", "infection_serious_or_opportunistic"}),
    ("Harnwegsinfekt", {"infection_any"}),
    ("Choc septique", {"infection_any", "infection_serious_or_opportunistic"}),
    ("Neumonía adquirida en la comunidad", {"infection_any", "infection_serious_or_opportunistic"}),
    ("Polmonite", {"infection_any", "infection_serious_or_opportunistic"}),
    ("Longontsteking", {"infection_any", "infection_serious_or_opportunistic"}),
    ("Brustkrebs", {"malignancy_current"}),
    ("Mammakarzinom rechts", {"malignancy_current"}),
    ("Bösartige Neubildung der Lunge", {"malignancy_current"}),
    ("Tumeur maligne du sein", {"malignancy_current"}),
    ("Leucémie lymphoïde chronique", {"malignancy_current"}),
    ("Linfoma de Hodgkin", {"malignancy_current", "lymphoma"}),
    ("Cancro del colon", {"malignancy_current"}),
    ("Borstkanker", {"malignancy_current"}),
    ("Non-hodgkinlymfoom", {"malignancy_current"}),
    ("Medikamentös-toxischer Leberschaden", {"liver_injury_drug_induced"}),
    ("Hépatite médicamenteuse", {"liver_injury_drug_induced"}),
    ("Hepatitis tóxica por fármacos", {"liver_injury_drug_induced"}),
    ("Epatite da farmaci", {"liver_injury_drug_induced"}),
    ("Masern-Mumps-Röteln", {"vaccine_live"}),
    ("Gelbfieberimpfung", {"vaccine_live"}),
    ("Vaccin contre la fièvre jaune", {"vaccine_live"}),
    ("Vacuna triple vírica", {"vaccine_live"}),
    ("Vaccino morbillo-parotite-rosolia", {"vaccine_live"}),
    ("BMR", {"vaccine_live"}),
    ("Inhibiteur de JAK", {"drug_baricitinib"}),
    ("Bluthochdruck", {"cv_risk_hypertension"}),
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
    # false friends, prevention, what was ruled out, and relatives in other languages
    ("Dolor en la zona lumbar", "herpes_zoster"),
    ("Zona pellucida", "herpes_zoster"),
    ("Postzosterische Neuralgie", "herpes_zoster"),
    ("Impfung gegen Gürtelrose", "herpes_zoster"),
    ("Thromboseprophylaxe", "vte"),
    ("Profilaxis de trombosis venosa", "vte"),
    ("Ausschluss Lungenembolie", "vte"),
    ("Kein Hinweis auf Lungenembolie", "vte"),
    ("Z.n. Lungenembolie 2012", "vte"),
    ("Thrombophlébite superficielle", "vte"),
    ("Heparin-induzierte Thrombozytopenie", "vte"),
    ("Tuberkulintest", "tb_active"),
    ("Tuberkulose-Impfung", "tb_active"),
    ("Latente Tuberkulose", "tb_active"),
    ("Contact avec la tuberculose", "tb_active"),
    ("Hepatitis-B-Impfung", "hepatitis_b"),
    ("Hépatite C chronique", "hepatitis_b"),
    ("Virushepatitis A", "hepatitis_c"),
    ("Antiinfektiva", "infection_any"),
    ("Händedesinfektion", "infection_any"),
    ("Infektiologisches Konsil", "infection_any"),
    ("Kein Infekt", "infection_any"),
    ("Hépatite auto-immune", "infection_any"),
    ("Angine de poitrine", "infection_any"),
    ("Cellulite", "infection_any"),
    ("Krebsvorsorge", "malignancy_current"),
    ("Hautkrebs-Früherkennung", "malignancy_current"),
    ("Brustkrebs in der Familienanamnese", "malignancy_current"),
    ("Dépistage du cancer colorectal", "malignancy_current"),
    ("Antécédents familiaux de cancer du sein", "malignancy_current"),
    ("Alkoholischer Leberschaden", "liver_injury_drug_induced"),
    ("Röteln-Antikörper", "vaccine_live"),
    ("Horror", "vaccine_live"),
    ("Arterielle Hypotonie", "cv_risk_hypertension"),
    ("LEFT", "vte"),
    ("Le patient", "vte"),
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
    for written in (path for path in tmp_path.rglob("*") if path.is_file()):
        shipped = LABEL.parent / written.relative_to(tmp_path)
        assert written.read_text(encoding="utf-8") == shipped.read_text(encoding="utf-8"), written.name


def test_no_irrelevant_code_is_on_a_list_of_the_label() -> None:
    irrelevant = read_irrelevant(CODES, SYSTEMS)
    assert {system: len(codes) for system, codes in irrelevant.items()} == {"LOINC": 432, "RxNorm": 329, "SNOMED": 244}
    for system, codes in irrelevant.items():
        assert [code for code in codes if terminology().concepts(system, code)] == []
        assert [code for code in codes if not well_formed(system, code)] == []


@pytest.mark.parametrize(
    ("system", "code"),
    [("LOINC", "8480-6"), ("LOINC", "2160-0"), ("RxNorm", "161"), ("SNOMED", "160903007"), ("SNOMED", "35489007")],
)
def test_common_codes_are_known_to_be_irrelevant(system: str, code: str) -> None:
    """A blood pressure, creatinine, acetaminophen, full-time employment, depression."""
    assert code in read_irrelevant(CODES, SYSTEMS)[system]


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("LOINC", "1988-5"),  # C reactive protein
        ("LOINC", "777-3"),  # platelets
        ("LOINC", "1975-2"),  # bilirubin
        ("RxNorm", "8640"),  # prednisone
        ("RxNorm", "1357536"),  # tofacitinib
        ("RxNorm", "57047"),  # terizidone, against tuberculosis
        ("SNOMED", "48631008"),  # pyonephrosis
        ("SNOMED", "386661006"),  # fever
        ("SNOMED", "27355003"),  # toothache may be an abscess
    ],
)
def test_a_code_whose_class_could_matter_is_not_called_irrelevant(system: str, code: str) -> None:
    assert code not in read_irrelevant(CODES, SYSTEMS)[system]


@pytest.mark.parametrize(
    ("system", "name", "matters"),
    [
        ("LOINC", "Creatinine [Mass/volume] in Serum or Plasma", False),
        ("LOINC", "Hepatitis E virus Ab [Presence] in Serum", True),
        ("LOINC", "Something quite new [Mass/volume] in Serum", True),
        ("RxNorm", "lisinopril 10 MG Oral Tablet", False),
        ("RxNorm", "prednisone 5 MG Oral Tablet", True),
        ("RxNorm", "upadacitinib 15 MG Oral Tablet", True),
        ("SNOMED", "Sprain of ankle", False),
        ("SNOMED", "Fracture of ankle with infection", True),
    ],
)
def test_only_harmless_names_are_called_irrelevant(system: str, name: str, *, matters: bool) -> None:
    code = {"LOINC": "2160-0", "RxNorm": "161", "SNOMED": "44465007"}[system]
    maker = tool("make_irrelevant_codes")
    assert maker.matters(maker.Named(system, code, name), terminology()) is matters


if __name__ == "__main__":
    with REVIEWED.open("w", encoding="utf-8", newline="") as reviewed_file:
        writer = csv.writer(reviewed_file, lineterminator="\n")
        writer.writerow(Row._fields)
        writer.writerows(to_review())
