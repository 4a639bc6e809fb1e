/**
 * Gearman packets in a notation that people can read, in both directions:
 *
 *   `SUBMIT_JOB reverse··test`   name, a blank, the body; `·` is a NUL byte
 *   `#43 abc`                    a number without a name
 *   `RES NOOP`, `REQ ECHO_REQ x` with the magic, if it is not the usual one
 *
 * All other characters are one byte each (latin1). This is a second way to the
 * bytes: it is written from PROTOCOL and shares no code with lib/protocol, so that
 * an error there cannot be in the expectations too.
 */
const NAMES =
  `CAN_DO CANT_DO RESET_ABILITIES PRE_SLEEP UNUSED NOOP SUBMIT_JOB JOB_CREATED GRAB_JOB NO_JOB JOB_ASSIGN WORK_STATUS
  WORK_COMPLETE WORK_FAIL GET_STATUS ECHO_REQ ECHO_RES SUBMIT_JOB_BG ERROR STATUS_RES SUBMIT_JOB_HIGH SET_CLIENT_ID
  CAN_DO_TIMEOUT ALL_YOURS WORK_EXCEPTION OPTION_REQ OPTION_RES WORK_DATA WORK_WARNING GRAB_JOB_UNIQ JOB_ASSIGN_UNIQ
  SUBMIT_JOB_HIGH_BG SUBMIT_JOB_LOW SUBMIT_JOB_LOW_BG SUBMIT_JOB_SCHED SUBMIT_JOB_EPOCH SUBMIT_REDUCE_JOB
  SUBMIT_REDUCE_JOB_BACKGROUND GRAB_JOB_ALL JOB_ASSIGN_ALL GET_STATUS_UNIQUE STATUS_RES_UNIQUE`.split(/\s+/);

export type WireMagic = 'REQ' | 'RES';

/** The bytes of a packet in notation; `magic` is what its sender usually sends. */
export function packetBytes(notation: string, magic: WireMagic = 'REQ'): Buffer {
  const [, explicit, name, body = ''] = /^(?:(REQ|RES) )?(#\d+|[A-Z_]+)(?: (.*))?$/s.exec(notation) ?? [];
  if (name === undefined) throw new Error(`not a packet in notation: ${notation}`);
  const number = name.startsWith('#') ? Number(name.slice(1)) : NAMES.indexOf(name) + 1;
  if (number === 0 && name !== '#0') throw new Error(`no packet is called ${name}`);
  return rawPacket(`\0${explicit ?? magic}`, number, bytesOf(body));
}

/** Any header of twelve bytes and a body, also one that no peer should send. */
export function rawPacket(magic: string, number: number, body: Buffer | string, size = body.length): Buffer {
  const header = Buffer.alloc(12);
  header.write(magic, 'latin1');
  header.writeUInt32BE(number, 4);
  header.writeUInt32BE(size, 8);
  return Buffer.concat([header, Buffer.from(body as string, 'latin1')]);
}

/** The bytes of text in notation: `·` is NUL, everything else its latin1 byte. */
export function bytesOf(notation: string): Buffer {
  if (/[^\0-\xff]/.test(notation)) throw new Error(`one character is one byte here; write UTF-8 as bytes: ${notation}`);
  return Buffer.from(notation.replaceAll('·', '\0'), 'latin1');
}

/** The packet at the start of `bytes`, in notation, and its size; undefined while it is incomplete. */
export function readPacket(bytes: Buffer, magic: WireMagic = 'RES'): { notation: string; size: number } | undefined {
  if (bytes.length < 12) return undefined;
  const size = 12 + bytes.readUInt32BE(8);
  if (bytes.length < size) return undefined;
  const sent = bytes.toString('latin1', 1, 4);
  const number = bytes.readUInt32BE(4);
  const body = bytes.toString('latin1', 12, size).replaceAll('\0', '·');
  const name = NAMES[number - 1] ?? `#${number}`;
  return { notation: `${sent === magic ? '' : `${sent} `}${name}${body && ` ${body}`}`, size };
}
