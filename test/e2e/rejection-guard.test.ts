import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { transformSync } from '@swc/core';

// Jest gives tests a `process` of its own, whose events are not Node's: so these run in a process apart.
const folder = mkdtempSync(join(tmpdir(), 'rejection-guard-'));
afterAll(() => rmSync(folder, { recursive: true }));

const source = new URL('../../lib/transport/rejection-guard.ts', import.meta.url);
const { code } = transformSync(readFileSync(source, 'utf8'), {
  jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
});
writeFileSync(join(folder, 'rejection-guard.mjs'), code);

/** Runs a program that has the guard at hand; what it printed, and whether it lived to its end. */
function run(program: string, ...flags: string[]) {
  writeFileSync(
    join(folder, 'program.mjs'),
    `import { rejectionGuard } from './rejection-guard.mjs';
     const report = (reason) => console.log('reported:', reason.message);
     const later = (ms, act) => setTimeout(act, ms);
     const forget = (text) => void Promise.reject(new Error(text));
     later(50, () => console.log('alive'));
     ${program}`,
  );
  const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, join(folder, 'program.mjs')], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  return { lines: stdout.trim().split('\n'), stderr, status };
}

describe('the rejection guard', () => {
  it('reports what guarded code forgets, at once and later, and the process lives', () => {
    const { lines, status } = run(`
      rejectionGuard.switchOn();
      rejectionGuard.run(report, () => {
        forget('at once');
        later(1, () => forget('in a timer'));
        (async () => { await null; throw new Error('in an async function'); })();
      });
    `);
    expect(lines.sort()).toEqual([
      'alive',
      'reported: at once',
      'reported: in a timer',
      'reported: in an async function',
    ]);
    expect(status).toBe(0);
  });

  it('leaves other rejections to Node, which ends the process', () => {
    const { stderr, status } = run(
      `rejectionGuard.switchOn(); rejectionGuard.run(report, () => {}); forget('not guarded');`,
    );
    expect(stderr).toContain('Error: not guarded');
    expect(status).not.toBe(0);
  });

  it("leaves other rejections to the application's own listener", () => {
    const { lines, status } = run(`
      process.on('unhandledRejection', (reason) => console.log('heard:', reason.message));
      rejectionGuard.switchOn();
      forget('not guarded');
    `);
    expect(lines).toEqual(['heard: not guarded', 'alive']);
    expect(status).toBe(0);
  });

  it('lets other rejections pass where Node was told to', () => {
    const { lines, status } = run(`rejectionGuard.switchOn(); forget('not guarded');`, '--unhandled-rejections=warn');
    expect(lines).toEqual(['alive']);
    expect(status).toBe(0);
  });

  it('hears nothing any more when its last holder has let go', () => {
    const { lines } = run(`
      const [one, other] = [rejectionGuard.switchOn(), rejectionGuard.switchOn()];
      one(); one();
      console.log(process.listenerCount('unhandledRejection'));
      other();
      console.log(process.listenerCount('unhandledRejection'));
    `);
    expect(lines).toEqual(['1', '0', 'alive']);
  });
});
