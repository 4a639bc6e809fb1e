/** Where the job server's log lines go, a level and a text for people. */
export type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
