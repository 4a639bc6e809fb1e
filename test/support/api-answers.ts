import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { JobServer } from '../../lib/job-server/job-server.js';
import { createWebHandler } from '../../lib/web/web-handler.js';

interface Answer {
  readonly content?: Readonly<Record<string, { readonly schema?: object }>>;
}

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, Answer>>;
}

/** The parts of openapi.json that tests read. */
export interface Description {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

/** An answer, from whatever client. */
export interface Answered {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: string;
}

let description: Promise<Description> | undefined;

/** The openapi.json that a handler answers with, read once. */
export function describeApi(): Promise<Description> {
  return (description ??= readDescription());
}

async function readDescription(): Promise<Description> {
  const jobServer = new JobServer({ listeners: [] });
  const handler = createWebHandler({ sources: [{ name: 'main', jobServer }], access: 'open' });
  const http = createServer(handler);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/v1/openapi.json`);
  const read = (await response.json()) as Description;
  http.closeAllConnections();
  http.close();
  await handler.close();
  return read;
}

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const validators = new Map<string, ValidateFunction>();

/** Makes a check for a schema of openapi.json; each schema is compiled once. */
export function validatorOf(schema: object, components: object): ValidateFunction {
  const key = JSON.stringify(schema);
  let validate = validators.get(key);
  if (!validate) {
    // Strict, with the additions that OpenAPI makes to JSON Schema.
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, formats: { 'date-time': DATE_TIME } });
    ajv.addVocabulary(['components']);
    validate = ajv.compile({ ...schema, components });
    validators.set(key, validate);
  }
  return validate;
}

/**
 * Fails unless openapi.json allows this answer. An answer at a path that is not in
 * it must be the problem that says so.
 *
 * @param path below the handler's path.
 * @returns the route and the status, as `GET /v1/jobs 200`.
 */
export async function mustFit(method: string, path: string, answered: Answered): Promise<string> {
  const { paths, components } = await describeApi();
  const bare = path.split('?', 1)[0]!;
  const name = method === 'HEAD' ? 'get' : method.toLowerCase();
  const found = Object.entries(paths).find(
    ([template, operations]) => operations[name] && patternOf(template).test(bare),
  );
  const [template, operation] = found ? [found[0], found[1][name]] : [bare];
  const place = `${method} ${template} ${answered.status}`;
  const answer = operation ? operation.responses[String(answered.status)] : UNKNOWN[answered.status];
  if (!answer) throw new Error(`${place} is not in openapi.json: ${answered.body.slice(0, 500)}`);
  mustHaveBody(place, answer, answered, method === 'HEAD', components);
  return place;
}

const PROBLEM: Answer = {
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

/** The answers at a path where nothing is. */
const UNKNOWN: Readonly<Record<number, Answer>> = {
  400: PROBLEM,
  401: PROBLEM,
  403: PROBLEM,
  404: PROBLEM,
  405: PROBLEM,
  421: PROBLEM,
  501: PROBLEM,
};

function mustHaveBody(
  place: string,
  { content }: Answer,
  { headers, body }: Answered,
  isHead: boolean,
  components: object,
): void {
  const media = headers.get('content-type')?.split(';', 1)[0] ?? '';
  if (!content) {
    if (media !== '' || body !== '') throw new Error(`${place}: must have no body, and has ${media} ${body}`);
    return;
  }
  if (!(media in content)) throw new Error(`${place}: ${media || 'no media type'} is not in openapi.json`);
  if (isHead) {
    if (body !== '') throw new Error(`${place}: must have no body`);
    return;
  }
  const schema = content[media]?.schema;
  if (!schema) return;
  const validate = validatorOf(schema, components);
  const value: unknown = JSON.parse(body);
  if (validate(value)) return;
  throw new Error(`${place}: ${JSON.stringify(validate.errors)}: ${body.slice(0, 2_000)}`);
}

/** A pattern for a template. Templates with words instead of parameters stand first in the table, so they match first. */
function patternOf(template: string): RegExp {
  return new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}
