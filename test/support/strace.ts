import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProgram, type Program } from './program.js';
import { tempDir } from './temp-dir.js';
import { until } from './until.js';

/** A system call of a traced process. `from` and `to` are its order among all calls: when it was entered, and when it returned. */
export interface SystemCall {
  readonly name: string;
  /** Its arguments and its result, as strace writes them, with file names in angle brackets. */
  readonly text: string;
  readonly result: number;
  readonly from: number;
  readonly to: number;
}

/** strace on a running process and all of its threads; it is ended at the latest when the test file is over. */
export interface Strace {
  /** The calls so far. */
  calls(): SystemCall[];
  /** Ends the trace, lets the process go on, and returns the calls. */
  detach(): Promise<SystemCall[]>;
}

/** Attaches strace to a process; resolves when every thread is traced. */
export async function attachStrace(pid: number, args: readonly string[]): Promise<Strace> {
  const file = join(tempDir(), 'trace');
  const program = startProgram('strace', ['-f', '-yy', '-s', '100000', '-o', file, ...args, '-p', `${pid}`]);
  await program.says(/attached/);
  const calls = (): SystemCall[] => systemCalls(readFileSync(file, 'latin1'));
  return {
    calls,
    detach: async () => {
      await program.end('SIGINT');
      return calls();
    },
  };
}

/** Starts a program under strace; its calls can be read at any time. */
export function startTraced(
  command: readonly string[],
  args: readonly string[],
): { readonly program: Program; calls(): SystemCall[] } {
  const file = join(tempDir(), 'trace');
  const program = startProgram('strace', ['-f', '-yy', '-s', '100000', '-o', file, ...args, '--', ...command]);
  return { program, calls: () => systemCalls(readFileSync(file, 'latin1')) };
}

/** Makes system calls on the files of a folder fail, or come late, until the trace ends: `fdatasync:error=EIO`. */
export async function injectFault(pid: number, folder: string, ...faults: readonly string[]): Promise<Strace> {
  const names = faults.map((fault) => fault.split(':')[0]).join(',');
  const injections = faults.flatMap((fault) => ['-e', `inject=${fault}`]);
  // The files that exist, and those that the log may make next.
  const next = Array.from({ length: 12 }, (_, index) => `${String(index + 1).padStart(10, '0')}-1.log`);
  const files = [...new Set([...readdirSync(folder), ...next])].flatMap((name) => ['-P', join(folder, name)]);
  return attachStrace(pid, [...files, '-e', `trace=${names}`, ...injections]);
}

/** Waits until a process only waits: then it has done everything it was told before. */
export async function untilStill(pid: number): Promise<void> {
  let before = -1;
  await until('it is still', () => {
    const now = Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ')[13]);
    const isStill = now === before;
    before = now;
    return isStill;
  });
}

/** Reads a trace. A call that others interrupt is on two lines, `<unfinished ...>` and `<... resumed>`. */
function systemCalls(trace: string): SystemCall[] {
  const calls: SystemCall[] = [];
  const unfinished = new Map<string, { readonly text: string; readonly from: number }>();
  for (const [index, line] of trace.split('\n').entries()) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/s.exec(line) ?? [];
    const begun = /^(.*) <unfinished \.\.\.>$/s.exec(rest);
    if (begun) {
      unfinished.set(thread, { text: begun[1]!, from: index });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/s.exec(rest);
    const start = resumed ? unfinished.get(thread) : undefined;
    const text = `${start?.text ?? ''}${resumed?.[1] ?? rest}`;
    const [, name, result] = /^(\w+)\(.* = (-?\d+)[^=]*$/s.exec(text) ?? [];
    if (name) calls.push({ name, text, result: Number(result), from: start?.from ?? index, to: index });
  }
  return calls;
}
