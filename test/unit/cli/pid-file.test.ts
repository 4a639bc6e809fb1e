import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PidFile } from '../../../lib/cli/job-server/pid-file.js';
import { atEnd } from '../../support/cleanup.js';
import { tempDir } from '../../support/temp-dir.js';

const newPath = (): string => join(tempDir(), 'gearmand.pid');

/** A process with these arguments, waiting to be ended. */
function bystander(...args: string[]): number {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)', '--', ...args], { stdio: 'ignore' });
  atEnd(() => void child.kill('SIGKILL'));
  return child.pid!;
}

describe('the pid file', () => {
  it('is there while the process runs', () => {
    const path = newPath();
    const file = new PidFile(path);
    expect(existsSync(path)).toBe(false);
    file.write();
    expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
    file.remove();
    expect(existsSync(path)).toBe(false);
  });

  it('of a process that is gone is taken over', () => {
    const path = newPath();
    const { pid } = spawnSync('true');
    writeFileSync(path, `${pid}\n`);
    new PidFile(path).write();
    expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
  });

  it('is taken over when its number belongs to another program by now, or says nothing', () => {
    const path = newPath();
    for (const content of [`${bystander('something-else')}\n`, `${process.pid}\n`, '', 'none\n', '-1\n']) {
      writeFileSync(path, content);
      new PidFile(path).write();
      expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
    }
  });

  it('of a job server that runs is left alone', () => {
    const path = newPath();
    const pid = bystander('gearmand');
    writeFileSync(path, `${pid}\n`);
    expect(() => new PidFile(path)).toThrow(`pid file ${path}: a job server is running already, process ${pid};`);
    expect(readFileSync(path, 'utf8')).toBe(`${pid}\n`);
  });

  it('is left alone at the end when another process has taken it over', () => {
    const path = newPath();
    const file = new PidFile(path);
    file.write();
    writeFileSync(path, '1\n');
    file.remove();
    expect(readFileSync(path, 'utf8')).toBe('1\n');
  });

  it('that cannot be written is a failure that names it', () => {
    const path = join(tempDir(), 'no/such/directory.pid');
    expect(() => new PidFile(path).write()).toThrow(`pid file: ENOENT: no such file or directory, open '${path}'`);
  });
});
