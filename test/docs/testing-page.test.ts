import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';

it('shows the Jest configuration that the test of the packed package runs', () => {
  const used = JSON.parse(readFileSync('test/fixtures/package/jest/jest.config.json', 'utf8')) as object;
  const [, shown] = /^```json\n([\s\S]*?)^```$/m.exec(readFileSync('docs/testing.md', 'utf8'))!;
  expect(used).toMatchObject(JSON.parse(shown!) as Record<string, unknown>);
});
