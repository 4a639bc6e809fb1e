import { describe, expect, it } from '@jest/globals';
import { coalescingKey } from '../../../../lib/job-server/engine/index.js';
import { EngineScene } from '../../../support/engine-scene.js';

describe('a job with the unique -', () => {
  it('takes the workload for the key when the unique is -', () => {
    const scene = new EngineScene();
    const handleOf = (workload: string | Uint8Array): string => {
      const job = scene.engine.submit({
        function: 'f',
        unique: '-',
        workload,
        priority: 1,
        isBackground: true,
        at: 0,
      });
      return 'id' in job ? scene.engine.handleOf(job) : job.code;
    };
    expect(handleOf('same')).toBe('H:1');
    expect(handleOf('other')).toBe('H:2');
    expect(handleOf('same')).toBe('H:1');
    expect(handleOf(Buffer.from('same'))).toBe('H:1');
    expect(handleOf('x'.repeat(5_000))).toBe('H:3');
    expect(handleOf(Buffer.alloc(5_000, 'x'))).toBe('H:3');
    expect(handleOf(Buffer.alloc(5_001, 'x'))).toBe('H:4');
    expect([handleOf(''), handleOf('')]).toEqual(['H:5', 'H:6']);
    // What stands for a long workload is not taken for a workload.
    expect(handleOf(coalescingKey({ unique: '-', workload: 'x'.repeat(5_000) })!.slice(1))).toBe('H:7');
    expect([handleOf('y'.repeat(31)), handleOf('y'.repeat(32)), handleOf('y'.repeat(33))]).toEqual([
      'H:8',
      'H:9',
      'H:10',
    ]);
    expect([handleOf('y'.repeat(31)), handleOf('y'.repeat(32)), handleOf('y'.repeat(33))]).toEqual([
      'H:8',
      'H:9',
      'H:10',
    ]);
  });

  it('keeps a key of a few bytes for a workload of any length', () => {
    for (const workload of ['x'.repeat(1_000_000), Buffer.alloc(1_000_000, 'x')]) {
      expect(coalescingKey({ unique: '-', workload })).toHaveLength(33);
    }
  });

  it('takes no unique for the workload of another job', () => {
    const scene = new EngineScene();
    expect(scene.submit('f', 'a', { unique: '-' })).toBe('a');
    expect(scene.submit('f', 'b', { unique: 'a' })).toBe('b');
    expect(scene.submit('f', 'c', { unique: '#' })).toBe('c');
    expect(scene.submit('f', 'd', { unique: '#' })).toBe('c');
  });
});
