import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from '@jest/globals';
import ts from 'typescript';
import { requireBuild, ROOT } from '../support/built.js';
import { atEnd } from '../support/cleanup.js';
import { codeBlocks, pages, type CodeBlock } from '../support/doc-code.js';
import { run } from '../support/run.js';

const COMPILER_OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ES2022,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
};

const blocks = pages()
  .flatMap(codeBlocks)
  .filter(({ prints }) => prints !== undefined);
let folder: string;

beforeAll(async () => {
  requireBuild();
  // In the repository: the code finds the built package by its own name.
  folder = await mkdtemp(join(ROOT, '.docs-'));
  atEnd(() => rm(folder, { recursive: true }));
});

it('finds code to run', () => {
  expect(blocks.length).toBeGreaterThanOrEqual(5);
});

it.each(blocks.map((block) => [block.place, block] as const))(
  '%s prints what it says',
  async (place, block: CodeBlock) => {
    const file = join(folder, `${place.replaceAll(/[^\w]/g, '-')}.mjs`);
    await writeFile(file, ts.transpileModule(block.code, { compilerOptions: COMPILER_OPTIONS }).outputText);
    expect(await run('node', [file], { env: { GEARMAN_PORT: '0' } })).toEqual({
      code: 0,
      stdout: `${block.prints}\n`,
      stderr: '',
    });
  },
);
