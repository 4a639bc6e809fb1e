import type { BytesInJson } from './readable.js';
import { server } from './route.js';

/** A request that failed: a problem of RFC 9457, or nobody answered. */
export class Problem extends Error {
  /** @param status 0 if nobody answered. */
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    /** The exception of a job that failed. */
    readonly exception?: BytesInJson,
  ) {
    super(detail);
  }
}

export interface Asked {
  query?: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  /** A body that is sent as JSON. */
  json?: unknown;
  /** A body that is sent as it is. */
  bytes?: Blob | Uint8Array<ArrayBuffer> | string;
  signal?: AbortSignal;
  accept?: string;
}

/** The address of a route, relative to the page, so that it is right behind any prefix of a proxy. */
export function addressOf(path: string, query: Asked['query'] = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries({ server: server.value, ...query })) {
    for (const each of typeof value === 'object' ? value : [value]) {
      if (each !== undefined) search.append(name, `${each}`);
    }
  }
  const text = search.toString();
  return `v1/${path}${text === '' ? '' : `?${text}`}`;
}

/** Sends a request and returns the answer, whatever its body is. @throws Problem */
export async function send(method: string, path: string, asked: Asked = {}): Promise<Response> {
  const { query, json, bytes, signal, accept } = asked;
  const type = json !== undefined ? 'application/json' : bytes !== undefined ? 'application/octet-stream' : undefined;
  const body = json !== undefined ? JSON.stringify(json) : bytes;
  let response: Response;
  try {
    response = await fetch(addressOf(path, query), {
      method,
      headers: { ...(accept && { Accept: accept }), ...(type && { 'Content-Type': type }) },
      ...(body !== undefined && { body }),
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

/** Asks for events, until `end` or `done`; an answer that is no stream counts as the last event. @throws Problem */
export async function* follow<Data>(
  method: 'GET' | 'POST',
  path: string,
  asked: Asked = {},
): AsyncGenerator<{ readonly event: string; readonly data: Data }, void> {
  const response = await send(method, path, { ...asked, accept: 'text/event-stream' });
  if (!response.headers.get('Content-Type')?.startsWith('text/event-stream')) {
    yield { event: 'end', data: (await response.json()) as Data };
    return;
  }
  let rest = '';
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read().catch(() => ({ value: undefined, done: true }));
    if (done) throw new Problem(0, 'unreachable', 'The job server has not answered to the end.');
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop()!;
    for (const block of blocks) {
      const [, event, data] = /^event: (.*)\ndata: (.*)$/m.exec(block) ?? [];
      if (event === undefined) continue;
      const told = JSON.parse(data!) as Data & {
        readonly status?: number;
        readonly code?: string;
        readonly detail?: string;
      };
      if (event === 'cut' || event === 'fail') throw new Problem(told.status ?? 503, told.code!, told.detail!);
      yield { event, data: told };
      if (event === 'end' || event === 'done') return;
    }
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  try {
    const { code, detail, exception } = JSON.parse(text) as Partial<Problem> & { readonly detail?: string };
    return new Problem(response.status, code ?? 'unknown', detail ?? response.statusText, exception);
  } catch {
    return new Problem(response.status, 'unknown', `${response.status} ${response.statusText}`);
  }
}
