import type { Traffic } from './traffic.js';
import type { Argument, PacketType } from '../../protocol/index.js';
import type { Answer, DeadLetterLine, DeadLetterPage, StoredLine, StoredState, Submitted } from '../durable/index.js';
import type { ByteString, Engine, GrabKind, Job, JobSpec, Moment, Peer, Refusal } from '../engine/index.js';
import type { Log } from '../../ground/index.js';
import type { Schedules } from '../schedules/index.js';
import type { Replies, ReplyPlace } from './reply-order.js';

/** What a peer wants to do, as the `authorize` hook is asked. */
export type Action = 'submit' | 'work' | 'status' | 'admin';

/** A question to the `authorize` hook. */
export interface AccessRequest {
  action: Action;
  /** The function to submit to, or to work for. */
  function?: string;
  /** What the peer called itself (SET_CLIENT_ID), `-` if nothing. */
  clientId: string;
  peer: PeerInfo;
}

/** Where a connection comes from. */
export interface PeerInfo {
  /** The peer's IP address, a unix socket's path, or `in-process`. */
  address: string;
  port?: number;
  /** The subject of the certificate the peer showed, when the connection is TLS and it was verified. */
  certificate?: { subject: Record<string, string | string[] | undefined>; fingerprint256: string };
  /** Whether admin words are answered here, and whether anything else is. */
  admin: AdminAccess;
}

/** `allowed`: packets and admin words. `refused`: packets only. `only`: admin words only. */
export type AdminAccess = 'allowed' | 'refused' | 'only';

/** Jobs that wait in storage and are not in the engine. */
export interface StoredJobs {
  /** What storage knows of a job that is not in the engine. */
  find(handle: ByteString): Promise<StoredState>;
  /** What it knows of the one with this unique, whichever its function. */
  findUnique(unique: ByteString): Promise<StoredState>;
  /** All of them, in pages. */
  lines(): AsyncIterable<readonly StoredLine[]>;
}

/** Background jobs that failed for good. */
export interface DeadLetters {
  /** All of them, longest dead first, in pages. */
  lines(): AsyncIterable<readonly DeadLetterLine[]>;
  /** One of them with its job, or undefined. */
  find(handle: ByteString): Promise<DeadLetterPage | undefined>;
  /** Lets one wait again; false when there is none, or its unique is taken. */
  replay(handle: ByteString): Promise<boolean>;
  /** Deletes one; false when there is none. */
  purge(handle: ByteString): Promise<boolean>;
}

/** What a session needs of the job server around it. */
export interface SessionHost {
  readonly engine: Engine;
  readonly log: Log;
  /** The time: `now` for durations, the date for what has one. */
  readonly time: Moment;
  readonly version: string;
  /** The log level, as the admin word `verbose` tells it. */
  readonly verbosity: string;
  /** Where what goes through its connections is counted. */
  readonly traffic: Traffic;
  /** Whether it is closing its connections. */
  readonly isEnding: boolean;
  /** Tells the engine the time; called before a peer's packets and lines, once for all that arrive together. */
  tick(): void;
  /** Accepts a job, and answers with its handle: at once, or once it is on disk. */
  submit(spec: JobSpec, client: Peer): Submitted | Answer;
  /** Cancels a job, wherever it is; false when there is none. */
  cancel(handle: ByteString): boolean | Promise<boolean>;
  /** The jobs that wait in storage only; missing without a storage. */
  readonly storedJobs?: StoredJobs;
  /** Who may do what; missing where everybody may do everything. */
  readonly authorize?: (request: AccessRequest) => boolean;
  /** Background jobs that failed for good; missing without a storage. */
  readonly deadLetters?: DeadLetters;
  /** Recurring jobs. */
  readonly schedules: Pick<Schedules, 'list' | 'find' | 'put' | 'drop' | 'run' | 'pause' | 'resume'>;
  /** Every open session. */
  readonly sessions: Iterable<Conversation>;
  /** Admin word `shutdown`; undefined when it is switched off. */
  readonly shutdown?: (isGraceful: boolean) => void;
  closed(conversation: Conversation): void;
}

/** One peer's session as the packet commands and admin words see it. */
export interface Conversation {
  readonly host: SessionHost;
  readonly peer: Peer;
  readonly info: PeerInfo;
  /** The connection's number, in the place of gearmand's file descriptor. */
  readonly number: number;
  /** It asked for kept results (OPTION_REQ results, an extension of ours). */
  wantsResults: boolean;
  /** It asked to be told the number of an attempt that is not the first (OPTION_REQ attempts, an extension of ours). */
  wantsAttempts: boolean;
  /** It asked for what travels beside a workload (OPTION_REQ metadata, an extension of ours). */
  wantsMetadata: boolean;
  /** What is to travel beside the workload of its next submission. */
  nextMetadata: ByteString | undefined;
  /** The function it submitted to last. */
  lastFunction: ByteString;
  readonly replies: Replies & { reserve(): ReplyPlace };
  reply(type: PacketType, args?: readonly Argument[]): void;
  /** Answers ahead of what waits for the storage. */
  replyAhead(type: PacketType, args: readonly Argument[]): void;
  /** Answers with an ERROR, through `replies` where its place is an earlier one. */
  refuse(refusal: Refusal, replies?: Replies): void;
  /** Answers a grab. */
  assign(job: Job, kind: GrabKind): void;
  noJob(): void;
  /** Asks the `authorize` hook; a refusal to send where it says no. */
  deny(action: Action, function_?: string): Refusal | undefined;
  /** Ends the connection: the job server failed here. */
  abort(error: Error): void;
}
