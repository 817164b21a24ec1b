"""Write code lists from the shared clinical lists, and say what was left out and why.

    python tools/import_codes.py ../shared/clinical/codes precaution/labels

Public lists are of uneven quality: a row is never taken because of its list's title. The rules below are the
whole of what changes between the shared lists and the package, so that the next import can be compared.
"""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """A row of a code list."""

    system: str
    code: str
    display: str
    source: str
    verified: str


LISTED = """
ascvd_cerebrovascular_atherosclerosis ascvd_coronary ascvd_mi ascvd_pad ascvd_revascularization ascvd_stroke_tia
contraceptive_pill_kind_unknown cv_risk_dyslipidemia cv_risk_family_history cv_risk_hypertension cv_risk_obesity
diabetes drug_antituberculosis drug_baricitinib drug_bdmard_other drug_bdmard_tnf
drug_combined_hormonal_contraceptive drug_csdmard drug_hormone_replacement drug_methotrexate drug_statin
drug_systemic_antiinfective hepatitis_b hepatitis_b_immune_or_antibody_only hepatitis_c herpes_simplex
herpes_zoster herpes_zoster_nervous_system_or_sequela hiv indication_rheumatoid_arthritis infection_any
infection_chronic_or_recurrent infection_serious_or_opportunistic lab_alc lab_alt lab_anc lab_anti_hbc lab_anti_hbs
lab_anti_hcv lab_anti_hcv_procedure lab_ast lab_hbsag lab_hbsag_procedure lab_hbv_dna lab_hcv_rna lab_hdl
lab_hemoglobin lab_igra_interpretation lab_igra_quantitative lab_igra_tspot lab_ldl lab_lymphocyte_percent
lab_neutrophil_percent lab_tb_status_reported lab_total_cholesterol lab_triglycerides lab_tst lab_wbc
liver_injury_drug_induced lung_cancer lymphoma lymphoproliferative_disorder malignancy_current
malignancy_history malignancy_in_situ_or_uncertain malignancy_suspected melanoma nmsc result_indeterminate
result_negative result_positive skin_cancer_risk skin_examination smoking_current smoking_former
smoking_history_question smoking_never smoking_pack_years smoking_status_question smoking_unknown tb_active
tb_history tb_latent tb_screening_procedure thrombophilia_acquired thrombophilia_inherited
thrombophilia_kind_unknown vaccine_live vaccine_live_status_ambiguous vte vte_history vte_symptom
"""

FURTHER = Path(__file__).with_name("further_codes.csv")
"""Rows that the shared lists lack, each read in the public material that its source names: concept, then a row."""

INFECTIONS = Path(__file__).with_name("further_infections.csv")
"""SNOMED's serious and opportunistic infections, as ICD-10 has them in infection_serious_or_opportunistic."""

SAME_SUBSTANCE = ("lab_hdl", "lab_hemoglobin", "lab_ldl", "lab_total_cholesterol", "lab_triglycerides")
"""`<concept>_molar` holds the codes of the same substance in mmol/L: one concept, its factor in concepts.toml."""

LEFT_OUT = {
    ("smoking_pack_years", "8663-7"): "packs a day now, not pack-years",
    ("malignancy_suspected", "Z03.89"): "a suspicion ruled out, of any disease",
    ("ascvd_stroke_tia", "195230003"): "infarction from a venous thrombosis: in vte",
    ("ascvd_coronary", "74218008"): "a malformation, not atherosclerosis",
    ("ascvd_mi", "315287002"): "a treatment protocol",
    ("drug_combined_hormonal_contraceptive", "402250"): "a menopausal patch: in drug_hormone_replacement",
    ("infection_chronic_or_recurrent", "B90*"): "history: in infection_sequela and tb_history",
    ("infection_chronic_or_recurrent", "Z86.14"): "history: in infection_sequela",
    ("infection_chronic_or_recurrent", "Z86.19"): "history: in infection_sequela",
    ("infection_chronic_or_recurrent", "Z87.440"): "history: in infection_sequela",
}

MOVED = {
    ("herpes_zoster", code): "herpes_zoster_nervous_system_or_sequela"
    for code in ("309465005", "713250002", "111861003", "230262004", "424353002", "12551000132107")
} | {("vaccine_live", "151"): "vaccine_live_status_ambiguous"}
MOVED |= {
    ("vte_symptom", code): "vte_symptom_unspecific"
    for code in ("3424008", "10601006", "271594007", "301423002", "M79.89", "R60.0", "R55", "R00.0")
}
MOVED |= {("drug_hormone_replacement", code): "oestrogen_of_any_route" for code in ("4083", "4099", "G03C*")}
"""What may be something else: chickenpox or a sequela for zoster, a nasal vaccine of no named make, a symptom of many
causes for one of thromboembolism, an oestrogen that may be a local one."""

