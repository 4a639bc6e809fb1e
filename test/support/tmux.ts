import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { atEnd } from './cleanup.js';
import { mustSucceed } from './run.js';
import { tempDir } from './temp-dir.js';

/** A real terminal of a test's own, in which a command runs. */
export interface RealTerminal {
  /** What stands on the screen now, without blank lines at the end. */
  screen(): Promise<string>;
  /** Presses keys, as tmux names them: `C-c`. */
  press(keys: string): Promise<void>;
}

/** Runs a command in a terminal of 100 columns; when it ends, the terminal goes on and shows `[ended with CODE]`. */
export async function inTerminal(command: readonly string[]): Promise<RealTerminal> {
  const socket = ['-S', join(tempDir(), 'tmux')];
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const shell = `${quoted}; echo "[ended with $?]"; exec sleep 600`;
  atEnd(() => void spawnSync('tmux', [...socket, 'kill-server']));
  await mustSucceed('tmux', [...socket, '-f', '/dev/null', 'new-session', '-d', '-x', '100', '-y', '20', shell]);
  return {
    screen: async () => (await mustSucceed('tmux', [...socket, 'capture-pane', '-p'])).stdout.trimEnd(),
    press: async (keys) => void (await mustSucceed('tmux', [...socket, 'send-keys', keys])),
  };
}
