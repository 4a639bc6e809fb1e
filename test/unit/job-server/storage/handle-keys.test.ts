import { describe, expect, it } from '@jest/globals';
import { handleKeys, isLaterHandle } from '../../../../lib/job-server/storage/lmdb/keys.js';

/** A handle's key as bytes, which is how LMDB sorts. */
function keyOf(handle: string): Buffer {
  const target = Buffer.alloc(300);
  return target.subarray(0, handleKeys.writeKey(handle, target, 0));
}

const COUNTERS = [1, 9, 10, 99, 100, 4_294_967_297, Number.MAX_SAFE_INTEGER];
/** Two runs, with an older one's handles of before in between. */
const SORTED = ['H:a:11111111111111', 'H:a:22222222222222', 'H:a:mwvpvrq8mjb:'].flatMap((run) =>
  COUNTERS.filter((counter) => run.includes('1111') || counter < 10 ** 14).map((counter) => run + counter),
);

describe("the keys of handles in LMDB's file", () => {
  it('stand run after run, and within one in the order of the counter', () => {
    const shuffled = [...SORTED].sort();
    expect(shuffled).not.toEqual(SORTED);
    expect(shuffled.sort((one, other) => Buffer.compare(keyOf(one), keyOf(other)))).toEqual(SORTED);
  });

  it.each([...SORTED, 'x', '', '12', '123456789012345', 'H:a:'])('say %j when they are read', (handle) => {
    const key = keyOf(handle);
    expect(handleKeys.readKey(key, 0, key.length)).toBe(handle);
  });

  it('tell a later handle of the same run from everything else', () => {
    for (const [at, handle] of SORTED.entries()) {
      for (const [otherAt, other] of SORTED.entries()) {
        const isSameRun = handle.slice(0, 12) === other.slice(0, 12);
        expect([handle, other, isLaterHandle(handle, other)]).toEqual([handle, other, isSameRun && at > otherAt]);
      }
    }
  });

  it('have not changed for handles of the form they had before', () => {
    expect(keyOf('H:web1:mwvpvrq8mjb:42').toString('latin1')).toBe('H:web1:mwvpvrq8mjb:\x0242');
  });
});
