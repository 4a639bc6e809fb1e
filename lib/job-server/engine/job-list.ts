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
  length = 0;

  /** The oldest job. */
  get head(): Job | undefined {
    return this.first;
  }

  /** Adds a job that is younger than all others. */
  push(job: Job): void {
    this.link(job, this.last, undefined);
  }

  /**
   * Puts a job back where its sequence belongs. What comes back is older than
   * nearly all that wait, so the walk from the head is as short as the list of
   * jobs that came back before it.
   */
  insert(job: Job): void {
    let after = this.first;
    while (after && after.sequence < job.sequence) after = after.next;
    this.link(job, after ? after.previous : this.last, after);
  }

  remove(job: Job): void {
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

  private link(job: Job, previous: Job | undefined, next: Job | undefined): void {
    job.previous = previous;
    job.next = next;
    if (previous) previous.next = job;
    else this.first = job;
    if (next) next.previous = job;
    else this.last = job;
    this.length++;
  }
}
