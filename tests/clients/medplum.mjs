// Calls every service as the client of @medplum/core does: discovery, the prefetch it builds by searching a FHIR server,
// the call. node medplum.mjs SERVICE FHIR-SERVER ORDERS.json    prints what came back, by hook, as JSON.
globalThis.WebSocket ??= class {}; // @medplum/core names it when it is loaded; Node has it from version 22 on
const { readFileSync } = await import('node:fs');
const { MedplumClient, buildCdsRequest } = await import('@medplum/core');

const [service, fhir, file] = process.argv.slice(2);
const { patientId, draftOrders, selections } = JSON.parse(readFileSync(file, 'utf8'));
const client = new MedplumClient({
  baseUrl: fhir,
  fhirUrlPath: 'fhir',
  cdsServicesUrl: `${service}/cds-services`,
  accessToken: 'not-needed-on-loopback',
  maxRetries: 0,
});
const user = { resourceType: 'Practitioner', id: 'nurse' };
const contexts = {
  'patient-view': { userId: 'Practitioner/nurse', patientId },
  'order-select': { userId: 'Practitioner/nurse', patientId, draftOrders, selections },
  'order-sign': { userId: 'Practitioner/nurse', patientId, draftOrders },
};

const { services } = await client.getCdsServices();
const found = {};
for (const each of services) {
  const request = await buildCdsRequest(client, user, each, contexts[each.hook]);
  const bare = { ...request, prefetch: undefined, fhirServer: `${fhir}/fhir`, fhirAuthorization: {
    access_token: 'secret', token_type: 'Bearer', expires_in: 300, scope: 'patient/*.read', subject: 'test', patient: patientId } };
  found[each.hook] = {
    keys: Object.keys(request.prefetch),
    withPrefetch: await client.callCdsService(each.id, request),
    withServer: await client.callCdsService(each.id, bare),
  };
}
console.log(JSON.stringify(found));
