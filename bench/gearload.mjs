import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SOURCE = fileURLToPath(new URL('gearload.c', import.meta.url));
const run = promisify(execFile);

/** Compiles the load generator with the machine's C compiler; it is gone when the process ends. */
export function compileGearload() {
  mkdirSync(tmpdir(), { recursive: true });
  const directory = mkdtempSync(join(tmpdir(), 'gearload-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const program = join(directory, 'gearload');
  execFileSync('cc', ['-O2', '-o', program, SOURCE], { stdio: 'inherit' });
  return program;
}

/** Puts one load on a job server; the figures it printed. */
export async function gearload(program, { port, pids }, args) {
  const processes = pids.flatMap((pid) => ['-P', pid]);
  const { stdout } = await run(program, ['-p', port, ...processes, ...args].map(String));
  return JSON.parse(stdout);
}
