import type { Duplex } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { JobServer } from '../../../lib/job-server/job-server.js';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { ADMIN_WORDS } from '../../../lib/job-server/front/admin-commands.js';
import { PACKET_TABLE, type PacketRow } from '../../../lib/protocol/index.js';
import { MemoryStorage } from '../../../lib/job-server/storage/index.js';
import { atEnd } from '../../support/cleanup.js';
import { runs } from '../../support/runs.js';
import { Random } from '../../support/random.js';
import { RawPeer } from '../../support/raw-peer.js';
import { turnsUntil } from '../../support/turns.js';
import { rawPacket } from '../../support/wire.js';

/** `npm run fuzz` sets both; in the suite a fixed seed and number of rounds keep it the same and short. */
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 0);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const ROUNDS = runs(40).numRuns;

const FUNCTIONS = ['f', 'g', 'h', '', 'with space', '\xff\xfe'];
const UNIQUES = ['', '-', 'u', 'v', 'x'.repeat(64), 'y'.repeat(65)];
/** Lines that say something; {@link ADMIN_WORDS} with words behind them mostly say nothing. */
const LINES = [
  'maxqueue f 3',
  'maxqueue f 1 2 3',
  'create function f',
  'drop function g',
  'pause function f',
  'resume function f',
  'show jobs of f',
  'show unique jobs',
  'put schedule s {"function":"f","every":60000}',
  'run schedule s',
  'drop schedule s',
  'nonsense',
  '',
  ' ',
  'GET / HTTP/1.1\r',
];
const ARGUMENTS = [
  'job',
  'jobs',
  'of',
  'dead',
  'function',
  'functions',
  'activity',
  'schedule',
  'schedules',
  'f',
  's',
  '-1',
];

/** A schedule that peers put may find the queue full that peers filled and limited: no fault of the job server. */
const FULL = /^schedule s: its tick could not fire, and is tried again: Job queue is full$/;

/** One peer that says what no peer should, or what any may, in random order and pieces. */
class FuzzPeer {
  private readonly handles: string[] = [];
  private arrived = '';

  constructor(
    readonly stream: Duplex,
    private readonly random: Random,
  ) {
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => this.remember(chunk));
  }

  speak(): void {
    const { random } = this;
    const bytes = Buffer.concat(Array.from({ length: 1 + random.below(6) }, () => this.unit()));
    for (let at = 0; at < bytes.length;) {
      const length = 1 + random.below(random.next() < 0.3 ? 5 : bytes.length);
      this.stream.write(bytes.subarray(at, at + length));
      at += length;
    }
  }

  private unit(): Buffer {
    const { random } = this;
    const kind = random.next();
    if (kind < 0.75) return this.packet(random.pick<PacketRow>(PACKET_TABLE));
    if (kind < 0.9) return Buffer.from(`${this.line()}\n`, 'latin1');
    if (kind < 0.94) return rawPacket('\0REQ', random.below(60), 'body');
    if (kind < 0.97) return rawPacket('\0RES', 1 + random.below(42), 'f\0u\0x');
    if (kind < 0.985) return rawPacket('\0REQ', 7, 'f', random.below(2 ** 32));
    return Buffer.from(Array.from({ length: 1 + random.below(64) }, () => random.below(256)));
  }

  private line(): string {
    const { random } = this;
    if (random.next() < 0.2) return `${random.pick(['cancel', 'replay', 'purge'])} job ${this.handle()}`;
    if (random.next() < 0.5) return random.pick(LINES);
    const words = Array.from({ length: random.below(4) }, () => random.pick(ARGUMENTS));
    return [random.pick(ADMIN_WORDS), ...words].join(' ');
  }

  /** A packet of this type with plausible arguments, sometimes too few or too many. */
  private packet(row: PacketRow): Buffer {
    const { random } = this;
    const values = row.arguments.map((name) => this.argument(name));
    if (random.next() < 0.05) values.pop();
    if (random.next() < 0.02) values.push('more');
    return rawPacket('\0REQ', row.number, Buffer.from(values.join('\0'), 'latin1'));
  }

  private argument(name: string): string {
    const { random } = this;
    if (name === 'function') return random.pick(FUNCTIONS);
    if (name === 'unique') return random.pick(UNIQUES);
    if (name === 'handle') return this.handle();
    if (name === 'option') return random.pick(['exceptions', 'results', 'nonsense']);
    if (name === 'epoch') return random.pick(['0', String(Math.floor(Date.now() / 1000) + 1), '-1', 'soon', '1e400']);
    if (name === 'workload') return 'w'.repeat(random.pick([0, 1, 100, 5_000]));
    return random.pick(['', '0', '1', '99999999999999999999', '*', 'nonsense', '\xff']);
  }

  private handle(): string {
    return this.handles.length > 0 && this.random.next() < 0.8 ? this.random.pick(this.handles) : 'H:nobody:1';
  }

  private remember(chunk: Buffer): void {
    this.arrived = (this.arrived + chunk.toString('latin1')).slice(-10_000);
    for (const [handle] of this.arrived.matchAll(/H:[^\0\s]+:\d+/g)) this.handles.push(handle);
    this.handles.splice(0, this.handles.length - 50);
  }
}

describe('a job server under nonsense', () => {
  it.each(['without a storage', 'with a storage'])(
    `%s goes on serving, and forgets every peer that left (seed ${SEED})`,
    async (kind) => {
      const random = new Random(SEED);
      const ownErrors: string[] = [];
      const jobServer = new JobServer({
        listeners: [],
        storage: kind === 'with a storage' ? new MemoryStorage() : undefined,
        policies: kind === 'with a storage' ? { g: { retries: 1, backoff: { initialDelay: 0 } } } : undefined,
        keepResults: kind === 'with a storage' ? 1_000 : 0,
        maxPacketBytes: 100_000,
        window: 5,
        log: (level, message) => {
          if (FULL.test(message)) return;
          if (level === 'error' || /Error|undefined|not a function|Cannot/.test(message)) ownErrors.push(message);
        },
      });
      await jobServer.start();
      atEnd(() => jobServer.stop());
      const control = new RawPeer(jobServer.connect());
      const peers: FuzzPeer[] = [];
      const deadline = Date.now() + SECONDS * 1000;
      for (let round = 0; SECONDS > 0 ? Date.now() < deadline : round < ROUNDS; round++) {
        while (peers.length < 6) peers.push(new FuzzPeer(jobServer.connect(), random));
        for (const peer of peers) peer.speak();
        for (const [index, { stream }] of peers.entries()) {
          if (random.next() < 0.05) stream.destroy();
          if (stream.destroyed || stream.readableEnded) peers.splice(index, 1);
        }
        control.send(`ECHO_REQ ${round}`);
        expect(await control.next()).toBe(`ECHO_RES ${round}`);
      }
      for (const { stream } of peers) stream.destroy();
      await turnsUntil('they have left', () => coreOf(jobServer).sessions.size === 1);
      expect(ownErrors).toEqual([]);
      for (const { running, woken, workers, rotation } of coreOf(jobServer).engine.functions) {
        expect({ running, woken, workers: workers.size, turn: rotation.take() }).toEqual({
          running: 0,
          woken: 0,
          workers: 0,
          turn: undefined,
        });
      }
      for (const job of coreOf(jobServer).engine.jobs()) expect(job.clients ?? []).toEqual([]);
    },
    (SECONDS + 60) * 1000,
  );
});
