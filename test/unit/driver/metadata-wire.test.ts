import { describe, expect, it } from '@jest/globals';
import type { AssignedJob } from '../../../lib/driver/index.js';
import { PendingSubmission } from '../../../lib/driver/pending-submission.js';
import { clientOf, connected, job, submit } from './clients.js';
import { pulling } from './workers.js';

const TRACE = { traceparent: '00-ab-cd-01' };
const TRACE_JSON = '{"traceparent":"00-ab-cd-01"}';
const MARKED = '\0NGMETA1\0\0\0\x02{}and more';

describe('a submission with metadata', () => {
  it('goes behind it, bare, to a job server that agreed', async () => {
    const { client, peer } = await connected({}, 'OPTION_RES metadata');
    submit(client, job('work', { metadata: TRACE }));
    submit(client, job('without'));
    expect(await peer.nextOnes(3)).toEqual([
      `OPTION_REQ metadata=${TRACE_JSON}`,
      'SUBMIT_JOB reverse··work',
      'SUBMIT_JOB reverse··without',
    ]);
  });

  it.each([
    ['by default', {}, 'SUBMIT_JOB reverse··work'],
    ['which is told false', { metadata: false }, 'SUBMIT_JOB reverse··work'],
    ['which is told true', { metadata: true }, `SUBMIT_JOB reverse···NGMETA1···\x1d${TRACE_JSON}work`],
  ])('to another goes as the client is told: %s', async (_, options, packet) => {
    const { client, peer } = await connected(options, 'ERROR UNKNOWN_OPTION·what');
    submit(client, job('work', { metadata: TRACE }));
    expect(await peer.next()).toBe(packet);
  });

  it('is bare or framed as the next job server wants it, when its first was lost', async () => {
    const { client, servers } = clientOf(['a', 'b'], { metadata: true });
    const connecting = client.connect();
    const [a, b] = await Promise.all([
      servers[0]!.welcome('OPTION_RES metadata'),
      servers[1]!.welcome('ERROR unknown_option·'),
    ]);
    await connecting;
    submit(client, job('work', { metadata: TRACE }));
    expect(await a.peer.nextOnes(2)).toEqual([`OPTION_REQ metadata=${TRACE_JSON}`, 'SUBMIT_JOB reverse··work']);
    a.peer.destroy();
    expect(await b.peer.next()).toBe(`SUBMIT_JOB reverse···NGMETA1···\x1d${TRACE_JSON}work`);
  });

  it('is the same to the choice of a job server as one with other metadata', () => {
    const keys = ['1', '2'].map((trace) => {
      const request = job('same', { unique: '-', metadata: { trace } });
      return new PendingSubmission(request, true, 1024, undefined).coalescingKey;
    });
    expect(keys).toEqual(['reverse\0same', 'reverse\0same']);
  });

  it('is framed in nothing where bytes look like a frame, through a job server that knows no metadata', async () => {
    const { client, peer } = await connected({ metadata: true });
    submit(client, job(MARKED));
    expect(await peer.next()).toBe('SUBMIT_JOB reverse···NGMETA1···\x02{}·NGMETA1···\x02{}and more');
  });
});

describe('an assigned job', () => {
  const seen: { metadata: unknown; workload: string }[] = [];
  const note = ({ metadata, workload }: AssignedJob) => void seen.push({ metadata, workload: workload.toString() });

  async function given(answers: string[], ...packets: string[]): Promise<unknown[]> {
    const { peer } = await pulling(note, {}, ...answers);
    seen.length = 0;
    for (const packet of packets) {
      if (packet.startsWith('JOB_ASSIGN')) expect(await peer.next()).toBe('GRAB_JOB_UNIQ');
      peer.send(packet);
      if (packet.startsWith('JOB_ASSIGN')) expect(await peer.next()).toBe('WORK_COMPLETE H:1·');
    }
    return seen;
  }

  it('has the metadata that its job server announced, and the next has none of it', async () => {
    const announced = `OPTION_RES metadata=${TRACE_JSON}`;
    const jobs = ['JOB_ASSIGN_UNIQ H:1·reverse··a', 'JOB_ASSIGN_UNIQ H:1·reverse··b'];
    expect(await given(['OPTION_RES metadata'], announced, ...jobs)).toEqual([
      { metadata: TRACE, workload: 'a' },
      { metadata: undefined, workload: 'b' },
    ]);
  });

  it('keeps bytes that look like a frame where its job server would have announced metadata', async () => {
    const assigned = `JOB_ASSIGN_UNIQ H:1·reverse··${MARKED.replaceAll('\0', '·')}`;
    expect(await given(['OPTION_RES metadata'], assigned)).toEqual([{ metadata: undefined, workload: MARKED }]);
  });

  it('loses its frame where the job server knows no metadata', async () => {
    const assigned = `JOB_ASSIGN_UNIQ H:1·reverse···NGMETA1···\x1d${TRACE_JSON}a`;
    expect(await given(['ERROR UNKNOWN_OPTION·what'], assigned)).toEqual([{ metadata: TRACE, workload: 'a' }]);
  });

  it('has none where what was announced is no metadata', async () => {
    const jobs = ['OPTION_RES metadata={"a":1}', 'JOB_ASSIGN_UNIQ H:1·reverse··a'];
    expect(await given(['OPTION_RES metadata'], ...jobs)).toEqual([{ metadata: undefined, workload: 'a' }]);
  });
});
