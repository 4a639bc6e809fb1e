import { describe, expect, it } from '@jest/globals';
import { EngineScene } from '../../../support/engine-scene.js';

describe('the list of jobs', () => {
  const labels = (scene: EngineScene): string[] => Array.from(scene.engine.jobs(), ({ workload }) => String(workload));

  it('has all there are, oldest first, whatever their state', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a', 'b');
    scene.submit('g', 'c', { background: true, at: scene.now + 1_000 });
    const worker = scene.worker('f');
    worker.grab();
    expect(labels(scene)).toEqual(['a', 'b', 'c']);
    worker.complete('a');
    expect(labels(scene)).toEqual(['b', 'c']);
    expect(scene.engine.jobCount).toBe(2);
  });

  it('may be walked while jobs come and go', () => {
    const scene = new EngineScene();
    for (let index = 0; index < 1_000; index++) scene.queue('f', `old ${index}`);
    const worker = scene.worker('f');
    const seen: string[] = [];
    let came = 0;
    for (const job of scene.engine.jobs()) {
      seen.push(String(job.workload));
      scene.queue('f', `new ${came++}`);
      // The oldest ones go: behind the walk first, then before it.
      for (let gone = 0; gone < 2; gone++) worker.complete(worker.grab());
    }
    expect(seen.filter((label) => label.startsWith('new'))).toEqual([]);
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => seen[index]!).sort(byNumber));
    expect(seen.length).toBeGreaterThan(300);
    expect(scene.engine.jobCount).toBe(1_000 + came - 2 * came);
  });

  it('shows no restored job that is over', () => {
    const scene = new EngineScene();
    const handles = ['H:x:1', 'H:x:2', 'H:x:3'];
    for (const handle of handles) {
      const spec = { function: 'f', unique: '', workload: handle, priority: 1 as const, isBackground: true, at: 0 };
      scene.engine.restore(spec, { handle, losses: 0, attempts: 0 });
    }
    const seen: string[] = [];
    let cancelled: string | undefined;
    for (const job of scene.engine.jobs()) {
      seen.push(String(job.workload));
      // One that comes later: restored jobs are shown in no order.
      cancelled ??= handles.find((handle) => !seen.includes(handle))!;
      scene.engine.cancel(cancelled);
    }
    expect(seen.sort()).toEqual(handles.filter((handle) => handle !== cancelled));
  });
});

function byNumber(one: string, other: string): number {
  return Number(one.split(' ')[1]) - Number(other.split(' ')[1]);
}
