import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProgram, type Program } from './program.js';
import { tempDir } from './temp-dir.js';
import { until } from './until.js';

/** One system call of a traced process. `from` and `to` order all of them: when it was entered, and when it returned. */
export interface SystemCall {
  readonly name: string;
  /** Its arguments and what it returned, as strace writes them, file names in angle brackets. */
  readonly text: string;
  readonly result: number;
  readonly from: number;
  readonly to: number;
}

/** strace on a running process and all of its threads, ended at the latest when the test file is over. */
export interface Strace {
  /** What it has seen so far. */
  calls(): SystemCall[];
  /** Lets the process go on without it, and tells what it saw. */
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

/** Starts a program under strace; what it did can be asked for at any time. */
export function startTraced(
  command: readonly string[],
  args: readonly string[],
): { readonly program: Program; calls(): SystemCall[] } {
  const file = join(tempDir(), 'trace');
  const program = startProgram('strace', ['-f', '-yy', '-s', '100000', '-o', file, ...args, '--', ...command]);
  return { program, calls: () => systemCalls(readFileSync(file, 'latin1')) };
}

/** Has system calls on the files of a folder fail, or come late, until it is called off: `fdatasync:error=EIO`. */
export async function injectFault(pid: number, folder: string, ...faults: readonly string[]): Promise<Strace> {
  const names = faults.map((fault) => fault.split(':')[0]).join(',');
  const injections = faults.flatMap((fault) => ['-e', `inject=${fault}`]);
  // Those that are there, and those the log may have next.
  const next = Array.from({ length: 12 }, (_, index) => `${String(index + 1).padStart(10, '0')}-1.log`);
  const files = [...new Set([...readdirSync(folder), ...next])].flatMap((name) => ['-P', join(folder, name)]);
  return attachStrace(pid, [...files, '-e', `trace=${names}`, ...injections]);
}

/** Waits until a process does nothing but wait: what it was told before has been done. */
export async function untilStill(pid: number): Promise<void> {
  let before = -1;
  await until('it is still', () => {
    const now = Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ')[13]);
    const isStill = now === before;
    before = now;
    return isStill;
  });
}

/** Reads a trace: a call that others interrupt stands in two lines, `<unfinished ...>` and `<... resumed>`. */
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
