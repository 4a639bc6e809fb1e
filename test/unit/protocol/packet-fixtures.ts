/** A packet in both shapes. `bytes` was written by hand or recorded, never made by the encoder it tests. */
export interface PacketFixture {
  readonly name: string;
  readonly number: number;
  readonly magic: 'REQ' | 'RES';
  readonly args: readonly string[];
  readonly bytes: Buffer;
}

function packet(title: string, number: number, args: readonly string[], bytes: string): PacketFixture {
  return {
    name: title,
    number,
    magic: bytes.startsWith('\0REQ') ? 'REQ' : 'RES',
    args,
    bytes: Buffer.from(bytes, 'latin1'),
  };
}

/** Every row of PROTOCOL's table, WORK_* in both directions. */
export const ROWS: readonly PacketFixture[] = [
  packet('CAN_DO', 1, ['reverse'], '\0REQ\0\0\0\x01\0\0\0\x07reverse'),
  packet('CANT_DO', 2, ['reverse'], '\0REQ\0\0\0\x02\0\0\0\x07reverse'),
  packet('RESET_ABILITIES', 3, [], '\0REQ\0\0\0\x03\0\0\0\0'),
  packet('PRE_SLEEP', 4, [], '\0REQ\0\0\0\x04\0\0\0\0'),
  packet('UNUSED', 5, [], '\0REQ\0\0\0\x05\0\0\0\0'),
  packet('NOOP', 6, [], '\0RES\0\0\0\x06\0\0\0\0'),
  packet('SUBMIT_JOB', 7, ['reverse', 'u1', 'test'], '\0REQ\0\0\0\x07\0\0\0\x0freverse\0u1\0test'),
  packet('JOB_CREATED', 8, ['H:lap:1'], '\0RES\0\0\0\x08\0\0\0\x07H:lap:1'),
  packet('GRAB_JOB', 9, [], '\0REQ\0\0\0\x09\0\0\0\0'),
  packet('NO_JOB', 10, [], '\0RES\0\0\0\x0a\0\0\0\0'),
  packet('JOB_ASSIGN', 11, ['H:lap:1', 'reverse', 'test'], '\0RES\0\0\0\x0b\0\0\0\x14H:lap:1\0reverse\0test'),
  packet('WORK_STATUS', 12, ['H:lap:1', '3', '10'], '\0REQ\0\0\0\x0c\0\0\0\x0cH:lap:1\x003\x0010'),
  packet('WORK_STATUS', 12, ['H:lap:1', '3', '10'], '\0RES\0\0\0\x0c\0\0\0\x0cH:lap:1\x003\x0010'),
  packet('WORK_COMPLETE', 13, ['H:lap:1', 'tset'], '\0REQ\0\0\0\x0d\0\0\0\x0cH:lap:1\0tset'),
  packet('WORK_COMPLETE', 13, ['H:lap:1', 'tset'], '\0RES\0\0\0\x0d\0\0\0\x0cH:lap:1\0tset'),
  packet('WORK_FAIL', 14, ['H:lap:1'], '\0REQ\0\0\0\x0e\0\0\0\x07H:lap:1'),
  packet('WORK_FAIL', 14, ['H:lap:1'], '\0RES\0\0\0\x0e\0\0\0\x07H:lap:1'),
  packet('GET_STATUS', 15, ['H:lap:1'], '\0REQ\0\0\0\x0f\0\0\0\x07H:lap:1'),
  packet('ECHO_REQ', 16, ['hello'], '\0REQ\0\0\0\x10\0\0\0\x05hello'),
  packet('ECHO_RES', 17, ['hello'], '\0RES\0\0\0\x11\0\0\0\x05hello'),
  packet('SUBMIT_JOB_BG', 18, ['reverse', '', 'test'], '\0REQ\0\0\0\x12\0\0\0\x0dreverse\0\0test'),
  packet('ERROR', 19, ['QUEUE_ERROR', 'Job queue is full'], '\0RES\0\0\0\x13\0\0\0\x1dQUEUE_ERROR\0Job queue is full'),
  packet('STATUS_RES', 20, ['H:lap:1', '1', '1', '3', '10'], '\0RES\0\0\0\x14\0\0\0\x10H:lap:1\x001\x001\x003\x0010'),
  packet('SUBMIT_JOB_HIGH', 21, ['reverse', '', 'test'], '\0REQ\0\0\0\x15\0\0\0\x0dreverse\0\0test'),
  packet('SET_CLIENT_ID', 22, ['worker-7'], '\0REQ\0\0\0\x16\0\0\0\x08worker-7'),
  packet('CAN_DO_TIMEOUT', 23, ['reverse', '5000'], '\0REQ\0\0\0\x17\0\0\0\x0creverse\x005000'),
  packet('ALL_YOURS', 24, [], '\0REQ\0\0\0\x18\0\0\0\0'),
  packet('WORK_EXCEPTION', 25, ['H:lap:1', 'oh no'], '\0REQ\0\0\0\x19\0\0\0\x0dH:lap:1\0oh no'),
  packet('WORK_EXCEPTION', 25, ['H:lap:1', 'oh no'], '\0RES\0\0\0\x19\0\0\0\x0dH:lap:1\0oh no'),
  packet('OPTION_REQ', 26, ['exceptions'], '\0REQ\0\0\0\x1a\0\0\0\x0aexceptions'),
  packet('OPTION_RES', 27, ['exceptions'], '\0RES\0\0\0\x1b\0\0\0\x0aexceptions'),
  packet('WORK_DATA', 28, ['H:lap:1', 'part'], '\0REQ\0\0\0\x1c\0\0\0\x0cH:lap:1\0part'),
  packet('WORK_DATA', 28, ['H:lap:1', 'part'], '\0RES\0\0\0\x1c\0\0\0\x0cH:lap:1\0part'),
  packet('WORK_WARNING', 29, ['H:lap:1', 'hot'], '\0REQ\0\0\0\x1d\0\0\0\x0bH:lap:1\0hot'),
  packet('WORK_WARNING', 29, ['H:lap:1', 'hot'], '\0RES\0\0\0\x1d\0\0\0\x0bH:lap:1\0hot'),
  packet('GRAB_JOB_UNIQ', 30, [], '\0REQ\0\0\0\x1e\0\0\0\0'),
  packet(
    'JOB_ASSIGN_UNIQ',
    31,
    ['H:lap:1', 'reverse', 'u1', 'test'],
    '\0RES\0\0\0\x1f\0\0\0\x17H:lap:1\0reverse\0u1\0test',
  ),
  packet('SUBMIT_JOB_HIGH_BG', 32, ['reverse', '', 'test'], '\0REQ\0\0\0\x20\0\0\0\x0dreverse\0\0test'),
  packet('SUBMIT_JOB_LOW', 33, ['reverse', '', 'test'], '\0REQ\0\0\0\x21\0\0\0\x0dreverse\0\0test'),
  packet('SUBMIT_JOB_LOW_BG', 34, ['reverse', '', 'test'], '\0REQ\0\0\0\x22\0\0\0\x0dreverse\0\0test'),
  packet(
    'SUBMIT_JOB_SCHED',
    35,
    ['reverse', 'u1', '30', '4', '', '', '0', 'test'],
    '\0REQ\0\0\0\x23\0\0\0\x18reverse\0u1\x0030\x004\0\0\x000\0test',
  ),
  packet(
    'SUBMIT_JOB_EPOCH',
    36,
    ['reverse', 'u1', '1700000000', 'test'],
    '\0REQ\0\0\0\x24\0\0\0\x1areverse\0u1\x001700000000\0test',
  ),
  packet('SUBMIT_REDUCE_JOB', 37, ['map', 'u1', 'sum', 'test'], '\0REQ\0\0\0\x25\0\0\0\x0fmap\0u1\0sum\0test'),
  packet('SUBMIT_REDUCE_JOB_BACKGROUND', 38, ['map', '', 'sum', ''], '\0REQ\0\0\0\x26\0\0\0\x09map\0\0sum\0'),
  packet('GRAB_JOB_ALL', 39, [], '\0REQ\0\0\0\x27\0\0\0\0'),
  packet(
    'JOB_ASSIGN_ALL',
    40,
    ['H:lap:1', 'map', 'u1', 'sum', 'test'],
    '\0RES\0\0\0\x28\0\0\0\x17H:lap:1\0map\0u1\0sum\0test',
  ),
  packet('GET_STATUS_UNIQUE', 41, ['u1'], '\0REQ\0\0\0\x29\0\0\0\x02u1'),
  packet(
    'STATUS_RES_UNIQUE',
    42,
    ['u1', '1', '0', '0', '0', '2'],
    '\0RES\0\0\0\x2a\0\0\0\x0cu1\x001\x000\x000\x000\x002',
  ),
];

