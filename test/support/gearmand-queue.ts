import { createHash } from 'node:crypto';
import type { Daemon } from './daemon.js';
import { startClient } from './driver-jobs.js';

/** A time far ahead, in whole seconds since 1970, but before 2038, where gearmand's tables in MySQL and PostgreSQL end. */
export const LATER = 2_000_000_000;

/** Fills a gearmand's queue with one job of every kind, and stops gearmand. */
export async function fillAndStop(gearmand: Daemon): Promise<void> {
  const client = startClient({ servers: `127.0.0.1:${gearmand.port}`, generateUniques: false });
  const workload = Buffer.from([0, 1, 39, 92, 255]);
  await client.submitBackground({ function: 'f', unique: 'bytes', workload });
  await client.submitBackground({ function: 'f', unique: 'high', workload: Buffer.from('h'), priority: 'high' });
  await client.submitBackground({ function: 'f', unique: 'low', workload: Buffer.alloc(0), priority: 'low' });
  await client.submitBackground({
    function: 'f',
    unique: 'later',
    workload: Buffer.from('l'),
    at: new Date(LATER * 1_000),
  });
  await client.submitBackground({ function: 'f', workload: Buffer.from('no unique') });
  await client.submitBackground({ function: 'f', unique: '-', workload: Buffer.from('its own key') });
  await client.submitBackground({ function: 'grüße', unique: 'ü', workload: Buffer.from('ü') });
  await client.close();
  await gearmand.stop();
}

/** The same jobs as in our storage, by function, priority, time and order; names are the bytes of their UTF-8. */
export const FILLED = [
  ['f', 'high', 0, 'h', 0],
  ['f', 'bytes', 1, "\0\x01'\\\xff", 0],
  ['f', '', 1, 'no unique', 0],
  // Stands for a workload that is its own key: NUL and its SHA-256, 33 bytes.
  ['f', `\0${createHash('sha256').update('its own key').digest().toString('latin1')}`, 1, 'its own key', 0],
  ['f', 'later', 1, 'l', LATER * 1_000],
  ['f', 'low', 2, '', 0],
  ['gr\xc3\xbc\xc3\x9fe', '\xc3\xbc', 1, '\xc3\xbc', 0],
];
