"""Calls the service as healthchain's sandbox client does, and reads its answers into healthchain's own models.

python healthchain_client.py SERVICE PREFETCH.json    prints what came back as JSON.
"""

import json
import logging
import sys

import httpx
from healthchain.models import CDSResponse
from healthchain.models.responses.cdsdiscovery import CDSServiceInformation
from healthchain.sandbox import SandboxClient

logging.disable(logging.CRITICAL)
service, prefetch = sys.argv[1:3]
known = CDSServiceInformation(**httpx.get(f"{service}/cds-services").json())
seen = {"discovered": [each.id for each in known.services], "cards": {}, "read": {}}
for each in known.services:
    if each.hook != "patient-view":  # it makes requests of this hook and of none that we serve beside it
        continue
    client = SandboxClient(url=f"{service}/cds-services/{each.id}", workflow=each.hook)
    client.load_from_path(prefetch)
    # It makes up a patient's id, whoever the prefetch is about.
    client.requests[0].context.patientId = client.requests[0].prefetch["patient"]["id"]
    (response,) = client.send_requests()
    seen["cards"][each.hook] = response["cards"]
    # Its model of a link demands a field that CDS Hooks 2.0 has not, so links are left out of what it reads.
    seen["read"][each.hook] = len(CDSResponse(cards=[{**card, "links": None} for card in response["cards"]]).cards)
print(json.dumps(seen))
