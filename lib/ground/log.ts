/** What a log line is about, for programs; of most of it the message tells people too. */
export interface LogFields {
  /** The connection, as `127.0.0.1:4321 (#7)`; before it is one, its address. */
  peer?: string;
  /** The Gearman function. */
  function?: string;
  handle?: string;
  /** A schedule's id. */
  schedule?: string;
  /** How long it took, in milliseconds; of a connection, how long it was open. */
  duration?: number;
  /** Who changed something over HTTP, by the name that the access of the web handler knows. */
  who?: string;
  /** What was changed over HTTP, as `pause`. */
  action?: string;
  /** How many it was done to. */
  count?: number;
}

/** Where the job server's log lines go: a level, a text for people, and what it is about: {@link readableLine} has both. */
export type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: LogFields) => void;

/** A log line for people: the message, and what it leaves out of what the line is about. */
export function readableLine(message: string, { duration, count, ...names }: LogFields = {}): string {
  const rest = Object.entries(names).filter(([, value]) => value !== undefined && !message.includes(value));
  const parts = rest.map(([name, value]) => `${name} ${value}`);
  if (count !== undefined && !message.includes(`${count}`)) parts.push(`count ${count}`);
  if (duration !== undefined) parts.push(`after ${duration} ms`);
  return parts.length === 0 ? message : `${message} (${parts.join(', ')})`;
}
