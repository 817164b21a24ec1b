"""Which addresses are asked: the site's, exactly; of everything else not one connection is made."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import httpcore
import pytest

from precaution.service.fhir.addresses import AddressRefused, Pinned, address, allowed, is_public
from precaution.service.settings import FhirServer
from support.fhir_server import Reply, Stub
from support.hook_calls import App, call, draft, post, settings

SERVERS = (
    FhirServer(url="https://ehr.example.org/fhir/r4"),
    FhirServer(url="https://ehr.example.org:8443/fhir"),
    FhirServer(url="http://127.0.0.1:9/fhir", private=True),
)

ALLOWED = [
    "https://ehr.example.org/fhir/r4",
    "https://ehr.example.org/fhir/r4/",
    "https://EHR.example.org/fhir/r4",
    "https://ehr.example.org:443/fhir/r4/Patient",
    "https://ehr.example.org:8443/fhir",
    "http://127.0.0.1:9/fhir",
]

CORPUS = [
    # other hosts, schemes, ports
    "http://ehr.example.org/fhir/r4",
    "https://ehr.example.org:444/fhir/r4",
    "https://ehr.example.org.evil.com/fhir/r4",
    "https://evil.com/ehr.example.org/fhir/r4",
    "https://evilehr.example.org/fhir/r4",
    "https://example.org/fhir/r4",
    "ftp://ehr.example.org/fhir/r4",
    "file:///etc/passwd",
    "gopher://127.0.0.1:9/_x",
    "data:text/plain,x",
    "dict://127.0.0.1:9/x",
    "javascript:alert(1)",
    "//ehr.example.org/fhir/r4",
    "ehr.example.org/fhir/r4",
    "",
    # the path
    "https://ehr.example.org/fhir/r",
    "https://ehr.example.org/fhir/r44",
    "https://ehr.example.org/fhir",
    "https://ehr.example.org/fhir/r4/../admin",
    "https://ehr.example.org/fhir/r4/%2e%2e/admin",
    "https://ehr.example.org/fhir/r4/.%2E/admin",
    "https://ehr.example.org/fhir/r4%2f..%2fadmin",
    "https://ehr.example.org/fhir/r4/..;/admin/..",
    "https://ehr.example.org//fhir/r4",
    "https://ehr.example.org/fhir/r4//x",
    "https://ehr.example.org/fhir%5cr4",
    # who one seems to be
    "https://user@ehr.example.org/fhir/r4",
    "https://ehr.example.org@evil.com/fhir/r4",
    "https://ehr.example.org:x@evil.com/fhir/r4",
    "https://evil.com#@ehr.example.org/fhir/r4",
    "https://evil.com?@ehr.example.org/fhir/r4",
    "https://ehr.example.org\\@evil.com/fhir/r4",
    "https://evil.com\\.ehr.example.org/fhir/r4",
    "https://ehr.example.org%00.evil.com/fhir/r4",
    "https://ehr.example.org%2eevil.com/fhir/r4",
    "https://ehr。example。org/fhir/r4",
    "https://ｅhr.example.org/fhir/r4",
    "https://ehr.example.org\t/fhir/r4",
    "https://ehr.example.org\n/fhir/r4",
    " https://ehr.example.org/fhir/r4",
    "https://ehr.example.org /fhir/r4",
    "https://ehr.example.org\r\nHost: evil.com/fhir/r4",
    "https:/ehr.example.org/fhir/r4",
    "https:ehr.example.org/fhir/r4",
    "https:///ehr.example.org/fhir/r4",
    "https://ehr.example.org:/fhir/r4",
    "https://ehr.example.org:0/fhir/r4",
    "https://ehr.example.org:99999/fhir/r4",
    "https://ehr.example.org:-1/fhir/r4",
    "https://ehr.example.org:44３/fhir/r4",
    "https://ehr.example.org./fhir/r4",
    # this machine, in all spellings
    "http://localhost:9/fhir",
    "http://127.1:9/fhir",
    "http://0:9/fhir",
    "http://0.0.0.0:9/fhir",
    "http://2130706433:9/fhir",
    "http://0x7f000001:9/fhir",
    "http://0177.0.0.1:9/fhir",
    "http://127.0.0.1.:9/fhir",
    "http://127.000.000.001:9/fhir",
    "http://[::1]:9/fhir",
    "http://[::ffff:127.0.0.1]:9/fhir",
    "http://[0:0:0:0:0:ffff:7f00:1]:9/fhir",
    "http://[::]:9/fhir",
    "http://[::127.0.0.1]:9/fhir",
    "http://①②⑦.⓪.⓪.①:9/fhir",
    "http://127.0.0.1:9/",
    "http://127.0.0.1:9",
    "http://127.0.0.1:10/fhir",
    "http://127.0.0.1/fhir",
    # where clouds keep their secrets
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/",
    "http://metadata.google.internal/",
    "http://169.254.169.254.nip.io/",
    "http://100.100.100.200/latest/meta-data/",
    "http://[fe80::1%25eth0]/fhir",
    "http://10.0.0.1/fhir",
    "http://192.168.1.1/fhir",
    "http://172.16.0.1/fhir",
    "http://[fc00::1]/fhir",
    "https://ehr.example.org/fhir/r4?x=" + "y" * 5000,
]


@pytest.mark.parametrize("url", ALLOWED)
def test_the_sites_own_are_allowed(url: str) -> None:
    assert allowed(url, SERVERS) is not None


@pytest.mark.parametrize("url", CORPUS, ids=range(len(CORPUS)))
def test_anything_else_is_not(url: str) -> None:
    assert allowed(url, SERVERS) is None


def test_there_are_enough_of_them() -> None:
    assert len(CORPUS) >= 60


@pytest.mark.parametrize("url", CORPUS, ids=range(len(CORPUS)))
def test_the_network_would_not_go_there_either(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second wall: whatever the list let through, a connection is made to the list's hosts and ports alone."""

    async def no_lookup(*_: object, **__: object) -> list[object]:
        raise AssertionError("it was looked up")

    async def ask() -> None:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", no_lookup)
        async with httpcore.AsyncConnectionPool(network_backend=Pinned(())) as pool:
            await pool.request("GET", url)

    with pytest.raises((httpcore.ConnectError, httpcore.UnsupportedProtocol, ValueError, TypeError)):
        asyncio.run(ask())


