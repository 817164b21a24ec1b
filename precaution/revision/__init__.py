"""What a new text of a label changes: it is read, held against the sentences of a label's folder, and taken over.

`texts` reads a text (plain, a FHIR document, an SPL document), `alignment` finds in it the sentences of the folder by
their digests, `changes` says what became of each and what rests on it, `adoption` writes the folder anew, and `fresh`
begins a folder of a text that nobody has read. Nothing here decides what a sentence means.
"""
