import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import ts from 'typescript';
import { ROOT } from '../support/built.js';
import { codeBlocks, pages, type CodeBlock } from '../support/doc-code.js';

/** What is wrong with the types of these blocks, one line each, as places in the documentation. */
function problemsOf(blocks: readonly CodeBlock[]): string[] {
  // Files that exist for the compiler only, in the root, where the package and its tools are found.
  const byFile = new Map(blocks.map((block, index) => [join(ROOT, `__block-${index}.ts`), block]));
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile) as { config: object };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  options.noUnusedLocals = options.noUnusedParameters = false;
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.fileExists = (file) => byFile.has(file) || fileExists(file);
  host.readFile = (file) => {
    const block = byFile.get(file);
    return block ? `${block.code}\nexport {};\n` : readFile(file);
  };
  const program = ts.createProgram([...byFile.keys()], options, host);
  return [...byFile].flatMap(([file, block]) =>
    ts.getPreEmitDiagnostics(program, program.getSourceFile(file)).map((problem) => describe(problem, block)),
  );
}

function describe({ file, start, messageText }: ts.Diagnostic, { place, givenLines }: CodeBlock): string {
  const [page, first] = place.split(':') as [string, string];
  const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line - givenLines : 0;
  return `${page}:${Number(first) + line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
}

const blocks = pages().flatMap(codeBlocks);
const wrong: CodeBlock = {
  place: 'wrong.md:10',
  code: "import { GearmanClient } from 'nestjs-gearman';\nnew GearmanClient({ timeuot: 1 });\n",
  givenLines: 1,
  prints: undefined,
};
const problems = problemsOf([...blocks, wrong]);
const isOfWrong = (problem: string): boolean => problem.startsWith('wrong.md:');

it('has types in the documentation as in the package', () => {
  expect(blocks.length).toBeGreaterThan(20);
  expect(problems.filter((problem) => !isOfWrong(problem))).toEqual([]);
});

it('finds a wrong type, and its place', () => {
  expect(problems.filter(isOfWrong)).toEqual([expect.stringMatching(/^wrong\.md:10: .*'timeuot' does not exist/s)]);
});
