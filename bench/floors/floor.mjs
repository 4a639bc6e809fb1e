/**
 * The Node floor: the least that a job server on ordinary streams of Node can
 * do for the loads of gearload.
 *
 *   node floor.mjs PORT
 *
 * It has one queue for all functions, no uniques, no priorities, no errors and no
 * checks: what our job server costs above this is the cost of its features.
 * Everything sent in one turn of the event loop leaves in one write a connection.
 */
import { createServer } from 'node:net';

const PRE_SLEEP = 4;
const NOOP = 6;
const SUBMIT_JOB = 7;
const JOB_CREATED = 8;
const GRAB_JOB = 9;
const NO_JOB = 10;
const JOB_ASSIGN = 11;
const WORK_COMPLETE = 13;
const ECHO_REQ = 16;
const ECHO_RES = 17;
const SUBMIT_JOB_BG = 18;
const ALL_YOURS = 24;

const HEADER = 12;
const PREFIX = 'H:floor:';
const EMPTY = Buffer.alloc(0);

/** The jobs by the number in their handle; numbers are used again. */
const jobs = [];
const freeNumbers = [];
let firstJob;
let lastJob;
let firstWaiting;
let lastWaiting;
let dirty = [];

class Connection {
  out = EMPTY;
  outBytes = 0;
  tail = EMPTY;
  isDirty = false;
  isPushed = false;
  isGone = false;
  grabs = 0;
  /** The next connection in the list of those that wait for a job. */
  next = undefined;

  constructor(socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.read(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => (this.isGone = true));
  }

  read(chunk) {
    if (this.tail.length > 0) chunk = Buffer.concat([this.tail, chunk]);
    let at = 0;
    while (chunk.length - at >= HEADER) {
      const end =
        at + HEADER + ((chunk[at + 8] << 24) | (chunk[at + 9] << 16) | (chunk[at + 10] << 8) | chunk[at + 11]);
      if (end > chunk.length) break;
      this.obey(chunk[at + 7], chunk, at + HEADER, end);
      at = end;
    }
    this.tail = at === chunk.length ? EMPTY : chunk.subarray(at);
  }

  obey(type, chunk, start, end) {
    if (type === SUBMIT_JOB) this.submit(this, chunk, start, end);
    else if (type === SUBMIT_JOB_BG) this.submit(undefined, chunk, start, end);
    else if (type === GRAB_JOB) this.grab();
    else if (type === WORK_COMPLETE) complete(chunk, start, end);
    else if (type === ECHO_REQ) this.sendBytes(ECHO_RES, 0, chunk, start, end);
    else if (type === ALL_YOURS) this.isPushed = true;
    else if (type === PRE_SLEEP && firstJob) this.send(NOOP, 0, '');
    else if (type === PRE_SLEEP) waitForJob(this);
  }

  submit(client, chunk, start, end) {
    let name = start;
    while (chunk[name] !== 0) name++;
    let unique = name + 1;
    while (chunk[unique] !== 0) unique++;
    const number = freeNumbers.length > 0 ? freeNumbers.pop() : jobs.length + 1;
    const job = {
      number,
      client,
      name: chunk.latin1Slice(start, name),
      workload: chunk.latin1Slice(unique + 1, end),
      next: undefined,
    };
    jobs[number - 1] = job;
    if (firstJob) lastJob.next = job;
    else firstJob = job;
    lastJob = job;
    this.send(JOB_CREATED, number, '');
    offer();
  }

  grab() {
    if (firstJob) this.assign();
    else if (!this.isPushed) this.send(NO_JOB, 0, '');
    else if (this.grabs++ === 0) waitForJob(this);
  }

  assign() {
    const job = firstJob;
    firstJob = job.next;
    const { name, workload } = job;
    let at = this.begin(JOB_ASSIGN, job.number, name.length + workload.length + 2);
    at = this.writeNumber(at, job.number);
    this.out[at++] = 0;
    for (let index = 0; index < name.length; index++) this.out[at++] = name.charCodeAt(index);
    this.out[at++] = 0;
    this.out.latin1Write(workload, at, workload.length);
  }

