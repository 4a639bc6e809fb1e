import type { ServerResponse } from 'node:http';
import type { Workload } from '../../job-server/engine/index.js';
import type { Problem } from '../problem.js';
import type { Budget } from './budget.js';

/** How long who asked may take to read an answer, in milliseconds. */
const READ_TIMEOUT = 60_000;

export function answerJson(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': bytes.length, ...headers });
  cutOffSlow(response);
  response.end(bytes);
}

/** Sends bytes that came from a peer: never as something that a browser shows or runs. */
export function answerBytes(response: ServerResponse, workload: Workload, budget: Budget, headers = {}): void {
  const bytes = bufferOf(workload);
  budget.take(bytes.length);
  response.once('close', () => budget.give(bytes.length));
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': 'attachment',
    'Content-Length': bytes.length,
    ...headers,
  });
  cutOffSlow(response);
  response.end(bytes);
}

/** Sends a text of ours. */
export function answerText(response: ServerResponse, text: string, type: string, budget: Budget): void {
  const bytes = Buffer.from(text);
  budget.take(bytes.length);
  response.once('close', () => budget.give(bytes.length));
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': bytes.length });
  cutOffSlow(response);
  response.end(bytes);
}

export function answerNothing(response: ServerResponse, status = 204): void {
  response.writeHead(status, status === 204 ? {} : { 'Content-Length': 0 }).end();
}

/** Sends a list of any length piece by piece, as the reader takes it; `more` stands before it. */
export async function answerList(
  response: ServerResponse,
  name: string,
  items: Iterable<unknown>,
  gone: AbortSignal,
  more: object = {},
): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  cutOffSlow(response);
  let piece = JSON.stringify({ ...more, [name]: [] }).slice(0, -2);
  let separator = '';
  for (const item of items) {
    piece += separator + JSON.stringify(item);
    separator = ',';
    if (piece.length < 65_536) continue;
    const hasRoom = response.write(piece);
    piece = '';
    if (!hasRoom) await drained(response);
    else await new Promise(setImmediate);
    if (gone.aborted) return;
  }
  response.end(`${piece}]}`);
}

export function answerProblem(response: ServerResponse, problem: Problem): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const bytes = Buffer.from(JSON.stringify(problem));
  response.writeHead(problem.status, {
    'Content-Type': 'application/problem+json',
    'Content-Length': bytes.length,
    ...problem.headers,
  });
  cutOffSlow(response);
  response.end(bytes);
}

export function bufferOf(workload: Workload): Buffer {
  return typeof workload === 'string'
    ? Buffer.from(workload, 'latin1')
    : Buffer.from(workload.buffer, workload.byteOffset, workload.length);
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve);
    response.once('close', resolve);
  });
}

function cutOffSlow(response: ServerResponse): void {
  const timer = setTimeout(() => response.destroy(), READ_TIMEOUT);
  timer.unref();
  response.once('close', () => clearTimeout(timer));
}
