export { exactText, fromByteString, toByteString, type Argument, type ByteString } from './byte-string.js';
export * from './admin-rows.js';
export { asciiJson } from './ascii-json.js';
export * from './errors.js';
export { MAX_METADATA_BYTES, METADATA_PREFIX, SUBMITTED_KEY } from './metadata-option.js';
export { attemptOf, attemptOption, FOLLOW, HEARTBEAT, OPTION, WITHDRAW, WITHDRAWN } from './option-words.js';
export { HEADER_BYTES, Packet } from './packet.js';
export { checkArguments, encodedBytes, encodeInto, encodePacket, submissionBytes } from './packet-encoder.js';
export { DEFAULT_MAX_PACKET_BYTES, MAX_LINE_BYTES, PacketParser, type PacketParserOptions } from './packet-parser.js';
export {
  LAST_PACKET_TYPE,
  PACKET_TABLE,
  packetRow,
  PacketType,
  type Magic,
  type PacketName,
  type PacketRow,
} from './packet-table.js';
export { readName, readText, showId, showName, showRow, showText, showTextWord, showWord } from './shown-text.js';
