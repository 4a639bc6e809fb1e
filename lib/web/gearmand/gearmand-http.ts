import { STATUS_CODES, type IncomingMessage, type RequestListener } from 'node:http';
import { toByteString } from '../../protocol/index.js';
import { Priority, type JobSpec, type Workload } from '../../job-server/engine/index.js';
import type { JobServer } from '../../job-server/job-server.js';
import type { Log, LogFields } from '../../ground/index.js';
import { requireConsent } from '../api/call.js';
import { Permission } from '../access/grant.js';
import { bufferOf } from '../http/answers.js';
import { readBody, type BodyLimits } from '../http/body.js';
import { Budget } from '../http/budget.js';
import { Connections } from '../http/connections.js';
import { peerAddress } from '../http/peer-address.js';
import { localSource } from '../local-source.js';
import { Problem } from '../problem.js';
import type { ReadySource } from '../source.js';

/** How long a body may take to arrive, and an answer to be read, in milliseconds. */
const TIMEOUT = 60_000;

/** The priorities; as in gearmand, every other word means normal. */
const PRIORITIES: Readonly<Record<string, Priority>> = { high: Priority.high, low: Priority.low };

/**
 * gearmand's `--protocol http`, for programs that were written for it: `POST
 * /FUNCTION` runs a job, with the headers `X-Gearman-Unique`, `-Priority` and
 * `-Background`. Where gearmand's answer helps nobody, ours differs:
 * docs/SEMANTICS.md lists each case.
 */
export function gearmandHandler(jobServer: JobServer): RequestListener {
  const source = localSource('main', jobServer);
  const { maxPacketBytes, log } = source.jobServer;
  const budget = new Budget(4 * maxPacketBytes);
  const limits: BodyLimits = { maxBytes: maxPacketBytes, timeout: TIMEOUT, budget };
  const connections = new Connections();
  const serve: RequestListener = (request, response) => {
    const gone = new AbortController();
    const about = { peer: peerAddress(request) };
    response.once('close', () => gone.abort());
    response.on('error', () => undefined);
    answerTo(request, source, limits, gone.signal)
      .catch((error: unknown) => answerOf(error, log, about))
      .then((answer) => send(request, answer, budget))
      .catch((error: unknown) => log('error', `http: ${String((error as Error).stack ?? error)}`, about));
  };
  return (request, response) => {
    // Each answer ends its connection, so requests behind the first one are not served.
    void connections.turn(request, response).then((isTurn) => isTurn && serve(request, response));
  };
}

const SERVER = 'nestjs-gearman';
const NOT_FOUND = '404 NOT_FOUND';

interface Answer {
  readonly status: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

async function answerTo(
  request: IncomingMessage,
  source: ReadySource,
  limits: BodyLimits,
  gone: AbortSignal,
): Promise<Answer> {
  refuseBrowsers(request);
  const { method, url = '' } = request;
  if (method !== 'POST' && method !== 'PUT') {
    throw new Problem(405, 'method-not-allowed', 'POST a workload to /FUNCTION.', { Allow: 'POST, PUT' });
  }
  // The bytes as they are: gearmand decodes nothing, and treats a query as part of the name.
  const name = url.replace(/^\/+/, '');
  if (name === '') return { status: NOT_FOUND, headers: [], body: Buffer.alloc(0) };
  requireConsent({ source, request, permission: NOBODY }, 'submit', name);
  const spec = specOf(request, name, await readBody(request, limits));
  return spec.isBackground ? accepted(source, spec) : run(source, spec, limits.budget, gone);
}

/** The permission of every caller: as on the port of Gearman itself, nobody has to say who they are. */
const NOBODY = new Permission({ role: 'submit' });

/** Refuses browsers: this port has no page, so only a page of another site can make a browser send something here. */
function refuseBrowsers({ headers }: IncomingMessage): void {
  if (headers.origin === undefined && headers['sec-fetch-site'] === undefined) return;
  throw new Problem(403, 'cross-site', 'This port is for programs, not for pages in a browser.');
}

function specOf(request: IncomingMessage, name: string, body: Buffer): JobSpec {
  const header = (of: string): string => request.headersDistinct[`x-gearman-${of}`]?.[0] ?? '';
  return {
    function: name,
    // Without a unique, jobs with equal workloads are one job.
    unique: toByteString(header('unique')) || '-',
    workload: body,
    priority: PRIORITIES[header('priority').toLowerCase()] ?? Priority.normal,
    isBackground: header('background').toLowerCase() === 'true',
    at: 0,
    madeBy: 'http',
  };
}

async function accepted({ submitter }: ReadySource, spec: JobSpec): Promise<Answer> {
  const { handle } = await submitter.accept(spec);
  return jobAnswer(handle, 'JOB_CREATED');
}

async function run({ submitter }: ReadySource, spec: JobSpec, budget: Budget, gone: AbortSignal): Promise<Answer> {
  const parts: Buffer[] = [];
  let created = '';
  let size = 0;
  const listener = {
    created: (handle: string) => void (created = handle),
    data: (bytes: Buffer) => {
      budget.borrow(bytes.length);
      size += bytes.length;
      parts.push(Buffer.from(bytes));
    },
  };
  try {
    const { handle, bytes } = await submitter.run(spec, 0, listener, gone);
    const whole: Workload = parts.length === 0 ? bytes : Buffer.concat([...parts, bufferOf(bytes)]);
    return jobAnswer(handle, 'WORK_COMPLETE', bufferOf(whole));
  } catch (error) {
    if (error instanceof Problem && error.code === 'job-failed') return jobAnswer(created, 'WORK_FAIL');
    throw error;
  } finally {
    budget.giveBack(size);
  }
}

function jobAnswer(handle: string, command: string, body: Buffer = Buffer.alloc(0)): Answer {
  return { status: '200 OK', headers: [`X-Gearman-Job-Handle: ${handle}`, `X-Gearman-Command: ${command}`], body };
}

function answerOf(error: unknown, log: Log, about: LogFields): Answer {
  if (!(error instanceof Problem)) {
    log('error', `http: ${String((error as Error).stack ?? error)}`, about);
    return answerOf(new Problem(500, 'internal', 'The job server failed; its log says why.'), log, about);
  }
  const more = Object.entries(error.headers).filter(([name]) => name !== 'Connection');
  return {
    status: `${error.status} ${STATUS_CODES[error.status] ?? 'Error'}`,
    headers: [
      'X-Gearman-Command: ERROR',
      'Content-Type: application/problem+json',
      ...more.map((pair) => pair.join(': ')),
    ],
    body: Buffer.from(JSON.stringify(error)),
  };
}

/** Sends an answer byte by byte in gearmand's form, HTTP/1.0 and the end of the connection, because Node cannot. */
function send({ socket }: IncomingMessage, { status, headers, body }: Answer, budget: Budget): void {
  const about = [`Content-Length: ${body.length}`, `Server: ${SERVER}`];
  // In this one answer gearmand sends the headers in the other order.
  if (status === NOT_FOUND) about.reverse();
  const lines = [`HTTP/1.0 ${status}`, ...headers, ...about, '', ''];
  if (socket.destroyed) return;
  const size = budget.hasRoom(body.length) ? body.length : 0;
  if (size > 0) budget.borrow(size);
  const timer = setTimeout(() => socket.destroy(), TIMEOUT).unref();
  socket.once('close', () => {
    clearTimeout(timer);
    budget.giveBack(size);
  });
  socket.write(lines.join('\r\n'), 'latin1');
  socket.end(body);
}
