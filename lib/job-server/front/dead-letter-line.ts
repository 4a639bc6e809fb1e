import { PRIORITY_NAMES, writeDeadJobDetailsRow } from '../../protocol/index.js';
import type { DeadLetterPage } from '../durable/index.js';

/** How much of a workload is shown, in bytes. */
const MAX_SHOWN_BYTES = 4_096;

/** The answer to `show dead job HANDLE`. */
export function deadLetterLine(letter: DeadLetterPage): string {
  const { priority, workload } = letter;
  return writeDeadJobDetailsRow({
    ...letter,
    priority: PRIORITY_NAMES[priority],
    workloadBytes: workload.length,
    beginning: beginningOf(workload),
  });
}

function beginningOf(workload: string | Uint8Array): string {
  if (typeof workload === 'string') return workload.slice(0, MAX_SHOWN_BYTES);
  return Buffer.from(workload.subarray(0, MAX_SHOWN_BYTES)).toString('latin1');
}
