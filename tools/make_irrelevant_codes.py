"""Write the codes that have nothing to do with the first label, so that a record's codes can be told apart.

    python tools/make_irrelevant_codes.py PUBLIC precaution/labels/baricitinib

A code on no list of the label is one of two things: known and irrelevant (a blood pressure, an antacid), or not known
at all. The lists that this writes to `codes/irrelevant/` tell them apart. PUBLIC is a folder with public lists:

    loinc-*.csv     code and name in the first two columns (OHDSI/StudyProtocolSandbox:themis/extras: the common tests)
    CONCEPT*.csv    the vocabulary of an OMOP CDM (OHDSI/EunomiaDatasets: Synthea27Nj: what Synthea's modules use)
    synthea-*.jar   Synthea, whose modules name each code (Maven Central: org.mitre.synthea)
    cohorts/*.json  cohort definitions, whose concept sets have code and name (OHDSI/PhenotypeLibrary:inst/cohorts)

Of these a code is taken when its name is one of HARMLESS. It is left out all the same when a list of the label has it,
when its name speaks of any concept of the label, when its name is of a class that could matter to it (CLASSES), or its
kind is none of KINDS.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from precaution.knowledge.check_digits import well_formed
from precaution.knowledge.loading import load_label
from precaution.knowledge.shared import CODES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.knowledge.terminology import Terminology


class Named(NamedTuple):
    """A code of a public list, with its name."""

    system: str
    code: str
    name: str
    kind: str = ""
    """The class of the concept, where the list has one."""


SYSTEMS = ("LOINC", "RxNorm", "SNOMED")
"""The systems of which a well-formed code on no list says nothing yet. ICD-10, ATC and CVX are whole already."""
HARMLESS = {
    "LOINC": re.compile(
        r"^(?:blood pressure|systolic|diastolic|mean blood pressure|body (?:height|weight|temperature)"
        r"|heart rate|respiratory rate|pulse"
        r"|oxygen saturation|oxygen/inspired|inhaled oxygen|pain severity|head circumference|glasgow"
        r"|(?:fasting )?glucose|creatinine"
        r"|urea|urate|sodium|potassium|chloride|bicarbonate|carbon dioxide|anion gap|calcium|magnesium"
        r"|phosph(?:ate|orus)|osmolal"
        r"|protein|albumin|globulin|glomerular filtration|cystatin|amylase|lipase|lactate \[|ferritin|iron"
        r"|transferrin|cobalamin"
        r"|folate|thiamine|pyridoxal|calcidiol|25-hydroxy|vitamin|thyro(?:xine|tropin)|triiodothyronine"
        r"|parathyrin|cortisol|prolactin"
        r"|testosterone|lutropin|follitropin|somatotropin|insulin-like|specific gravity|ph of|ketones|nitrite"
        r"|urobilinogen|color of"
        r"|appearance of|odor of|clarity of|casts|crystals|hyaline|mucus|prostate specific|natriuretic|troponin"
        r"|myoglobin|digoxin"
        r"|phenytoin|valpro|carbamazepine|lithium|theophylline|caffeine|ethanol|acetaminophen|salicylates"
        r"|amphetamine|barbiturates"
        r"|benzodiazepines|cannabinoids|cocaine|opiates|methadone|oxycodone|phencyclidine|lead \[|zinc|copper"
        r"|selenium|aluminum"
        r"|mercury|arsenic|ammonia|homocysteine|age$|address|language|employment|housing|stress|gravida"
        r"|education|income"
        r"|primary insurance|have you|how (?:often|many|much|hard)|within the last|do you|what is|are you"
        r"|did you|has lack|eye color"
        r"|sex assigned|patient health questionnaire|phq|gad-7|audit|dast|morse|fall risk|visual acuity|fev1|fvc)",
        re.IGNORECASE,
    ),
    "RxNorm": re.compile(
        r"\b(?:\w+(?:pril|sartan|olol|dipine|prazole|tidine|setron|triptan|azepam|azolam|barbital|gliptin"
        r"|gliflozin|glutide|caine"
        r"|thiazide|zosin|terol|profen|coxib|oxetine|curonium|flurane|dronate|lukast|vaptan|peridone|apine"
        r"|idone)\b|acetaminophen"
        r"|ibuprofen|naproxen|diclofenac|aspirin|meloxicam|ketorolac|oxycodone|hydrocodone|morphine|codeine"
        r"|fentanyl|tramadol"
        r"|hydromorphone|buprenorphine|methadone|naloxone|naltrexone|metformin|glipizide|glimepiride|glyburide"
        r"|insulin|levothyroxine"
        r"|liothyronine|methimazole|furosemide|torsemide|bumetanide|spironolactone|chlorthalidone|triamterene"
        r"|amiloride|clonidine"
        r"|hydralazine|isosorbide|nitroglycerin|digoxin|amiodarone|verapamil|diltiazem|sertraline|citalopram"
        r"|escitalopram"
        r"|venlafaxine|bupropion|mirtazapine|trazodone|amitriptyline|nortriptyline|doxepin|lithium|lamotrigine"
        r"|levetiracetam"
        r"|gabapentin|pregabalin|carbamazepine|oxcarbazepine|phenytoin|valpro\w+|topiramate|zonisamide"
        r"|haloperidol|aripiprazole"
        r"|zolpidem|melatonin|hydroxyzine|loratadine|cetirizine|fexofenadine|diphenhydramine|chlorpheniramine"
        r"|albuterol"
        r"|tiotropium|ipratropium|guaifenesin|dextromethorphan|benzonatate|pseudoephedrine|docusate|senna"
        r"|polyethylene glycol"
        r"|bisacodyl|lactulose|loperamide|simethicone|calcium carbonate|magnesium \w+|potassium chloride"
        r"|sodium chloride|ferrous"
        r"|folic acid|cyanocobalamin|cholecalciferol|ergocalciferol|ascorbic acid|thiamine|pyridoxine|zinc"
        r"|allopurinol|colchicine"
        r"|febuxostat|donepezil|memantine|galantamine|rivastigmine|carbidopa|levodopa|ropinirole|pramipexole"
        r"|baclofen|tizanidine"
        r"|cyclobenzaprine|methocarbamol|finasteride|dutasteride|oxybutynin|tolterodine|sildenafil|tadalafil"
        r"|latanoprost|timolol"
        r"|epinephrine|atropine|glycopyrrolate|propofol|ketamine|metoclopramide|promethazine|methylphenidate"
        r"|amphetamine\w*"
        r"|atomoxetine|guanfacine|clopidogrel)\b",
        re.IGNORECASE,
    ),
    "SNOMED": re.compile(
        r"^(?:full-time employment|part-time employment|not in labor force|unemployed|received (?:higher"
        r"|certificate)|received|housing"
        r"|homeless|transport|stress|social|limited social|victim of|reports of violence|educated to"
        r"|has a criminal|refugee|lack of"
        r"|medication rec|medication review|patient encounter|encounter for|check.?up|well child"
        r"|general examination|follow-up"
        r"|consultation|telephone|emergency room|admission|discharge|patient discharge|hospital|inpatient"
        r"|outpatient|home|hospice"
        r"|nursing|respite|certification|assessment of (?:health|anxiety|substance|using)|documentation of"
        r"|physical examination"
        r"|dental|teeth|tooth|gingiv|oral health|plaque|fluoride|removal of plaque|fracture|sprain|laceration"
        r"|contusion|concussion"
        r"|whiplash|injury of (?:knee|ankle|wrist|neck)|headache|migraine|epilepsy|seizure|anxiety|depress"
        r"|bipolar|insomnia"
        r"|attention deficit|autism|dementia|alzheimer|parkinson|osteoporosis|osteopenia|gout|hypothyroid"
        r"|hyperthyroid|goiter"
        r"|vitamin|iron def|hyperkal|hypokal|hyponat|hypernat|dehydrat|constipation|gastroesophageal reflux"
        r"|hemorrhoid|hernia"
        r"|cataract|glaucoma|myopia|hearing|tinnitus|vertigo|asthma|chronic kidney|renal insuff|urinary incont"
        r"|erectile|alcohol"
        r"|opioid|drug (?:abuse|depend)|urine (?:protein|pregnancy)|pulmonary function|spirometry|electrocard"
        r"|plain x-ray|radiograph"
        r"|magnetic resonance imaging of (?:brain|knee|spine)|measurement of (?:height|weight|blood pressure)"
        r"|body temperature"
        r"|respiratory rate|blood pressure|oxygen saturation|physiotherapy|exercise|diet|education|nutrition"
        r"|glucose tolerance"
        r"|prothrombin time)",
        re.IGNORECASE,
    ),
}
"""How the names of harmless codes begin, or what they hold: what is not named here is not taken, however common."""
CLASSES = re.compile(
    # the immune system, and what acts on it
    r"\w*mab\b|\w*tinib\b|\w*cept\b|\w*kinra\b|immun|\w*limus\b|interferon|leukin|globulin|antineopl|cytotox"
    r"|transplant"
    r"|\w*sone\b|\w*solone\b|cortis|budesonid|steroid|\w*platin\b|\w*rubicin\b|\w*taxel\b|fluorourac|mercaptopur"
    r"|hydroxyurea"
    # microbes
    r"|infect|virus|viral|bacter|fung|myco|parasit|sepsis|septic|\bHIV\b|culture|microb|organism|gram stain"
    r"|toxin|\bDNA\b|\bRNA\b"
    r"|antigen|antibod|\bAb\b|\bAg\b|serolog|titer|titre|vaccin|toxoid|fever|itis\b|abscess|cellulit|wound|ulcer"
    # blood, liver, lipids
    r"|blood count|leuko|leuco|neutro|lymph|granulocyt|erythro|hemoglob|haemoglob|hematocrit|haematocrit"
    r"|platelet|thrombo|anemi|anaemi"
    r"|cytopen|hepat|liver|transamin|bilirubin|phosphatase|lipid|lipo|cholest|triglyc|\w*fibrate\b|fibric"
    r"|ezetimib|niacin"
    # vessels and clotting
    r"|embol|clot|coagul|vein|venous|phleb|stroke|cerebr|infarct|ischem|ischaem|coronar|cardi|heart|angin|athero"
    r"|arter|vascular|stent"
    r"|bypass|heparin|\w*parin\b|warfarin|\w*xaban\b|gatran|\w*plase\b|hypertens|diabet|insulin|obes|body mass"
    r"|smok|tobacco|nicotin"
    # tumors, operations, hormones, pregnancy
    r"|cancer|tumor|tumour|neopl|malig|carcin|metast|\w*oma\b|cyst|polyp|nodul|mass of|lesion|biops|screen"
    r"|suspect|history of|family"
    r"|\w*ectomy\b|\w*plasty\b|\w*otomy\b|operat|surg|replacement|estr|oestr|gest|contracep|ovul|pregnan|birth"
    r"|abort|menopau"
    # what may be an infection or a clot by another name, and other drugs that matter
    r"|pyo|purulent|yeast|pulmonale|myelosup|marrow|CD\d|\bcells?\b|smear|procalcit|reactive protein|cobicistat"
    r"|\w*ciclib\b"
    r"|\w*lisib\b|terizidone|paralytica|cirrhos|isolation|monoclonal|urease"
    # what is asked of a patient
    r"|dyspn|breath|chest pain|swelling|edema|oedema|syncop|tachycard|hemopt|haemopt|arthrit|rheum|lupus|psoria"
    r"|dermat|skin|pain in"
    r"|\bdrug.induced|poison|overdose|allerg|adverse",
    re.IGNORECASE,
)
"""Names of classes that the label speaks of, or may come to speak of: wide on purpose, for what is left out is no worse
off."""
KINDS = {
    "RxNorm": {"Ingredient", "Clinical Drug", "Quant Clinical Drug", "Branded Drug", ""},
    "SNOMED": {
        "Clinical Finding",
        "Disorder",
        "Procedure",
        "Observable Entity",
        "Context-dependent",
        "Social Context",
        "Event",
        "",
    },
    "LOINC": {"Lab Test", "Clinical Observation", "Observable Entity", "Survey", ""},
}
ALSO = {"SNOMED": {"443529005": "a prenatal test of chromosomes: 'in situ' is its method (Synthea's modules)"}}
"""Codes whose names speak of a concept and mean another thing, each with the reason."""
SOURCES = "OHDSI: StudyProtocolSandbox (common LOINC), EunomiaDatasets (Synthea27Nj), PhenotypeLibrary; Synthea 3.3.0."
NOTICE = {
    "LOINC": "LOINC codes (licence: see NOTICE.md)",
    "RxNorm": "RxNorm codes (licence: see NOTICE.md)",
    "SNOMED": "SNOMED CT codes (licence: see NOTICE.md)",
}


def main(public: Path, label: Path) -> None:
    """Write `codes/irrelevant/<system>.txt` of what labels share, and say how many there are."""
    terminology = load_label(label).terminology
    named = list(every(public))
    out = CODES / "irrelevant"
    out.mkdir(parents=True, exist_ok=True)
    for system in SYSTEMS:
        mine = [each for each in named if each.system == system]
        kept = sorted(
            ({each.code for each in mine} - {each.code for each in mine if matters(each, terminology)})
            | ALSO.get(system, {}).keys(),
            key=order,
        )
        with (out / f"{system}.txt").open("w", encoding="utf-8") as file:
            file.write(
                f"# {NOTICE[system]} that have nothing to do with the label; by tools/make_irrelevant_codes.py from\n"
            )
            file.write(f"# {SOURCES}\n")
            file.writelines(f"{code}\n" for code in kept)
        print(f"{system}: {len(kept)} of {len({each.code for each in mine})} codes")


def order(code: str) -> tuple[int, str]:
    """Return what codes are sorted by: shorter ones first."""
    return len(code), code


def every(public: Path) -> Iterator[Named]:
    """Yield every code of the public lists."""
    for path in sorted(public.glob("loinc-*.csv")):
        yield from loinc(path)
    for path in sorted(public.glob("CONCEPT*.csv")):
        yield from concepts(path)
    for path in sorted(public.glob("cohorts/*.json")):
        yield from cohort(path)
    for path in sorted(public.glob("synthea-*.jar")):
        yield from modules(path)


def loinc(path: Path) -> Iterator[Named]:
    """Yield the codes of a table of LOINC: code and long name come first."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.reader(file):
            if len(row) > 1:
                yield Named("LOINC", row[0], row[1])


