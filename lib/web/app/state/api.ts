import { server } from './route.js';

/** An answer that says no: a problem of RFC 9457, or that nobody answered. */
export class Problem extends Error {
  /** @param status 0: nobody answered. */
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }
}

export interface Asked {
  query?: Readonly<Record<string, string | number | undefined>>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  bytes?: Blob | Uint8Array<ArrayBuffer> | string;
  signal?: AbortSignal;
}

/** The address of a route, relative to the page: any prefix that a proxy adds is right by itself. */
export function addressOf(path: string, query: Asked['query'] = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, `${value}`);
  if (server.value !== undefined) search.set('server', server.value);
  const text = search.toString();
  return `v1/${path}${text === '' ? '' : `?${text}`}`;
}

/** Asks, and gives the answer whatever its body is. @throws Problem */
export async function send(method: string, path: string, asked: Asked = {}): Promise<Response> {
  const { query, json, bytes, signal } = asked;
  let response: Response;
  try {
    response = await fetch(addressOf(path, query), {
      method,
      ...(json !== undefined && { body: JSON.stringify(json), headers: { 'Content-Type': 'application/json' } }),
      ...(bytes !== undefined && { body: bytes, headers: { 'Content-Type': 'application/octet-stream' } }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, 'unreachable', 'The job server does not answer. It may have ended, or the network is down.');
  }
  if (response.ok) return response;
  throw await problemOf(response);
}

/** Asks for JSON. @throws Problem */
export async function ask<Answer>(method: string, path: string, asked: Asked = {}): Promise<Answer> {
  const response = await send(method, path, asked);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as Answer;
}

async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  try {
    const { code, detail } = JSON.parse(text) as { code?: string; detail?: string };
    return new Problem(response.status, code ?? 'unknown', detail ?? response.statusText);
  } catch {
    return new Problem(response.status, 'unknown', `${response.status} ${response.statusText}`);
  }
}