ICD = "PyPI simple-icd-10-cm 1.5.0"
QUALITATIVE = "hl7.org/fhir/uv/shc-vaccination/2021Sep ValueSet-qualitative-lab-result-findings"
SEEN = "example records of HL7, the eCQM measures and Synthea: code and name"
ADDED = {
    "infection_sequela": [
        Row("ICD10CM", "B90*", "Sequelae of tuberculosis", ICD, "yes"),
        Row("ICD10CM", "B91*", "Sequelae of poliomyelitis", ICD, "yes"),
        Row("ICD10CM", "B92*", "Sequelae of leprosy", ICD, "yes"),
        Row("ICD10CM", "B94*", "Sequelae of other and unspecified infectious and parasitic diseases", ICD, "yes"),
        Row("ICD10CM", "Z86.1*", "Personal history of infectious and parasitic diseases", ICD, "yes"),
        Row("ICD10CM", "Z87.01", "Personal history of pneumonia (recurrent)", ICD, "yes"),
        Row("ICD10CM", "Z87.440", "Personal history of urinary (tract) infections", ICD, "yes"),
    ],
    "vte": [Row("SNOMED", "132281000119108", "Acute deep venous thrombosis (disorder)", SEEN, "yes")],
    "infection_any": [
        Row("SNOMED", "91302008", "Sepsis (disorder)", SEEN, "yes"),
        Row("SNOMED", "770349000", "Sepsis caused by virus (disorder)", SEEN, "yes"),
        Row("SNOMED", "36971009", "Sinusitis (disorder)", SEEN, "yes"),
        Row("SNOMED", "87628006", "Bacterial infectious disease", SEEN, "yes"),
        Row("SNOMED", "74400008", "Appendicitis", SEEN, "yes"),
    ],
    "infection_serious_or_opportunistic": [
        Row("SNOMED", "91302008", "Sepsis (disorder)", SEEN, "yes"),
        Row("SNOMED", "770349000", "Sepsis caused by virus (disorder)", SEEN, "yes"),
    ],
    "herpes_zoster": [Row("ICD10CM", "B02", "Zoster [herpes zoster]", ICD, "yes")],
    "hiv": [
        Row(
            "SNOMED",
            "713533000",
            "Acquired hemolytic anemia co-occurrent with human immunodeficiency virus infection (disorder)",
            SEEN,
            "yes",
        )
    ],
    "ascvd_stroke_tia": [
        Row(
            "SNOMED",
            "102831000119104",
            "Paralytic syndrome of both lower limbs as sequela of stroke (disorder)",
            SEEN,
            "yes",
        )
    ],
    "cv_risk_dyslipidemia": [Row("SNOMED", "398036000", "Familial hypercholesterolemia (disorder)", SEEN, "yes")],
    "tb_screening_procedure": [Row("SNOMED", "28163009", "Skin test for tuberculosis", SEEN, "yes")],
    "drug_combined_hormonal_contraceptive": [Row("RxNorm", "978950", "Natazia 28 Day Pack", SEEN, "yes")],
    "result_positive": [Row("SNOMED", "260408008", "Weakly positive", QUALITATIVE, "yes")],
    "result_indeterminate": [
        Row("LOINC", "LA11885-3", "Equivocal", QUALITATIVE, "yes"),
        Row("LOINC", "LA9663-1", "Inconclusive", QUALITATIVE, "yes"),
        Row("SNOMED", "125154007", "Specimen unsatisfactory for evaluation", QUALITATIVE, "yes"),
    ],
}

CHRONIC = re.compile(r"chronic (?:\w+ ){0,3}osteomyelitis|osteomyelitis, chronic", re.IGNORECASE)
HISTORY = re.compile(r"history|h/o", re.IGNORECASE)
NO_DIAGNOSIS = re.compile(
    r"\((procedure|regime/therapy)\)|chemotherapy|invitation|poisoning|neutropenia|immunodeficiency|immune reconst"
    r"|t-cell defect|\[x\]|paraneoplastic|in neoplastic disease|myasthenia|tumor embolism",
    re.IGNORECASE,
)
MALIGNANT = re.compile(
    r"malign|carcin|cancer|sarcoma|leuk|lymphom|melanoma|myelom|metasta|blastoma|gliom|hodgkin|mycosis fung|s[eé]zary"
    r"|burkitt|letterer|heavy chain|macroglobulin|plasmacytom|seminom|mesotheliom|ependymom|astrocytom|germinom"
    r"|teratom|chordom|adamantinom|epithelioma|hypernephrom|chlorom|krukenberg|klatskin|pancoast|pulmonary sulcus"
    r"|linitis plastica|invasive|secondary n|endodermal sinus|embryonal tumor|rhabdoid|dendritic cell neoplasm"
    r"|richter|pseudomyxoma|paget'?s disease|neoplastic pleural|immunoproliferative small|tumor lysis"
    r"|aggressive systemic mast|small cell neoplasm|germ cell neoplasm|trophoblastic|apudoma|somatostatinom"
    r"|neuroepitheliom|neuroectodermal",
    re.IGNORECASE,
)
NOT_YET = re.compile(
    r"uncertain|unknown behavior|in situ|borderline|anaplasia of cervix|polycythemia|significance", re.IGNORECASE
)

