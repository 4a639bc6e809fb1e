import { AdminClient, type DeadJobDetails } from '../../driver/index.js';
import { showName, showText } from '../../protocol/index.js';
import type { Terminal } from '../command.js';
import { Failure } from '../failure.js';
import { adminSettings, type ConnectionSettings } from './connection-options.js';
import { jsonLine } from './json.js';

/** How many bytes of a workload our job server tells at most. */
export const MAX_PREVIEW_BYTES = 4_096;

const DEFAULT_PREVIEW_BYTES = 256;
const BYTES_PER_LINE = 16;

/** How dead letters are printed. */
export interface DeadShowSettings {
  /** How many bytes of the workload are shown. */
  readonly preview: number | undefined;
  /** Whether the workload is shown as hexadecimal numbers instead of text. */
  readonly hex: boolean;
  readonly json: boolean;
}

type Shown = DeadJobDetails & { readonly server: string };

/** Prints dead letters by their handles, from whichever job server has them. */
export async function showDeadLetters(
  handles: readonly string[],
  connection: ConnectionSettings,
  settings: DeadShowSettings,
  { stdout }: Terminal,
): Promise<void> {
  const bytes = settings.preview ?? DEFAULT_PREVIEW_BYTES;
  const missing = new Set(handles);
  const found: Shown[] = [];
  for (const server of connection.servers) {
    const admin = new AdminClient(adminSettings(server, connection));
    try {
      for (const handle of missing) {
        const letter = await admin.deadJob(handle);
        if (!letter) continue;
        missing.delete(handle);
        found.push({ ...letter, workload: letter.workload.subarray(0, bytes), server });
      }
    } finally {
      await admin.close();
    }
  }
  if (settings.json) stdout.write(jsonLine(found.map((letter) => ({ ...letter, workload: encoded(letter) }))));
  else stdout.write(found.map((letter) => pageOf(letter, settings.hex)).join('\n'));
  if (missing.size > 0) throw new Failure(`no such dead letter: ${[...missing].map(showText).join(', ')}`);
}

/** A workload for JSON: its bytes in base64. */
function encoded({ workload }: Shown): string {
  return workload.toString('base64');
}

function pageOf(letter: Shown, isHex: boolean): string {
  const { workload, workloadBytes } = letter;
  const rows: [string, string | number][] = [
    ['handle', showText(letter.handle)],
    ['function', showText(letter.function)],
    ['unique', showText(letter.unique) || '-'],
    ['priority', letter.priority],
    ['retries', letter.attempts],
    ['lost workers', letter.losses],
    ['died', letter.diedAt.toISOString()],
    ['error', showText(letter.error)],
    [
      'workload',
      `${workloadBytes} bytes${workload.length < workloadBytes ? `, of which the first ${workload.length}` : ''}`,
    ],
  ];
  const lines = rows.map(([title, value]) => `${title.padEnd(14)}${value}\n`);
  if (workload.length > 0) lines.push('\n', isHex ? hexDump(workload) : `${textOf(workload)}\n`);
  return lines.join('');
}

/** Bytes as text. Control characters and bytes that are no UTF-8 are escaped, for the terminal's sake. */
function textOf(bytes: Buffer): string {
  return Buffer.from(showName(bytes.toString('latin1')), 'latin1').toString('utf8');
}

/** A dump of sixteen bytes a line: their offset, the bytes, and their characters. */
function hexDump(bytes: Buffer): string {
  let dump = '';
  for (let start = 0; start < bytes.length; start += BYTES_PER_LINE) {
    const line = bytes.subarray(start, start + BYTES_PER_LINE);
    const numbers = Array.from(line, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const letters = line.toString('latin1').replace(/[^ -~]/g, '.');
    dump += `${start.toString(16).padStart(4, '0')}  ${numbers.padEnd(3 * BYTES_PER_LINE)} ${letters}\n`;
  }
  return dump;
}
