import { describe, expect, it } from '@jest/globals';
import { MAX_SETTING_BYTES, MAX_SETTING_NAME_BYTES, MAX_SETTINGS } from '../../lib/job-server/storage/index.js';
import type { ContractContext } from './job-storage.contract.js';
import { addAll, newJob } from './recorded-storage.js';

/** What is kept beside the jobs. */
export function describeSettings(at: ContractContext): void {
  const kept = (): Record<string, string> => Object.fromEntries(at.storage.settings());

  describe('settings', () => {
    it('are none at first, and take effect at once', () => {
      expect(kept()).toEqual({});
      at.storage.set('one', '{"a":1}');
      at.storage.set('two', '2');
      at.storage.set('one', '[]');
      expect(kept()).toEqual({ one: '[]', two: '2' });
      at.storage.set('two', undefined);
      at.storage.set('never set', undefined);
      expect(kept()).toEqual({ one: '[]' });
    });

    it('are there after a restart as they were last', async () => {
      at.storage.set('one', '1');
      at.storage.set('two', '2');
      await at.storage.flush();
      at.storage.set('two', undefined);
      at.storage.set('three', 'x');
      at.storage.set('three', '3');
      await at.restart();
      expect(kept()).toEqual({ one: '1', three: '3' });
      at.storage.set('one', undefined);
      await at.restart();
      expect(kept()).toEqual({ three: '3' });
    });

    it('are changed while they are written', async () => {
      at.storage.set('one', '1');
      const flushed = at.storage.flush();
      await new Promise((resolve) => setImmediate(resolve));
      at.storage.set('one', '2');
      await flushed;
      at.storage.set('two', '2');
      await at.restart();
      expect(kept()).toEqual({ one: '2', two: '2' });
    });

    it('have names of any bytes, and values of any text', async () => {
      const names = ['function:\xff\0\n', 'x'.repeat(MAX_SETTING_NAME_BYTES)];
      const values = ['', 'ß\u{1f600}\0\n', 'x'.repeat(MAX_SETTING_BYTES)];
      at.storage.set(names[0]!, values[1]);
      at.storage.set(names[1]!, values[2]);
      at.storage.set('empty', values[0]);
      await at.restart();
      expect(kept()).toEqual({ [names[0]!]: values[1], [names[1]!]: values[2], empty: '' });
    });

    it('have nothing to do with jobs', async () => {
      at.storage.set('reverse', 'x');
      const [handle] = await addAll(at.storage, newJob());
      expect(at.storage.counts()).toMatchObject([{ function: 'reverse', total: [0, 1, 0] }]);
      expect(await at.storage.remove(handle!)).toBe('removed');
      await at.restart();
      expect(kept()).toEqual({ reverse: 'x' });
    });

    it('are refused where they cannot be kept, and what was there stays', () => {
      at.storage.set('one', '1');
      const refused = expect.objectContaining({ code: 'GEARMAN_STORAGE_INVALID' });
      expect(() => at.storage.set('', '1')).toThrow(refused);
      expect(() => at.storage.set('x'.repeat(MAX_SETTING_NAME_BYTES + 1), '1')).toThrow(refused);
      expect(() => at.storage.set('one', 'ß'.repeat(MAX_SETTING_BYTES / 2) + 'x')).toThrow(refused);
      expect(kept()).toEqual({ one: '1' });
    });

    it('are bounded: a full storage takes changes, and a new one for one that is gone', async () => {
      for (let index = 0; index < MAX_SETTINGS; index++) at.storage.set(`setting ${index}`, 'x');
      expect(() => at.storage.set('one more', 'x')).toThrow(`at most ${MAX_SETTINGS} settings`);
      at.storage.set('setting 7', 'y');
      at.storage.set('setting 8', undefined);
      at.storage.set('one more', 'x');
      await at.restart();
      const { size } = at.storage.settings();
      expect([size, kept()['setting 7'], kept()['one more']]).toEqual([MAX_SETTINGS, 'y', 'x']);
    });

    it('are left alone by a closed storage', async () => {
      at.storage.set('one', '1');
      await at.storage.close();
      at.storage.set('one', '2');
      await at.restart();
      expect(kept()).toEqual({ one: '1' });
    });
  });
}
