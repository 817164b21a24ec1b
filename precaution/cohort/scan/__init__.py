"""The first scan of lines for speed alone: whose lines speak of what is asked for (`who.py`).

It looks through bytes for what a record of somebody who is asked for must hold. It may find too many people, never too
few: with it or without, the same ones are decided.
"""
