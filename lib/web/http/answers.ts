import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import type { Workload } from '../../job-server/engine/index.js';
import type { Problem } from '../problem.js';
import type { Budget } from './budget.js';
import { cutOffSlow, whenClosed } from './connections.js';
import { bodyOf, packed, packedHeaders, acceptsGzip } from './packing.js';

/** How long the unread rest of a body is read, in milliseconds. */
const BODY_REST_TIMEOUT = 5_000;

/** How many characters of a list are made before they are written. */
const PIECE = 65_536;

/** How many bytes of a long list are in memory for a client who does not read: the piece that is written, and the next one. */
const HELD = 2 * PIECE;

/** About how many bytes an object needs that is made for one answer only. */
const THING = 256;

/** Sends a short answer. */
export function answerJson(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  void send(response, status, 'application/json', Buffer.from(JSON.stringify(body)), headers);
}

/** What is needed to send an answer that may be long. */
interface Answering {
  readonly response: ServerResponse;
  /** Aborts when the client is gone. */
  readonly gone: AbortSignal;
  readonly shared: { readonly bodies: { readonly budget: Budget } };
}

/** Sends a page of objects; it uses room in the budget until it is read. @throws Problem */
export function answerLarge({ response, shared }: Answering, body: unknown): void {
  answerText(response, JSON.stringify(body), 'application/json', shared.bodies.budget);
}

/** Sends bytes that came from a peer, in a way that no browser shows or runs them. */
export function answerBytes(response: ServerResponse, workload: Workload, budget: Budget, headers = {}): void {
  const bytes = bufferOf(workload);
  borrow(response, bytes.length, budget);
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': 'attachment',
    'Content-Length': bytes.length,
    ...headers,
  });
  cutOffSlow(response);
  response.end(bytes);
}

/** Sends a text that we made. */
export function answerText(response: ServerResponse, text: string | Buffer, type: string, budget: Budget): void {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  borrow(response, bytes.length, budget);
  void send(response, 200, type, bytes);
}

export function answerNothing(response: ServerResponse, status = 204): void {
  response.writeHead(status, status === 204 ? {} : { 'Content-Length': 0 }).end();
}

/**
 * Sends a list of any length piece by piece, at the reader's speed; `more` stands before it.
 *
 * @param items an array needs room for all of them; a generator needs none.
 * @throws Problem if there is no room.
 */
export async function answerList(
  { response, gone, shared }: Answering,
  name: string,
  items: Iterable<unknown>,
  more: object = {},
): Promise<void> {
  const pieces = piecesOf(name, items, more);
  let piece = pieces.next().value!;
  const things = Array.isArray(items) ? items.length * THING : 0;
  borrow(response, things + (piece.length < PIECE ? piece.length : HELD), shared.bodies.budget);
  const isPacked = acceptsGzip(response.req);
  response.writeHead(200, { 'Content-Type': 'application/json', ...packedHeaders(isPacked) });
  cutOffSlow(response);
  const written = bodyOf(response, isPacked);
  for (let next = pieces.next(); !next.done; next = pieces.next()) {
    if (!written.write(piece)) await drained(written);
    else await new Promise(setImmediate);
    if (gone.aborted) return;
    piece = next.value;
  }
  written.end(piece);
}

/** The text of an answer with a list, piece by piece. */
function* piecesOf(name: string, items: Iterable<unknown>, more: object): Generator<string, void> {
  let piece = JSON.stringify({ ...more, [name]: [] }).slice(0, -2);
  let separator = '';
  for (const item of items) {
    piece += separator + JSON.stringify(item);
    separator = ',';
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  yield `${piece}]}`;
}

/** Borrows room for an answer until it is read, or its client is gone. @throws Problem if there is no room. */
function borrow(response: ServerResponse, bytes: number, budget: Budget): void {
  budget.borrow(bytes);
  whenClosed(response, () => budget.giveBack(bytes));
}

/** Sends a text that we made, packed if the client accepts that. */
async function send(
  response: ServerResponse,
  status: number,
  type: string,
  plain: Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { bytes, isPacked } = await packed(response, plain);
  if (response.destroyed) return;
  const length = { 'Content-Length': bytes.length, ...packedHeaders(isPacked) };
  response.writeHead(status, { 'Content-Type': type, ...length, ...headers });
  cutOffSlow(response);
  response.end(bytes);
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
  if (problem.headers['Connection'] !== 'close' || response.req.complete) return void response.end(bytes);
  response.write(bytes);
  endAfterBody(response);
}

export function bufferOf(workload: Workload): Buffer {
  return typeof workload === 'string'
    ? Buffer.from(workload, 'latin1')
    : Buffer.from(workload.buffer, workload.byteOffset, workload.length);
}

/** Resolves when there is room again, or when the client is gone. */
function drained(written: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      written.off('drain', done).off('close', done);
      resolve();
    };
    written.once('drain', done).once('close', done);
  });
}

/**
 * Ends an answer after the rest of the request's body was read and thrown away,
 * or after some time. If a connection is closed while its sender still sends, the
 * sender may lose the answer.
 */
function endAfterBody(response: ServerResponse): void {
  const { req: request } = response;
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, BODY_REST_TIMEOUT).unref();
  request.once('end', end).once('close', end);
  request.resume();
}
