import { showName } from '../../protocol/index.js';
import type { DeadLetterLine, DeadLetterPage } from '../durable/index.js';

/** How much of a workload is shown, in bytes. */
const MAX_SHOWN_BYTES = 4_096;

const PRIORITIES = ['high', 'normal', 'low'] as const;

/** A row of `show dead jobs`: handle, function, attempts, losses, when it died, and why, as a URL component. */
export function deadLetterRow(letter: DeadLetterLine): string {
  return `${columnsOf(letter).join('\t')}\n`;
}

/** The answer to `show dead job HANDLE`: the same, then unique, priority, how many bytes its workload has, and how it begins. */
export function deadLetterLine(letter: DeadLetterPage): string {
  const { unique, priority, workload } = letter;
  const job = [showName(unique), PRIORITIES[priority], workload.length, showName(beginningOf(workload))];
  return `${[...columnsOf(letter), ...job].join('\t')}\n`;
}

function columnsOf({ handle, function: name, attempts, losses, diedAt, error }: DeadLetterLine): (string | number)[] {
  return [showName(handle), showName(name), attempts, losses, diedAt, encodeURIComponent(error)];
}

function beginningOf(workload: string | Uint8Array): string {
  if (typeof workload === 'string') return workload.slice(0, MAX_SHOWN_BYTES);
  return Buffer.from(workload.subarray(0, MAX_SHOWN_BYTES)).toString('latin1');
}
