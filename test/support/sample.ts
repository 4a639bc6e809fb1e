import { builtSample, ROOT } from './built.js';
import { startProgram, type Program } from './program.js';

/** Starts a built sample as a user would: `node sample/NAME/dist/main.js`. */
export function startSample(name: string, env: NodeJS.ProcessEnv = {}, ...args: string[]): Program {
  return startProgram(process.execPath, [builtSample(name), ...args], { cwd: ROOT, env: { NO_COLOR: '1', ...env } });
}
