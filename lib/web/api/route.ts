import type { Role } from '../access/grant.js';
import type { Call } from './call.js';

/** JSON Schema 2020-12, as in OpenAPI 3.1. */
export type Schema = Readonly<Record<string, unknown>>;

/** The answers of a route by status: the schema, or the media types of bytes. */
export interface RouteAnswer {
  readonly description: string;
  readonly schema?: Schema;
  readonly media?: string | readonly string[];
}

/** A row of the route table; openapi.json is made from the table. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** The path below the handler's own: `/v1/jobs/{handle}`. */
  readonly template: string;
  /** The least role that is allowed to call it. */
  readonly role: Role;
  readonly summary: string;
  /** The parameters of the query, each with its description. */
  readonly query?: Readonly<Record<string, string>>;
  /** The body: the schema of JSON, or `bytes`. */
  readonly body?: Schema | 'bytes';
  readonly answers: Readonly<Record<number, RouteAnswer>>;
  run(call: Call): void | Promise<void>;
}

/** The result for a path: a route with its parameters, or the methods that the path allows. */
export type Found = { readonly route: Route; readonly params: Record<string, string> } | { readonly allowed: string[] };

/** Finds the route of a path, segment by segment. */
export class Router {
  private readonly lines: { readonly route: Route; readonly segments: readonly string[] }[];

  constructor(routes: readonly Route[]) {
    this.lines = routes.map((route) => ({ route, segments: route.template.split('/') }));
  }

  /** @param path decoded segments, the first of which is empty. @returns undefined if there is nothing at this path. */
  find(method: string, path: readonly string[]): Found | undefined {
    const matching = this.lines.filter(({ segments }) => matches(segments, path));
    if (matching.length === 0) return undefined;
    const wanted = method === 'HEAD' ? 'GET' : method;
    const line = matching.find(({ route }) => route.method === wanted);
    if (line) return { route: line.route, params: paramsOf(line.segments, path) };
    return { allowed: matching.flatMap(({ route }) => (route.method === 'GET' ? ['GET', 'HEAD'] : [route.method])) };
  }
}

function isParameter(segment: string): boolean {
  return segment.startsWith('{');
}

function matches(segments: readonly string[], path: readonly string[]): boolean {
  if (segments.length !== path.length) return false;
  return segments.every((segment, index) => (isParameter(segment) ? path[index] !== '' : segment === path[index]));
}

function paramsOf(segments: readonly string[], path: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    segments.flatMap((segment, index) => (isParameter(segment) ? [[segment.slice(1, -1), path[index]!]] : [])),
  );
}
