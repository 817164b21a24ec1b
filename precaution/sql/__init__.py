"""The same rules as SQL over the tables `entries` and `persons` (`precaution.entries`), for a warehouse.

It is made from the typed form of a label, not from the interpreter's closures: it runs where the data are, and it checks
the interpreter.
"""

from __future__ import annotations
