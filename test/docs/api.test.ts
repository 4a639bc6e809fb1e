import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { apiReports, ENTRY_POINTS } from '../support/api-report.js';
import { requireBuild, ROOT } from '../support/built.js';

requireBuild();

const FOLDER = join(ROOT, 'test/api');
const reports = apiReports();

if (process.env['UPDATE_API'] === '1') {
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, text] of reports) writeFileSync(join(FOLDER, `${name}.txt`), text);
}

it.each(Object.keys(ENTRY_POINTS))('what %s exports is what test/api says; UPDATE_API=1 writes it anew', (name) => {
  expect(reports.get(name)).toBe(readFileSync(join(FOLDER, `${name}.txt`), 'utf8'));
});

it('shows users a JobServer without what it is made of', () => {
  const jobServer = /^JobServer\n((?: .*\n)+)/m.exec(reports.get('job-server')!)![1]!;
  expect(jobServer).toContain('start(): Promise<void>;');
  expect(jobServer).toContain('functions(): FunctionSnapshot[];');
  expect(jobServer).not.toMatch(/\b(engine|sessions|storedJobs|core)\b/);
});
