import { describe, expect, it } from '@jest/globals';
import { WorkException } from '../../../lib/driver/index.js';
import { pulling, said } from './workers.js';

describe('a job whose handler throws anything else', () => {
  it.each([
    ['an Error', new Error('SMTP 550: ü'), 'SMTP 550: \xc3\xbc'],
    ['an Error without a message', new TypeError(''), 'TypeError'],
    ['a text', 'boom', 'boom'],
    ['nothing', undefined, 'undefined'],
    ['what is no text', Object.create(null), 'something that is no text'],
    ['more than a dead letter keeps', new Error('x'.repeat(4_095) + '\u{1f600}'), 'x'.repeat(4_095)],
  ])('fails with its words where the job server says exceptions cleanly: %s', async (_, thrown: unknown, words) => {
    const { peer } = await pulling(() => Promise.reject(thrown as Error), {}, 'OPTION_RES clean-exceptions');
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    expect(await said(peer)).toEqual([`WORK_EXCEPTION H:1·${words}`, 'GRAB_JOB_UNIQ']);
  });

  it.each([
    ['to another job server', {}],
    ['to another job server, also where WorkExceptions are told', { alwaysExceptions: true }],
  ])('fails and keeps the words to itself %s', async (_, options) => {
    const { peer } = await pulling(() => Promise.reject(new Error('secret')), options, 'ERROR UNKNOWN_OPTION·what');
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    expect(await said(peer)).toEqual(['WORK_FAIL H:1', 'GRAB_JOB_UNIQ']);
  });
});

describe('a job whose handler throws a WorkException', () => {
  const handler = () => Promise.reject(new WorkException('{"ü"}'));

  it.each([
    ['to a job server that says exceptions cleanly', {}, ['OPTION_RES clean-exceptions']],
    ['to any job server where it is told to', { alwaysExceptions: true }, []],
  ])('ends with it %s', async (_, options, answers) => {
    const { peer } = await pulling(handler, options, ...answers);
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    expect(await said(peer)).toEqual(['WORK_EXCEPTION H:1·{"\xc3\xbc"}', 'GRAB_JOB_UNIQ']);
  });

  it.each(['UNKNOWN_OPTION', 'unknown_option'])('fails to a job server that does not: %s', async (code) => {
    const { peer } = await pulling(handler, {}, `ERROR ${code}·what option`);
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    const words = 'WORK_WARNING H:1·WORK_EXCEPTION: {"\xc3\xbc"}';
    expect(await said(peer)).toEqual([words, 'WORK_FAIL H:1', 'GRAB_JOB_UNIQ']);
  });
});
