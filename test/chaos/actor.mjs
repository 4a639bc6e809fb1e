import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { within } from './deadline.mjs';

/** How long a process may take to end after it was asked to, in milliseconds. */
const END_PATIENCE = 60_000;

/** How long a job server may have been without its leases before it hears that others took it for dead, in milliseconds. */
const LAPSE_TIME = 15_000;

const children = new Set();
process.once('exit', () => children.forEach((child) => child.kill('SIGKILL')));

/** A process that is killed and started again, each time with another name. */
export class Actor {
  /** Resolves when it has started: a job server listens, the others have begun. */
  ready = Promise.resolve();
  /** For a job server: resolves when it has ended some jobs in this life; and whether it has. */
  worked = Promise.resolve();
  hasWorked = false;
  /** What it wrote to stderr, and how it ended if nobody asked it to. */
  complaints = [];

  /**
   * @param argumentsFor makes the arguments of the process with a name.
   * @param tellLapse is called when it reports that others took it for dead; a run counts that as a blow.
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

  /** Stops it for a while. It does not notice that, but others may. */
  async stall(time) {
    const { child } = this;
    this.isStalled = true;
    child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, time));
    child.kill('SIGCONT');
    this.isStalled = false;
  }

  /** Asks it to end and waits; if it does not end it is killed, and that is a complaint. */
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

/** Resolves when a process has written a certain word to stdout. */
function saying(child, word) {
  return new Promise((resolve) => child.stdout.on('data', (text) => String(text).includes(word) && resolve()));
}
