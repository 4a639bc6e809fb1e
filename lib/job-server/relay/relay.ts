import { parseAddress, type Endpoint, type TlsOptions } from '../../connection/index.js';
import { PacketType, type ByteString, type Packet } from '../../protocol/index.js';
import { aboutError, type Alarm, type Log } from '../../ground/index.js';
import { specOf, type Elsewhere, type JobProgress } from '../durable/index.js';
import type { Engine, Job, Peer, PeerListener } from '../engine/index.js';
import type { FoundJob, Holder, JobRecord } from '../storage/index.js';
import { RelayConnection, type RelayConnectionOwner } from './relay-connection.js';

/** How other job servers of a shared storage are reached. */
export interface RelayOptions {
  /** TLS as a client of them, where their address says `tls://`. Default: Node's defaults. */
  readonly tls?: TlsOptions;
}

/** What the relay needs of the job server around it. */
export interface RelayHost {
  readonly engine: Engine;
  readonly log: Log;
  readonly time: Alarm;
  readonly maxPacketBytes: number;
  /** Tells the engine the time. */
  tick(): void;
  /** What the storage knows of a job. */
  find(handle: ByteString): Promise<FoundJob | undefined>;
  /** Leases a job that waits, if nobody else has meanwhile: then {@link Relay.leased} is called. */
  fetch(handle: ByteString): Promise<void>;
}

/** What another job server says of a job, as a report of the worker that every followed job has here. */
const REPORTS: { readonly [Type in PacketType]?: (engine: Engine, worker: Peer, packet: Packet) => void } = {
  [PacketType.WORK_DATA]: (engine, worker, packet) => engine.data(worker, packet.byteString(0), packet.compact(1)),
  [PacketType.WORK_WARNING]: (engine, worker, packet) =>
    engine.warning(worker, packet.byteString(0), packet.compact(1)),
  [PacketType.WORK_STATUS]: (engine, worker, packet) =>
    engine.progress(worker, packet.byteString(0), packet.byteString(1), packet.byteString(2)),
  [PacketType.WORK_COMPLETE]: (engine, worker, packet) =>
    engine.complete(worker, packet.byteString(0), packet.compact(1)),
  [PacketType.WORK_EXCEPTION]: (engine, worker, packet) =>
    engine.exception(worker, packet.byteString(0), packet.compact(1)),
  [PacketType.WORK_FAIL]: (engine, worker, packet) => engine.fail(worker, packet.byteString(0)),
};

/** How often the storage is asked who has jobs whose job server is not known, in milliseconds. */
const LOOK_INTERVAL = 500;

/** How long after a job server was lost the storage is first asked who has its jobs, in milliseconds. */
const FIRST_LOOK = 50;

/** How often the other job servers are asked to say something, in milliseconds. */
const BEAT_INTERVAL = 5_000;

/**
 * Jobs that clients here wait for and that another job server of the storage
 * has.
 *
 *   follow --> followed at its holder --end--> ended
 *     |          |            ^
 *     |       not there, lost | found
 *     |          v            |
 *     +-------> looked up ----+
 *                |      |
 *             leased    ended: told if its result is kept, else run here
 *                v
 *             waits here, and runs as any job
 */
export class Relay implements Elsewhere, PeerListener, RelayConnectionOwner {
  /** The worker of every followed job, as the engine sees it. */
  private readonly peer: Peer;
  private readonly followed = new Map<ByteString, Job>();
  /** Connections, by address. */
  private readonly connections = new Map<string, RelayConnection>();
  /** By job, where it is followed. */
  private readonly places = new Map<ByteString, RelayConnection>();
  /** Jobs whose holder is not known. */
  private readonly lookedFor = new Set<ByteString>();
  private lookAt = Infinity;
  private beatAt = Infinity;
  private isLooking = false;
  private isClosed = false;

  constructor(
    private readonly host: RelayHost,
    private readonly options: RelayOptions,
  ) {
    this.peer = host.engine.join(this);
    this.peer.clientId = 'relay';
    this.peer.knowsWithdrawals = true;
  }

  // --- what the promise asks for ---

  reaches(holder: Holder): boolean {
    return !this.isClosed && this.endpointOf(holder) !== undefined;
  }

  follow(job: JobRecord, holder: Holder | undefined, client: Peer): void {
    const followed = this.host.engine.follow({ ...specOf(job), isBackground: false }, job, client, this.peer);
    this.followed.set(job.handle, followed);
    if (holder && this.reaches(holder)) this.followAt(holder, job.handle);
    else this.lookFor(job.handle, FIRST_LOOK);
  }

  givenBack(job: Job): void {
    const handle = this.host.engine.handleOf(job);
    job.isStored = false;
    // Only the clients here want it here.
    job.isBackground = false;
    this.host.engine.lend(job, this.peer);
    this.followed.set(handle, job);
    this.lookFor(handle, LOOK_INTERVAL);
  }

  leased(job: Job): void {
    const handle = this.host.engine.handleOf(job);
    if (!this.has(job)) return;
    this.forget(handle);
    this.host.engine.takeOver(job);
  }

  ended(job: Job): void {
    if (this.followed.size === 0) return;
    const handle = this.host.engine.handleOf(job);
    if (this.followed.get(handle) === job) this.forget(handle);
  }

  has(job: Job): boolean {
    return job.worker === this.peer;
  }

  async status(holder: Holder, handle: ByteString): Promise<JobProgress | undefined> {
    return this.reaches(holder) ? this.connectionTo(holder).status(handle) : undefined;
  }

  // --- for the job server ---