/** What else a body can hold: nothing, NULs, every byte, another packet. */
export const ODD_BODIES: readonly PacketFixture[] = [
  packet('CAN_DO', 1, [''], '\0REQ\0\0\0\x01\0\0\0\0'),
  packet('SUBMIT_JOB', 7, ['', '', ''], '\0REQ\0\0\0\x07\0\0\0\x02\0\0'),
  packet('SUBMIT_JOB', 7, ['f', '', '\0a\0\0b\0'], '\0REQ\0\0\0\x07\0\0\0\x09f\0\0\0a\0\0b\0'),
  packet(
    'SUBMIT_JOB',
    7,
    ['\xc3\xa9t\xc3\xa9', '', '\xff\xfe\xf0\x9f'],
    '\0REQ\0\0\0\x07\0\0\0\x0b\xc3\xa9t\xc3\xa9\0\0\xff\xfe\xf0\x9f',
  ),
  packet('WORK_COMPLETE', 13, ['H:lap:1', ''], '\0RES\0\0\0\x0d\0\0\0\x08H:lap:1\0'),
  packet('WORK_DATA', 28, ['h', '\0RES\0\0\0\x06\0\0\0\0'], '\0RES\0\0\0\x1c\0\0\0\x0eh\0\0RES\0\0\0\x06\0\0\0\0'),
  packet('ECHO_REQ', 16, ['status\n'], '\0REQ\0\0\0\x10\0\0\0\x07status\n'),
];

