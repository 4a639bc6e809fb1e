import { fromByteString, readName, showName, showWord, toByteString } from '../../protocol/index.js';
import type { ScheduleOptions } from '../schedules/index.js';
import { END, incomplete, OK } from './admin-answers.js';
import type { AdminAnswer } from './admin-output.js';
import type { SessionHost } from './session-host.js';

const UNKNOWN_SCHEDULE = 'ERR UNKNOWN_SCHEDULE No+such+schedule\r\n';

/** `show schedules`, an extension of ours: the id and, behind a tab, what is known of it as JSON in ASCII. */
export function* showSchedules({ schedules }: SessionHost): Iterable<string> {
  for (const { id, ...snapshot } of schedules.list()) {
    yield `${showWord(toByteString(id))}\t${asciiJson(snapshot)}\n`;
  }
  yield END;
}

/** The words about one schedule, extensions of ours: `put schedule ID JSON`, and `drop`, `run`, `pause`, `resume schedule ID`. */
export type ScheduleWord = 'put' | 'drop' | 'run' | 'pause' | 'resume';

/** Answers one of them. @param line all of it, as it came: JSON may have more than one blank between its words. */
export function ofSchedule({ schedules }: SessionHost, word: ScheduleWord, line: string): AdminAnswer {
  const [, shown, text = ''] = /^\s*\S+\s+schedule\s+(\S+)\s*(.*?)\s*$/is.exec(line) ?? [];
  if (shown === undefined || (word === 'put') === (text === '')) return incomplete(word);
  const id = fromByteString(readName(shown));
  try {
    switch (word) {
      case 'put':
        schedules.put(id, parsed(fromByteString(text)));
        return OK;
      case 'drop':
        return schedules.drop(id) ? OK : UNKNOWN_SCHEDULE;
      case 'pause':
        return schedules.pause(id) ? OK : UNKNOWN_SCHEDULE;
      case 'resume':
        return schedules.resume(id) ? OK : UNKNOWN_SCHEDULE;
      case 'run':
        return schedules.run(id).then(
          (handle) => (handle === undefined ? UNKNOWN_SCHEDULE : `OK ${showName(handle)}\r\n`),
          (error: Error) => refusal('SCHEDULE_REFUSED', error),
        );
    }
  } catch (error) {
    return refusal('INVALID_SCHEDULE', error as Error);
  }
}

/** The message is for whoever wrote the schedule. */
function refusal(code: string, { message }: Error): string {
  return `ERR ${code} ${encodeURIComponent(Buffer.from(message).toString()).replaceAll('%20', '+')}\r\n`;
}

function parsed(text: string): ScheduleOptions {
  try {
    return JSON.parse(text) as ScheduleOptions;
  } catch (error) {
    throw new Error(`what stands behind the id is no JSON: ${(error as Error).message}`, { cause: error });
  }
}

function asciiJson(value: unknown): string {
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value).replace(/[^ -~]/g, escaped);
}
