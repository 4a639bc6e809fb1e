import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { expect, it } from '@jest/globals';
import { Connection } from '../../../lib/connection/index.js';
import { RecordingListener } from './recording-listener.js';

it('a stream that was closed before it came here is a connection that is over, as one that closes later', async () => {
  const [stream] = duplexPair();
  stream.destroy();
  await once(stream, 'close');
  const listener = new RecordingListener();
  const connection = new Connection(stream, 'REQ', listener);
  await connection.whenClosed;
  expect([connection.writable, listener.heard]).toEqual([false, ['closed']]);
});