SMALL = re.compile(
    r"percutaneous|guidance|fluoroscopic|colonoscop|sigmoidoscop|proctoscop|gastroduodenoscop|esophagoscop|gastroscop"
    r"|bronchoscop|cystoscopic|hysteroscop|retrograde chol|thrombolysis|electrode|pacemaker|defibrillator|transvenous"
    r"|pulse generator|central venous|peripherally inserted|injection|aspiration|needle|catheter ablation"
    r"|transluminal|catheterization|skin of|escharotomy|insertion of (?:\w+ )?stent|placement of stent|artery stent"
    r"|snare|balloon",
    re.IGNORECASE,
)
LARGE = re.compile(
    r"\bopen\b|laparo|thoraco|cranio|transplant|sternotom|abdominal incision|leg incision|arm incision"
    r"|neck incision|endovascular repair|prosthe",
    re.IGNORECASE,
)

EXPANSIONS = {
    "lymphoma": ("lymphoma", "VSAC 'Malignant Neoplasm of Lymphatic and Hematopoietic Tissue'"),
    "malignancy_current": ("malignancy_current", "VSAC 'Cancer'; CALIBER cancer list (CC BY 4.0)"),
    "tb_active": ("tb_active", "VSAC 'Tuberculosis for Urology Care'"),
    "major_surgery": (
        "major_surgery",
        "VSAC 'General', 'Intracranial Neuro-', 'Urological', 'Gynecological Surgery', "
        "'Hip/Knee Replacement Surgery', 'Hip Fracture Surgery'",
    ),
    "major_surgery_all": ("major_surgery", "VSAC 'Major Surgical Procedure'"),
}

PRIMARY_CARE = "UoM-Data-Science-Platforms/gm-sde:shared/clinical-code-sets/conditions; canvas-plugins"

WHY = {
    "infection_any": "Those of infection_serious_or_opportunistic.more.csv, which says how they were chosen.",
    "infection_serious_or_opportunistic": "The diseases of the ICD-10 list, chosen by name from public lists: "
    "sepsis, meningitis and encephalitis, endocarditis, osteomyelitis, pneumonia, peritonitis, deep abscess, septic "
    "arthritis, pyelonephritis, cellulitis and the opportunistic ones. Left out: tuberculosis (a list of its own), "
    "newborns and pregnancy, history and sequelae, and what only sounds like an infection (allergic, autoimmune).",
    "infection_chronic_or_recurrent": "Chronic osteomyelitis, as M86.3 to M86.6.",
    "major_surgery": "Both public lists together: the surgical lists are those of the US measures of thromboembolism "
    "prevention, the other adds chest, vascular and orthopedic surgery. Left out, because they are no "
    "major surgery: percutaneous, image-guided, endoscopic-only and lead or catheter procedures, "
    "unless also open, laparoscopic, a prosthesis or an endovascular repair.",
    "malignancy_current": "Rows that name no malignancy for sure (uncertain behavior, in situ, borderline) stand in "
    "malignancy_in_situ_or_uncertain, 'history of' in malignancy_history; treatments, "
    "invitations and complications are left out.",
    "malignancy_in_situ_or_uncertain": "From the public cancer lists: rows that name no malignancy for sure.",
    "lymphoma": "Whether treated, in remission or not: a lymphoma at any time.",
    "malignancy_history": "From the public cancer lists: 'history of' rows.",
}


OF_ONE_LABEL = {"drug_baricitinib": "baricitinib"}
"""Lists that no other label needs, and the folder of the label that has them."""


def main(shared: Path, labels: Path) -> None:
    """Write every list of `shared` that is in LISTED, cleaned, to where it stands under `labels`."""
    lists = {name: rows(shared / f"{name}.csv") for name in LISTED.split()}
    for name, added in ADDED.items():
        lists[name] = [*lists.get(name, []), *added]
    for name, row in further(FURTHER):
        lists.setdefault(name, []).append(row)
    for name in SAME_SUBSTANCE:
        lists[name] += rows(shared / f"{name}_molar.csv")
    move(lists)
    more = expansions(shared / "_expansions", lists)
    for name, listed in lists.items():
        write(place(labels, name) / f"{name}.csv", once(listed), note=left_out(name))
    more |= infections(INFECTIONS)
    for name, listed in more.items():
        known = {row.code for row in lists.get(name, [])}
        compact(place(labels, name) / f"{name}.more.csv", [row for row in once(listed) if row.code not in known], name)


