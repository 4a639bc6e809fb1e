/** What a log line is about, in fields for programs; the message tells people most of it too. */
export interface LogFields {
  /** The connection, as `127.0.0.1:4321 (#7)`; only the address where no connection was made. */
  peer?: string;
  /** The Gearman function. */
  function?: string;
  handle?: string;
  /** A schedule's id. */
  schedule?: string;
  /** What is listened on, as `tls://10.0.0.1:4730`. */
  address?: string;
  /** The code of the error, as `GEARMAN_STORAGE_FULL` or `EMFILE`. */
  code?: string;
  /** How long it took, in milliseconds; for a connection, how long it was open. */
  duration?: number;
  /** How far two clocks are apart, in milliseconds. */
  skew?: number;
  /** Who changed something over HTTP: the name from the web handler's `access`. */
  who?: string;
  /** What was changed over HTTP, as `pause`. */
  action?: string;
  /** How many jobs, ticks or other things it is about. */
  count?: number;
}

/** Where the job server's log lines go: a level, a text for people, and the fields for programs. {@link readableLine} makes one text of both. */
export type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: LogFields) => void;

/** What a log line says of an error beside its message. */
export function aboutError(error: unknown): Pick<LogFields, 'code'> {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? { code } : {};
}

/** A log line for people: the message, and the fields that it does not mention. */
export function readableLine(message: string, fields: LogFields = {}): string {
  const { duration, count } = fields;
  const rest = Object.entries(fields).filter(([, value]) => typeof value === 'string' && !message.includes(value));
  const parts = rest.map(([name, value]) => `${name} ${value}`);
  if (count !== undefined && !message.includes(`${count}`)) parts.push(`count ${count}`);
  if (duration !== undefined) parts.push(`after ${duration} ms`);
  return parts.length === 0 ? message : `${message} (${parts.join(', ')})`;
}
