import type { DriverEvents } from '../driver/index.js';

/**
 * The state of a strategy's or a client's connections.
 *
 * - `connected`: at least one job server is connected;
 * - `disconnected`: the last one was lost, or the strategy or client was closed;
 * - `reconnecting`: none is connected, an attempt failed, and the next will follow.
 */
export const GearmanStatus = {
  CONNECTED: 'connected',
  DISCONNECTED: 'disconnected',
  RECONNECTING: 'reconnecting',
} as const;
/** See the values of the same name. */
export type GearmanStatus = (typeof GearmanStatus)[keyof typeof GearmanStatus];

/** The names of the events that `on` of a strategy or a client takes. */
export const GearmanEventsMap = {
  CONNECT: 'connect',
  DISCONNECT: 'disconnect',
  RECONNECTING: 'reconnecting',
  ERROR: 'error',
} as const satisfies Record<string, keyof DriverEvents>;

/** The listeners of each event; `server` is the name of a job server's address. */
export type GearmanEvents = {
  [Event in keyof DriverEvents]: (...args: DriverEvents[Event]) => void;
};
