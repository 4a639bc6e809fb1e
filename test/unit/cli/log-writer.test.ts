import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { LogWriter } from '../../../lib/cli/job-server/log-writer.js';
import type { LogLevel } from '../../../lib/cli/job-server/log-level.js';
import { tempDir } from '../../support/temp-dir.js';

function openLog(level: LogLevel = 'INFO'): { log: LogWriter; path: string } {
  const path = join(tempDir(), 'gearmand.log');
  const log = new LogWriter(path, level);
  log.open();
  return { log, path };
}

const messagesIn = (path: string): string[] =>
  readFileSync(path, 'utf8')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .split('\n')
    .slice(0, -1);

describe('the log', () => {
  it('writes lines with their level and time, from its level on', () => {
    const { log, path } = openLog('WARNING');
    for (const level of ['error', 'warn', 'info', 'debug'] as const) log.log(level, `a ${level}`);
    log.write('FATAL', 'the end');
    expect(messagesIn(path)).toEqual(['  ERROR TIME a error', 'WARNING TIME a warn', '  FATAL TIME the end']);
  });

  it('keeps a message on one line, whatever peers call themselves', () => {
    const { log, path } = openLog();
    log.log('info', 'one\ntwo\r\x1b[31m\tthree');
    expect(messagesIn(path)).toEqual(['   INFO TIME one\\x{0a}two\\x{0d}\\x{1b}[31m\\x{09}three']);
  });

  it('writes an object a line where JSON is wanted, with what it is about', () => {
    const path = join(tempDir(), 'gearmand.log');
    const log = new LogWriter(path, 'INFO', 'json');
    log.open();
    log.log('warn', 'w1: closed:\nbroken', { peer: '127.0.0.1:4321 (#7)', duration: 12 });
    log.write('NOTICE', 'a note');
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        level: 'WARNING',
        message: 'w1: closed:\nbroken',
        peer: '127.0.0.1:4321 (#7)',
        duration: 12,
      },
      { time: expect.any(String), level: 'NOTICE', message: 'a note' },
    ]);
  });

  it('writes JSON that steers no terminal, and says the same to who reads it', () => {
    const path = join(tempDir(), 'gearmand.log');
    const log = new LogWriter(path, 'INFO', 'json');
    log.open();
    const name = '\u009b31m\u2028\u202eF';
    log.log('info', 'a job', { function: name });
    const text = readFileSync(path, 'utf8');
    expect(text).toMatch(/^[ -~]*\n$/);
    expect(JSON.parse(text)).toMatchObject({ function: name });
  });

  it('tells people of what a line is about all that its message leaves out', () => {
    const { log, path } = openLog();
    log.log('info', 'w1 (#7): closed: broken', { peer: 'w1 (#7)', duration: 12 });
    log.log('info', 'it cannot be kept', { function: 're\nport', handle: 'H:a:1' });
    log.log('info', 'listening', { peer: undefined as never });
    expect(messagesIn(path)).toEqual([
      '   INFO TIME w1 (#7): closed: broken (after 12 ms)',
      '   INFO TIME it cannot be kept (function re\\x{0a}port, handle H:a:1)',
      '   INFO TIME listening',
    ]);
  });

  it('goes on in a new file when the old one was moved away and it is opened again', () => {
    const { log, path } = openLog();
    log.log('info', 'before');
    renameSync(path, `${path}.1`);
    log.log('info', 'still before');
    log.open();
    log.log('info', 'after');
    expect(messagesIn(`${path}.1`)).toHaveLength(2);
    expect(messagesIn(path)).toEqual(['   INFO TIME after']);
  });

  it('keeps the old file when it cannot be opened again', () => {
    const directory = join(tempDir(), 'logs');
    execFileSync('mkdir', [directory]);
    const log = new LogWriter(join(directory, 'a.log'), 'INFO');
    log.open();
    renameSync(directory, `${directory}.moved`);
    expect(() => log.open()).toThrow('ENOENT');
    log.log('info', 'goes on');
    expect(messagesIn(join(`${directory}.moved`, 'a.log'))).toEqual(['   INFO TIME goes on']);
  });

  it('does not wait for a reader: it drops lines, and tells how many', () => {
    const pipe = join(tempDir(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const log = new LogWriter(pipe, 'INFO');
    log.open();
    const line = 'x'.repeat(1000);
    for (let count = 0; count < 200; count++) log.log('info', line);
    const buffer = Buffer.alloc(1024 * 1024);
    expect(readSync(reader, buffer)).toBeGreaterThan(10 * line.length);
    log.log('info', 'again');
    const text = buffer.toString('utf8', 0, readSync(reader, buffer));
    closeSync(reader);
    expect(text).toMatch(/^WARNING \S+ 1?\d\d lines could not be written\n {3}INFO \S+ again\n$/);
  });

  it('writes nothing when it is switched off', () => {
    const log = new LogWriter('none', 'DEBUG');
    log.open();
    log.log('error', 'unheard');
  });
});
