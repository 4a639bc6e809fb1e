import { describe, expect, it } from '@jest/globals';
import { coreOf } from '../../../../lib/job-server/core-of.js';
import { startFront, submit } from '../../../support/front.js';
import type { RawPeer } from '../../../support/raw-peer.js';

/** Asks by a line, and reads one. */
async function ask(peer: RawPeer, line: string): Promise<string> {
  peer.sendText(`${line}\r\n`);
  return peer.next();
}

async function listed(peer: RawPeer): Promise<string[]> {
  peer.sendText('show schedules\n');
  const lines: string[] = [];
  for (let line = await peer.next(); line !== '.\n'; line = await peer.next()) lines.push(line);
  return lines;
}

const OK = 'OK\r\n';
const UNKNOWN = 'ERR UNKNOWN_SCHEDULE No+such+schedule\r\n';
const DENIED = 'ERR ACCESS_DENIED This+job+server+does+not+allow+it\r\n';
const incomplete = (word: string): string =>
  `ERR INVALID_ARGUMENTS An+incomplete+set+of+arguments+was+sent+to+this+command+${word}\r\n`;

describe('the admin words about schedules', () => {
  it('put one, list it, run it, and drop it', async () => {
    const { server, peer } = await startFront();
    const admin = peer();
    expect(await listed(admin)).toEqual([]);
    expect(
      await ask(admin, 'put schedule nightly  {"function": "report",  "cron": "0 3 * * *", "workload": "a  b"}'),
    ).toBe(OK);
    const [line, ...none] = await listed(admin);
    expect(none).toEqual([]);
    const [, id, json] = /^([^\t]*)\t([ -~]*)\n$/.exec(line!)!;
    expect(id).toBe('nightly');
    expect(JSON.parse(json!)).toMatchObject({
      source: 'put',
      isPaused: false,
      options: { function: 'report', cron: '0 3 * * *', workload: 'a  b', missed: 'once', overlap: 'skip' },
    });
    const [, handle] = /^OK (\S+)\r\n$/.exec(await ask(admin, 'RUN SCHEDULE nightly'))!;
    expect(coreOf(server).engine.find(handle!)).toMatchObject({ isBackground: true });
    expect(await ask(admin, 'drop schedule nightly')).toBe(OK);
    expect(await listed(admin)).toEqual([]);
  });

  it('keep a schedule from firing until it is resumed', async () => {
    const { server, peer } = await startFront({ schedules: { s: { function: 'f', every: 60_000 } } });
    const admin = peer();
    expect(await ask(admin, 'pause schedule s')).toBe(OK);
    expect(server.schedules.find('s')).toMatchObject({ isPaused: true, nextTick: undefined });
    expect(await ask(admin, 'resume schedule s')).toBe(OK);
    expect(server.schedules.find('s')?.nextTick).toBeGreaterThan(0);
  });

  it('know an id of any bytes as it is shown', async () => {
    const { peer } = await startFront();
    const admin = peer();
    expect(await ask(admin, 'put schedule n\xc3\xa4chtlich {"function":"f","every":1000}')).toBe(OK);
    const [line] = await listed(admin);
    const shown = line!.split('\t', 1)[0]!;
    expect(await ask(admin, `drop schedule ${shown}`)).toBe(OK);
  });

  it('say what is wrong so that a person can read it, in one line', async () => {
    const { peer } = await startFront();
    const admin = peer();
    expect(await ask(admin, 'put schedule s {"function":"f","every":1000,"missed":"x"}')).toBe(
      `ERR INVALID_SCHEDULE schedules.s.missed:+must+be+'once',+'skip'+or+'all',+not+'x'\r\n`,
    );
    expect(await ask(admin, 'put schedule s {"function":"f","every":1000,"missed":"50%+\xc3\xa4"}')).toBe(
      `ERR INVALID_SCHEDULE schedules.s.missed:+must+be+'once',+'skip'+or+'all',+not+'50%25%2B%C3%A4'\r\n`,
    );
    expect(await ask(admin, 'put schedule s {"function":"f","cron":"0 0 30 2 *"}')).toContain(
      'a+pattern+that+some+date+matches;+this+one+never+fires',
    );
    expect(await ask(admin, 'put schedule s {no')).toMatch(
      /^ERR INVALID_SCHEDULE what\+stands\+behind\+the\+id\+is\+no\+JSON:/,
    );
    for (const json of ['null', '7', '[]', '"x"', '{}', '{"function":7,"every":1000}']) {
      expect(await ask(admin, `put schedule s ${json}`)).toMatch(/^ERR INVALID_SCHEDULE schedules\.s\b/);
    }
    expect(await ask(admin, `put schedule ${'x'.repeat(41)} {"function":"f","every":1000}`)).toContain('1+to+40+bytes');
  });

  it('want an id, and JSON where something is put', async () => {
    const { peer } = await startFront();
    const admin = peer();
    for (const word of ['put', 'drop', 'run', 'pause', 'resume']) {
      expect(await ask(admin, `${word} schedule`)).toBe(incomplete(word));
    }
    expect(await ask(admin, 'put schedule s')).toBe(incomplete('put'));
    for (const word of ['drop', 'run', 'pause', 'resume']) expect(await ask(admin, `${word} schedule s`)).toBe(UNKNOWN);
    expect(await ask(admin, 'put s {}')).toBe('ERR UNKNOWN_COMMAND Unknown+server+commandput\r\n');
  });

  it('leave declared ones to their source', async () => {
    const { peer } = await startFront({ schedules: { s: { function: 'f', every: 60_000 } } });
    const admin = peer();
    const declared = 'ERR INVALID_SCHEDULE schedules.s:+is+declared+by+options:+change+it+there\r\n';
    expect(await ask(admin, 'put schedule s {"function":"f","every":1000}')).toBe(declared);
    expect(await ask(admin, 'drop schedule s')).toBe(declared);
  });

  it('say why a job cannot be had now', async () => {
    const { server, peer } = await startFront({ schedules: { s: { function: 'f', every: 60_000 } } });
    const admin = peer();
    await submit(admin, 'SUBMIT_JOB_BG f··x');
    coreOf(server).engine.limitQueue('f', [0, 1, 0]);
    expect(await ask(admin, 'run schedule s')).toBe('ERR SCHEDULE_REFUSED Job+queue+is+full\r\n');
  });

  // A schedule submits for ever what a peer may not submit once.
  it('make no jobs of functions that the peer may not submit to', async () => {
    const asked: string[] = [];
    const { server, peer } = await startFront({
      schedules: { s: { function: 'payroll', every: 60_000 } },
      authorize: ({ action, function: name = '' }) => {
        asked.push(`${action} ${name}`);
        return action !== 'submit' || name !== 'payroll';
      },
    });
    const admin = peer();
    expect(await ask(admin, 'put schedule x {"function":"payroll","every":1000}')).toBe(DENIED);
    expect(await ask(admin, 'run schedule s')).toBe(DENIED);
    expect(await ask(admin, 'pause schedule s')).toBe(OK);
    expect(await ask(admin, 'resume schedule s')).toBe(DENIED);
    expect(await ask(admin, 'put schedule y {"function":"gr\xc3\xbc\xc3\x9fe","every":1000}')).toBe(OK);
    expect(server.schedules.list().map(({ id, isPaused }) => `${id} ${isPaused}`)).toEqual(['s true', 'y false']);
    expect(coreOf(server).engine.jobCount).toBe(0);
    expect(asked).toEqual([
      ...['admin ', 'submit payroll', 'admin ', 'submit payroll', 'admin ', 'admin ', 'submit payroll'],
      ...['admin ', 'submit grüße'],
    ]);
  });

  it('are for admins alone', async () => {
    const { server, peer } = await startFront({ authorize: ({ action }) => action !== 'admin' });
    expect(await ask(peer(), 'put schedule x {"function":"f","every":1000}')).toBe(DENIED);
    expect(server.schedules.size).toBe(0);
  });
});
