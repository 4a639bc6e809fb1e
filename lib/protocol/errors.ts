import { GearmanError, type GearmanErrorCode } from '../ground/index.js';

/** What can be wrong with bytes a peer sent, or with a packet about to be sent. */
export type ProtocolErrorCode = Extract<
  GearmanErrorCode,
  | 'GEARMAN_BAD_MAGIC'
  | 'GEARMAN_UNKNOWN_PACKET_TYPE'
  | 'GEARMAN_PACKET_TOO_LARGE'
  | 'GEARMAN_LINE_TOO_LONG'
  | 'GEARMAN_MISSING_ARGUMENT'
  | 'GEARMAN_INVALID_ARGUMENT'
>;

/**
 * Bytes that do not follow the Gearman protocol.
 *
 * `recoverable` is true when the end of the packet is known, so that the next
 * one can be read; after any other error nothing more can be read.
 */
export class ProtocolError extends GearmanError {
  override readonly name: string = 'ProtocolError';

  constructor(
    code: ProtocolErrorCode,
    message: string,
    readonly recoverable = false,
  ) {
    super(code, message);
  }
}

/** The bytes where a packet should start are neither `\0REQ` nor `\0RES`, nor text. */
export class BadMagicError extends ProtocolError {
  override readonly name = 'BadMagicError';

  constructor(readonly magic: Buffer) {
    const hint = isTls(magic) ? ' (TLS: one end speaks it and the other does not)' : '';
    super(
      'GEARMAN_BAD_MAGIC',
      `a packet starts with \\0REQ or \\0RES, this one with the bytes ${magic.toString('hex')}${hint}`,
    );
  }
}

/** A TLS record begins with its type, 20 to 23, and the major version 3. */
function isTls(bytes: Buffer): boolean {
  return bytes[0]! >= 20 && bytes[0]! <= 23 && bytes[1] === 3;
}

/** A packet number outside the protocol's table. */
export class UnknownPacketTypeError extends ProtocolError {
  override readonly name = 'UnknownPacketTypeError';

  constructor(readonly type: number) {
    super('GEARMAN_UNKNOWN_PACKET_TYPE', `packet types are 1 to 42, this one is ${type}`);
  }
}

/** A packet whose header announces more than `maxPacketBytes`. */
export class PacketTooLargeError extends ProtocolError {
  override readonly name = 'PacketTooLargeError';

  constructor(
    readonly bytes: number,
    readonly maxPacketBytes: number,
  ) {
    super(
      'GEARMAN_PACKET_TOO_LARGE',
      `a packet of ${bytes} bytes is longer than maxPacketBytes (${maxPacketBytes}); raise it on both sides`,
    );
  }
}

/** An admin line that does not end within the limit. */
export class LineTooLongError extends ProtocolError {
  override readonly name = 'LineTooLongError';

  constructor(readonly maxLineBytes: number) {
    super('GEARMAN_LINE_TOO_LONG', `an admin command must have at most ${maxLineBytes} bytes, this one is longer`);
  }
}

/** A packet with fewer NUL-separated arguments than its type has. */
export class MissingArgumentError extends ProtocolError {
  override readonly name = 'MissingArgumentError';

  constructor(
    readonly packet: string,
    readonly argument: string,
  ) {
    super('GEARMAN_MISSING_ARGUMENT', `${packet} lacks its argument ${argument}`, true);
  }
}

/** An argument that cannot be sent: a NUL in any argument but the last would shift all that follow. */
export class InvalidArgumentError extends ProtocolError {
  override readonly name = 'InvalidArgumentError';

  constructor(packet: string, argument: string, problem: string) {
    super('GEARMAN_INVALID_ARGUMENT', `${packet}: the argument ${argument} ${problem}`, true);
  }
}
