"""The store on both databases: what is kept is found again, once, and counts for as long as it should."""

from __future__ import annotations

import os
import stat
import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from precaution.errors import StoreDown, StoreOutdated, UsageError
from precaution.service.store import PROMISES, Feedback, KeptDue, OfferedAnswer, Store, Terms, TrailEvent, audit_trail
from precaution.service.store import cards as cards_module
from precaution.service.store import upgrading as upgrading_module
from precaution.service.store.tables import VERSION, metadata
from support.stores import PATIENT, SERVER, TODAY, Clock, answer, card, execute, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AT = "2025-03-01T09:30:00Z"
SERVICE = "warnings-view"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(store_url: str, clock: Clock) -> Iterator[Store]:
    with opened(store_url, clock=clock) as made:
        yield made


def overridden(card: str = "card-1", reason: str = "patient-refuses", at: str = AT, **more: Any) -> Feedback:
    return Feedback(card=card, outcome="overridden", at=at, reason=reason, **more)


def accepted(*suggestions: str, card: str = "card-1", at: str = AT) -> Feedback:
    return Feedback(card=card, outcome="accepted", at=at, accepted=suggestions)


def given(store: Store, *feedback: Feedback, today: str = TODAY, **more: Any) -> list[str]:
    return [each.state for each in store.feedback(SERVICE, feedback, today=today, **more)]


# Tables


def test_the_tables_that_the_scripts_make_are_those_that_the_code_uses(store: Store) -> None:
    with store._database.read_transaction() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_version_is_that_of_the_newest_script() -> None:
    assert ScriptDirectory(str(upgrading_module._SCRIPTS)).get_heads() == [VERSION]


def test_an_upgrade_that_is_not_needed_changes_nothing(store: Store) -> None:
    assert store.upgrade() == (VERSION, VERSION)
    assert store.tables_current()
    assert store.open() is store


def test_an_upgrade_keeps_what_is_there(store_url: str) -> None:
    from alembic import command
    from alembic.config import Config

    store, config = Store(store_url), Config()
    config.set_main_option("script_location", str(upgrading_module._SCRIPTS))
    with store._database.write_transaction() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        cards_module.keep(connection, cards_module.rows_of([card()], "2025-03-01T09:30:00.000Z"))
        audit_trail.append(connection, "2025-03-01T09:30:00.000Z", [TrailEvent(kind="decision")])
    assert not store.tables_current()
    assert store.upgrade() == ("0001", VERSION)
    assert store.card("card-1") == card()
    assert store.verify().whole
    assert store.verify().links == 1
    store.close()


def test_tables_of_a_newer_version_are_refused(store: Store, store_url: str) -> None:
    execute(store_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreOutdated, match="of version 9999"):
        store.open()


def test_many_may_upgrade_at_once(store_url: str) -> None:
    found: list[object] = []

    def upgrade() -> None:
        store = Store(store_url, busy_seconds=30)
        try:
            found.append(store.upgrade()[1])
        except Exception as error:
            found.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=upgrade) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == [VERSION] * 4


def test_a_server_without_tables_says_what_to_run(postgres: str, tmp_path: Path) -> None:
    from support.stores import fresh_url

    with fresh_url("postgresql", tmp_path, postgres) as url:
        store = Store(url)
        with pytest.raises(StoreOutdated, match="precaution store upgrade"):
            store.open()
        with pytest.raises(StoreOutdated, match="precaution store upgrade"):
            store.note(TrailEvent(kind="start"))
        store.close()


def test_an_embedded_store_makes_its_tables_unless_told_not_to(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.sqlite"
    with pytest.raises(StoreDown, match="there is no store"):
        Store(url).open(make=False)
    store = Store(url).open()
    assert store.tables_current()
    store.close()


# Files


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_files_are_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = Store(f"sqlite:///{tmp_path}/deep/er/store.sqlite")
        if umask == 0o777:
            (tmp_path / "deep").mkdir()
            (tmp_path / "deep").chmod(0o700)
            (tmp_path / "deep" / "er").mkdir()
            (tmp_path / "deep" / "er").chmod(0o700)
        store.open()
        store.note(TrailEvent(kind="start"))
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "deep" / "er").iterdir()}
    store.close()
    assert modes == dict.fromkeys(("store.sqlite", "store.sqlite-wal", "store.sqlite-shm"), 0o600)
    assert stat.S_IMODE((tmp_path / "deep").stat().st_mode) == 0o700


