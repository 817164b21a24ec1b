"""The store as the service, the command line and tests use it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import func, select, union

from precaution.errors import StoreError, StoreOutdated
from precaution.service.store import (
    answers,
    audit_trail,
    cards,
    feedbacks,
    retention,
    tables,
    upgrading,
)
from precaution.service.store.canonical import canonical, digest, moment, server_of, storable
from precaution.service.store.commits import Commits
from precaution.service.store.database import Database
from precaution.service.store.feedbacks import Sender
from precaution.service.store.model import Kept, Terms, TokenUse, TrailEvent
from precaution.service.store.statements import SqlStatement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from sqlalchemy import Connection

    from precaution.service.store.audit_trail import Head, Report, TrailLink
    from precaution.service.store.feedbacks import Received
    from precaution.service.store.model import Answer, Feedback, KeptCard, KeptDecision
    from precaution.service.store.retention import Purged

T = TypeVar("T")

_CLAIM = SqlStatement(
    lambda insert: insert(tables.used_tokens).on_conflict_do_nothing().returning(tables.used_tokens.c.token)
)
_FED_BACK = (
    tables.feedback,
    (tables.cards.c.uuid == tables.feedback.c.card) & (tables.cards.c.client == tables.feedback.c.client),
)
"""How cards are joined with the feedback on them."""
_TRIAL = "trial"
"""What stands in the place of a token where it is only seen whether anything can be written."""
_ROOM = 16_000_000
"""Bytes of a disk: enough for what some hundred calls keep."""
_SWEEP = 500
"""After how many tokens those that are past are deleted, and after how many pages."""


class Store:
    """What the service keeps. Every call blocks, may come from any thread, and raises StoreError.

    What a call that writes has returned from is on the disk; where it raises, nothing of it is kept.
    """

    def __init__(
        self,
        url: str,
        *,
        terms: Terms | None = None,
        busy_seconds: float = 2.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Name a store: `sqlite:///file`, `postgresql://host/database`. Nothing is opened yet; see `open`.

        `busy_seconds`: how long a call waits for others who write. Raises UsageError for another URL.
        """
        self.terms = terms or Terms()
        self._database = Database(url, busy_seconds)
        self._commits = Commits(self._database)
        self._clock = clock
        self._claims, self._pages = count(1), count(1)

    def open(self, *, make: bool = True) -> Store:
        """See that the tables are there, and return the store. SQLite's are made or upgraded, if `make`.

        Raises StoreOutdated where the tables must be upgraded first, and StoreError.
        """
        if not make:
            self._database.refuse_missing()
        if not upgrading.current(self._database):
            if not self._database.embedded or not make:
                raise StoreOutdated("the store's tables are missing or old: run `precaution store upgrade`")
            upgrading.upgrade(self._database)
        return self

    def upgrade(self) -> tuple[str, str]:
        """Make or upgrade the tables, and return the versions before and after."""
        return upgrading.upgrade(self._database)

    def close(self) -> None:
        """Finish what is being written, and close all connections. What is asked for later opens them again."""
        self._commits.close()
        self._database.close()

    def tables_current(self) -> bool:
        """Whether the tables are of this version. Raises StoreError where the store does not answer."""
        return upgrading.current(self._database)

    def try_writing(self) -> None:
        """Write a row and take it away again, each of them durable. Raises StoreError where nothing could be kept now.

        A disk of SQLite on which there is hardly any room counts as full.
        """
        self._database.refuse_full(_ROOM)
        trial = tables.used_tokens.c.token == _TRIAL
        self._written(lambda connection, _: _CLAIM.rows(connection, token=_TRIAL, expires=0))
        self._written(lambda connection, _: connection.execute(tables.used_tokens.delete().where(trial)))

    def keep(
        self,
        given: Sequence[KeptCard],
        *events: TrailEvent,
        page: KeptDecision | None = None,
        use: TokenUse | None = None,
    ) -> bool:
        """Keep cards that are given, events of the trail, and what the decision's page shows, in one commit.

        A card kept before stays as it is. `use`: that of the token of the call, noted in the same commit; where it was
        used before nothing is kept, and False is returned.
        """
        return self.keeping(given, *events, page=page, use=use).result()

    def keeping(
        self,
        given: Sequence[KeptCard],
        *events: TrailEvent,
        page: KeptDecision | None = None,
        use: TokenUse | None = None,
    ) -> Future[bool]:
        """Do the same as `keep` without waiting: return what will come of it. Cancelled in time, it does nothing.

        Raises UsageError for a uuid that is too long.
        """
        at = moment(self._clock())  # what can be made here is: while a transaction writes, others can't
        rows, payloads = cards.rows_of(given, at), audit_trail.payloads_of(events)
        shown = cards.page_row(page) if page is not None else None

        def keep(connection: Connection) -> bool:
            if use is not None and not self._claimed(connection, use):
                return False
            cards.keep(connection, rows)
            if shown is not None:
                cards.keep_page(connection, shown)
                if next(self._pages) % _SWEEP == 0:
                    cards.sweep_pages(connection, at)
            audit_trail.link_up(connection, at, payloads)
            return True

        return self._commits.later(keep)

    def decision(self, uuid: str) -> KeptDecision | None:
        """Return what the page of a decision shows; None where there is none, or its time is over."""
        with self._database.read_transaction() as connection:
            return cards.find_page(connection, uuid, moment(self._clock()))

    @property
    def embedded(self) -> bool:
        """Whether it is a file of this machine, which answers in microseconds."""
        return self._database.embedded

    def kept(self, server: str, patient: str, today: str) -> Kept:
        """Return what bears on the next decision on a patient on `today`, an ISO day."""
        with self._database.read_transaction() as connection:
            found = _kept(connection, server, patient, today)
        with suppress(StoreError):  # it is for the next one only
            self._database.open_quick_read()
        return found

    def kept_at_once(self, server: str, patient: str, today: str) -> Kept:
        """Do the same as `kept`, waiting for nobody: for one thread, where an embedded store has answered."""
        with self._database.quick_read() as connection:
            return _kept(connection, server, patient, today)

    def card(self, uuid: str, client: str = "") -> KeptCard | None:
        """Return a card that was given to `client`; None where none was."""
        with self._database.read_transaction() as connection:
            return cards.find(connection, uuid, client)

    def feedback(
        self, service: str, given: Sequence[Feedback], *, today: str, client: str = "", role: str = "clinician"
    ) -> list[Received]:
        """Keep feedback, all of it or nothing; what was kept before is not kept again.

        `role`: that of who sends it. Raises ValueError where a moment is none.
        """

        def keep(connection: Connection, at: str) -> list[Received]:
            sender = Sender(client, service, role, today, at)
            received = [feedbacks.keep(connection, each, sender, self.terms) for each in given]
            for each, came in zip(given, received, strict=True):
                audit_trail.append(connection, at, feedbacks.events(each, came, sender))
            return received

        return self._written(keep)

    def answer(
        self, server: str, patient: str, given: Sequence[Answer], *, client: str = "", request: str = ""
    ) -> list[int]:
        """Keep answers, and return the number of each; 0 for one that only repeats the latest."""

        def keep(connection: Connection, at: str) -> list[int]:
            numbers = [answers.keep(connection, server, patient, each, at) for each in given]
            kept = [each for each in zip(numbers, given, strict=True) if each[0]]
            about = TrailEvent(kind="answer", client=client, server=server_of(server), patient=patient, request=request)
            audit_trail.append(connection, at, [answers.event(about, number, each) for number, each in kept])
            return numbers

        return self._written(keep)

    def withdraw(self, server: str, patient: str, number: int, who: str, *, client: str = "", reason: str = "") -> bool:
        """Take an answer back, as given in error; False where the patient has none of this number."""
        about = {"answer": number, **({"reason": digest(reason)} if reason else {})}
        event = TrailEvent(
            kind="withdrawal", client=client, user=who, server=server_of(server), patient=patient, about=about
        )

        def withdraw(connection: Connection, at: str) -> bool:
            done = answers.withdraw(connection, server, patient, number, who, at)
            audit_trail.append(connection, at, [replace(event, outcome="success" if done else "failure")])
            return done

        return self._written(withdraw)

    def servers(self, patient: str) -> list[str]:
        """Return the servers under which anything is kept of a patient of this id."""
        kept = (tables.answers, tables.cards)
        found = union(*(select(each.c.server).where(each.c.patient == storable(patient)) for each in kept))
        with self._database.read_transaction() as connection:
            return sorted(connection.execute(found).scalars())

    def every_server(self) -> list[str]:
        """Return the servers under which answers or feedback are kept."""
        rows = (select(tables.answers.c.server), select(tables.cards.c.server).join(*_FED_BACK))
        with self._database.read_transaction() as connection:
            return sorted(connection.execute(union(*rows)).scalars())

    def patients(self, server: str) -> frozenset[str]:
        """Return the patients of a server of whom answers or feedback are kept."""
        of = server_of(server)
        rows = (
            select(tables.answers.c.patient).where(tables.answers.c.server == of),
            select(tables.cards.c.patient).join(*_FED_BACK).where(tables.cards.c.server == of),
        )
        with self._database.read_transaction() as connection:
            return frozenset(connection.execute(union(*rows)).scalars())

    def answers_state(self) -> str:
        """Return a text that is another one after each answer, withdrawal and feedback."""
        given, back = tables.answers.c, tables.feedback.c
        counts = (
            select(func.count(), func.max(given.id), func.max(given.withdrawn_at)).select_from(tables.answers),
            select(func.count()).select_from(tables.answers).where(given.withdrawn_at != ""),
            select(func.count(), func.max(back.id)).select_from(tables.feedback),
        )
        with self._database.read_transaction() as connection:
            return digest(canonical([[str(each) for each in connection.execute(query).one()] for query in counts]))[:16]

    def claim(self, issuer: str, jti: str, expires: int) -> bool:
        """Note that a token is used, until `expires` (seconds since 1970); False where it was used before.

        It outlives this process. SQLite does not wait for the disk for this alone: the next commit that does puts it
        there too. So after a loss of power a token can be used again only where its call had kept nothing.
        """
        use = TokenUse(issuer, jti, expires)
        return self._commits.later(
            lambda connection: self._claimed(connection, use), durable=False, exclusive=False
        ).result()

    def _claimed(self, connection: Connection, use: TokenUse) -> bool:
        if next(self._claims) % _SWEEP == 0:
            past = tables.used_tokens.c.expires < int(self._clock().timestamp())
            connection.execute(tables.used_tokens.delete().where(past))  # nobody would accept them any more
        token = digest(canonical([use.issuer, use.jti]))
        return bool(_CLAIM.rows(connection, token=token, expires=use.until))

    def note(self, *events: TrailEvent) -> Head:
        """Add events to the audit trail, and return its new head."""
        return self._written(lambda connection, at: audit_trail.append(connection, at, events))

    def verify(self, exported: Head | None = None) -> Report:
        """Look through SQLite's file, and the whole audit trail. `exported`: a head that was exported before.

        PostgreSQL looks after its files itself.
        """
        damage = self._database.damage()
        try:
            with self._database.read_transaction() as connection:
                report = audit_trail.verify(connection, exported)
        except StoreError:
            if not damage:
                raise
            report = audit_trail.Report(problems=["the audit trail can't be read to its end"])
        report.problems[:0] = [f"the database: {each}" for each in damage]
        return report

    def head(self) -> Head:
        """Return the head of the audit trail."""
        with self._database.read_transaction() as connection:
            return audit_trail.head(connection)

    def trail(self, after: int = 0) -> Iterator[TrailLink]:
        """Yield the events of the trail after a number, in order."""
        with self._database.read_transaction() as connection:
            yield from audit_trail.links(connection, after=after)

    def purge(self, today: str) -> Purged:
        """Delete what is older than the terms say and has no effect any more; the trail stays whole."""
        days = self.terms.retention_days
        return self._written(lambda connection, _: retention.purge(connection, self._clock(), today, days))

    def _written(self, work: Callable[[Connection, str], T]) -> T:
        """Return what `work`, given the moment too, has written, when it is on the disk."""
        return self._commits.later(lambda connection: work(connection, moment(self._clock()))).result()


def _kept(connection: Connection, server: str, patient: str, today: str) -> Kept:
    silent, promised = feedbacks.in_force(connection, server, patient, today)
    latest = answers.latest(connection, server, patient, today)
    return Kept(answers=tuple(latest[ask] for ask in sorted(latest)), overrides=silent, promises=promised)
