import type { GearmanError } from '../ground/index.js';
import { OPTION, PacketType } from '../protocol/index.js';
import type { ClientSession } from './client-session.js';
import { ServerError } from './errors.js';
import type { KeptResult } from './job-request.js';
import { readStatus } from './question.js';

/**
 * Asks for a background job's kept result, an extension of our job server: with
 * the option `results` its answer to GET_STATUS of an ended job is the packet
 * that ended the job, followed by STATUS_RES.
 */
export function askForResult(session: ClientSession, handle: string): Promise<KeptResult> {
  return new Promise((resolve, reject: (error: GearmanError) => void) => {
    let result: KeptResult | undefined;
    session.ask(PacketType.OPTION_REQ, [OPTION.results], {
      answerType: PacketType.OPTION_RES,
      answer: () => undefined,
      fail: (error) => reject(error instanceof ServerError ? keepsNone(error) : error),
    });
    session.ask(PacketType.GET_STATUS, [handle], {
      answerType: PacketType.STATUS_RES,
      kept: (ended, kept) => {
        if (ended === handle) result = kept;
      },
      answer: (packet) => {
        const { isKnown, isRunning } = readStatus(packet, session.name);
        resolve(result ?? { state: isRunning ? 'running' : isKnown ? 'waiting' : 'unknown' });
      },
      fail: reject,
    });
  });
}

function keepsNone({ server, serverCode }: ServerError): ServerError {
  const cure = 'it keeps no results: a nestjs-gearman job server does, with a storage and keepResults';
  return new ServerError(server, serverCode, cure);
}
