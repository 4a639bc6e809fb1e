import { describe, expect, it } from '@jest/globals';
import { EngineScene, type ScenePeer } from '../../../support/engine-scene.js';

/** A client takes one of its waits for a job back. */
function withdraw(scene: EngineScene, client: ScenePeer, label: string): void {
  scene.engine.withdrawWait(client.peer, scene.handle(label));
}

/** A worker of f that wants to hear when nobody waits any more. */
function curiousWorker(scene: EngineScene): ScenePeer {
  const worker = scene.worker('f');
  worker.peer.knowsWithdrawals = true;
  return worker;
}

describe('a wait that its client takes back', () => {
  it('drops a queued job that nobody else waits for, at once', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a');
    client.submit('f', 'b');
    withdraw(scene, client, 'a');
    expect(scene.events).toEqual(['submitted a', 'submitted b', 'abandoned a']);
    expect([scene.status('f'), client.heard()]).toEqual(['1 0 0', []]);
    expect(scene.worker('f').grabAll()).toEqual(['b']);
  });

  it('drops one whose other client had left, without waiting for abandonedTimeout', () => {
    const scene = new EngineScene();
    const [one, other] = [scene.client(), scene.client()];
    one.submit('f', 'a', { unique: 'u' });
    other.submit('f', 'a', { unique: 'u' });
    other.leave();
    withdraw(scene, one, 'a');
    expect(scene.job('a')).toBeUndefined();
    scene.pass(120_000);
    expect(scene.events).toEqual(['submitted a', 'abandoned a']);
  });

  it('is exactly one, of several that one client has, and of several clients', () => {
    const scene = new EngineScene();
    const [one, other] = [scene.client(), scene.client()];
    for (const client of [one, other, one]) client.submit('f', 'a', { unique: 'u' });
    withdraw(scene, one, 'a');
    withdraw(scene, other, 'a');
    withdraw(scene, other, 'a');
    const worker = scene.worker('f');
    expect(worker.grab()).toBe('a');
    worker.sendData('a', 'part');
    worker.complete('a', 'done');
    expect([one.heard(), other.heard()]).toEqual([['DATA a part', 'COMPLETE a done'], []]);
  });

  it('leaves what is in the background alone, whichever came first', () => {
    const scene = new EngineScene();
    const client = scene.client();
    for (const background of [true, false]) client.submit('f', 'a', { unique: 'u', background });
    for (const background of [false, true]) client.submit('f', 'b', { unique: 'v', background });
    withdraw(scene, client, 'a');
    withdraw(scene, client, 'b');
    expect(scene.worker('f').grabAll()).toEqual(['a', 'b']);
  });

  it('is nobody else’s: who does not wait for a job takes nothing back', () => {
    const scene = new EngineScene();
    const [client, stranger] = [scene.client(), scene.client()];
    client.submit('f', 'a');
    withdraw(scene, stranger, 'a');
    withdraw(scene, client, 'unknown');
    expect(scene.worker('f').grab()).toBe('a');
  });

  it('hears first what is being told to many in turns', () => {
    const scene = new EngineScene();
    const [client, worker] = [scene.client(), scene.worker('f')];
    for (let wait = 0; wait < 1_000; wait++) client.submit('f', 'a', { unique: 'u' });
    worker.grab();
    worker.sendData('a', 'part');
    expect(client.heard().length).toBeLessThan(1_000);
    withdraw(scene, client, 'a');
    const rest = client.heard();
    worker.complete('a');
    while (scene.engine.work());
    expect([rest.at(-1), client.heard().length]).toEqual(['DATA a part', 999]);
  });

  it('of a client that leaves afterwards is not taken back twice', () => {
    const scene = new EngineScene();
    const [one, other] = [scene.client(), scene.client()];
    for (const client of [one, one, other]) client.submit('f', 'a', { unique: 'u' });
    withdraw(scene, one, 'a');
    one.leave();
    const worker = scene.worker('f');
    worker.grab();
    worker.complete('a');
    expect([one.heard(), other.heard()]).toEqual([[], ['COMPLETE a']]);
  });
});