  /** Sends a packet with only a handle, or without one if `number` is 0. */
  send(type, number) {
    const at = this.begin(type, number, 0);
    if (number > 0) this.writeNumber(at, number);
  }

  /** Sends a packet with a handle (none if `number` is 0) and bytes. */
  sendBytes(type, number, bytes, start, end) {
    let at = this.begin(type, number, end - start + (number > 0 ? 1 : 0));
    if (number > 0) {
      at = this.writeNumber(at, number);
      this.out[at++] = 0;
    }
    bytes.copy(this.out, at, start, end);
  }

  /** Makes room for a packet and writes its header; returns where its body begins. */
  begin(type, number, bytes) {
    if (number > 0) bytes += PREFIX.length + digitsOf(number);
    const start = this.outBytes;
    this.outBytes += HEADER + bytes;
    if (this.outBytes > this.out.length) {
      const grown = Buffer.allocUnsafeSlow(this.outBytes * 2);
      this.out.copy(grown, 0, 0, start);
      this.out = grown;
    }
    const { out } = this;
    out[start] = 0;
    out[start + 1] = 0x52;
    out[start + 2] = 0x45;
    out[start + 3] = 0x53;
    out[start + 4] = out[start + 5] = out[start + 6] = 0;
    out[start + 7] = type;
    out[start + 8] = bytes >>> 24;
    out[start + 9] = bytes >>> 16;
    out[start + 10] = bytes >>> 8;
    out[start + 11] = bytes;
    if (!this.isDirty) {
      this.isDirty = true;
      if (dirty.push(this) === 1) setImmediate(flushAll);
    }
    return start + HEADER;
  }

  /** Writes a handle; returns where it ends. */
  writeNumber(at, number) {
    const { out } = this;
    for (let index = 0; index < PREFIX.length; index++) out[at++] = PREFIX.charCodeAt(index);
    const end = at + digitsOf(number);
    for (let digit = end; digit > at; number = (number / 10) | 0) out[--digit] = 48 + (number % 10);
    return end;
  }

  flush() {
    this.isDirty = false;
    const { out, outBytes } = this;
    this.outBytes = 0;
    const bytes = out.subarray(0, outBytes);
    // If the kernel did not accept everything at once, the stream still needs the buffer.
    if (!this.socket.write(bytes) || this.socket.writableLength > 0) this.out = Buffer.allocUnsafeSlow(4096);
  }
}

function digitsOf(number) {
  let digits = 1;
  while ((number = (number / 10) | 0) > 0) digits++;
  return digits;
}

function flushAll() {
  const connections = dirty;
  dirty = [];
  for (const connection of connections) connection.flush();
}

function waitForJob(worker) {
  worker.next = undefined;
  if (firstWaiting) lastWaiting.next = worker;
  else firstWaiting = worker;
  lastWaiting = worker;
}

/** Wakes a sleeping worker, or gives a job to one with an open grab. */
function offer() {
  while (firstJob && firstWaiting) {
    const worker = firstWaiting;
    firstWaiting = worker.next;
    if (worker.isGone) continue;
    if (!worker.isPushed) {
      worker.send(NOOP, 0);
      return;
    }
    worker.assign();
    if (--worker.grabs > 0) waitForJob(worker);
  }
}

function complete(chunk, start, end) {
  let at = start + PREFIX.length;
  let number = 0;
  while (chunk[at] !== 0) number = number * 10 + chunk[at++] - 48;
  const job = jobs[number - 1];
  jobs[number - 1] = undefined;
  if (job.client) job.client.sendBytes(WORK_COMPLETE, number, chunk, at + 1, end);
  freeNumbers.push(number);
}

createServer({ noDelay: true }, (socket) => new Connection(socket)).listen(Number(process.argv[2]), '127.0.0.1', 4096);
