/*
 * All checks of what is built: those that only read the code in one lane, the
 * tests in another, since the tests wait for others half of their time. What a
 * check of the first lane has found comes at its end. Fails where any of them does.
 */
import { spawn } from 'node:child_process';

const READING = ['lint', 'typecheck'];

/** Runs one of package.json's scripts; answers how it ended, and what it printed where that is not shown at once. */
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

/** The names of those that failed. */
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

/** How the tests ended, which run the samples too. */
async function test() {
  const built = await run('build:samples', 'inherit');
  return built.code === 0 ? run('jest', 'inherit') : built;
}

const [failed, tests] = await Promise.all([read(), test()]);
if (failed.length > 0) process.stderr.write(`failed: ${failed.join(', ')}\n`);
process.exitCode = tests.code || (failed.length > 0 ? 1 : 0);
