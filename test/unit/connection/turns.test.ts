import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { duplexPair } from 'node:stream';
import { Connection, Outbox, Turns } from '../../../lib/connection/index.js';
import { settled, turnsUntil } from '../../support/turns.js';
import { packetBytes } from '../../support/wire.js';
import { RecordingListener } from './recording-listener.js';

/** A clock that goes on by so much whenever somebody looks. */
function clockOf(step: number): () => number {
  let now = 0;
  return () => (now += step);
}

/** A work of so many steps that writes them down. */
function work(name: string, steps: number, seen: string[]): () => boolean {
  let step = 0;
  return () => {
    seen.push(`${name}${++step}`);
    return step < steps;
  };
}

describe('turns', () => {
  it('are over once their time is, and begin again when the event loop has come round', async () => {
    let now = 0;
    const turns = new Turns(() => now);
    expect(turns.isOver).toBe(false);
    now = 2;
    expect(turns.isOver).toBe(false);
    now = 3;
    expect(turns.isOver).toBe(true);
    await turn();
    expect(turns.isOver).toBe(false);
  });

  it('do works in turn, a step each, as long as there is time', async () => {
    const turns = new Turns(() => 0);
    const seen: string[] = [];
    turns.run(work('a', 3, seen));
    turns.run(work('b', 1, seen));
    turns.run(work('c', 2, seen));
    expect(seen).toEqual([]);
    await turn();
    expect(seen).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
  });

  it('let the event loop come round when the time is up, and go on with who had none', async () => {
    const turns = new Turns(clockOf(5));
    const seen: string[] = [];
    turns.run(work('a', 2, seen));
    turns.run(work('b', 2, seen));
    for (let count = 0; count < 5; count++) await turn(seen.push('|'));
    expect(seen).toEqual(['|', 'a1', '|', 'b1', '|', 'a2', '|', 'b2', '|']);
  });

  it('tell who waits for the next one', async () => {
    const turns = new Turns(clockOf(5));
    const seen: string[] = [];
    turns.run(work('a', 2, seen));
    await turns.next();
    expect(seen).toEqual(['a1']);
  });
});

describe('an outbox', () => {
  it('lets the event loop come round while very many send, and who comes later does not wait for all of them', async () => {
    const outbox = new Outbox(new Turns(clockOf(5)));
    const sent: string[] = [];
    const sender = (name: string) => ({ sendGathered: () => void sent.push(name) });
    for (let count = 0; count < 1_000; count++) outbox.add(sender('one of many'));
    await turn();
    expect(sent.length).toBeLessThan(200);
    outbox.add(sender('late'));
    await turnsUntil('all have sent', () => sent.length === 1_001);
    expect(sent.indexOf('late')).toBeLessThan(500);
  });
});

describe('connections that share turns', () => {
  function connect(turns: Turns, name: string, seen: string[]) {
    const [near, far] = duplexPair();
    const listener = new RecordingListener();
    listener.packet = (packet) => seen.push(`${name} ${packet.name}`);
    return { peer: near, listener, connection: new Connection(far, 'RES', listener, { turns }) };
  }

  const requests = (count: number): Buffer =>
    Buffer.concat(new Array<Buffer>(count).fill(packetBytes('PRE_SLEEP', 'REQ')));
  const ECHO = packetBytes('ECHO_REQ', 'REQ');

  it('answer one peer before another has had all its packets read, and read all in order', async () => {
    const seen: string[] = [];
    const turns = new Turns(clockOf(5));
    const greedy = connect(turns, 'greedy', seen);
    const modest = connect(turns, 'modest', seen);
    greedy.peer.write(Buffer.concat([requests(100), ECHO]));
    await turnsUntil('the first packets are read', () => seen.length > 0);
    modest.peer.write(ECHO);
    await turnsUntil('all are read', () => seen.length === 102);
    expect(seen.indexOf('modest ECHO_REQ')).toBeLessThan(20);
    expect(seen.filter((what) => what === 'greedy PRE_SLEEP')).toHaveLength(100);
    expect(seen[101]).toBe('greedy ECHO_REQ');
  });

  it('read a few packets a turn of each', async () => {
    const seen: string[] = [];
    const { peer } = connect(new Turns(clockOf(5)), 'greedy', seen);
    peer.write(requests(40));
    await turnsUntil('the first packets are read', () => seen.length > 0);
    let most = 0;
    for (let before = 0; seen.length < 40; before = seen.length, await turn())
      most = Math.max(most, seen.length - before);
    // Four before the clock is looked at first, which begins the turn, and four more.
    expect(most).toBeLessThanOrEqual(8);
  });

  it('stay paused in between where their owner pauses them, and go on behind that', async () => {
    const seen: string[] = [];
    const { peer, connection } = connect(new Turns(clockOf(5)), 'peer', seen);
    peer.write(requests(20));
    await turnsUntil('the first packets are read', () => seen.length > 0);
    connection.pause();
    const before = seen.length;
    peer.write(ECHO);
    await settled();
    expect(seen).toHaveLength(before);
    connection.resume();
    await turnsUntil('all are read', () => seen.length === 21);
    expect(seen[20]).toBe('peer ECHO_REQ');
  });

  it('read nothing more once they are closed, and end behind what came before the end', async () => {
    const seen: string[] = [];
    const turns = new Turns(clockOf(5));
    const destroyed = connect(turns, 'destroyed', seen);
    destroyed.peer.write(requests(20));
    await turnsUntil('the first packets are read', () => seen.length > 0);
    destroyed.connection.destroy();
    const before = seen.length;
    await settled();
    expect(seen).toHaveLength(before);
    const ended = connect(turns, 'ended', seen);
    ended.peer.resume().end(requests(20));
    await ended.listener.over;
    expect(seen.filter((what) => what === 'ended PRE_SLEEP')).toHaveLength(20);
  });
});