def test_a_file_that_others_could_read_is_made_private(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    Store(url).open().close()
    (tmp_path / "store.sqlite").chmod(0o644)
    Store(url).open().close()
    assert stat.S_IMODE((tmp_path / "store.sqlite").stat().st_mode) == 0o600


def test_a_link_in_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"")
    (tmp_path / "store.sqlite").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreDown, match="can't be made or opened"):
        Store(f"sqlite:///{tmp_path}/store.sqlite").open()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("nonsense", "can't be read"),
        ("mysql://localhost/x", "must be sqlite or postgresql"),
        ("postgresql+asyncpg://localhost/x", "must be sqlite or postgresql"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite:///file:x?mode=memory&uri=true", "must name a file"),
    ],
)
def test_another_url_is_refused(url: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        Store(url)


# Cards


def test_a_card_is_found_again_as_it_was_given(store: Store) -> None:
    kept = card(due=(KeptDue("lipids", "overdue", "2025-01-01"),))
    store.keep([kept], TrailEvent(kind="decision"))
    assert store.card("card-1") == kept
    assert store.card("card-2") is None


def test_a_card_is_kept_once_and_stays_as_it_is(store: Store) -> None:
    store.keep([card()])
    store.keep([card(action="clear"), card("card-2")])
    assert store.card("card-1") == card()
    assert store.card("card-2") == card("card-2")


def test_a_card_is_its_clients_alone(store: Store) -> None:
    store.keep([card(client="ehr-a")])
    assert store.card("card-1", "ehr-b") is None
    assert store.card("card-1") is None
    assert given(store, overridden(), client="ehr-b") == ["unmatched"]
    assert not store.kept(SERVER, PATIENT, TODAY).overrides
    assert given(store, overridden(), client="ehr-a") == ["kept"]


def test_odd_characters_are_kept_or_replaced_but_break_nothing(store: Store) -> None:
    odd = card(patient="p\x00\ud800'; DROP TABLE cards; --", user="Practitioner/ü")
    store.keep([odd], TrailEvent(kind="decision", patient=odd.patient, about={"x": "a\x00b\ud800"}))
    found = store.card("card-1")
    assert found is not None
    assert "DROP TABLE" in found.patient
    given(store, overridden(comment="\x00"))
    assert store.kept(SERVER, odd.patient, TODAY).overrides
    assert store.verify().whole


def test_a_uuid_that_is_too_long_is_refused(store: Store) -> None:
    with pytest.raises(UsageError, match="at most 200"):
        store.keep([card("x" * 201)])


# Feedback


def test_feedback_is_kept_once_however_often_it_is_sent(store: Store) -> None:
    store.keep([card()])
    assert given(store, overridden(), accepted("s-yes")) == ["kept", "kept"]
    assert given(store, overridden(), accepted("s-yes"), overridden()) == ["again"] * 3
    events = [link.event["kind"] for link in store.trail() if link.event]
    assert events.count("feedback") == 2


def test_the_same_moment_written_otherwise_is_the_same_feedback(store: Store) -> None:
    store.keep([card()])
    assert given(store, overridden(at="2025-03-01T09:30:00Z")) == ["kept"]
    assert given(store, overridden(at="2025-03-01T10:30:00.000+01:00")) == ["again"]


def test_feedback_on_a_card_that_was_never_given_is_kept_as_unmatched(store: Store, store_url: str) -> None:
    assert given(store, overridden("nobody-knows")) == ["unmatched"]
    assert given(store, overridden("nobody-knows")) == ["again"]
    ((found, matched),) = execute(store_url, "SELECT card, matched FROM feedback")
    assert (found, bool(matched)) == ("nobody-knows", False)


def test_all_feedback_of_a_call_is_kept_or_none(store: Store, store_url: str) -> None:
    store.keep([card()])
    with pytest.raises(ValueError, match="instant"):
        given(store, overridden(), overridden(at="2025-03-01"))
    assert execute(store_url, "SELECT count(*) FROM feedback")[0][0] == 0
    assert store.verify().links == 0


def test_an_override_with_a_reason_is_silent_until_its_day(store: Store) -> None:
    store.keep([card()])
    given(store, overridden())
    (override,) = store.kept(SERVER, PATIENT, TODAY).overrides
    assert (override.rule, override.state, override.action) == ("restricted", "holds", "only-if-no-alternative")
    assert (override.by, override.reason, override.given) == ("Practitioner/1", "patient-refuses", TODAY)
    assert (override.until, override.seen, override.label) == ("2025-05-30", ("Condition/c1",), "digest-1")
    assert store.kept(SERVER, PATIENT, "2025-05-30").overrides
    assert not store.kept(SERVER, PATIENT, "2025-05-31").overrides
    assert not store.kept(SERVER, PATIENT, "2025-02-28").overrides


def test_an_override_without_a_reason_silences_nothing(store: Store) -> None:
    store.keep([card()])
    assert given(store, overridden(reason="")) == ["kept"]
    assert store.kept(SERVER, PATIENT, TODAY).overrides == ()


def test_a_critical_card_comes_back_soon_whatever_the_reason(store: Store) -> None:
    store.keep([card(tier="critical")])
    given(store, overridden())
    (override,) = store.kept(SERVER, PATIENT, TODAY).overrides
    assert override.until == "2025-03-08"


def test_a_client_whose_clock_is_fast_gains_no_time(store: Store) -> None:
    store.keep([card()])
    given(store, overridden(at="2031-01-01T00:00:00Z"))
    (override,) = store.kept(SERVER, PATIENT, TODAY).overrides
    assert override.until == "2025-05-30"


def test_later_feedback_on_a_card_replaces_what_earlier_meant(store: Store) -> None:
    store.keep([card()])
    given(store, overridden(reason="will-monitor"))
    given(store, accepted(at="2025-03-01T10:00:00Z"))
    kept = store.kept(SERVER, PATIENT, TODAY)
    assert (kept.overrides, kept.promises) == ((), ())
    given(store, overridden(at="2025-03-01T09:00:00Z", reason="too-late-to-count"))
    assert store.kept(SERVER, PATIENT, TODAY).overrides == ()


def test_the_word_of_a_fast_clock_is_not_the_last_for_ever(store: Store, clock: Clock) -> None:
    store.keep([card()])
    given(store, overridden(at="2031-01-01T00:00:00Z"))
    clock.move(hours=1)
    given(store, accepted(at="2025-03-01T10:30:00Z"))
    assert store.kept(SERVER, PATIENT, TODAY).overrides == ()


@pytest.mark.parametrize("reason", sorted(PROMISES))
def test_a_promise_is_due_on_a_day(store: Store, reason: str) -> None:
    store.keep([card()])
    given(store, overridden(reason=reason))
    (promise,) = store.kept(SERVER, PATIENT, "2026-01-01").promises
    assert (promise.rule, promise.cites, promise.reason) == ("restricted", ("S05",), reason)
    assert (promise.by, promise.given, promise.due) == ("Practitioner/1", TODAY, "2025-03-29")


def test_a_comment_is_not_kept_unless_the_site_wants_it(store: Store, store_url: str) -> None:
    store.keep([card()])
    given(store, overridden(comment="Mrs Smith said no"))
    assert [*execute(store_url, "SELECT comment FROM feedback")[0]] == [""]
    with_comments = Store(store_url, terms=Terms(comments=True))
    given(with_comments, overridden(comment="Mrs Smith said no", at="2025-03-01T11:00:00Z"))
    with_comments.close()
    assert [*execute(store_url, "SELECT comment FROM feedback ORDER BY id DESC")[0]] == ["Mrs Smith said no"]
    assert "Smith" not in str(list(store.trail()))


# Answers


def test_a_suggestion_taken_up_is_an_answer_of_the_cards_user(store: Store) -> None:
    store.keep([card()])
    given(store, accepted("s-yes"), role="clinician")
    (kept,) = store.kept(SERVER, PATIENT, TODAY).answers
    assert (kept.ask, kept.answer, kept.day, kept.who, kept.role) == (
        "no-suitable-alternative",
        "yes",
        TODAY,
        "Practitioner/1",
        "clinician",
    )
    assert (kept.statement, kept.expires, kept.seen, kept.card) == (("S05",), "2026-03-01", ("Condition/c1",), "card-1")
    given(store, accepted("s-yes"))
    assert len(store.kept(SERVER, PATIENT, TODAY).answers) == 1


def test_an_override_reason_may_be_an_answer(store: Store) -> None:
    store.keep([card(offers=(OfferedAnswer("risk-benefit-ratio", "infection-considered", "yes", ("S09",), 365),))])
    given(store, overridden(reason="risk-benefit-ratio"))
    (kept,) = store.kept(SERVER, PATIENT, TODAY).answers
    assert (kept.ask, kept.reason, kept.seen) == ("infection-considered", "risk-benefit-ratio", None)


def test_a_card_that_was_given_to_nobody_known_takes_no_answer(store: Store) -> None:
    store.keep([card(user="")])
    assert given(store, accepted("s-yes")) == ["kept"]
    assert store.kept(SERVER, PATIENT, TODAY).answers == ()


def test_suggestions_of_another_card_answer_nothing(store: Store) -> None:
    store.keep([card(), card("card-2", offers=())])
    given(store, accepted("s-yes", "s-other", card="card-2"))
    assert store.kept(SERVER, PATIENT, TODAY).answers == ()


def test_the_latest_answer_counts(store: Store, clock: Clock) -> None:
    for word in ("yes", "no", "yes"):
        assert store.answer(SERVER, PATIENT, [answer(word)]) > [0]
        clock.move(minutes=1)
    (kept,) = store.kept(SERVER, PATIENT, TODAY).answers
    assert kept.answer == "yes"
    store.answer(SERVER, PATIENT, [answer("no", day="2025-03-02")])
    assert [each.answer for each in store.kept(SERVER, PATIENT, TODAY).answers] == ["yes"]
    assert [each.answer for each in store.kept(SERVER, PATIENT, "2025-03-02").answers] == ["no"]
    assert store.kept(SERVER, PATIENT, "2025-02-28").answers == ()


def test_an_answer_that_repeats_the_latest_is_kept_once(store: Store) -> None:
    first, again = store.answer(SERVER, PATIENT, [answer(), answer()])
    assert first > 0
    assert again == 0
    assert store.answer(SERVER, PATIENT, [answer()]) == [0]
    assert store.answer(SERVER, PATIENT, [answer(reason="another")]) > [0]


def test_an_answer_taken_back_counts_no_more_and_the_one_before_does(store: Store) -> None:
    (_,) = store.answer(SERVER, PATIENT, [answer("no")])
    (wrong,) = store.answer(SERVER, PATIENT, [answer("yes")])
    assert not store.withdraw(SERVER, "somebody-else", wrong, "Practitioner/2")
    assert store.withdraw(SERVER, PATIENT, wrong, "Practitioner/2", reason="meant for another patient")
    assert not store.withdraw(SERVER, PATIENT, wrong, "Practitioner/2")
    assert [each.answer for each in store.kept(SERVER, PATIENT, TODAY).answers] == ["no"]
    events = [link.event for link in store.trail() if link.event]
    outcomes = [event["outcome"] for event in events if event["kind"] == "withdrawal"]
    assert outcomes == ["failure", "success", "failure"]
    assert "meant for another" not in str(list(store.trail()))


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("https://FHIR.example.org:443/r4/", True),
        ("HTTPS://fhir.example.org/r4", True),
        ("http://fhir.example.org/r4", False),
        ("https://fhir.example.org/R4", False),
        ("https://fhir.example.org:8443/r4", False),
        ("https://fhir.example.org", False),
    ],
)
def test_a_server_is_the_same_however_its_address_is_spelled(store: Store, one: str, same: bool) -> None:
    store.answer(SERVER, PATIENT, [answer()])
    assert bool(store.kept(one, PATIENT, TODAY).answers) is same
    assert store.servers(PATIENT) == [SERVER]


