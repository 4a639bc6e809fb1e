import type { ConnectionListener } from '../../../lib/connection/index.js';
import type { Packet, ProtocolError } from '../../../lib/protocol/index.js';

/** Writes down what a Connection tells, in order. */
export class RecordingListener implements ConnectionListener {
  readonly heard: string[] = [];
  reason: Error | undefined;
  /** Settles when `closed` is told. */
  readonly over: Promise<void>;
  private tellOver: () => void = () => {};

  constructor() {
    this.over = new Promise((resolve) => (this.tellOver = resolve));
  }

  packet(packet: Packet): void {
    this.heard.push(packet.name);
  }

  line(line: string): void {
    this.heard.push(`line ${line}`);
  }

  invalid(error: ProtocolError): void {
    this.heard.push(`invalid ${error.code}`);
  }

  drained(): void {
    this.heard.push('drained');
  }

  closed(reason: Error | undefined): void {
    this.heard.push('closed');
    this.reason = reason;
    this.tellOver();
  }
}
