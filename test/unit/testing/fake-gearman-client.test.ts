import 'reflect-metadata';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { RpcException } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import {
  ConnectionLostError,
  defineFunction,
  GearmanClient,
  GearmanModule,
  GearmanRecordBuilder,
} from 'nestjs-gearman';
import { FakeGearmanClient } from 'nestjs-gearman/testing';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { TextService } from './texts.js';

const sum = defineFunction<number[], number>('sum', { format: 'json' });

describe('FakeGearmanClient', () => {
  let gearman: FakeGearmanClient;

  beforeEach(() => {
    gearman = new FakeGearmanClient({ format: 'text' });
  });

  it('takes the place of GearmanClient in an app', async () => {
    gearman.answer('reverse', (text: string) => `reversed ${text}`);
    const module = await Test.createTestingModule({
      imports: [GearmanModule.forRoot({ servers: 'no.such.host.invalid' })],
      providers: [TextService],
    })
      .overrideProvider(GearmanClient)
      .useValue(gearman)
      .compile();
    const service = module.get(TextService);
    await expect(service.reverse('abc')).resolves.toBe('reversed abc');
    const handle = await service.print('abc');
    expect(gearman.jobs).toMatchObject([
      { function: 'reverse', data: 'abc', isBackground: false, state: 'completed' },
      { function: 'print', data: 'abc', isBackground: true, state: 'accepted', handle },
    ]);
    await module.close();
  });

  it('records what a job asks for', async () => {
    gearman = new FakeGearmanClient({ prefix: 'test.', metadata: true });
    const at = new Date('2030-01-01T00:00:00Z');
    const record = new GearmanRecordBuilder({ month: 7 })
      .setUnique('report-7')
      .setAt(at)
      .setMetadata({ tenant: 'a' })
      .build();
    await firstValueFrom(gearman.emit({ cmd: 'report' }, record));
    await firstValueFrom(gearman.emit('other', new GearmanRecordBuilder(1).setPriority('low').build()));
    expect(gearman.jobsOf({ cmd: 'report' })).toMatchObject([
      { function: 'test.{"cmd":"report"}', data: { month: 7 }, unique: 'report-7', at, metadata: { tenant: 'a' } },
    ]);
    expect(gearman.jobsOf({ cmd: 'report' })[0]!.workload).toEqual(Buffer.from('{"month":7}'));
    expect(gearman.jobsOf('other')).toMatchObject([{ priority: 'low', workload: Buffer.from('1') }]);
  });

  it('gives an answer what a handler would get, and checks its types by a contract', async () => {
    gearman.answer(sum, (numbers) => numbers.reduce((a, b) => a + b));
    await expect(firstValueFrom(gearman.send(sum, [1, 2, 3]))).resolves.toBe(6);
    gearman.answer('when', async (when: unknown) => when);
    const when = new GearmanRecordBuilder(new Date(0)).setFormat('json').build();
    await expect(firstValueFrom(gearman.send('when', when))).resolves.toBe('1970-01-01T00:00:00.000Z');
  });

  it('lets an answer report data, warnings and progress before its result', async () => {
    gearman.answer('print', (_text, job) => {
      job.progress(1, 2);
      job.warning('slow');
      job.data('a');
      return 'b';
    });
    await expect(lastValueFrom(gearman.send('print', '').pipe(toArray()))).resolves.toEqual(['a', 'b']);
    const job = await gearman.submit('print', '');
    await expect(lastValueFrom(job.updates$.pipe(toArray()))).resolves.toEqual([
      { kind: 'progress', numerator: 1, denominator: 2 },
      { kind: 'warning', message: 'slow' },
      { kind: 'data', value: 'a' },
    ]);
    await expect(job.result()).resolves.toBe('b');
  });

  it.each([
    ['an RpcException with a text', new RpcException('no'), { status: 'error', message: 'no' }],
    ['an RpcException with an object', new RpcException({ code: 7 }), { code: 7 }],
    ['another error, whose message stays with the worker', new Error('secret'), { message: 'Internal server error' }],
    ["an error of the transport's", new ConnectionLostError('jobs', 'x'), { code: 'GEARMAN_CONNECTION_LOST' }],
  ])('fails as a handler does that throws %s', async (_case, thrown, expected) => {
    gearman.answer('reverse', () => {
      throw thrown;
    });
    await expect(firstValueFrom(gearman.send('reverse', ''))).rejects.toMatchObject(expected);
    expect(gearman.jobs).toMatchObject([{ state: 'failed' }]);
  });

  it('fails a job whose function it was told no answer for', async () => {
    await expect(firstValueFrom(gearman.send('reverse', 'abc'))).rejects.toMatchObject({
      code: 'GEARMAN_NO_ANSWER',
      message: expect.stringContaining("client.answer('reverse'"),
    });
  });

  it('refuses jobs as told', async () => {
    gearman.refuse('reverse');
    const refused = { code: 'GEARMAN_SERVER_ERROR', serverCode: 'QUEUE_ERROR' };
    await expect(firstValueFrom(gearman.send('reverse', ''))).rejects.toMatchObject(refused);
    await expect(gearman.submit('reverse', '')).rejects.toMatchObject(refused);
    await expect(firstValueFrom(gearman.emit('reverse', ''))).rejects.toMatchObject(refused);
    expect(gearman.jobs.map(({ state }) => state)).toEqual(['refused', 'refused', 'refused']);
    gearman.answer('reverse', () => 'again');
    await expect(firstValueFrom(gearman.send('reverse', ''))).resolves.toBe('again');
  });

  it('tells the status it is given', async () => {
    const job = await firstValueFrom(gearman.emit('print', new GearmanRecordBuilder('a').setUnique('u').build()));
    await expect(gearman.statusOf(job)).resolves.toMatchObject({ isKnown: true, isRunning: false });
    gearman.jobs[0]!.status = { isKnown: true, isRunning: true, numerator: 3, denominator: 4 };
    await expect(gearman.statusByUnique('u')).resolves.toMatchObject({ isRunning: true, numerator: 3 });
    await expect(gearman.statusByUnique('other')).resolves.toMatchObject({ isKnown: false });
  });

  it('fails what is pending when it closes, and times out', async () => {
    gearman.answer('never', () => new Promise(() => {}));
    const job = await gearman.submit('never', '');
    await Promise.all([expect(job.result()).rejects.toMatchObject({ code: 'GEARMAN_CLOSED' }), gearman.close()]);
    const impatient = new GearmanRecordBuilder('').setTimeout(1).build();
    await expect(firstValueFrom(gearman.send('never', impatient))).rejects.toMatchObject({ code: 'GEARMAN_TIMEOUT' });
  });

  it('forgets everything when it is cleared', async () => {
    gearman.answer('reverse', () => '');
    await firstValueFrom(gearman.send('reverse', ''));
    gearman.clear();
    expect(gearman.jobs).toEqual([]);
    await expect(firstValueFrom(gearman.send('reverse', ''))).rejects.toMatchObject({ code: 'GEARMAN_NO_ANSWER' });
  });
});
