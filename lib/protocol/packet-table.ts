/**
 * Every packet of the Gearman protocol: its number, its name, who may send it
 * and its arguments in order. This one table drives the encoder, the parser,
 * their types and the packet list in docs/SEMANTICS.md.
 *
 * `REQ` packets travel to the job server, `RES` packets from it; WORK_* travel
 * both ways, since the job server forwards them. Arguments are separated by a
 * NUL byte; the last one ends with the packet, so it alone may contain NULs.
 *
 * Source: PROTOCOL of gearmand, section "Binary Packet". Number 5 is unused
 * there; it has a row here so that the table has no gap.
 */
export const PACKET_TABLE = [
  { number: 1, name: 'CAN_DO', magic: ['REQ'], arguments: ['function'] },
  { number: 2, name: 'CANT_DO', magic: ['REQ'], arguments: ['function'] },
  { number: 3, name: 'RESET_ABILITIES', magic: ['REQ'], arguments: [] },
  { number: 4, name: 'PRE_SLEEP', magic: ['REQ'], arguments: [] },
  { number: 5, name: 'UNUSED', magic: [], arguments: [] },
  { number: 6, name: 'NOOP', magic: ['RES'], arguments: [] },
  { number: 7, name: 'SUBMIT_JOB', magic: ['REQ'], arguments: ['function', 'unique', 'workload'] },
  { number: 8, name: 'JOB_CREATED', magic: ['RES'], arguments: ['handle'] },
  { number: 9, name: 'GRAB_JOB', magic: ['REQ'], arguments: [] },
  { number: 10, name: 'NO_JOB', magic: ['RES'], arguments: [] },
  { number: 11, name: 'JOB_ASSIGN', magic: ['RES'], arguments: ['handle', 'function', 'workload'] },
  { number: 12, name: 'WORK_STATUS', magic: ['REQ', 'RES'], arguments: ['handle', 'numerator', 'denominator'] },
  { number: 13, name: 'WORK_COMPLETE', magic: ['REQ', 'RES'], arguments: ['handle', 'result'] },
  { number: 14, name: 'WORK_FAIL', magic: ['REQ', 'RES'], arguments: ['handle'] },
  { number: 15, name: 'GET_STATUS', magic: ['REQ'], arguments: ['handle'] },
  { number: 16, name: 'ECHO_REQ', magic: ['REQ'], arguments: ['data'] },
  { number: 17, name: 'ECHO_RES', magic: ['RES'], arguments: ['data'] },
  { number: 18, name: 'SUBMIT_JOB_BG', magic: ['REQ'], arguments: ['function', 'unique', 'workload'] },
  { number: 19, name: 'ERROR', magic: ['RES'], arguments: ['code', 'text'] },
  {
    number: 20,
    name: 'STATUS_RES',
    magic: ['RES'],
    arguments: ['handle', 'known', 'running', 'numerator', 'denominator'],
  },
  { number: 21, name: 'SUBMIT_JOB_HIGH', magic: ['REQ'], arguments: ['function', 'unique', 'workload'] },
  { number: 22, name: 'SET_CLIENT_ID', magic: ['REQ'], arguments: ['clientId'] },
  { number: 23, name: 'CAN_DO_TIMEOUT', magic: ['REQ'], arguments: ['function', 'timeout'] },
  { number: 24, name: 'ALL_YOURS', magic: ['REQ'], arguments: [] },
  { number: 25, name: 'WORK_EXCEPTION', magic: ['REQ', 'RES'], arguments: ['handle', 'exception'] },
  { number: 26, name: 'OPTION_REQ', magic: ['REQ'], arguments: ['option'] },
  { number: 27, name: 'OPTION_RES', magic: ['RES'], arguments: ['option'] },
  { number: 28, name: 'WORK_DATA', magic: ['REQ', 'RES'], arguments: ['handle', 'data'] },
  { number: 29, name: 'WORK_WARNING', magic: ['REQ', 'RES'], arguments: ['handle', 'data'] },
  { number: 30, name: 'GRAB_JOB_UNIQ', magic: ['REQ'], arguments: [] },
  { number: 31, name: 'JOB_ASSIGN_UNIQ', magic: ['RES'], arguments: ['handle', 'function', 'unique', 'workload'] },
  { number: 32, name: 'SUBMIT_JOB_HIGH_BG', magic: ['REQ'], arguments: ['function', 'unique', 'workload'] },
  { number: 33, name: 'SUBMIT_JOB_LOW', magic: ['REQ'], arguments: ['function', 'unique', 'workload'] },
  { number: 34, name: 'SUBMIT_JOB_LOW_BG', magic: ['REQ'], arguments: ['function', 'unique', 'workload'] },
  {
    number: 35,
    name: 'SUBMIT_JOB_SCHED',
    magic: ['REQ'],
    arguments: ['function', 'unique', 'minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek', 'workload'],
  },
  { number: 36, name: 'SUBMIT_JOB_EPOCH', magic: ['REQ'], arguments: ['function', 'unique', 'epoch', 'workload'] },
  {
    number: 37,
    name: 'SUBMIT_REDUCE_JOB',
    magic: ['REQ'],
    arguments: ['function', 'unique', 'reducer', 'workload'],
  },
  {
    number: 38,
    name: 'SUBMIT_REDUCE_JOB_BACKGROUND',
    magic: ['REQ'],
    arguments: ['function', 'unique', 'reducer', 'workload'],
  },
  { number: 39, name: 'GRAB_JOB_ALL', magic: ['REQ'], arguments: [] },
  {
    number: 40,
    name: 'JOB_ASSIGN_ALL',
    magic: ['RES'],
    arguments: ['handle', 'function', 'unique', 'reducer', 'workload'],
  },
  { number: 41, name: 'GET_STATUS_UNIQUE', magic: ['REQ'], arguments: ['unique'] },
  {
    number: 42,
    name: 'STATUS_RES_UNIQUE',
    magic: ['RES'],
    arguments: ['unique', 'known', 'running', 'numerator', 'denominator', 'clients'],
  },
] as const satisfies readonly PacketRow[];

/** One row of {@link PACKET_TABLE}. */
export interface PacketRow {
  readonly number: number;
  readonly name: string;
  readonly magic: readonly Magic[];
  readonly arguments: readonly string[];
}

/** `REQ`: towards the job server. `RES`: from the job server. */
export type Magic = 'REQ' | 'RES';

type Rows = (typeof PACKET_TABLE)[number];

/** A packet's name as PROTOCOL spells it. */
export type PacketName = Rows['name'];

/** A packet's number on the wire, 1 to 42. */
export type PacketType = Rows['number'];

/** The packet numbers by name: `PacketType.CAN_DO === 1`. */
export const PacketType = Object.fromEntries(PACKET_TABLE.map((row) => [row.name, row.number])) as {
  readonly [Row in Rows as Row['name']]: Row['number'];
};

/** The row of a packet number, or undefined for a number the protocol does not have. */
export function packetRow(number: number): PacketRow | undefined {
  return PACKET_TABLE[number - 1];
}

/** The last number of the table. */
export const LAST_PACKET_TYPE = PACKET_TABLE.length;
