"""Tokens of clients: sound ones are let in once, everything else is refused, and keys are asked for seldom."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from precaution.errors import StoreBusy, StoreError, UsageError
from precaution.service.auth.keys import APART, FRESH, USABLE, parse_key_set
from precaution.service.auth.tokens import Client, Unauthorised
from precaution.service.settings import Issuer
from precaution.service.settings_loading import check
from precaution.service.store import Store
from support.client_tokens import (
    AUDIENCE,
    ISS,
    JKU,
    NOW,
    Door,
    Published,
    by_secret,
    claims,
    key,
    public,
    raw,
    settings,
    token,
)
from support.project import PROJECT
from support.stores import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def door() -> Iterator[Door]:
    made = Door()
    yield made
    made.close()


def refused(door: Door, authorization: str | None, audience: str = AUDIENCE) -> str:
    """Return why a token is refused; fails where it is not."""
    with pytest.raises(Unauthorised) as raised:
        door.verify(authorization, audience)
    return raised.value.reason


# Sound


def test_a_sound_token_says_who_calls(door: Door) -> None:
    assert door.verify(token()) == Client(ISS, "", "one", "clinician")
    assert door.verify(token(claims(tenant="ward"))).name == f"{ISS} ward"


@pytest.mark.parametrize(
    "said",
    [
        {"aud": [AUDIENCE]},
        {"aud": ["https://other.example.org", AUDIENCE]},
        {"iat": NOW + 59},  # a client that rounds up, or whose clock is fast
        {"exp": NOW - 59, "iat": NOW - 100},
        {"iat": NOW - 3600, "exp": NOW - 1},
        {"exp": NOW + 3600},
        {"iat": NOW + 0.5, "exp": NOW + 300.25},
        {"nbf": NOW - 300, "sub": "me", "azp": [1, {"x": None}], "https://ehr.example.org/claim": "extra"},
        {"nbf": NOW + 59},
        {"jti": "x" * 512},
    ],
)
def test_what_real_clients_say_is_let_in(door: Door, said: dict[str, Any]) -> None:
    assert door.verify(token(claims(**said))).iss == ISS


@pytest.mark.parametrize("header", [{"jku": ...}, {"typ": "jwt"}, {"cty": "JWT"}, {"x5t": "abc", "more": {"a": 1}}])
def test_other_headers_do_no_harm(door: Door, header: dict[str, Any]) -> None:
    assert door.verify(token(**header)).iss == ISS


def test_both_recommended_algorithms_are_known(door: Door) -> None:
    assert door.verify(token(signed_by=key("two", "RSA"), alg="RS384", kid="two")).kid == "two"
    assert door.verify(token().replace("Bearer", "bearer")).kid == "one"


def test_a_service_that_needs_no_tokens_takes_calls_without_one(tmp_path: Path) -> None:
    open_door = Door(settings(require_tokens=False, issuers=()))
    assert open_door.verify(None) == Client()
    assert open_door.verify("Bearer whatever").name == ""
    open_door.close()
    half = Door(settings(require_tokens=False))
    assert half.verify(None) == Client()
    assert half.verify(token()).iss == ISS
    assert refused(half, "Bearer whatever") == "no-token"
    half.close()


# Refused


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic abc",
        "Bearer a.b",
        "Bearer a.b.c.d",
        "Bearer a.b.",
        "Bearer é.b.c",
        "Bearer " + "a" * 9000,
        "Bearer a.b.c",
        "Token x.y.z",
        "Bearer  .  .  ",
        "Bearer a=.b=.c=",
    ],
)
def test_what_is_no_token_is_refused(door: Door, authorization: str | None) -> None:
    assert refused(door, authorization) in ("no-token", "unreadable")
    assert door.published.asked == []


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"iss": "https://evil.example.org"}, "issuer"),
        ({"iss": ISS + "/"}, "issuer"),
        ({"iss": [ISS]}, "issuer"),
        ({"iss": ...}, "issuer"),
        ({"tenant": 7}, "issuer"),
        ({"aud": "https://cds.example.org"}, "audience"),
        ({"aud": AUDIENCE + "/"}, "audience"),
        ({"aud": AUDIENCE + "/feedback"}, "audience"),
        ({"aud": AUDIENCE.upper()}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": {AUDIENCE: 1}}, "audience"),
        ({"aud": ...}, "audience"),
        ({"exp": NOW - 61, "iat": NOW - 100}, "expired"),
        ({"exp": NOW - 60, "iat": NOW - 100}, "expired"),
        ({"iat": NOW + 61}, "not-yet"),
        ({"nbf": NOW + 61}, "not-yet"),
        ({"exp": NOW + 3601}, "lifetime"),
        ({"exp": NOW - 10, "iat": NOW}, "lifetime"),
        ({"exp": ...}, "times"),
        ({"iat": ...}, "times"),
        ({"exp": str(NOW + 300)}, "times"),
        ({"exp": True}, "times"),
        ({"nbf": None}, "times"),
        ({"jti": ...}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 5}, "jti"),
        ({"jti": "x" * 513}, "jti"),
    ],
)
def test_claims_that_are_not_in_order_are_refused(door: Door, said: dict[str, Any], why: str) -> None:
    assert refused(door, token(claims(**said))) == why


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({"typ": ...}, "algorithm"),
        ({"typ": "at+jwt"}, "algorithm"),
        ({"kid": ...}, "header"),
        ({"kid": "three"}, "unknown-key"),
        ({"kid": ""}, "header"),
        ({"kid": "../../etc/passwd"}, "unknown-key"),
        ({"kid": "x' OR '1'='1"}, "unknown-key"),
        ({"jku": "https://evil.example.org/jwks.json"}, "issuer"),
        ({"jku": JKU + "?"}, "issuer"),
        ({"jku": "http://169.254.169.254/"}, "issuer"),
        ({"jwk": key().as_dict(private=False)}, "header"),
        ({"x5u": "https://evil.example.org/cert"}, "header"),
        ({"x5c": ["abc"]}, "header"),
    ],
)
def test_a_header_that_is_not_in_order_is_refused(door: Door, header: dict[str, Any], why: str) -> None:
    assert refused(door, token(**header)) == why
    assert set(door.published.asked) <= {JKU}


@pytest.mark.parametrize("jku", ["", None, 5, [JKU], {}])
def test_an_address_of_keys_that_is_none_is_refused(door: Door, jku: object) -> None:
    header = json.dumps({"alg": "ES384", "typ": "JWT", "kid": "one", "jku": jku}).encode()
    assert refused(door, raw(header, json.dumps(claims()).encode())) == "issuer"


def test_none_is_no_algorithm(door: Door) -> None:
    for alg in ("none", "None", "NONE", "nOnE", "", None, 0, ["ES384"]):
        header = json.dumps({"alg": alg, "typ": "JWT", "kid": "one"}).encode()
        assert refused(door, raw(header, json.dumps(claims()).encode())) == "algorithm"


@pytest.mark.parametrize("alg", ["HS256", "HS384"])
def test_a_public_key_is_no_shared_secret(door: Door, alg: str) -> None:
    for known in (public(key()), key("two", "RSA").as_pem(private=False), b"one"):
        assert refused(door, by_secret(known, alg)) == "algorithm"


def test_an_algorithm_that_is_not_allowed_is_refused(door: Door) -> None:
    assert refused(door, token(signed_by=key("three", "P-256"), alg="ES256", kid="three")) == "algorithm"
    assert refused(door, token(signed_by=key("two", "RSA"), alg="RS256", kid="two")) == "algorithm"


def test_a_key_serves_no_other_algorithm(door: Door) -> None:
    assert refused(door, token(signed_by=key("two", "RSA"), alg="RS384", kid="one")) == "unknown-key"
    assert refused(door, token(kid="two")) == "unknown-key"


def test_somebody_elses_signature_is_refused(door: Door) -> None:
    assert refused(door, token(signed_by=key("evil"))) == "signature"
    good = token()
    head, payload, signature = good.split(".")
    other = token(claims(jti="other")).split(".")[1]
    assert refused(door, f"{head}.{other}.{signature}") == "signature"
    assert refused(door, f"{head}.{payload}.{signature[:-8]}") == "signature"
    assert refused(door, f"{head}.{payload}.{'A' * len(signature)}") == "signature"
    assert door.verify(good).iss == ISS, "what was refused used nothing up"


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        (b'{"alg":"none","alg":"ES384","typ":"JWT","kid":"one"}', b"{}"),
        (b'{"alg":"ES384","typ":"JWT","kid":"one"}', b'{"exp":NaN}'),
        (b'{"alg":"ES384","typ":"JWT","kid":"one"}', b'{"iss":"a","iss":"b"}'),
        (b"[]", b"{}"),
        (b"{}", b"[]"),
        (b"\xff\xfe", b"{}"),
        (b"{", b"{}"),
    ],
)
def test_what_is_no_strict_json_is_refused(door: Door, header: bytes, payload: bytes) -> None:
    assert refused(door, raw(header, payload)) == "unreadable"


def test_keys_of_one_client_do_not_serve_another() -> None:
    other = Issuer(iss="https://other.example.org", jku="https://other.example.org/jwks.json")
    chosen = settings(issuers=(Issuer(iss=ISS, jku=JKU), other))

    class Two(Published):
        async def __call__(self, url: str) -> bytes:
            self.asked.append(url)
            return public(key()) if url == JKU else public(key("other-key"))

    door = Door(chosen, published=Two())
    assert refused(door, token(claims(iss=other.iss), jku=other.jku)) == "unknown-key"
    assert refused(door, token(claims(iss=other.iss), jku=other.jku, kid="other-key")) == "signature"
    assert refused(door, token(claims(iss=other.iss))) == "issuer", "one client's iss, another's jku"
    mine = token(claims(iss=other.iss), signed_by=key("other-key"), jku=other.jku, kid="other-key")
    assert door.verify(mine).iss == other.iss
    door.close()


def test_a_client_of_that_address_goes_before_one_whose_keys_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(public(key("kept")))
    kept, fetched = Issuer(iss=ISS, keys=str(file), role="viewer"), Issuer(iss=ISS, jku=JKU)
    for order in ((kept, fetched), (fetched, kept)):
        door = Door(settings(issuers=order))
        assert door.verify(token()).role == "clinician"
        elsewhere = token(signed_by=key("kept"), kid="kept", jku="https://ehr.example.org/other.json")
        assert door.verify(elsewhere).role == "viewer"
        door.close()


def test_a_client_may_be_held_to_its_tenant() -> None:
    a, b = Issuer(iss=ISS, jku=JKU, tenant="a"), Issuer(iss=ISS, jku=JKU, tenant="b", role="viewer")
    door = Door(settings(issuers=(a, b)))
    assert door.verify(token(claims(tenant="a"))).role == "clinician"
    assert door.verify(token(claims(tenant="b"))).role == "viewer"
    assert refused(door, token(claims(tenant="c"))) == "issuer"
    assert refused(door, token()) == "issuer"
    door.close()


PARTS = st.binary(max_size=60)


@rules(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=80), st.tuples(PARTS, PARTS, PARTS).map(lambda parts: raw(*parts))))
def test_anything_else_is_refused(door: Door, authorization: str) -> None:
    refused(door, authorization)


SOUND = token(claims(jti="sound"))


@rules(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(7, len(SOUND) - 1), st.sampled_from("ABCDEFXYZabcxyz0189_-"))
def test_a_token_with_one_letter_changed_is_refused(door: Door, place: int, letter: str) -> None:
    """The last letter of a part holds bits that mean nothing; such a token is the same, and is used once."""
    changed = SOUND[:place] + letter + SOUND[place + 1 :]
    if changed == SOUND:
        return
    try:
        door.verify(changed)
    except Unauthorised:
        return
    assert refused(door, changed) == "replay"
    assert refused(door, SOUND) == "replay"
    door.replay.used.clear()
    door.verifier._used.clear()


# Replay


def test_a_token_is_let_in_once(door: Door) -> None:
    used = token()
    door.verify(used)
    assert refused(door, used) == "replay"
    door.clock.now += 200
    assert refused(door, used) == "replay"


def test_the_same_jti_of_another_token_is_the_same(door: Door) -> None:
    door.verify(token(claims(jti="same")))
    assert refused(door, token(claims(jti="same", exp=NOW + 200))) == "replay"


def test_a_token_stays_used_until_nobody_would_take_it(door: Door) -> None:
    used = token(claims(exp=NOW + 10))
    door.verify(used)
    door.clock.now = NOW + 69
    assert refused(door, used) == "replay"
    door.clock.now = NOW + 70
    assert refused(door, used) == "expired"


def test_a_token_used_in_one_process_is_refused_in_another_and_after_a_restart(store_url: str) -> None:
    with opened(store_url) as store:
        first, used = Door(replay=store), token()
        first.verify(used)
        first.close()
        beside = Store(store_url)
        second = Door(replay=beside)
        assert refused(second, used) == "replay"
        assert second.verify(token()).iss == ISS
        second.close()
        beside.close()


CLAIM = """
import sys
from precaution.service.store import Store
store = Store(sys.argv[1], busy_seconds=60)
sys.stdin.readline()
print(sum(store.claim("iss", str(number), 2**40) for number in range(200)))
"""


def test_of_processes_that_use_tokens_at_once_each_token_has_one_winner(store_url: str) -> None:
    with opened(store_url):
        running = [
            subprocess.Popen(
                [sys.executable, "-c", CLAIM, store_url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=PROJECT,
            )
            for _ in range(2)
        ]
        won = [each.communicate("go\n", timeout=120)[0] for each in running]
        assert sum(map(int, won)) == 200


def test_a_store_that_fails_lets_nobody_in_where_it_is_needed(door: Door) -> None:
    door.replay.fails = StoreBusy("busy")
    again = token()
    with pytest.raises(StoreError):
        door.verify(again)
    door.replay.fails = None
    assert door.verify(again).iss == ISS, "the client may try again with it"


def test_without_the_store_this_process_remembers(door: Door) -> None:
    door.replay.fails = StoreBusy("busy")
    used = token()
    _, use = door.run(door.verifier.check(used, AUDIENCE))
    door.run(door.verifier.note(use, needs_store=False))
    assert refused(door, used) == "replay"
    door.replay.fails = None
    assert refused(door, used) == "replay"


def test_what_a_process_remembers_is_bounded(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("precaution.service.auth.tokens._REMEMBERED", 5)
    for _ in range(20):
        door.verify(token())
    assert len(door.verifier._used) <= 6


# Keys


def test_keys_are_fetched_once_for_many_tokens(door: Door) -> None:
    for _ in range(50):
        door.verify(token())
    assert door.published.asked == [JKU]


def test_a_flood_of_unknown_keys_does_not_hammer(door: Door) -> None:
    for number in range(200):
        assert refused(door, token(kid=f"unknown-{number}")) == "unknown-key"
    assert len(door.published.asked) == 1
    door.clock.now += APART
    for number in range(200):
        assert refused(door, token(kid=f"unknown-{number}")) == "unknown-key"
    assert len(door.published.asked) == 2


def test_unknown_keys_that_come_at_once_are_looked_for_once(door: Door) -> None:
    async def flood() -> list[Any]:
        calls = (door.verifier.verify(token(kid=f"k{number}"), AUDIENCE) for number in range(50))
        return await asyncio.gather(*calls, return_exceptions=True)

    assert {type(each) for each in door.run(flood())} == {Unauthorised}
    assert len(door.published.asked) == 1


def test_a_new_key_is_found_when_it_is_used(door: Door) -> None:
    door.verify(token())
    door.published.keys = (key("new"),)
    door.clock.now += APART
    assert door.verify(token(claims(iat=door.clock.now), signed_by=key("new"), kid="new")).kid == "new"
    assert refused(door, token()) == "unknown-key", "a key that is withdrawn"


def test_a_withdrawn_key_is_known_no_more_after_a_while(door: Door) -> None:
    door.verify(token())
    door.published.keys = (key("new"),)
    door.clock.now += FRESH + 1

    async def late() -> None:
        said = claims(iat=door.clock.now, exp=door.clock.now + 100)
        await door.verifier.verify(token(said), AUDIENCE)  # still by what was known; fetched anew beside it
        await asyncio.gather(*(each._refreshing for each in door.verifier._keys.values() if each._refreshing))

    door.run(late())
    assert refused(door, token(claims(iat=door.clock.now, exp=door.clock.now + 100))) == "unknown-key"


def test_keys_that_cant_be_fetched_anew_are_used_for_a_day(door: Door) -> None:
    door.verify(token())
    door.published.fails = OSError("down")
    for later in (FRESH + 1, USABLE - 1):
        door.clock.now = NOW + later
        assert door.verify(token(claims(iat=door.clock.now, exp=door.clock.now + 100)))
    door.clock.now = NOW + USABLE + 1
    assert refused(door, token(claims(iat=door.clock.now, exp=door.clock.now + 100))) == "unknown-key"


def test_keys_that_cant_be_fetched_at_all_are_unknown(door: Door) -> None:
    door.published.fails = OSError("down")
    assert refused(door, token()) == "unknown-key"
    door.published.fails = None
    door.clock.now += APART
    assert door.verify(token(claims(iat=door.clock.now)))


def test_keys_in_a_file_need_no_fetching_and_may_change(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(public(key()))
    door = Door(settings(issuers=(Issuer(iss=ISS, keys=str(file)),)))
    assert door.verify(token(jku=...)).kid == "one"
    assert door.verify(token()).kid == "one", "where the token says its keys are is of no account"
    assert refused(door, token(signed_by=key("evil"), jku="https://evil.example.org/jwks.json")) == "signature"
    assert refused(door, token(signed_by=key("evil"), kid="evil")) == "unknown-key"
    file.write_bytes(public(key("new")))
    door.clock.now += APART
    assert door.verify(token(claims(iat=door.clock.now), signed_by=key("new"), kid="new", jku=...)).kid == "new"
    assert door.published.asked == []
    door.close()
    both = Door(settings(issuers=(Issuer(iss=ISS, keys=str(file), jku=JKU),)))
    assert both.verify(token(signed_by=key("new"), kid="new")).kid == "new"
    assert both.published.asked == []
    both.close()


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"keys": []}', b"nonsense"])
def test_a_file_without_keys_is_refused_at_start(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "jwks.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=r"issuer https://ehr\.example\.org: the file of keys"):
        Door(settings(issuers=(Issuer(iss=ISS, keys=str(file)),)))


def test_a_client_without_keys_is_refused_by_the_settings() -> None:
    with pytest.raises(UsageError, match="give jku or keys"):
        check(settings(issuers=(Issuer(iss=ISS),)))


def jwks(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


def test_of_a_set_only_sound_public_keys_for_signing_are_taken() -> None:
    good, private = key().as_dict(private=False), key("two", "RSA").as_dict(private=True)
    found = parse_key_set(jwks(good, private))
    assert found is not None
    assert {name for name, _ in found} == {"one", "two"}
    rsa = key("two", "RSA").as_dict(private=False)
    small = {**rsa, "n": rsa["n"][:170]}
    assert not any(each.is_private for keys in found.values() for each in keys)
    for bad in (
        {**good, "use": "enc"},
        {**good, "key_ops": ["sign"]},
        {**good, "alg": "ES256"},
        {**good, "kid": 7},
        {**good, "kid": ""},
        {**good, "crv": "P-256"},
        {**good, "x": "AAAA"},
        {"kty": "oct", "k": "abc", "kid": "one"},
        {**good, "kty": "RSA"},
        small,
        {"kid": "one"},
        "text",
        None,
    ):
        assert parse_key_set(jwks(bad)) == {}, bad  # type: ignore[arg-type]
        assert parse_key_set(jwks(bad, good)), "the others of the set stay"  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"keys": {}}', b"\xff", b'{"keys": []' + b" " * 300_000 + b"}"])
def test_what_is_no_set_of_keys_replaces_none(data: bytes) -> None:
    assert parse_key_set(data) is None


def test_two_keys_of_one_name_are_none() -> None:
    twice = [{**key(name).as_dict(private=False), "kid": "one"} for name in ("one", "evil")]

    class Twice(Published):
        async def __call__(self, url: str) -> bytes:
            return jwks(*twice)

    door = Door(published=Twice())
    assert refused(door, token()) == "unknown-key"
    door.close()


def test_a_refusal_holds_nothing_of_the_token(door: Door) -> None:
    with pytest.raises(Unauthorised) as raised:
        door.verify(token(claims(iss="https://secret.example.org")))
    assert "secret" not in str(raised.value)
    assert "ey" not in str(raised.value)
