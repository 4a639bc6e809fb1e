#!/usr/bin/env node
import type { Terminal } from './command.js';
import { runCommandLine } from './run.js';
import { exit } from './stdio.js';

const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());

const terminal: Terminal = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: ending.signal,
};

// When a reader has read enough (`| head`) and closes the pipe, that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

// Nobody is left to be told that nobody reads the messages; a job server must not end because of that.
process.stderr.on('error', () => undefined);

await exit(await runCommandLine(process.argv.slice(2), terminal));
