import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { compile } from './compile.mjs';

const run = promisify(execFile);

/** The load generator, compiled. */
export function compileGearload() {
  return compile(new URL('gearload.c', import.meta.url));
}

/** Runs one load against a job server; returns the figures that it printed. */
export async function gearload(program, { port, pids }, args) {
  const processes = pids.flatMap((pid) => ['-P', pid]);
  const { stdout } = await run(program, ['-p', port, ...processes, ...args].map(String));
  return JSON.parse(stdout);
}

/** What a `write` and a `read` of a packet of 100 bytes cost on this machine, in microseconds. */
export async function measureCalls(program) {
  const { writeMicros, readMicros } = await gearload(program, { port: 1, pids: [] }, ['-m', 'calls']);
  return { writeMicros, readMicros };
}
