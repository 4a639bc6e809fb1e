/*
 * Makes `dist` of `build`, where the compiler has put each module and its types: joins the modules into few files, which Node
 * reads in half the time, and copies the types that the entry points need.
 *
 * What several entry points use is in a file that all of them import, so that there is one copy of every class. No package is
 * bundled: an optional one is still imported where it is first needed.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const [BUILT, DIST] = ['build', 'dist'].map((folder) => join(ROOT, folder));
/** What package.json exports. */
const ENTRY_POINTS = ['index', 'job-server/index', 'telemetry/index', 'testing/index', 'web/index'];

const { outputFiles } = await build({
  absWorkingDir: ROOT,
  entryPoints: [...ENTRY_POINTS, 'cli/main'].map((name) => ({ in: join(BUILT, `${name}.js`), out: name })),
  outdir: DIST,
  // One folder below `dist`, as the entry points that need files of the package are: `../app/` is the page from each of them.
  chunkNames: 'shared/[name]-[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  write: false,
});
const joined = outputFiles.map(({ path, text }) => [path, path.endsWith('.js') ? withClassNames(text) : text]);
const types = await typesOf(ENTRY_POINTS);
await Promise.all([...joined, ...types].map(([path, text]) => write(path, text)));

/**
 * Gives classes back the names that esbuild takes: one that names itself becomes `_Job`, one with decorators `GearmanModule2`,
 * which Nest would log. Its option `keepNames` names every function anew each time it is made, on the hot path too. A name and
 * what replaces it have the same length, so that the source map stays right.
 */
function withClassNames(text) {
  for (const [, name, inner = name] of text.matchAll(
    /\b(?:var|let) (\w+) = (?:\w+ = )?class\b(?: (?!extends\b)(\w+))?/g,
  )) {
    if (/\d$/.test(name)) throw new Error(`two classes are called ${name.replace(/\d+$/, '')}: give one another name`);
    const own = inner.startsWith('_') ? name.padStart(inner.length) : name.padEnd(inner.length);
    text = text.replaceAll(new RegExp(`\\b${inner}\\b`, 'g'), own);
  }
  return text;
}

/** What entry points declare, and whatever that refers to: where it goes, and what is in it. */
async function typesOf(names) {
  const files = new Map();
  const add = async (file) => {
    if (files.has(file)) return;
    files.set(file, undefined);
    const text = await readFile(file, 'utf8');
    files.set(file, text);
    const references = text.matchAll(/(?:\bfrom |\bimport\(|\bimport )["'](\.[^"']+)\.js["']/g);
    await Promise.all([...references].map(([, path]) => add(join(dirname(file), `${path}.d.ts`))));
  };
  await Promise.all(names.map((name) => add(join(BUILT, `${name}.d.ts`))));
  return [...files].map(([file, text]) => [file.replace(BUILT, DIST), text]);
}

async function write(path, text) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
