import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { WebHandler, WebHandlerOptions } from '../../lib/web/index.js';
import { createWebHandler } from '../../lib/web/web-handler.js';
import type { JobServerOptions } from '../../lib/job-server/index.js';
import { atEnd } from './cleanup.js';
import { startFront, type FrontScene } from './front.js';
import type { RawPeer } from './raw-peer.js';

/** A description as far as the tests read it. */
interface Description {
  paths: Record<
    string,
    Record<string, { responses: Record<string, { content?: Record<string, { schema?: object }> }> }>
  >;
  components: object;
}

/** A job server that is asked over HTTP. Every answer is held against openapi.json. */
export interface WebScene extends FrontScene {
  readonly handler: WebHandler;
  readonly http: Server;
  readonly port: number;
  /** Routes that were answered, as `GET /v1/jobs 200`. */
  readonly answered: Set<string>;
  ask(method: string, path: string, init?: RequestInit): Promise<Response>;
  /** Asks, and reads the answer's JSON. */
  json(method: string, path: string, init?: RequestInit): Promise<{ status: number; body: any }>; // eslint-disable-line @typescript-eslint/no-explicit-any -- what JSON is, the tests say
}

export async function startWeb(
  jobServerOptions: JobServerOptions = {},
  options: Partial<WebHandlerOptions> = {},
): Promise<WebScene> {
  const front = await startFront(jobServerOptions);
  const handler = createWebHandler({
    sources: [{ name: 'main', jobServer: front.server }],
    access: 'open',
    ...options,
  });
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(async () => {
    await handler.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const answered = new Set<string>();
  const ask = async (method: string, path: string, init: RequestInit = {}): Promise<Response> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, ...init });
    answered.add(await mustFit(front, handler, method, path, response.clone()));
    return response;
  };
  const json: WebScene['json'] = async (method, path, init) => {
    const response = await ask(method, path, init);
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  return { ...front, handler, http: server, port, answered, ask, json };
}

let description: Description | undefined;

/** The description, read once from a handler that lets everybody. */
export async function describeApi({ server }: FrontScene): Promise<Description> {
  if (description) return description;
  const http = createServer(createWebHandler({ sources: [{ name: 'main', jobServer: server }], access: 'open' }));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/v1/openapi.json`);
  http.closeAllConnections();
  http.close();
  description = (await response.json()) as Description;
  return description;
}

/** Fails unless openapi.json says that this may be answered here. @returns the route and the status. */
async function mustFit(
  front: FrontScene,
  _handler: WebHandler,
  method: string,
  path: string,
  response: Response,
): Promise<string> {
  const { paths, components } = await describeApi(front);
  const bare = path.split('?', 1)[0]!;
  const templates = Object.keys(paths).filter((template) => {
    return new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(bare);
  });
  const wanted = method === 'HEAD' ? 'get' : method.toLowerCase();
  const template = templates.find((each) => paths[each]![wanted]);
  if (!template) return `${method} none ${response.status}`;
  const place = `${method} ${template} ${response.status}`;
  const answer = paths[template]![wanted]!.responses[String(response.status)];
  if (!answer) throw new Error(`${place} is not in openapi.json`);
  const media = response.headers.get('content-type')?.split(';', 1)[0] ?? '';
  if (answer.content && method !== 'HEAD' && !(media in answer.content))
    throw new Error(`${place}: ${media} is not in openapi.json`);
  const schema = answer.content?.[media]?.schema;
  if (!schema) return place;
  const validate = validatorOf(place, { ...schema, components });
  const body: unknown = method === 'HEAD' ? undefined : await response.json();
  if (body !== undefined && !validate(body)) {
    throw new Error(`${place}: ${ajv.errorsText(validate.errors)}: ${JSON.stringify(body)}`);
  }
  return place;
}

const ajv = new Ajv2020({
  strict: false,
  formats: { 'date-time': (text: string) => !Number.isNaN(Date.parse(text)) },
});
const validators = new Map<string, ValidateFunction>();

/** Made once for each kind of answer: that costs more than the answer. */
function validatorOf(place: string, schema: object): ValidateFunction {
  const known = validators.get(place);
  if (known) return known;
  const made = ajv.compile(schema);
  validators.set(place, made);
  return made;
}

/** A worker of a function that waits for a job and answers with its handle and workload. */
export async function grab(worker: RawPeer, name = 'f'): Promise<{ handle: string; workload: string }> {
  worker.send(`CAN_DO ${name}`, 'ALL_YOURS', 'GRAB_JOB');
  const [, handle, workload] = /^JOB_ASSIGN ([^·]+)·[^·]*·(.*)$/s.exec(await worker.next())!;
  return { handle: handle!, workload: workload! };
}
