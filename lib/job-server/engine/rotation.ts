/** What the rotation asks of a worker. */
interface Waiting {
  readonly isAvailable: boolean;
  /** Where it notes the places it was taken from. */
  readonly missingPlaces: Place<this>[];
}

/** A worker's place in the rotation of one function. */
export interface Place<Worker> {
  readonly worker: Worker;
  readonly rotation: { add(place: Place<Worker>): void };
  /** The worker no longer does the function: it is taken out for good, sooner or later. */
  isGivenUp: boolean;
  isQueued: boolean;
  previous: Place<Worker> | undefined;
  next: Place<Worker> | undefined;
}

/**
 * The workers of one function that can be given or told of a job, longest waiting
 * first: the sleepers, and those that keep a grab open. A connection stands here
 * once, however many jobs it could take, so that one process does not get
 * everything.
 *
 * A worker that is busy again keeps its places until {@link take} meets them: with
 * a thousand functions, waking it does not touch a thousand rotations.
 */
export class Rotation<Worker extends Waiting> {
  private first: Place<Worker> | undefined;
  private last: Place<Worker> | undefined;

  /** Adds a place at the end. */
  add(place: Place<Worker>): void {
    if (place.isQueued || place.isGivenUp) return;
    place.isQueued = true;
    place.previous = this.last;
    place.next = undefined;
    if (this.last) this.last.next = place;
    else this.first = place;
    this.last = place;
  }

  /** Takes a place out, if it is here. */
  unlink(place: Place<Worker>): void {
    if (!place.isQueued) return;
    place.isQueued = false;
    if (place.previous) place.previous.next = place.next;
    else this.first = place.next;
    if (place.next) place.next.previous = place.previous;
    else this.last = place.previous;
    place.previous = place.next = undefined;
  }

  /** Takes the worker whose turn it is, dropping the places of those that became busy or gave the function up meanwhile. */
  take(): Worker | undefined {
    for (let place = this.first; place; place = this.first) {
      this.unlink(place);
      if (place.isGivenUp) continue;
      place.worker.missingPlaces.push(place);
      if (place.worker.isAvailable) return place.worker;
    }
    return undefined;
  }
}
