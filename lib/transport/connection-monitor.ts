import { EventEmitter } from 'node:events';
import type { LoggerService } from '@nestjs/common';
import type { DriverEvents } from '../driver/index.js';
import { GearmanStatus, type GearmanEvents } from './status.js';

/**
 * Watches the connections of a job client or worker: it makes one status of all
 * of them, passes their events on, and logs what operators want to know. A lost
 * job server is one warning, however many attempts to reach it fail; the rest is
 * logged at `debug`.
 */
export class ConnectionMonitor {
  private readonly events = new EventEmitter<DriverEvents>();
  private readonly connected = new Set<string>();
  private readonly away = new Set<string>();

  constructor(
    private readonly logger: LoggerService,
    private readonly report: (status: GearmanStatus) => void,
  ) {}

  /** Adds a listener; it stays when another client or worker is watched. */
  on<Event extends keyof GearmanEvents>(event: Event, listener: GearmanEvents[Event]): void {
    (this.events as EventEmitter).on(event, listener);
  }

  /** Listens to a client or worker until the returned function is called. */
  watch(source: EventEmitter<DriverEvents>): () => void {
    const connect = (server: string): void => this.connect(server);
    const disconnect = (server: string, reason: Error | undefined): void => this.disconnect(server, reason);
    const reconnecting = (...attempt: DriverEvents['reconnecting']): void => this.reconnecting(...attempt);
    const error = (failure: Error, server: string): void => this.error(failure, server);
    source.on('connect', connect).on('disconnect', disconnect).on('reconnecting', reconnecting).on('error', error);
    return () => {
      source.off('connect', connect).off('disconnect', disconnect).off('reconnecting', reconnecting);
      this.end();
    };
  }

  private connect(server: string): void {
    const message = `Connected to the job server ${server}`;
    if (this.away.delete(server)) this.logger.log(message);
    else this.logger.debug?.(message);
    this.connected.add(server);
    this.report(GearmanStatus.CONNECTED);
    this.events.emit('connect', server);
  }

  private disconnect(server: string, reason: Error | undefined): void {
    this.connected.delete(server);
    this.away.add(server);
    this.logger.warn(reason?.message ?? `The job server ${server} closed the connection`);
    if (this.connected.size === 0) this.report(GearmanStatus.DISCONNECTED);
    this.events.emit('disconnect', server, reason);
  }

  private reconnecting(server: string, reason: Error, delay: number): void {
    const message = `${reason.message}; next attempt in ${Math.round(delay)} ms`;
    if (this.away.has(server)) this.logger.debug?.(message);
    else this.logger.warn(message);
    this.away.add(server);
    if (this.connected.size === 0) this.report(GearmanStatus.RECONNECTING);
    this.events.emit('reconnecting', server, reason, delay);
  }

  private error(failure: Error, server: string): void {
    this.logger.error(`Job server ${server}: ${failure.message}`);
    // An EventEmitter throws an `error` that nobody listens to.
    if (this.events.listenerCount('error') > 0) this.events.emit('error', failure, server);
  }

  private end(): void {
    const wasConnected = this.connected.size > 0;
    this.connected.clear();
    this.away.clear();
    if (wasConnected) this.logger.debug?.('Disconnected from the job servers');
    this.report(GearmanStatus.DISCONNECTED);
  }
}