describe('a running job that nobody waits for any more', () => {
  it.each(['takes its wait back', 'leaves'] as const)('is told to a worker that asked, when its client %s', (how) => {
    const scene = new EngineScene();
    const [client, worker] = [scene.client(), curiousWorker(scene)];
    client.submit('f', 'a');
    worker.grab();
    if (how === 'leaves') client.leave();
    else withdraw(scene, client, 'a');
    expect(worker.heard()).toEqual(['ABANDONED a']);
    expect(scene.status('f')).toBe('1 1 1');
    expect([worker.complete('a', 'done all the same'), scene.events.at(-1)]).toEqual([undefined, 'completed a']);
  });

  it('is told to nobody who did not ask, and not while somebody waits', () => {
    const scene = new EngineScene();
    const [client, deaf, worker] = [scene.client(), scene.worker('g'), curiousWorker(scene)];
    client.submit('g', 'a');
    deaf.grab();
    withdraw(scene, client, 'a');
    client.submit('f', 'b', { unique: 'u' });
    client.submit('f', 'b', { unique: 'u' });
    worker.grab();
    withdraw(scene, client, 'b');
    expect([deaf.heard(), worker.heard()]).toEqual([[], []]);
    withdraw(scene, client, 'b');
    expect(worker.heard()).toEqual(['ABANDONED b']);
  });

  it('is told once, however often somebody comes and gives up', () => {
    const scene = new EngineScene();
    const [client, worker] = [scene.client(), curiousWorker(scene)];
    for (let time = 0; time < 3; time++) {
      client.submit('f', 'a', { unique: 'u' });
      if (time === 0) worker.grab();
      withdraw(scene, client, 'a');
    }
    expect(worker.heard()).toEqual(['ABANDONED a']);
  });

  it.each(['fail', 'exception'] as const)(
    'runs again for who joined it since, when its worker gives it up: %s',
    (end) => {
      const scene = new EngineScene();
      const [one, other, worker] = [scene.client(), scene.client(), curiousWorker(scene)];
      one.submit('f', 'a', { unique: 'u' });
      worker.grab();
      withdraw(scene, one, 'a');
      expect(other.submit('f', 'joined', { unique: 'u' })).toBe('a');
      if (end === 'fail') worker.fail('a');
      else worker.exception('a', 'nobody waits');
      expect([other.heard(), scene.events.at(-1)]).toEqual([[], 'requeued a']);
      expect(scene.job('a')!.losses).toBe(0);
      expect(worker.grab()).toBe('a');
      worker.fail('a');
      expect(other.heard()).toEqual(['FAIL a']);
    },
  );

  it('runs again for the background submission that joined it since', () => {
    const scene = new EngineScene();
    const [one, worker] = [scene.client(), curiousWorker(scene)];
    one.submit('f', 'a', { unique: 'u' });
    worker.grab();
    withdraw(scene, one, 'a');
    scene.submit('f', 'joined', { unique: 'u', background: true });
    worker.fail('a');
    expect(worker.grab()).toBe('a');
  });

  it('is over when its worker gives it up and nobody came, or is lost', () => {
    const scene = new EngineScene();
    const [one, worker, lost] = [scene.client(), curiousWorker(scene), curiousWorker(scene)];
    one.submit('f', 'a');
    one.submit('f', 'b');
    worker.grab();
    lost.grab();
    withdraw(scene, one, 'a');
    withdraw(scene, one, 'b');
    worker.fail('a');
    lost.leave();
    expect(scene.events.slice(-3)).toEqual(['failed a', 'worker left', 'abandoned b']);
    expect(scene.status('f')).toBe('0 0 1');
  });

  it('is told of again by the next worker only when it is abandoned again', () => {
    const scene = new EngineScene();
    const [one, other, first, second] = [scene.client(), scene.client(), curiousWorker(scene), curiousWorker(scene)];
    one.submit('f', 'a', { unique: 'u' });
    first.grab();
    withdraw(scene, one, 'a');
    other.submit('f', 'a', { unique: 'u' });
    first.leave();
    expect(second.grab()).toBe('a');
    second.fail('a');
    expect(other.heard()).toEqual(['FAIL a']);
  });
});
