import type { WritePacket } from '@nestjs/microservices';
import { WorkException, type AssignedJob } from '../driver/index.js';
import { encodeException } from './exception-body.js';

/** How a {@link JobReply} settles its job, once. */
interface ReplySettler {
  resolve(result: Uint8Array): void;
  reject(error: Error): void;
}

/**
 * Turns Nest's responses into packets for the job's clients.
 *
 * For each value Nest says whether the stream ended with it. A value that did not
 * end the stream is sent at once as WORK_DATA; one that did is the WORK_COMPLETE.
 * So a promise, or a stream that emits one value and ends, is a plain result for
 * every client, and a longer stream reaches the caller value by value. A stream
 * that ends later than its last value gets an empty WORK_COMPLETE.
 *
 * If the last value of several has zero bytes, it is sent as WORK_DATA too,
 * because an empty WORK_COMPLETE after WORK_DATA is only the end, and no value.
 */
export class JobReply {
  private hasSentData = false;
  /** Bytes of WORK_DATA since we last waited until all had left. */
  private undrainedBytes = 0;
  private isSettled = false;

  constructor(
    private readonly job: AssignedJob,
    private readonly encode: (value: unknown) => Uint8Array,
    private readonly settler: ReplySettler,
    private readonly reportFailure: (error: unknown) => void,
  ) {}

  /**
   * Sends Nest's next packet; what it returns is awaited before the next one.
   * Never throws, because on Nest 11 nobody would catch it.
   */
  readonly respond = (packet: WritePacket): Promise<void> | undefined => {
    if (this.isSettled) return undefined;
    try {
      if ('err' in packet) this.fail(packet.err);
      else if (!packet.isDisposed) return this.sendData(this.encode(packet.response));
      else if ('response' in packet) this.completeWith(this.encode(packet.response));
      else this.settleWith(() => this.settler.resolve(NO_BYTES));
    } catch (error) {
      this.fail(error);
    }
    return undefined;
  };

  /** Ends the job with an exception whose body is the error. */
  fail(error: unknown): void {
    if (this.isSettled) return;
    this.reportFailure(error);
    this.settleWith(() => this.settler.reject(new WorkException(encodeException(error), { cause: error })));
  }

  private completeWith(result: Uint8Array): void {
    if (result.length === 0 && this.hasSentData) this.job.data(result);
    this.settleWith(() => this.settler.resolve(result));
  }

  /** The promise slows down a stream that is faster than the job server reads. */
  private sendData(bytes: Uint8Array): Promise<void> | undefined {
    this.hasSentData = true;
    this.job.data(bytes);
    this.undrainedBytes += bytes.length;
    if (this.undrainedBytes < DRAIN_EVERY_BYTES) return undefined;
    this.undrainedBytes = 0;
    return this.job.drained();
  }

  private settleWith(settle: () => void): void {
    this.isSettled = true;
    settle();
  }
}

/** After how many bytes of a stream the next packet waits until they have left. */
const DRAIN_EVERY_BYTES = 64 * 1024;

const NO_BYTES = new Uint8Array(0);
