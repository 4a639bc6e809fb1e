import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { within } from './deadline.mjs';

/** How long one may take to end that was asked to, in milliseconds. */
const END_PATIENCE = 60_000;

/** How long before it hears that it was taken for dead it may have lost its leases, in milliseconds. */
const LAPSE_TIME = 15_000;

const children = new Set();
process.once('exit', () => children.forEach((child) => child.kill('SIGKILL')));

/** A process that is killed and started again, each time under another name. */
export class Actor {
  /** Resolves when it is there: a job server listens, the others have begun. */
  ready = Promise.resolve();
  /** Of a job server: resolves when it has ended some jobs in this life; and whether it has. */
  worked = Promise.resolve();
  hasWorked = false;
  /** What it wrote to stderr, and how it ended when nobody ended it. */
  complaints = [];

  /**
   * @param argumentsFor the arguments of the process of that name.
   * @param tellLapse told when it says that it was taken for dead, as a blow of a run.
   */
  constructor(kind, number, argumentsFor, tellLapse = () => {}) {
    this.kind = kind;
    this.number = number;
    this.argumentsFor = argumentsFor;
    this.tellLapse = tellLapse;
    this.life = 0;
  }

  get name() {
    return `${this.kind}-${this.number}-${this.life}`;
  }

  start() {
    this.life++;
    const script = fileURLToPath(new URL(`${this.kind}.mjs`, import.meta.url));
    const child = spawn(process.execPath, [script, ...this.argumentsFor(this.name).map(String)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(child);
    this.child = child;
    this.over = once(child, 'exit').then(([code]) => {
      children.delete(child);
      if (!child.isExpectedToEnd) this.complaints.push(`${this.name} ended by itself, with code ${code}`);
    });
    child.stderr.on('data', (text) => this.complaints.push(String(text).trim()));
    this.hasWorked = false;
    const { kind, name } = this;
    child.stdout.on('data', (text) => {
      if (!String(text).includes('taken for dead')) return;
      const over = Date.now();
      this.tellLapse({ kind, name, signal: 'LAPSE', time: over - LAPSE_TIME, over });
    });
    const said = this.kind === 'job-server' ? saying(child, 'ready') : once(child, 'spawn');
    this.ready = Promise.race([said, this.over]);
    const worked = saying(child, 'working').then(() => (this.hasWorked = child === this.child));
    this.worked = Promise.race([worked, this.over]);
  }

  /** Stops it for a while, which it does not notice, and others may. */
  async stall(time) {
    const { child } = this;
    this.isStalled = true;
    child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, time));
    child.kill('SIGCONT');
    this.isStalled = false;
  }

  /** Ends it, and waits until it has ended; one that does not is killed, which is a complaint. */
  async end(signal) {
    const { child, name } = this;
    child.isExpectedToEnd = true;
    child.kill(signal);
    try {
      await within(END_PATIENCE, `${name} ends after ${signal}`, this.over);
    } catch (error) {
      this.complaints.push(error.message);
      child.kill('SIGKILL');
      await this.over;
    }
  }
}

/** Resolves when a process has written a word to stdout. */
function saying(child, word) {
  return new Promise((resolve) => child.stdout.on('data', (text) => String(text).includes(word) && resolve()));
}
