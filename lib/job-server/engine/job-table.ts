import type { ByteString } from './job-spec.js';
import type { JobQueue, Packing } from './job-queue.js';
import type { Job } from './model.js';
import { TransientMap } from './transient-map.js';

const PAGE_SIZE = 256;

interface Page {
  /** By their number; in a packed job's place the job that its pack hangs on. */
  readonly jobs: (Job | undefined)[];
  live: number;
}

/**
 * All jobs by their handle.
 *
 * A handle is a prefix that no other job server and no earlier run of this one
 * has, and a counter: so the jobs stand in small pages by number, which costs
 * 8 bytes a job, needs no string kept and no rehashing of millions. Jobs that
 * come from storage bring their handles and stand in a table by these.
 *
 * Who keeps handles may rely on this:
 * - `H:<host>:<digits>`, or a text of the operator's in place of `H:<host>`. At
 *   most 63 bytes, none of them white space or NUL.
 * - No two jobs ever have the same, whichever job server of whichever run.
 * - The digits are the run's, {@link RUN_DIGITS} of them, and the counter, from 1
 *   to 2^53 - 1 without zeros before it: `counterLength` tells where it begins.
 *   Together they are too large for a Number.
 * - Within one run a later job has a higher counter. Nothing follows from the
 *   order of two runs.
 * - A stored job keeps its handle for its life, whatever form it has: that of
 *   older versions, `H:web1:mwvpvrq8mjb:42`, or any other text of up to 255 bytes.
 */
export class JobTable {
  private readonly pages = new Map<number, Page>();
  private readonly brought = new TransientMap<Job>();
  private lastId = 0;
  /** The handle spelled last, byte by byte: `prefix + id` would make three strings. */
  private readonly spelled: Buffer;
  size = 0;

  /** @param prefix what every handle given out here begins with, as `H:host:48213377902615`. */
  constructor(private readonly prefix: ByteString) {
    this.spelled = Buffer.from(prefix + Number.MAX_SAFE_INTEGER, 'latin1');
  }

  /** The number for the next job. */
  nextId(): number {
    return ++this.lastId;
  }

  /** A handle that no job has yet: whoever asks for it may bring a job under it. */
  nextHandle(): ByteString {
    return this.handleOf(this.nextId());
  }

  /** The handle a job number of this run stands for. */
  handleOf(id: number): ByteString {
    const { spelled, prefix } = this;
    let end = prefix.length;
    for (let rest = id; rest > 0; rest = Math.floor(rest / 10)) end++;
    let at = end;
    for (let rest = id; rest > 0; rest = Math.floor(rest / 10)) spelled[--at] = 48 + (rest % 10);
    return spelled.toString('latin1', 0, end);
  }

  add(job: Job): void {
    this.size++;
    if (job.givenHandle !== undefined) {
      this.brought.set(job.givenHandle, job);
      return;
    }
    const number = pageOf(job.id);
    let page = this.pages.get(number);
    if (!page)
      this.pages.set(number, (page = { jobs: new Array<Job | undefined>(PAGE_SIZE).fill(undefined), live: 0 }));
    page.jobs[job.id % PAGE_SIZE] = job;
    page.live++;
  }

  find(handle: ByteString): Job | undefined {
    const id = this.numberIn(handle);
    const job = this.jobAt(id);
    if (!job) return this.brought.get(handle);
    if (job.id === id) return job;
    this.open(job);
    return this.jobAt(id);
  }

  /** Packs jobs of a queue, if enough were pushed since the last time. */
  pack(queue: JobQueue<Job>, packing: Packing): void {
    const carrier = queue.pack(packing);
    if (!carrier) return;
    const pack = carrier.pack!;
    for (let index = 0; index < pack.count; index++) this.put(pack.idAt(index), carrier);
  }

  /** Opens the pack that hangs on a job. */
  open(carrier: Job): void {
    const jobs = carrier.function_.queues[carrier.priority].open(carrier);
    for (let index = 0; index < jobs.length; index++) this.put(jobs[index]!.id, jobs[index]!);
  }

  delete(job: Job): void {
    this.size--;
    if (job.givenHandle !== undefined) {
      this.brought.delete(job.givenHandle);
      return;
    }
    const number = pageOf(job.id);
    const page = this.pages.get(number)!;
    page.jobs[job.id % PAGE_SIZE] = undefined;
    if (--page.live === 0) this.pages.delete(number);
  }

  /**
   * Every job: those from an earlier run in no order, then the others, oldest first but
   * for those that come back from storage. It may be walked in steps while jobs come and
   * go; jobs submitted after its beginning are left out, so that it ends. Packed ones
   * are yielded as copies; only {@link find} makes the job itself.
   */
  *[Symbol.iterator](): Iterator<Job> {
    for (const job of this.brought.toArray()) if (job.state !== 'ended') yield job;
    const { lastId } = this;
    for (const [number, { jobs }] of this.pages) {
      for (let at = 0; at < PAGE_SIZE; at++) {
        const id = number * PAGE_SIZE + at;
        const job = jobs[at];
        if (job && id <= lastId) yield job.id === id ? job : job.like(job.pack!, job.pack!.indexOf(id));
      }
    }
  }

  /** The number in a handle given out in this run, or 0. */
  idOf(handle: ByteString): number {
    const id = this.numberIn(handle);
    return id <= this.lastId ? id : 0;
  }

  private jobAt(id: number): Job | undefined {
    return this.pages.get(pageOf(id))?.jobs[id % PAGE_SIZE];
  }

  private put(id: number, job: Job): void {
    this.pages.get(pageOf(id))!.jobs[id % PAGE_SIZE] = job;
  }

  /** The number behind the prefix, or 0: leading zeros and the like name no job. */
  private numberIn(handle: ByteString): number {
    const { prefix } = this;
    if (!handle.startsWith(prefix)) return 0;
    let id = 0;
    for (let at = prefix.length; at < handle.length; at++) {
      const digit = handle.charCodeAt(at) - 48;
      if (digit < 0 || digit > 9 || (digit === 0 && id === 0)) return 0;
      id = id * 10 + digit;
    }
    return id;
  }
}

/** Not `>>>`, which knows 32 bits: a busy job server counts beyond them within days. */
function pageOf(id: number): number {
  return Math.floor(id / PAGE_SIZE);
}
