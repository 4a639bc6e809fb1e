import type { Session } from './session.js';

/** How long peers may take to read what was sent to them, in milliseconds. */
const GOODBYE_TIMEOUT = 2_000;

/** Closes every connection in good order: what waits is sent, and a peer that does not read it in time is cut off. */
export async function sayGoodbye(open: Iterable<Session>): Promise<void> {
  const sessions = [...open];
  const allClosed = Promise.all(sessions.map(({ connection }) => connection.whenClosed));
  for (const { connection } of sessions) connection.close();
  const deadline = setTimeout(() => sessions.forEach(({ connection }) => connection.destroy()), GOODBYE_TIMEOUT);
  await allClosed;
  clearTimeout(deadline);
}
