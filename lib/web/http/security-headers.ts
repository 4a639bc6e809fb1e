import type { ServerResponse } from 'node:http';

const FRAMES_AND_FORMS = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The headers of every answer. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': `default-src 'none'; ${FRAMES_AND_FORMS}`,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** What the dashboard's page may do: run and load what this handler serves, and never turn text into markup. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  FRAMES_AND_FORMS,
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Forbids browsers to run, frame or store an answer. */
export function secure(response: ServerResponse): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
}

/** Turns an answer that was made {@link secure} into the dashboard's page. */
export function allowPage(response: ServerResponse): void {
  response.setHeader('Content-Security-Policy', PAGE_POLICY);
}
