import { fromByteString, readName, showName, toByteString, writeScheduleRow } from '../../protocol/index.js';
import type { ScheduleOptions } from '../schedules/index.js';
import { ADMIN_DENIED, END, incomplete, OK, refused } from './admin-answers.js';
import type { AdminAnswer } from './admin-output.js';
import type { Conversation, SessionHost } from './session-host.js';

const UNKNOWN_SCHEDULE = 'ERR UNKNOWN_SCHEDULE No+such+schedule\r\n';

/** `show schedules`, an extension of ours. */
export function* showSchedules({ schedules }: SessionHost): Iterable<string> {
  for (const schedule of schedules.list()) yield writeScheduleRow({ ...schedule, id: toByteString(schedule.id) });
  yield END;
}

/** The words about one schedule, extensions of ours: `put schedule ID JSON`, and `drop`, `run`, `pause`, `resume schedule ID`. */
export type ScheduleWord = 'put' | 'drop' | 'run' | 'pause' | 'resume';

/**
 * Answers one of them. For a word that makes jobs the `authorize` hook is asked twice: as
 * for an admin word, and as for a submission to the schedule's function.
 *
 * @param line all of it, as it came: JSON may have more than one blank between its words.
 */
export function ofSchedule(session: Conversation, word: ScheduleWord, line: string): AdminAnswer {
  const [, shown, text = ''] = /^\s*\S+\s+schedule\s+(\S+)\s*(.*)$/is.exec(line.trimEnd()) ?? [];
  if (shown === undefined || (word === 'put') === (text === '')) return incomplete(word);
  const id = fromByteString(readName(shown));
  const { schedules } = session.host;
  try {
    switch (word) {
      case 'put':
        return put(session, id, parsed(fromByteString(text)));
      case 'drop':
        return okIf(schedules.drop(id));
      case 'pause':
        return okIf(schedules.pause(id));
      case 'resume':
        return maySubmit(session, schedules.find(id)?.options) ? okIf(schedules.resume(id)) : ADMIN_DENIED;
      case 'run':
        return maySubmit(session, schedules.find(id)?.options) ? run(session.host, id) : ADMIN_DENIED;
    }
  } catch (error) {
    return refused('INVALID_SCHEDULE', error as Error);
  }
}

function put(session: Conversation, id: string, options: ScheduleOptions): string {
  if (!maySubmit(session, options)) return ADMIN_DENIED;
  session.host.schedules.put(id, options);
  return OK;
}

function run({ schedules }: SessionHost, id: string): Promise<string> {
  return schedules.run(id).then(
    (handle) => (handle === undefined ? UNKNOWN_SCHEDULE : `OK ${showName(handle)}\r\n`),
    (error: Error) => refused('SCHEDULE_REFUSED', error),
  );
}

function okIf(isDone: boolean): string {
  return isDone ? OK : UNKNOWN_SCHEDULE;
}

/** Whether the peer may submit what a schedule would. True where there is no schedule: the answer says so. */
function maySubmit(session: Conversation, options: ScheduleOptions | undefined): boolean {
  const name: unknown = options?.function;
  return typeof name !== 'string' || session.deny('submit', toByteString(name)) === undefined;
}

function parsed(text: string): ScheduleOptions {
  try {
    return JSON.parse(text) as ScheduleOptions;
  } catch (error) {
    throw new Error(`what stands behind the id is no JSON: ${(error as Error).message}`, { cause: error });
  }
}
