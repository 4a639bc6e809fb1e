/*
 * Runs all checks of the build in two lanes at once: checks that only read the code in
 * one, the tests in the other, because the tests wait half of their time. The output of
 * a check in the first lane is printed when it ends. Fails if any of them does.
 */
import { spawn } from 'node:child_process';

const READING = ['lint', 'typecheck'];

/** Runs one of package.json's scripts; returns how it ended, and its output if that is not shown at once. */
function run(script, stdio) {
  return new Promise((resolve) => {
    const began = performance.now();
    const env = { ...process.env, IN_WHOLE_RUN: '1' };
    const child = spawn('npm', ['run', '--silent', script], { stdio, env, shell: process.platform === 'win32' });
    const printed = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => printed.push(chunk));
    child.on('close', (code) => {
      const seconds = ((performance.now() - began) / 1000).toFixed(0);
      resolve({ code: code ?? 1, printed: Buffer.concat(printed).toString(), seconds });
    });
  });
}

/** Runs the checks that read the code; returns the names of those that failed. */
async function read() {
  const failed = [];
  for (const script of READING) {
    const { code, printed, seconds } = await run(script, ['ignore', 'pipe', 'pipe']);
    process.stderr.write(
      `${code === 0 ? '' : printed}${script}: ${code === 0 ? 'passed' : 'failed'} in ${seconds} s\n`,
    );
    if (code !== 0) failed.push(script);
  }
  return failed;
}

/** Runs the tests, which run the samples too; returns how they ended. */
async function test() {
  const built = await run('build:samples', 'inherit');
  return built.code === 0 ? run('jest', 'inherit') : built;
}

const [failed, tests] = await Promise.all([read(), test()]);
if (failed.length > 0) process.stderr.write(`failed: ${failed.join(', ')}\n`);
process.exitCode = tests.code || (failed.length > 0 ? 1 : 0);
