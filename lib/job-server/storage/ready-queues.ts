import type { QueueName } from './stored-job.js';

/** Tells the owner which queues have jobs to lease: once for all that happens before the event loop's next turn. */
export class ReadyQueues<Queue> {
  private readonly untold = new Set<Queue>();

  constructor(
    private readonly nameOf: (queue: Queue) => QueueName,
    /** The listener, while there is one to be told. */
    private readonly tell: (name: QueueName) => void,
  ) {}

  /** A queue has jobs. */
  add(queue: Queue): void {
    if (this.untold.size === 0) setImmediate(() => this.tellAll());
    this.untold.add(queue);
  }

  private tellAll(): void {
    const queues = [...this.untold];
    this.untold.clear();
    for (const queue of queues) this.tell(this.nameOf(queue));
  }
}
