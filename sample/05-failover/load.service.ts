import { Injectable } from '@nestjs/common';
import { GearmanClient } from 'nestjs-gearman';
import { firstValueFrom, from, mergeMap } from 'rxjs';

/** The outcome of a number of requests. */
export interface Outcome {
  answered: number;
  failed: number;
  /** How many answers came through each job server, by its name. */
  readonly by: Record<string, number>;
}

const IN_FLIGHT = 50;

/** The client: it needs no code for failover either. */
@Injectable()
export class LoadService {
  constructor(private readonly gearman: GearmanClient) {}

  /** Sends so many requests, {@link IN_FLIGHT} at a time; calls `onAnswer` for each that was answered. */
  async run(requests: number, onAnswer: (answered: number) => void = () => {}): Promise<Outcome> {
    const outcome: Outcome = { answered: 0, failed: 0, by: {} };
    const servers = from(Array(requests).keys()).pipe(mergeMap((value) => this.ask(value), IN_FLIGHT));
    await servers.forEach((server) => {
      if (server === undefined) {
        outcome.failed++;
      } else {
        outcome.by[server] = (outcome.by[server] ?? 0) + 1;
        onAnswer(++outcome.answered);
      }
    });
    return outcome;
  }

  /** The job server that answered; undefined if the answer is wrong or an error. */
  private async ask(value: number): Promise<string | undefined> {
    try {
      const answer = this.gearman.send<{ square: number; by: string }>('square', value);
      const { square, by } = await firstValueFrom(answer);
      return square === value * value ? by : undefined;
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      return undefined;
    }
  }
}
