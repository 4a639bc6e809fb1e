import { describe, expect, it } from '@jest/globals';
import { EngineScene, type ScenePeer } from '../../../support/engine-scene.js';

function running(scene: EngineScene): { client: ScenePeer; worker: ScenePeer } {
  const client = scene.client();
  client.submit('f', 'a', { unique: 'u' });
  const worker = scene.worker('f');
  expect(worker.grab()).toBe('a');
  return { client, worker };
}

describe('results', () => {
  it('reach the clients in order, the end last', () => {
    const scene = new EngineScene();
    const { client, worker } = running(scene);
    worker.sendData('a', '1');
    worker.report('a', '1', '4');
    worker.warn('a', 'w');
    worker.sendData('a', '2');
    worker.complete('a', 'done');
    expect(client.heard()).toEqual(['DATA a 1', 'STATUS a 1/4', 'WARNING a w', 'DATA a 2', 'COMPLETE a done']);
  });

  it('tell a failure', () => {
    const scene = new EngineScene();
    const { client, worker } = running(scene);
    expect(worker.fail('a')).toBeUndefined();
    expect(client.heard()).toEqual(['FAIL a']);
    expect(scene.events.at(-1)).toBe('failed a');
  });

  it('tell an exception to who asked for exceptions, a failure to the others', () => {
    const scene = new EngineScene();
    const { client, worker } = running(scene);
    const curious = scene.client();
    curious.peer.wantsExceptions = true;
    curious.submit('f', 'b', { unique: 'u' });
    expect(worker.exception('a', 'why')).toBeUndefined();
    expect([client.heard(), curious.heard()]).toEqual([['FAIL a'], ['EXCEPTION a why']]);
    expect(scene.status('f')).toBe('0 0 1');
  });

  it.each(['complete', 'fail', 'exception', 'sendData', 'warn', 'report'] as const)(
    'of a stranger are refused: %s',
    (say) => {
      const scene = new EngineScene();
      const { client } = running(scene);
      expect(scene.worker('f')[say]('a', '1', '2')).toBe('JOB_NOT_FOUND');
      expect(client.heard()).toEqual([]);
      expect(scene.status('f')).toBe('1 1 2');
    },
  );

  it.each(['complete', 'fail', 'exception', 'sendData', 'warn', 'report'] as const)(
    'after the end are refused: %s',
    (say) => {
      const scene = new EngineScene();
      const { client, worker } = running(scene);
      worker.complete('a');
      client.heard();
      expect(worker[say]('a', '1', '2')).toBe('JOB_NOT_FOUND');
      expect(client.heard()).toEqual([]);
    },
  );

  it('come in any order from a worker that runs several jobs', () => {
    const scene = new EngineScene();
    const client = scene.client();
    for (const label of ['a', 'b', 'c']) client.submit('f', label);
    const worker = scene.worker('f');
    expect(worker.grabAll()).toEqual(['a', 'b', 'c']);
    for (const label of ['b', 'c', 'a']) expect(worker.complete(label)).toBeUndefined();
    expect(client.heard()).toEqual(['COMPLETE b', 'COMPLETE c', 'COMPLETE a']);
  });
});
