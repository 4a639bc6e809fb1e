/*
 * Makes `dist` from `build`, where the compiler has put each module and its types: it joins the modules into few files, which
 * Node reads in half the time, and copies the types that the entry points need.
 *
 * Modules that several entry points use are in a file that all of them import, so that there is one copy of every class. No
 * package is bundled: an optional one is still imported only when it is needed.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const [BUILT, DIST] = ['build', 'dist'].map((folder) => join(ROOT, folder));
/** The entry points that package.json exports. */
const ENTRY_POINTS = ['index', 'job-server/index', 'telemetry/index', 'testing/index', 'web/index'];

const bundle = await rolldown({
  input: Object.fromEntries([...ENTRY_POINTS, 'cli/main'].map((name) => [name, join(BUILT, `${name}.js`)])),
  platform: 'node',
  external: (id) => !isAbsolute(id) && !id.startsWith('.'),
  plugins: [{ name: 'source-maps', load: withSourceMap }],
});
await bundle.write({
  dir: DIST,
  // One folder below `dist`, like the entry points that need files of the package, so that `../app/` is the page for all of them.
  chunkFileNames: 'shared/[name]-[hash].js',
  sourcemap: true,
  // The comments stay in the types.
  comments: false,
});
const types = await typesOf(ENTRY_POINTS);
await Promise.all([...types].map(([path, text]) => write(path, text)));

/** A module with the compiler's map, so that the map of the joined file leads to the sources. */
async function withSourceMap(path) {
  const [code, map] = await Promise.all([path, `${path}.map`].map((file) => readFile(file, 'utf8')));
  return { code, map };
}

/** The declarations of entry points, and all that they refer to: each file's path in `dist`, and its text. */
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
