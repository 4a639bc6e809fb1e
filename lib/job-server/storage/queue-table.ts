import {
  countsOf,
  noJobs,
  type FunctionCounts,
  type QueueCounts,
  type QueueName,
  type StoredPriority,
} from './stored-job.js';

/** The queues of every function, one a priority, made as they are asked for. */
export class QueueTable<Queue extends QueueCounts> {
  private readonly byFunction = new Map<string, readonly [Queue, Queue, Queue]>();

  constructor(private readonly make: (name: QueueName) => Queue) {}

  queue(functionName: string, priority: StoredPriority): Queue {
    let queues = this.byFunction.get(functionName);
    if (!queues) {
      const make = (of: StoredPriority): Queue => this.make({ function: functionName, priority: of });
      this.byFunction.set(functionName, (queues = [make(0), make(1), make(2)]));
    }
    return queues[priority];
  }

  get queues(): Queue[] {
    return [...this.byFunction.values()].flat();
  }

  count(functionName: string): FunctionCounts {
    const queues = this.byFunction.get(functionName);
    return queues ? countsOf(functionName, queues) : noJobs(functionName);
  }

  /** Of every function that has jobs. */
  counts(): FunctionCounts[] {
    const all = [...this.byFunction.keys()].map((name) => this.count(name));
    return all.filter(({ total: [high, normal, low] }) => high + normal + low > 0);
  }
}
