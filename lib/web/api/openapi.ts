import { ROLES } from '../access/grant.js';
import type { Route, RouteAnswer, Schema } from './route.js';
import { problem, SCHEMAS } from './schemas.js';

/** The answers that every route may give. */
const EVERYWHERE: Readonly<Record<number, RouteAnswer>> = {
  400: problem('Something in the request is not valid'),
  401: problem('The request has no valid credentials'),
  403: problem('The caller may not do this, or comes from another site'),
  421: problem('This server does not answer for the host that the request names'),
  500: problem('The job server failed'),
  501: problem('A remote job server does not offer this over Gearman'),
  502: problem('A remote job server gave an answer that cannot be understood'),
  503: problem('Not possible at the moment; try again later'),
  504: problem('It took too long'),
};

const WITH_BODY: Readonly<Record<number, RouteAnswer>> = {
  408: problem('The body did not arrive in time'),
  413: problem('The body is too large'),
  415: problem('Something else has read the body already'),
};

/** The OpenAPI 3.1 document, made from the route table. @param version of the package. */
export function openApi(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) (paths[route.template] ??= {})[route.method.toLowerCase()] = operation(route);
  return {
    openapi: '3.1.0',
    info: { title: 'nestjs-gearman', version, description: 'A Gearman job server over HTTP.' },
    // Relative to this document, so it is right behind any prefix of a proxy or an app.
    servers: [{ url: '..' }],
    security: [{ bearer: [] }, { basic: [] }, {}],
    paths,
    components: {
      schemas: SCHEMAS,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' }, basic: { type: 'http', scheme: 'basic' } },
    },
  };
}

function operation({ method, template, role, summary, query = {}, body, answers }: Route): object {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  if (names.includes('function'))
    query = { ...query, function64: 'the function name in base64url, if the path has `-` in its place' };
  query = { ...query, server: 'which job server, by its name; default: the first' };
  const parameters = [
    ...names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
    ...Object.entries(query).map(([name, description]) => ({
      name,
      in: 'query',
      description,
      schema: { type: 'string' },
    })),
  ];
  const all = { ...EVERYWHERE, ...(body && WITH_BODY), ...answers };
  return {
    operationId: operationId(method, template),
    summary,
    description: `Needs the role \`${role}\`, one of ${ROLES.join(', ')}.`,
    parameters,
    ...(body && { requestBody: { content: content(body === 'bytes' ? undefined : body) } }),
    responses: Object.fromEntries(Object.entries(all).map(([status, answer]) => [status, response(answer)])),
  };
}

function operationId(method: string, template: string): string {
  const words = template
    .replaceAll(/[{}]/g, '')
    .split(/[/.-]/)
    .filter((word) => word !== '' && word !== 'v1');
  return method.toLowerCase() + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
}

function content(schema: Schema | undefined): object {
  return schema ? { 'application/json': { schema } } : { 'application/octet-stream': {} };
}

function response({ description, schema, media }: RouteAnswer): object {
  if (!schema && media === undefined) return { description };
  const types = [media ?? 'application/json'].flat();
  // Only JSON has a schema; events and bytes have none.
  const contents = types.map((type) => [type, schema && type.includes('json') ? { schema } : {}]);
  return { description, content: Object.fromEntries(contents) };
}
