"""The service's store: cards given, feedback, answers, used tokens, and the audit trail. SQLite, or PostgreSQL by URL.

    store = Store("sqlite:////var/lib/precaution/store.sqlite")      # or postgresql://host/database
    store.keep(cards, Event(kind="decision", ...))                    # one commit; durable when it returns
    kept = store.kept(server, patient, today)                         # answers, overrides, promises
    store.feedback("rheuma-pv", client, [Feedback(...)])              # idempotent
    store.claim(iss, jti, expires)                                    # False: this token was used before

All calls block and are safe from many threads, processes and hosts. Each raises StoreError, whose kinds say whether it
helps to try again: StoreBusy (soon), StoreFull and StoreDown (someone must look). What a call has returned from is
durable. Where `kept` fails, decide with `UNREADABLE`: cards are still given, and say what could not be read.
"""
