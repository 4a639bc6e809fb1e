import { EventEmitter } from 'node:events';
import type { DriverEvents } from './driver-options.js';

/** The events of a client or a worker, told so that a listener that throws breaks no connection. */
export class DriverEmitter extends EventEmitter<DriverEvents> {
  /** Tells an event. What a listener throws is thrown apart, as an uncaught exception: it is nobody else's error. */
  protected tell<Event extends keyof DriverEvents>(event: Event, ...args: DriverEvents[Event]): void {
    try {
      (this as EventEmitter).emit(event, ...args);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }

  /** Tells what went wrong: to the listeners of `error`, or else as a warning of the process. */
  protected report(error: Error, server: string): void {
    if (this.listenerCount('error') > 0) this.tell('error', error, server);
    // As text: an Error of another realm, such as a test runner's, would be refused.
    else process.emitWarning(error.message, { type: error.name, detail: error.stack });
  }
}
