import { duration, InvalidOptionError, optionOr, wholeNumber } from '../ground/index.js';
import { backoffOptions, DEFAULT_MAX_SEND_BUFFER_BYTES } from '../connection/index.js';
import { DEFAULT_MAX_PACKET_BYTES, toByteString, type ByteString } from '../protocol/index.js';
import type { DriverOptions } from './driver-options.js';
import type { LinkSettings } from './link.js';

/** The options of every {@link Link}, checked and with their defaults. @throws InvalidOptionError */
export function linkSettings(options: DriverOptions): LinkSettings {
  return {
    connectTimeout: durationOption('connectTimeout', options.connectTimeout, 5_000, 1),
    reconnect: backoffOptions(options.reconnect),
    heartbeatInterval: durationOption('heartbeatInterval', options.heartbeatInterval, 10_000, 0),
    heartbeatTimeout: durationOption('heartbeatTimeout', options.heartbeatTimeout, 10_000, 1),
    maxPacketBytes: sizeOption('maxPacketBytes', options.maxPacketBytes, DEFAULT_MAX_PACKET_BYTES),
    maxSendBufferBytes: sizeOption('maxSendBufferBytes', options.maxSendBufferBytes, DEFAULT_MAX_SEND_BUFFER_BYTES),
  };
}

/** A duration in milliseconds, or its default. @throws InvalidOptionError */
export function durationOption(option: string, value: number | undefined, fallback: number, min: number): number {
  return optionOr(option, value, fallback, duration(min));
}

function sizeOption(option: string, value: number | undefined, fallback: number): number {
  return optionOr(option, value, fallback, wholeNumber(1_024, Infinity, 'bytes'));
}

/** The `clientId` as it is sent. It has no blanks, because admin answers separate columns by blanks. @throws InvalidOptionError */
export function clientIdOption(clientId: string | undefined): ByteString | undefined {
  if (clientId === undefined) return undefined;
  if (typeof clientId === 'string' && /^[^\s\0]+$/.test(clientId)) return toByteString(clientId);
  throw InvalidOptionError.notAllowed('clientId', clientId, 'a text without blanks');
}
