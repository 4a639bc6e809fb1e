import { once } from 'node:events';
import { connect } from 'node:net';

/** The packets that are used here, with PROTOCOL's numbers. */
export const PACKET = {
  CAN_DO: 1,
  CANT_DO: 2,
  RESET_ABILITIES: 3,
  PRE_SLEEP: 4,
  NOOP: 6,
  SUBMIT_JOB: 7,
  JOB_CREATED: 8,
  GRAB_JOB: 9,
  NO_JOB: 10,
  JOB_ASSIGN: 11,
  WORK_STATUS: 12,
  WORK_COMPLETE: 13,
  WORK_FAIL: 14,
  ECHO_REQ: 16,
  ECHO_RES: 17,
  SUBMIT_JOB_BG: 18,
  WORK_DATA: 28,
  SUBMIT_JOB_EPOCH: 36,
};

/** Bodies of at most this size are kept, in bytes. */
const KEPT_BYTES = 4_096;

/** The bytes of a request. */
export function packet(type, ...args) {
  const body = Buffer.concat(args.flatMap((arg, index) => (index ? [NUL, Buffer.from(arg)] : [Buffer.from(arg)])));
  const header = Buffer.alloc(12);
  header.write('\0REQ', 0, 'latin1');
  header.writeUInt32BE(type, 4);
  header.writeUInt32BE(body.length, 8);
  return Buffer.concat([header, body]);
}

const NUL = Buffer.from([0]);

/** The same bytes, repeated. */
export function times(count, bytes) {
  return Buffer.alloc(count * bytes.length, bytes);
}

/** The bytes for each of so many numbers, one after the other. */
export function each(count, bytesOf) {
  return Buffer.concat(Array.from({ length: count }, (_, index) => bytesOf(index)));
}

/** A connection that counts the packets it gets, and keeps the first argument of small ones. */
export class Peer {
  /** How many packets of each type came. */
  counts = new Array(64).fill(0);
  /** Called with the first argument of every small packet. */
  heard = undefined;
  /** How many bytes came. */
  bytes = 0;
  #rest = Buffer.alloc(0);
  #skip = 0;
  #waiting = () => undefined;

  constructor(port) {
    this.socket = connect(port, '127.0.0.1').setNoDelay(true);
    this.socket.on('error', () => undefined).on('data', (chunk) => this.#read(chunk));
    this.socket.on('close', () => this.#waiting());
  }

  static async dial(port) {
    const peer = new Peer(port);
    await once(peer.socket, 'connect');
    return peer;
  }

  send(bytes) {
    this.socket.write(bytes);
  }

  leave() {
    this.socket.destroy();
  }

  /** Resolves when so many packets of a type have come in total. */
  async told(type, count) {
    await this.#until(() => this.counts[type] >= count);
  }

  /** Resolves when the job server has obeyed everything sent before. */
  async settled() {
    this.send(packet(PACKET.ECHO_REQ));
    await this.told(PACKET.ECHO_RES, this.counts[PACKET.ECHO_RES] + 1);
  }

  /** Sends an admin command; resolves with the bytes of its answer, up to `end`. */
  async ask(line, end = '.\n') {
    this.socket.removeAllListeners('data');
    let last = '';
    let bytes = 0;
    this.send(line);
    await new Promise((resolve) => {
      this.socket.on('data', (chunk) => {
        bytes += chunk.length;
        last = (last + chunk.subarray(-end.length).toString('latin1')).slice(-end.length);
        if (last === end) resolve();
      });
    });
    return bytes;
  }

  /** Sends many admin commands; resolves when each has got its line of answer. */
  async askAll(lines, count) {
    this.socket.removeAllListeners('data');
    let left = count;
    this.send(lines);
    await new Promise((resolve) => {
      this.socket.on('data', (chunk) => {
        for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) left--;
        if (left <= 0) resolve();
      });
    });
  }

  async #until(condition) {
    while (!condition()) {
      if (this.socket.destroyed) throw new Error('the job server closed a connection');
      await new Promise((resolve) => (this.#waiting = resolve));
    }
  }

  #read(chunk) {
    this.bytes += chunk.length;
    const skipped = Math.min(this.#skip, chunk.length);
    this.#skip -= skipped;
    let rest = skipped ? chunk.subarray(skipped) : chunk;
    if (this.#rest.length > 0) rest = Buffer.concat([this.#rest, rest]);
    while (rest.length >= 12) {
      const size = rest.readUInt32BE(8);
      if (size <= KEPT_BYTES && rest.length < 12 + size) break;
      const type = rest.readUInt32BE(4);
      this.counts[type]++;
      if (this.heard && size <= KEPT_BYTES) this.heard(type, firstOf(rest, size));
      this.#skip = Math.max(0, 12 + size - rest.length);
      rest = rest.subarray(12 + size);
    }
    this.#rest = rest;
    this.#waiting();
  }
}

function firstOf(bytes, size) {
  const end = bytes.indexOf(0, 12);
  return bytes.toString('latin1', 12, end < 0 || end > 12 + size ? 12 + size : end);
}