  /** Asks who has which job, and whether the other job servers are there. */
  tick(now: number): void {
    if (now >= this.beatAt) {
      this.beatAt = this.connections.size > 0 ? now + BEAT_INTERVAL : Infinity;
      for (const connection of [...this.connections.values()]) connection.beat();
    }
    if (now >= this.lookAt && !this.isLooking) void this.look();
    this.host.time.at(Math.min(this.beatAt, this.isLooking ? Infinity : this.lookAt));
  }

  /** Follows nothing any more. */
  close(): void {
    this.isClosed = true;
    this.lookedFor.clear();
    for (const connection of this.connections.values()) connection.close();
  }

  /** Follows again. */
  restart(): void {
    this.isClosed = false;
  }

  // --- what other job servers say ---

  arrived(): void {
    this.host.tick();
  }

  reported(_: RelayConnection, packet: Packet): void {
    REPORTS[packet.type]?.(this.host.engine, this.peer, packet);
  }

  notThere(_: RelayConnection, handle: ByteString): void {
    this.places.delete(handle);
    this.lookFor(handle, FIRST_LOOK);
  }

  over(connection: RelayConnection, reason: Error | undefined): void {
    if (this.connections.get(connection.address) === connection) this.connections.delete(connection.address);
    const { handles, address } = connection;
    if (this.isClosed || handles.size === 0) return;
    const why = reason ? `: ${reason.message}` : '';
    this.host.log('warn', `relay: ${address} is lost${why}; asking who has ${handles.size} jobs of it`, {
      peer: address,
      count: handles.size,
    });
    for (const handle of handles) this.notThere(connection, handle);
  }

  // --- what the engine says to their worker ---

  abandoned(job: Job): void {
    this.forget(this.host.engine.handleOf(job));
    this.host.engine.putAway(job);
  }

  wake(): void {}
  assign(): void {}
  noJob(): void {}
  data(): void {}
  warning(): void {}
  progress(): void {}
  complete(): void {}
  fail(): void {}
  exception(): void {}

  // --- inside ---

  private followAt(holder: Holder, handle: ByteString): void {
    const connection = this.connectionTo(holder);
    this.places.set(handle, connection);
    connection.follow(handle);
  }

  private connectionTo(holder: Holder): RelayConnection {
    const { address } = holder;
    let connection = this.connections.get(address);
    if (!connection) {
      connection = new RelayConnection(address, this.endpointOf(holder)!, this.host.maxPacketBytes, this);
      this.connections.set(address, connection);
      if (this.beatAt === Infinity) this.host.time.at((this.beatAt = this.host.time.now + BEAT_INTERVAL));
    }
    return connection;
  }

  private endpointOf({ address }: Holder): Endpoint | undefined {
    if (address === '') return undefined;
    try {
      return parseAddress(address, address.startsWith('tls://') ? (this.options.tls ?? true) : false);
    } catch {
      // Another job server said something that is no address: then it cannot be reached.
      return undefined;
    }
  }

  private forget(handle: ByteString): void {
    this.followed.delete(handle);
    this.lookedFor.delete(handle);
    this.places.get(handle)?.unfollow(handle);
    this.places.delete(handle);
  }

  private lookFor(handle: ByteString, delay: number): void {
    if (!this.followed.has(handle)) return;
    this.lookedFor.add(handle);
    this.lookAt = Math.min(this.lookAt, this.host.time.now + delay);
    this.host.time.at(this.lookAt);
  }

  /** Asks for one job at a time: there may be many, and the storage has other things to do. */
  private async look(): Promise<void> {
    this.isLooking = true;
    this.lookAt = Infinity;
    try {
      for (const handle of [...this.lookedFor]) if (this.lookedFor.has(handle)) await this.lookAfter(handle);
    } catch (error) {
      const line = `relay: cannot ask who has jobs of others: ${(error as Error).message}`;
      this.host.log('error', line, { count: this.lookedFor.size, ...aboutError(error) });
    }
    this.isLooking = false;
    if (this.lookedFor.size === 0) return;
    this.lookAt = this.host.time.now + LOOK_INTERVAL;
    this.host.time.at(this.lookAt);
  }

  private async lookAfter(handle: ByteString): Promise<void> {
    const found = await this.host.find(handle);
    const job = this.followed.get(handle);
    if (!job || !this.lookedFor.has(handle)) return;
    const { engine, time } = this.host;
    this.host.tick();
    if (!found) return this.gone(handle, job);
    if (found.state === 'ended') return this.endedElsewhere(handle, found.outcome);
    if (found.state === 'dead') return void engine.exception(this.peer, handle, Buffer.from(found.letter.error));
    if (found.state === 'leased' && !found.holder && job.isStored) return this.leased(job);
    if (found.holder && this.reaches(found.holder)) {
      this.lookedFor.delete(handle);
      this.followAt(found.holder, handle);
    } else if (found.state === 'waiting' && found.job.at <= time.date && engine.isServed(job.function_)) {
      await this.host.fetch(handle);
    }
  }

  private endedElsewhere(handle: ByteString, outcome: Extract<FoundJob, { state: 'ended' }>['outcome']): void {
    const { engine } = this.host;
    if (outcome.state === 'complete') engine.complete(this.peer, handle, outcome.result);
    else engine.exception(this.peer, handle, outcome.result);
  }

  /**
   * Nobody has the job, and how it ended is not kept: it runs here, as a client submits a
   * foreground job again when its job server is lost.
   */
  private gone(handle: ByteString, job: Job): void {
    this.forget(handle);
    if (job.isCancelled) this.host.engine.fail(this.peer, handle);
    else this.host.engine.takeOver(job);
  }
}