def concepts(path: Path) -> Iterator[Named]:
    """Yield the codes of an OMOP vocabulary's CONCEPT table, with commas or tabs."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        head = file.readline()
        file.seek(0)
        for row in csv.DictReader(file, delimiter="\t" if "\t" in head else ","):
            yield Named(row["vocabulary_id"], row["concept_code"], row["concept_name"], row["concept_class_id"])


def cohort(path: Path) -> Iterator[Named]:
    """Yield the codes of a cohort definition's concept sets."""
    for one in json.loads(path.read_text(encoding="utf-8")).get("ConceptSets", []):
        for item in one["expression"]["items"]:
            concept = item["concept"]
            yield Named(
                concept.get("VOCABULARY_ID", ""),
                concept.get("CONCEPT_CODE", ""),
                concept.get("CONCEPT_NAME", ""),
                concept.get("CONCEPT_CLASS_ID", ""),
            )


MODULES = {"SNOMED-CT": "SNOMED", "RxNorm": "RxNorm", "LOINC": "LOINC"}
"""The names of code systems in Synthea's modules."""


def modules(path: Path) -> Iterator[Named]:
    """Yield the codes of Synthea's modules, JSON of any depth in its jar."""
    with zipfile.ZipFile(path) as jar:
        todo = [json.loads(jar.read(name)) for name in jar.namelist() if re.fullmatch(r"modules/.*\.json", name)]
    while todo:
        part = todo.pop()
        if isinstance(part, list):
            todo += part
        elif isinstance(part, dict):
            if {"system", "code", "display"} <= part.keys() and part["system"] in MODULES:
                yield Named(MODULES[part["system"]], str(part["code"]), str(part["display"]))
            todo += part.values()


def matters(each: Named, terminology: Terminology) -> bool:
    """Whether a code may have to do with the label, or is none; one wrong name of several is enough."""
    return bool(
        not well_formed(each.system, each.code)
        or each.kind not in KINDS[each.system]
        or terminology.concepts(each.system, each.code)
        or terminology.spoken_of(each.name)
        or CLASSES.search(each.name)
        or not HARMLESS[each.system].search(each.name)
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
