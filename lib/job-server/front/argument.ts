import { MAX_CLIENT_ID_BYTES } from '../../ground/index.js';
import type { ByteString, Packet } from '../../protocol/index.js';

/** The argument of a packet that has one: some peers end it with a NUL, which gearmand ignores. */
export function onlyArgument(packet: Packet): ByteString {
  return beforeNul(packet.byteString(0));
}

/**
 * A last argument that is a name or a number, up to its first NUL: in the middle of another packet
 * a NUL would end it.
 */
export function beforeNul(argument: ByteString): ByteString {
  const end = argument.indexOf('\0');
  return end < 0 ? argument : beginningOf(argument, end);
}

/** What a peer calls itself in SET_CLIENT_ID, as far as it is kept. */
export function clientIdOf(packet: Packet): ByteString {
  const id = onlyArgument(packet);
  return id.length > MAX_CLIENT_ID_BYTES ? beginningOf(id, MAX_CLIENT_ID_BYTES) : id;
}

/** A copy of its first bytes: a slice would hold on to all that the peer has sent. */
function beginningOf(argument: ByteString, length: number): ByteString {
  return Buffer.from(argument.slice(0, length), 'latin1').toString('latin1');
}
