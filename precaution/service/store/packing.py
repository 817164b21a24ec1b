"""Texts of the store in few bytes: what the page of a decision shows is long, and alike from page to page.

zlib, with a dictionary of what stands in each of them. The dictionary must never change: what was packed with another
can't be read. A new one needs a new version of the tables.
"""

from __future__ import annotations

import zlib

_DICTIONARY = (
    b'"background":[],"label":{"name":"","version":"","digest":"policy":{},"signatures":[]'
    b'"searched":[{"what":"","found":"missing":[{"title":"","why":"none on record","needed":['
    b'"asks":[{"number":"A1","question":"Has the ","answered":"","date":"2025-","void":"","cites":["S'
    b'"findings":[],"holds":[],"state":"open","tell":"","release":"'
    b'"notes":[],"ignored":0,"unrecognised":0,"sentences":[{"id":"S'
    b'"parameters":[","means":"evidence":[{"text":"Medication: Procedure: Diagnosis: active, Answer: yes, 2025-01-'
    b'"reference":"MedicationRequest/Procedure/Immunization/QuestionnaireResponse/DiagnosticReport/Condition/'
    b'"},{"text":"Result:  mg/dL,  \xc3\x9710\xe2\x81\xb9/L,  U/L, 2024-1","reference":"Observation/'
    b'"start":"2024-","title":"Before starting While On ","action":"obtain","verdict":"? obtain","why":"",'
    b'"next":"obtain what is missing, then assess again","acute":"","today":"2025-","stage":" shows treatment since "'
    b'"due":[{"state":"due","shown":"\xe2\x97\x8b due","state":"overdue","shown":"\xe2\x97\x8b overdue",'
    b'"state":"unknown","shown":"? unknown","state":"upcoming","shown":"\xe2\x97\x8b upcoming",'
    b'"},{"state":"done","shown":"\xe2\x97\x8f done","tell":"","due":"2025-","overdue":"2025-","lacking":"","why":"",'
    b'"ours":"","sentences":[{"id":"S","means":"'
)


def packed(text: str) -> bytes:
    """Return a text in few bytes."""
    work = zlib.compressobj(9, zdict=_DICTIONARY)
    return work.compress(text.encode("utf-8")) + work.flush()


def text_of(data: bytes) -> str:
    """Return the text that `packed` made into bytes. Raises ValueError where it made no such bytes."""
    work = zlib.decompressobj(zdict=_DICTIONARY)
    try:
        return (work.decompress(data) + work.flush()).decode("utf-8")
    except zlib.error as error:
        raise ValueError(f"a text of the store can't be unpacked: {error}") from None
