/** What a list links: its place in the order, and its neighbours. */
export interface Linked<Item> {
  sequence: number;
  previous: Item | undefined;
  next: Item | undefined;
}

/**
 * Jobs in the order of their sequence, linked through the jobs themselves:
 * every operation touches two neighbours, however long the list is.
 */
export class JobList<Job extends Linked<Job>> {
  private first: Job | undefined;
  private last: Job | undefined;
  /** The job put back last, while it is in the list: the next one put back mostly belongs behind it. */
  private cursor: Job | undefined;
  length = 0;

  /** The oldest job. */
  get head(): Job | undefined {
    return this.first;
  }

  /** The youngest job. */
  get tail(): Job | undefined {
    return this.last;
  }

  /** Adds a job that is younger than all others. */
  push(job: Job): void {
    this.link(job, this.last, undefined);
  }

  /**
   * Puts a job back where its sequence belongs. A job that comes back is older
   * than nearly all that wait, and jobs that come back together do so in their
   * order: so the walk, from the head or from the job that came back before, is
   * short.
   */
  insert(job: Job): void {
    const { cursor } = this;
    let after = cursor && cursor.sequence < job.sequence ? cursor.next : this.first;
    while (after && after.sequence < job.sequence) after = after.next;
    this.link(job, after ? after.previous : this.last, after);
    this.cursor = job;
  }

  remove(job: Job): void {
    if (this.cursor === job) this.cursor = job.previous;
    if (job.previous) job.previous.next = job.next;
    else this.first = job.next;
    if (job.next) job.next.previous = job.previous;
    else this.last = job.previous;
    job.previous = job.next = undefined;
    this.length--;
  }

  *[Symbol.iterator](): Iterator<Job> {
    for (let job = this.first; job; job = job.next) yield job;
  }

  protected link(job: Job, previous: Job | undefined, next: Job | undefined): void {
    job.previous = previous;
    job.next = next;
    if (previous) previous.next = job;
    else this.first = job;
    if (next) next.previous = job;
    else this.last = job;
    this.length++;
  }
}
