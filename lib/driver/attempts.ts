/** Our job server's word for: say which attempt at a job is not the first. gearmand and Perl's know no such option. */
export const ATTEMPTS = 'attempts';

const ANNOUNCEMENT = /^attempts=(\d+)$/;

/**
 * Which attempt at a job its job server says it is.
 *
 * PROTOCOL has no word for it. Our job server, asked by OPTION_REQ, sends
 * `OPTION_RES attempts=3` ahead of the assignment of a job whose third run it
 * is, and nothing ahead of a first one. Other job servers do not tell.
 */
export class Attempts {
  private isTold = false;
  private announced = 1;

  /** A new connection: nobody has agreed to tell. */
  restart(): void {
    this.isTold = false;
    this.announced = 1;
  }

  /** Takes what an OPTION_RES names; false where that is another option's. */
  take(option: string): boolean {
    const announcement = ANNOUNCEMENT.exec(option);
    if (announcement) this.announced = Number(announcement[1]);
    else if (option === ATTEMPTS) this.isTold = true;
    else return false;
    return true;
  }

  /** The attempt of the job that is assigned now; undefined where the job server does not tell. */
  next(): number | undefined {
    const attempt = this.announced;
    this.announced = 1;
    return this.isTold ? attempt : undefined;
  }
}
