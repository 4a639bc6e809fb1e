/**
 * A scene: what some peers send a job server, and everything they hear from
 * it, one line each. The scenes stand in `scenes/*.wire`:
 *
 *     # Title, a sentence about behaviour
 *     with --job-retries=1               how the job server is started, if not by default
 *     only ours                          gearmand does not know what this is about
 *     worker> CAN_DO reverse             sends a packet (notation of test/support/wire.ts)
 *     admin>> status                     sends a line of text, `\n` added
 *       admin<< reverse\t0\t0\t1         hears a line of text, `\n` taken off
 *       worker< NOOP                     hears a packet, or `closed`, or `stalled`: not even an ECHO is answered
 *     odd>hex 00 52                      sends any bytes
 *     odd>part 00 52                     the same, and nothing behind it: the step has no answers
 *     client leaves                      ends its connection
 *     worker waits                       for what comes in time by itself
 *     ! id                               from here to the next step the servers differ, see differences.ts
 *       client<gearmand WORK_FAIL $1·    only gearmand says so
 *       client<ours WORK_FAIL $1         only ours
 *     ; a comment
 *
 * `$1` is the first handle that came in a JOB_CREATED, `$2` the second; `@+2`
 * is the time in two seconds, as SUBMIT_JOB_EPOCH wants it.
 * A peer connects when it is first mentioned. After each step come all its
 * answers: what is not written must not be heard.
 */
export interface Scene {
  readonly title: string;
  readonly flags: readonly string[];
  readonly isOnlyOurs: boolean;
  readonly steps: readonly Step[];
}

export type ServerName = 'gearmand' | 'ours';

/** One peer does something; then everybody hears what the job server makes of it. */
export interface Step {
  readonly peer: string;
  readonly action: 'packet' | 'text' | 'hex' | 'part' | 'leaves' | 'waits';
  readonly body: string;
  readonly answers: readonly Answer[];
  /** The id of the known difference that shows here. */
  readonly difference: string | undefined;
}

/** What one peer hears; only from `server`, where the two differ. */
export interface Answer {
  readonly peer: string;
  readonly heard: string;
  readonly server: ServerName | undefined;
}

type Draft<T> = { -readonly [Key in keyof T]: T[Key] extends readonly (infer Item)[] ? Item[] : T[Key] };

const ACTION = /^(\w+)(>>|>hex|>part|>) ?(.*)$/;
const MOVE = /^(\w+) (leaves|waits)$/;
const ANSWER = /^(\w+)<(<?)(gearmand|ours)? ?(.*)$/;
const ACTIONS: Record<string, Step['action']> = { '>>': 'text', '>hex': 'hex', '>part': 'part', '>': 'packet' };

/** The scenes of a file. */
export function parseScenes(source: string): Scene[] {
  const scenes: Draft<Scene>[] = [];
  for (const [index, raw] of source.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith(';')) continue;
    if (line.startsWith('# ')) {
      scenes.push({ title: line.slice(2), flags: [], isOnlyOurs: false, steps: [] });
    } else if (!parseLine(line, scenes.at(-1))) {
      throw new Error(`line ${index + 1} is none of a scene's: ${line}`);
    }
  }
  return scenes;
}

function parseLine(line: string, scene: Draft<Scene> | undefined): boolean {
  if (!scene) return false;
  if (line.startsWith('with ')) {
    scene.flags.push(...line.slice(5).split(' '));
    return true;
  }
  if (line === 'only ours') return (scene.isOnlyOurs = true);
  const [, actor, arrow, body = ''] = ACTION.exec(line) ?? [];
  const [, mover, move] = MOVE.exec(line) ?? [];
  if (actor !== undefined) scene.steps.push(step(actor, ACTIONS[arrow!]!, body));
  else if (mover !== undefined) scene.steps.push(step(mover, move as Step['action'], ''));
  else return parseAnswer(line, scene.steps.at(-1) as Draft<Step> | undefined);
  return true;
}

function step(peer: string, action: Step['action'], body: string): Step {
  return { peer, action, body, answers: [], difference: undefined };
}

function parseAnswer(line: string, last: Draft<Step> | undefined): boolean {
  if (!last) return false;
  if (line.startsWith('! ')) {
    last.difference = line.slice(2);
    return true;
  }
  const [, peer, isText, server, heard = ''] = ANSWER.exec(line) ?? [];
  if (peer === undefined) return false;
  last.answers.push({ peer, heard: isText ? `<${heard}` : heard, server: server as ServerName | undefined });
  return true;
}

/** A scene as one server should play it, in the words of the file: what a transcript is compared with. */
export function expectedTranscript(scene: Scene, server: ServerName): string {
  return transcript(scene, ({ answers }) =>
    answers.filter((answer) => answer.server === undefined || answer.server === server),
  );
}

/** The scene's steps with what was heard after each. */
export function transcript(scene: Scene, answersOf: (step: Step, index: number) => readonly Answer[]): string {
  const cast = [...new Set(scene.steps.map(({ peer }) => peer))];
  const lines = scene.steps.flatMap((step, index) => {
    // Who hears first is no property of a server: the order is each peer's own.
    const heard = [...answersOf(step, index)].sort((a, b) => cast.indexOf(a.peer) - cast.indexOf(b.peer));
    return [titleOf(step), ...heard.map(({ peer, heard: unit }) => `  ${peer}< ${unit}`)];
  });
  return lines.join('\n');
}

function titleOf({ peer, action, body }: Step): string {
  const arrow = Object.keys(ACTIONS).find((key) => ACTIONS[key] === action);
  return arrow ? `${peer}${arrow} ${body}` : `${peer} ${action}`;
}