/** Answers of C gearmand 1.1.20 as a socket received them. */
export const RECORDED: readonly PacketFixture[] = [
  packet(
    'JOB_ASSIGN_ALL',
    40,
    ['H:lap:1', 'map', 'u1', 'sum', 'w\0l'],
    '\0RES\0\0\0(\0\0\0\x16H:lap:1\0map\0u1\0sum\0w\0l',
  ),
  packet('STATUS_RES', 20, ['H:lap:1', '1', '1', '3', '10'], '\0RES\0\0\0\x14\0\0\0\x10H:lap:1\x001\x001\x003\x0010'),
  packet('STATUS_RES_UNIQUE', 42, ['u1', '1', '1', '3', '10', '1'], '\0RES\0\0\0*\0\0\0\ru1\x001\x001\x003\x0010\x001'),
  packet('OPTION_RES', 27, ['exceptions'], '\0RES\0\0\0\x1b\0\0\0\nexceptions'),
  packet(
    'ERROR',
    19,
    ['UNKNOWN_OPTION', 'Server does not recognize given option'],
    '\0RES\0\0\0\x13\0\0\x005UNKNOWN_OPTION\0Server does not recognize given option',
  ),
  packet('WORK_EXCEPTION', 25, ['H:lap:1', 'boom'], '\0RES\0\0\0\x19\0\0\0\x0cH:lap:1\0boom'),
];

/** A fixture's title in a test: what it is and who sends it. */
export function titleOf({ name, magic, args }: PacketFixture): string {
  return `${magic} ${name} ${JSON.stringify(args)}`;
}