def place(labels: Path, name: str) -> Path:
    """Return the folder that a list stands in; it is made where it is not there."""
    folder = labels / OF_ONE_LABEL.get(name, "shared") / "codes"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def rows(path: Path) -> list[Row]:
    """Return the rows of a shared list, with text that was decoded wrongly somewhere put right."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Row(each["system"], each["code"], mended(each["display"]), each["source"], each["verified"])
            for each in csv.DictReader(file)
        ]


def further(path: Path) -> list[tuple[str, Row]]:
    """Return the (concept, row) of every line of `further_codes.csv`."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(each.pop("concept"), Row(**each)) for each in csv.DictReader(file)]


def infections(path: Path) -> dict[str, list[Row]]:
    """Return the long lists of infections; each is a serious one, and a chronic osteomyelitis is chronic too."""
    with path.open(encoding="utf-8", newline="") as file:
        listed = [Row("SNOMED", each["code"], each["display"], "", "yes") for each in csv.DictReader(file)]
    chronic = [row for row in listed if CHRONIC.search(row.display)]
    return {
        "infection_any": listed,
        "infection_serious_or_opportunistic": listed,
        "infection_chronic_or_recurrent": chronic,
    }


def mended(text: str) -> str:
    """Return `Waldenström` for `WaldenstrÃ¶m`: UTF-8 that was read as Latin-1."""
    try:
        fixed = text.encode("cp1252").decode("utf-8") if "Ã" in text else text
    except UnicodeError:
        fixed = text
    return " ".join(fixed.split())


def move(lists: dict[str, list[Row]]) -> None:
    """Apply MOVED and LEFT_OUT to the short lists."""
    for name in list(lists):
        for row in lists[name]:
            if target := MOVED.get((name, row.code)):
                lists.setdefault(target, []).append(row)
        gone = MOVED.keys() | LEFT_OUT.keys()
        lists[name] = [row for row in lists[name] if (name, row.code) not in gone]


def expansions(folder: Path, lists: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """Return the long lists, each row under the concept that its display names."""
    more: dict[str, list[Row]] = {}
    for file, (concept, _) in EXPANSIONS.items():
        for row in rows(folder / f"{file}.csv"):
            if target := sorted_out(concept, row):
                more.setdefault(target, []).append(row)
    for row in [row for row in more["tb_active"] if HISTORY.search(row.display)]:
        more["tb_active"].remove(row)
        lists["tb_history"].append(row)
    return more


def sorted_out(concept: str, row: Row) -> str:
    """Return the concept a row of a long list belongs to, or an empty string."""
    if concept == "malignancy_current":
        return malignancy(row.display)
    if concept == "major_surgery" and SMALL.search(row.display) and not LARGE.search(row.display):
        return ""
    return concept


def malignancy(display: str) -> str:
    """Return where a row of a cancer list belongs."""
    if NO_DIAGNOSIS.search(display):
        return ""
    if HISTORY.search(display):
        return "malignancy_history"
    certain = MALIGNANT.search(display) and not NOT_YET.search(display)
    return "malignancy_current" if certain else "malignancy_in_situ_or_uncertain"


def once(listed: list[Row]) -> list[Row]:
    """Return the rows with each code once, the first one."""
    return list({(row.system, row.code): row for row in reversed(listed)}.values())[::-1]


def left_out(name: str) -> list[str]:
    """Return comment lines on what was left out of a list."""
    return [f"left out: {code}, {why}" for (concept, code), why in LEFT_OUT.items() if concept == name]


def write(path: Path, listed: list[Row], *, note: list[str]) -> None:
    """Write a short list."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"# {line}\n" for line in note)
        table = csv.writer(file, lineterminator="\n")
        table.writerow(Row._fields)
        table.writerows(listed)


def compact(path: Path, listed: list[Row], name: str) -> None:
    """Write a long list: source and reason in comments, three columns."""
    sources = [source for concept, source in EXPANSIONS.values() if concept == name.replace("history", "current")]
    sources = sources or [PRIMARY_CARE if name.startswith("infection") else EXPANSIONS["malignancy_current"][1]]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# SNOMED CT codes (licence: see NOTICE.md), read in public repositories: {'; '.join(sources)}\n")
        if name in WHY:
            file.write(f"# {WHY[name]}\n")
        table = csv.writer(file, lineterminator="\n")
        table.writerow(Row._fields[:3])
        table.writerows(row[:3] for row in sorted(listed, key=lambda row: (len(row.code), row.code)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
