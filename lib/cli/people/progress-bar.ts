import type { Writable } from 'node:stream';

/** The parts of the package `cli-progress` that are used. */
interface CliProgress {
  readonly SingleBar: new (options: BarOptions) => Bar;
}

interface BarOptions {
  readonly stream: Writable;
  readonly format: string;
  readonly barCompleteChar: string;
  readonly barIncompleteChar: string;
  readonly barsize: number;
  readonly hideCursor: boolean;
  readonly clearOnComplete: boolean;
  readonly linewrap: boolean;
  readonly etaBuffer: number;
  readonly stopOnComplete: boolean;
  readonly gracefulExit: boolean;
}

interface Bar {
  start(total: number, value: number, payload: object): void;
  setTotal(total: number): void;
  update(value: number, payload: object): void;
  stop(): void;
}

const FORMAT = '{bar} {percentage}%  {value} of {total}  {rate}  {eta_formatted} left';

/** The progress of a job on a terminal. */
export interface Progress {
  /** Shows the progress that the job reported. */
  status(numerator: number, denominator: number): void;
  /** Prints something else, above the progress. */
  aside(print: () => void): void;
  /** Removes what was drawn. */
  end(): void;
}

/**
 * Shows a job's progress as a bar, with its rate and the time left. If the
 * optional package `cli-progress` is not installed, it prints lines instead, as
 * with `--progress`.
 */
export async function progressOn(stream: Writable): Promise<Progress> {
  try {
    const loaded = (await import('cli-progress' as string)) as CliProgress & { readonly default?: CliProgress };
    return new ProgressBar(stream, loaded.default ?? loaded);
  } catch {
    return new ProgressLines(stream);
  }
}

/** Progress in lines: for a file, a program, or where no bar can be drawn. */
export class ProgressLines implements Progress {
  constructor(private readonly stream: Writable) {}

  status(numerator: number, denominator: number): void {
    this.stream.write(`${numerator} of ${denominator}\n`);
  }

  aside(print: () => void): void {
    print();
  }

  end(): void {
    // Printed lines stay.
  }
}

class ProgressBar implements Progress {
  private bar: Bar | undefined;
  private began: { at: number; value: number } | undefined;

  constructor(
    private readonly stream: Writable,
    private readonly library: CliProgress,
  ) {}

  status(numerator: number, denominator: number): void {
    // Only a part of a whole can be drawn as a bar.
    if (!(denominator > 0 && numerator >= 0 && Number.isFinite(numerator / denominator))) return;
    this.began ??= { at: performance.now(), value: numerator };
    const payload = { rate: this.rate(numerator) };
    if (this.bar) {
      this.bar.setTotal(denominator);
      this.bar.update(numerator, payload);
      return;
    }
    this.bar = this.newBar();
    this.bar.start(denominator, numerator, payload);
  }

  aside(print: () => void): void {
    // The next status draws it again.
    this.end();
    print();
  }

  end(): void {
    this.bar?.stop();
    this.bar = undefined;
  }

  private rate(value: number): string {
    const seconds = (performance.now() - this.began!.at) / 1_000;
    if (seconds === 0) return '-/s';
    const rate = (value - this.began!.value) / seconds;
    return `${rate >= 100 ? Math.round(rate) : rate.toPrecision(2)}/s`;
  }

  private newBar(): Bar {
    return new this.library.SingleBar({
      stream: this.stream,
      format: FORMAT,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 30,
      hideCursor: true,
      clearOnComplete: true,
      linewrap: false,
      etaBuffer: 50,
      stopOnComplete: false,
      gracefulExit: false,
    });
  }
}
