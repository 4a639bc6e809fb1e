import { EventEmitter } from 'node:events';
import type { DriverEvents } from './driver-options.js';

/** The events of a client or a worker. A listener that throws breaks no connection. */
export class DriverEmitter extends EventEmitter<DriverEvents> {
  /** Emits an event. What a listener throws becomes an uncaught exception of its own, because it is nobody else's error. */
  protected tell<Event extends keyof DriverEvents>(event: Event, ...args: DriverEvents[Event]): void {
    try {
      (this as EventEmitter).emit(event, ...args);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }

  /** Tells what went wrong to the listeners of `error`; without any, as a warning of the process. */
  protected report(error: Error, server: string): void {
    if (this.listenerCount('error') > 0) this.tell('error', error, server);
    // As text, because Node refuses an Error of another realm, such as a test runner's.
    else process.emitWarning(error.message, { type: error.name, detail: error.stack });
  }
}
