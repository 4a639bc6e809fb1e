/** What a log line is about, for programs; the message tells people the same. */
export interface LogFields {
  /** The connection, as `127.0.0.1:4321 (#7)`; before it is one, its address. */
  peer?: string;
  /** The Gearman function. */
  function?: string;
  handle?: string;
  /** How long it took, in milliseconds; of a connection, how long it was open. */
  duration?: number;
}

/** Where the job server's log lines go: a level, a text for people, and for programs what it is about. */
export type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: LogFields) => void;
