import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { notFound } from '../problem.js';
import { packedHeaders, acceptsGzip } from './packing.js';
import { allowPage } from './security-headers.js';

/** The folder in which `npm run build` puts the page; the same wherever this code is joined into another file. */
const BUILT = fileURLToPath(new URL('../app/', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly packed: Buffer;
  /** Whether its name contains a hash of its content, so that it never changes. */
  readonly isNamedByContent: boolean;
}

/** The files of the dashboard, as esbuild made them; read when the first one is asked for, and kept in memory. */
export class PageFiles {
  private files: ReadonlyMap<string, PageFile> | undefined;

  /** @param folder in which they are. */
  constructor(private readonly folder = BUILT) {}

  /** Whether a path below the handler's own is the page or one of its files. */
  has(path: readonly string[]): boolean {
    return path.length === 2 && path[0] === '' && (path[1] === '' || /^app-(plots-)?\w+\.(js|css)$/.test(path[1]!));
  }

  /** @throws Problem if there is no such file, as when the page was not built. */
  answer(request: IncomingMessage, response: ServerResponse, name: string): void {
    this.files ??= readAll(this.folder);
    const file = this.files.get(name === '' ? 'index.html' : name);
    if (!file) throw notFound(name === '' ? 'page in this build of nestjs-gearman; its API is at v1/' : `file ${name}`);
    const isPacked = acceptsGzip(request);
    const bytes = isPacked ? file.packed : file.bytes;
    allowPage(response);
    response.writeHead(200, {
      'Content-Type': file.type,
      'Content-Length': bytes.length,
      ...packedHeaders(isPacked),
      'Cache-Control': file.isNamedByContent ? 'private, max-age=31536000, immutable' : 'no-cache',
    });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  }
}

function readAll(folder: string): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const name of readdirSync(folder)) {
    const type = TYPES[name.split('.').at(-1)!];
    // Next to the sources there are files that belong to no built page.
    if (type === undefined || !(name === 'index.html' || name.startsWith('app-'))) continue;
    const bytes = readFileSync(`${folder}/${name}`);
    files.set(name, { type, bytes, packed: gzipSync(bytes, { level: 9 }), isNamedByContent: name !== 'index.html' });
  }
  return files;
}
