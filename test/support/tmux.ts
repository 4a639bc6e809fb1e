import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { atEnd } from './cleanup.js';
import { mustSucceed } from './run.js';
import { tempDir } from './temp-dir.js';
import { until } from './until.js';

/** A real terminal of a test's own, in which a command runs. */
export interface RealTerminal {
  /** The text on the screen now, without blank lines at the end. */
  screen(): Promise<string>;
  /** Resolves once the screen matches; rejects with the screen if it does not in time. */
  shows(pattern: RegExp): Promise<void>;
  /** Presses keys, as tmux names them: `C-c`. */
  press(keys: string): Promise<void>;
  /** Types a text as it is. */
  type(text: string): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** A property of the terminal, by tmux's name: `alternate_on`, `cursor_flag`. */
  flag(name: string): Promise<string>;
}

/** Runs a command in a terminal of 100 columns; when the command ends, the terminal stays and shows `[ended with CODE]`. */
export async function inTerminal(command: readonly string[]): Promise<RealTerminal> {
  const socket = ['-S', join(tempDir(), 'tmux')];
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const shell = `${quoted}; echo "[ended with $?]"; exec sleep 600`;
  atEnd(() => void spawnSync('tmux', [...socket, 'kill-server']));
  await mustSucceed('tmux', [...socket, '-f', '/dev/null', 'new-session', '-d', '-x', '100', '-y', '20', shell]);
  const screen = async (): Promise<string> =>
    (await mustSucceed('tmux', [...socket, 'capture-pane', '-p'])).stdout.trimEnd();
  return {
    screen,
    shows: async (pattern) => {
      let last = '';
      try {
        await until(`the terminal shows ${pattern}`, async () => pattern.test((last = await screen())));
      } catch (error) {
        throw new Error(`${(error as Error).message}, but\n${last}`, { cause: error });
      }
    },
    type: async (text) => void (await mustSucceed('tmux', [...socket, 'send-keys', '-l', text])),
    resize: async (columns, rows) =>
      void (await mustSucceed('tmux', [...socket, 'resize-window', '-x', `${columns}`, '-y', `${rows}`])),
    flag: async (name) => (await mustSucceed('tmux', [...socket, 'display-message', '-p', `#{${name}}`])).stdout.trim(),
    press: async (keys) => void (await mustSucceed('tmux', [...socket, 'send-keys', keys])),
  };
}