def test_no_call_makes_a_connection(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole corpus through the service, with a token, as fhirServer and as the next page."""
    made: list[object] = []
    real = socket.socket.connect

    def watched(self: socket.socket, where: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            made.append(where)
        return real(self, where)

    monkeypatch.setattr(socket.socket, "connect", watched)
    app = App(settings(tmp_path, fhir_servers=SERVERS[:1]))
    for url in CORPUS:
        page = {"resourceType": "Bundle", "type": "searchset", "entry": [], "link": [{"relation": "next", "url": url}]}
        body = call("order-sign", {"patient": {"resourceType": "Patient", "id": "p"}, "conditions": page}, draft())
        body |= {"fhirServer": url, "fhirAuthorization": {"access_token": "secret"}}
        response = post(app, body)
        assert response.status_code == 200, url
    app.close()
    assert made == []


def test_a_next_page_elsewhere_is_not_asked_for(tmp_path: Any) -> None:
    with Stub(lambda *_: Reply({})) as elsewhere:

        def answer(path: str, _: Any) -> Reply:
            link = [{"relation": "next", "url": f"{elsewhere.base}{path}"}]
            if path.endswith("/Patient/p"):
                return Reply({"resourceType": "Patient", "id": "p"})
            return Reply({"resourceType": "Bundle", "type": "searchset", "entry": [], "link": link})

        with Stub(answer) as server:
            servers = (FhirServer(url=server.base, private=True),)
            app = App(settings(tmp_path, fhir_servers=servers))
            body = call(
                "order-sign",
                {},
                draft(),
                patient="p",
                fhirServer=server.base,
                fhirAuthorization={"access_token": "secret"},
            )
            assert post(app, body).status_code == 200
            app.close()
            assert server.asked
        assert elsewhere.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(tmp_path: Any, status: int) -> None:
    with Stub(lambda *_: Reply({})) as elsewhere:
        headers = (("Location", f"{elsewhere.base}/Patient/p"),)
        with Stub(lambda *_: Reply({}, status, headers)) as server:
            app = App(settings(tmp_path, fhir_servers=(FhirServer(url=server.base, private=True),)))
            body = call("order-sign", {}, draft(), patient="p", fhirServer=server.base)
            assert post(app, body).status_code == 412
            app.close()
        assert elsewhere.connections == 0


def test_a_name_that_leads_to_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an attacker's name server answers: first a public number, then a private one, or both at once."""
    with Stub(lambda *_: Reply({})) as server:
        answers = [["203.0.113.7", "127.0.0.1"], ["127.0.0.1"], ["::1"], ["169.254.169.254"], []]

        async def ask(numbers: list[str]) -> None:
            async def lookup(_: str, port: int, **__: object) -> list[Any]:
                return [(0, 0, 0, "", (number, port)) for number in numbers]

            monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
            servers = [FhirServer(url=f"http://rebound.example.org:{server.port}/fhir")]
            async with httpcore.AsyncConnectionPool(network_backend=Pinned(servers)) as pool:
                await pool.request("GET", f"http://rebound.example.org:{server.port}/fhir/Patient/p")

        for numbers in answers:
            with pytest.raises(httpcore.ConnectError):
                asyncio.run(ask(numbers))
        assert server.connections == 0


def test_a_host_is_looked_up_once_and_asked_at_that_number(monkeypatch: pytest.MonkeyPatch) -> None:
    with Stub(lambda *_: Reply({"there": True})) as server:
        looked: list[str] = []

        async def lookup(host: str, port: int, **_: object) -> list[Any]:
            looked.append(host)
            return [(0, 0, 0, "", ("127.0.0.1", port))]

        async def ask() -> int:
            monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
            url = f"http://ehr.example.org:{server.port}/fhir"
            backend = Pinned([FhirServer(url=url, private=True)])
            async with httpcore.AsyncConnectionPool(network_backend=backend) as pool:
                return (await pool.request("GET", f"{url}/Patient/p")).status

        assert asyncio.run(ask()) == 200
        assert looked == ["ehr.example.org"]
        assert server.asked[0].headers["Host"] == f"ehr.example.org:{server.port}"


@pytest.mark.parametrize("number", ["8.8.8.8", "2001:4860:4860::8888", "1.1.1.1"])
def test_numbers_of_the_internet(number: str) -> None:
    assert is_public(number)


@pytest.mark.parametrize(
    "number",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "ff02::1",
        "not a number",
        "",
    ],
)
def test_numbers_that_are_not(number: str) -> None:
    assert not is_public(number)


def test_an_address_of_the_site_must_be_plain_as_well(tmp_path: Any) -> None:
    from precaution.errors import UsageError

    for url in ("https://ehr.example.org/fhir/../x", "https://ehr.example.org/fhir//x"):
        with pytest.raises(AddressRefused):
            address(url)
        with pytest.raises(UsageError, match="fhir-server"):
            App(settings(tmp_path, fhir_servers=(FhirServer(url=url),)))
