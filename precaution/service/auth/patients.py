"""Whose patients a client may speak of: a FHIR server belongs to the clients that the settings name.

Where several clients may call, none of them reaches what is kept of another's patients, whatever it sends as
`fhirServer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.service.fhir.addresses import allowed
from precaution.service.http.errors import Refused

if TYPE_CHECKING:
    from precaution.service.auth.tokens import Client
    from precaution.service.settings import FhirServer, Settings


def server_for(client: Client, fhir_server: str, settings: Settings) -> str:
    """Return the server under whose name the store keeps the patients of a call. `fhir_server`: as the call names it.

    Without one they are the client's own. Raises Refused, 403, for a server of other clients.
    """
    if not fhir_server:
        return client.name
    listed = allowed(fhir_server, settings.fhir_servers)
    if listed is not None and not _is_of(client, listed):
        raise Refused(403, "fhirServer is not a server of this client")
    if listed is not None or len(settings.issuers) < 2:
        return fhir_server
    return f"client {client.name}: {fhir_server}"  # nobody says whose it is, so each client has one of its own


def _is_of(client: Client, server: FhirServer) -> bool:
    return not server.issuers or client.iss in server.issuers or client.name in server.issuers
