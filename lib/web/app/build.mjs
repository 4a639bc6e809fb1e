// Bundles the dashboard into dist/app: index.html, one script, one style sheet, and what draws plots, which is loaded
// once the first list is there. Each is named by what is in it.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const out = fileURLToPath(new URL('../../../dist/app/', import.meta.url));

const { outputFiles } = await build({
  entryPoints: { app: `${here}main.tsx` },
  outdir: out,
  bundle: true,
  minify: true,
  format: 'esm',
  splitting: true,
  chunkNames: 'app-plots-[hash]',
  target: ['chrome109', 'firefox115', 'safari16'],
  entryNames: '[name]-[hash]',
  tsconfig: `${here}tsconfig.json`,
  legalComments: 'none',
  write: false,
});

await mkdir(out, { recursive: true });
const nameOf = (ending) =>
  basename(outputFiles.find(({ path }) => /\/app-[^-]+$/.test(path) && path.endsWith(ending)).path);
const html = (await readFile(`${here}page.html`, 'utf8'))
  .replace('main.tsx', nameOf('.js'))
  .replace('main.css', nameOf('.css'));
await Promise.all([
  ...outputFiles.map(({ path, contents }) => writeFile(path, contents)),
  writeFile(`${out}index.html`, html),
]);