def test_patients_of_one_id_on_two_servers_are_two(store: Store) -> None:
    store.answer(SERVER, PATIENT, [answer()])
    store.answer("https://other.example.org", PATIENT, [answer("no")])
    assert store.servers(PATIENT) == [SERVER, "https://other.example.org"]
    assert [each.answer for each in store.kept(SERVER, PATIENT, TODAY).answers] == ["yes"]
    assert store.kept("", PATIENT, TODAY).answers == ()


# Tokens


def test_a_token_is_used_once(store: Store, store_url: str) -> None:
    assert store.claim("iss", "jti", 2**40)
    assert not store.claim("iss", "jti", 2**40)
    assert store.claim("other", "jti", 2**40)
    assert store.claim("iss", "j" * 5000, 2**40)
    again = Store(store_url)
    assert not again.claim("iss", "jti", 2**40)
    again.close()


def test_tokens_that_are_past_are_forgotten(store: Store, store_url: str, clock: Clock) -> None:
    now = int(clock().timestamp())
    for number in range(600):
        store.claim("iss", str(number), now + (1000 if number < 5 else -1))
    left = execute(store_url, "SELECT count(*) FROM used_tokens")[0][0]
    assert left < 110
    assert not store.claim("iss", "3", now + 1000)


def test_of_many_who_use_a_token_at_once_one_may(store: Store, store_url: str) -> None:
    others = [Store(store_url, busy_seconds=30) for _ in range(3)]
    found: list[bool] = []
    threads = [
        threading.Thread(target=lambda each=each: found.append(each.claim("iss", "jti", 2**40))) for each in others * 4
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    for other in others:
        other.close()
    assert sorted(found) == [False] * 11 + [True]


# Retention


def test_what_is_old_and_counts_no_more_goes(store: Store, store_url: str, clock: Clock) -> None:
    store.keep([card(), card("card-2")], TrailEvent(kind="decision", patient=PATIENT))
    given(store, overridden(), overridden("nobody-knows"))
    store.answer(SERVER, PATIENT, [answer("no"), answer("yes")])
    clock.move(days=3000)
    assert tuple(store.purge("2033-05-18")) == (0, 0, 0, 0)
    clock.move(days=651)
    store.keep([card("card-3")], TrailEvent(kind="decision", patient="p2"))
    gone = store.purge("2035-02-28")
    assert (gone.cards, gone.feedback, gone.answers) == (2, 2, 2)
    assert gone.events == 5
    assert store.card("card-3") is not None
    assert execute(store_url, "SELECT count(*) FROM feedback")[0][0] == 0
    report = store.verify()
    assert report.whole
    assert (report.purged, report.links) == (5, 7)
    assert [link.event["kind"] if link.event else None for link in store.trail()] == [None] * 5 + ["decision", "purge"]


def test_an_answer_that_still_counts_stays_however_old(store: Store, clock: Clock) -> None:
    store.answer(SERVER, PATIENT, [answer("yes"), answer("no", expires="")])
    clock.move(days=20_000)
    assert store.purge("2079-12-01").answers == 1
    assert [each.answer for each in store.kept(SERVER, PATIENT, "2079-12-01").answers] == ["no"]


def test_an_override_that_is_still_silent_keeps_its_card(store_url: str, clock: Clock) -> None:
    with opened(store_url, clock=clock, terms=Terms(override_days=400, retention_days=30)) as store:
        store.keep([card()])
        given(store, overridden())
        clock.move(days=100)
        assert store.purge("2025-06-09").cards == 0
        assert store.kept(SERVER, PATIENT, "2025-06-09").overrides
        clock.move(days=400)
        assert store.purge("2026-07-14").cards == 1


def test_a_purge_twice_says_and_deletes_once(store: Store, clock: Clock) -> None:
    store.note(TrailEvent(kind="start"), TrailEvent(kind="start"))
    clock.move(days=4000)
    assert store.purge("2036-02-12").events == 2
    assert store.purge("2036-02-12").events == 0
    assert store.verify().links == 3
    clock.move(days=4000)
    assert store.purge("2047-01-26").events == 1
    report = store.verify()
    assert report.whole
    assert (report.links, report.purged) == (4, 3)


# Files, once more


def test_what_is_deleted_leaves_nothing_behind_in_the_file(tmp_path: Path, clock: Clock) -> None:
    with opened(f"sqlite:///{tmp_path}/store.sqlite", clock=clock) as store:
        store.keep(
            [card(patient="patient-to-be-forgotten")], TrailEvent(kind="decision", patient="patient-to-be-forgotten")
        )
        clock.move(days=4000)
        store.purge("2036-02-12")
    assert b"to-be-forgotten" not in (tmp_path / "store.sqlite").read_bytes()


# Rights


def test_who_serves_needs_few_rights_and_can_not_change_the_trail(postgres: str, tmp_path: Path, clock: Clock) -> None:
    from support.stores import fresh_url

    with fresh_url("postgresql", tmp_path, postgres) as url, opened(url):
        execute(
            url,
            "DROP ROLE IF EXISTS serving",
            "CREATE ROLE serving LOGIN",
            "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO serving",
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO serving",
            "GRANT UPDATE ON answers TO serving",
            "GRANT DELETE ON cards, feedback, answers, decisions, used_tokens, audit_details TO serving",
        )
        limited = url.replace("//precaution@", "//serving@")
        store = Store(limited, clock=clock).open()
        store.keep([card()], TrailEvent(kind="decision"))
        given(store, overridden(), accepted("s-yes"))
        (number,) = store.answer(SERVER, PATIENT, [answer("no")])
        assert store.withdraw(SERVER, PATIENT, number, "Practitioner/1")
        assert store.claim("iss", "jti", 2**40)
        assert store.kept(SERVER, PATIENT, TODAY).answers
        clock.move(days=4000)
        assert store.purge("2036-02-12").events > 0
        assert store.verify().whole
        for statement in (
            "ALTER TABLE audit DISABLE TRIGGER ALL",
            "DROP TRIGGER audit_no_delete ON audit",
            "DELETE FROM audit",
            "UPDATE audit_details SET payload = 'x'",
            "TRUNCATE audit_details",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                execute(limited, statement)
        store.close()
        execute(url, "DROP OWNED BY serving", "DROP ROLE serving")
