import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const programs = new Map();

/** Compiles a C program with the machine's compiler, once; the program is deleted when the process ends. */
export function compile(source) {
  const known = programs.get(source.href);
  if (known) return known;
  mkdirSync(tmpdir(), { recursive: true });
  const directory = mkdtempSync(join(tmpdir(), 'nestjs-gearman-bench-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const program = join(directory, basename(source.pathname, '.c'));
  execFileSync('cc', ['-O2', '-o', program, fileURLToPath(source)], { stdio: 'inherit' });
  programs.set(source.href, program);
  return program;
}
