import { describe, expect, it } from '@jest/globals';
import { EngineScene } from '../../../support/engine-scene.js';
import { usedBytes } from '../../../support/used-bytes.js';

/** More than is done in one turn. */
const MANY = 1_000;
/** How much of anything is done in one turn at most. */
const A_TURN = 256;

const numbered = (prefix: string): string[] => Array.from({ length: MANY }, (_, index) => `${prefix}${index}`);

describe('a worker of very many functions', () => {
  it('is given nothing from the moment it leaves, and is forgotten by its functions in turns', () => {
    const scene = new EngineScene();
    const names = numbered('f');
    const worker = scene.worker(...names);
    worker.sleep();
    const functions = [...scene.engine.functions];
    const registered = (): number => functions.filter(({ workers }) => workers.size > 0).length;
    worker.leave();
    expect(scene.events.at(-1)).toBe('worker left');
    for (let left = MANY; left > 0; scene.nextTurn()) {
      expect(left - registered()).toBeLessThanOrEqual(A_TURN);
      left = registered();
      scene.submit('f999', `job at ${left}`, { background: true });
    }
    expect(worker.heard()).toEqual([]);
    expect(scene.worker('f999').grabAll().length).toBeGreaterThan(0);
    scene.workOff();
    expect(scene.hasMore).toBe(false);
  });

  it('can register functions anew while a RESET_ABILITIES is still being seen to', () => {
    const scene = new EngineScene();
    const worker = scene.worker(...numbered('f'));
    worker.resetAbilities();
    worker.canDo('f999');
    worker.sleep();
    expect(scene.workOff()).toBeGreaterThan(1);
    expect([scene.status('f999'), scene.status('f998'), scene.status('f0')]).toEqual(['0 0 1', '0 0 0', '0 0 0']);
    scene.queue('f998', 'no more');
    expect(worker.heard()).toEqual([]);
    scene.queue('f999', 'again');
    expect(worker.heard()).toEqual(['NOOP']);
    expect(worker.grab()).toBe('again');
  });

  it('gives them up one by one, and none of them is given to it', () => {
    const scene = new EngineScene();
    const names = numbered('f');
    const worker = scene.worker(...names);
    for (const name of names.slice(1)) worker.cantDo(name);
    expect(worker.peer.missingPlaces.length).toBeLessThan(100);
    worker.sleep();
    scene.queue('f999', 'a');
    expect(worker.heard()).toEqual([]);
    scene.queue('f0', 'b');
    expect(worker.heard()).toEqual(['NOOP']);
  });
});

describe('a worker that runs very many jobs', () => {
  it('leaves them to others in turns, oldest first, each once', () => {
    const scene = new EngineScene();
    const labels = numbered('job ');
    scene.queue('f', ...labels, 'younger');
    const lost = scene.worker('f');
    for (const label of labels) expect(lost.grab()).toBe(label);
    const other = scene.worker('f');
    lost.leave();
    const taken: string[] = [];
    for (let turn = 0; scene.hasMore; turn++, scene.nextTurn()) {
      const requeued = scene.events.filter((event) => event.startsWith('requeued')).length;
      expect(requeued).toBeLessThanOrEqual(A_TURN * (turn + 1));
      if (turn % 2 === 0) taken.push(other.grab());
    }
    taken.push(...other.grabAll());
    expect(taken).toEqual([...labels, 'younger']);
    expect(scene.status('f')).toBe(`${MANY + 1} ${MANY + 1} 1`);
  });

  it('leaves a job that times out meanwhile to others once', () => {
    const scene = new EngineScene();
    const labels = numbered('job ');
    scene.queue('f', ...labels);
    const lost = scene.worker();
    lost.canDo('f', 1_000);
    for (const label of labels) expect(lost.grab()).toBe(label);
    lost.leave();
    scene.pass(1_000);
    scene.workOff();
    const other = scene.worker('f');
    expect(other.grabAll().sort()).toEqual([...labels].sort());
    expect(scene.job('job 999')?.losses).toBe(1);
    expect(scene.job('job 999')?.lateWorker).toBeUndefined();
  });
});

describe('a client of very many jobs', () => {
  it('leaves, and they are dropped in time, also those that were seen to later', () => {
    const scene = new EngineScene({ abandonedTimeout: 1_000 });
    const client = scene.client();
    for (const label of numbered('job ')) client.submit('f', label);
    client.leave();
    expect(scene.workOff()).toBeGreaterThan(1);
    scene.pass(1_000);
    expect(scene.status('f')).toBe('0 0 0');
  });
});

describe('a client that waits very often for one job', () => {
  /** How often: as many lines of 30 bytes are a second of traffic. */
  const OFTEN = 300_000;

  function waitingOften(often: number) {
    const scene = new EngineScene();
    const [client, other] = [scene.client(), scene.client()];
    for (let count = 0; count < often; count++) client.submit('f', 'a', { unique: 'u' });
    other.submit('f', 'b', { unique: 'u' });
    const worker = scene.worker('f');
    expect(worker.grab()).toBe('a');
    return { scene, client, other, worker };
  }

  it('leaves without holding up anybody', async () => {
    const { scene, client, other, worker } = waitingOften(OFTEN);
    // Looking for each of its waits anew took 16 s.
    client.leave();
    scene.workOff();
    // Only who is not held up comes here before Jest's own time is up.
    await new Promise((resolve) => setTimeout(resolve));
    worker.complete('a', 'done');
    expect(other.heard()).toEqual(['COMPLETE a done']);
  });

  it('needs no memory for each of its waits whenever something is told', () => {
    const { worker } = waitingOften(20_000);
    const before = usedBytes();
    for (let count = 0; count < 1_000; count++) worker.sendData('a', 'x');
    // A list of all for each would be 160 MB.
    expect(usedBytes() - before).toBeLessThan(10_000_000);
  });

  it('is told as often as it waited when that was said, though others leave and come meanwhile', () => {
    const { scene, client, other, worker } = waitingOften(1_000);
    worker.sendData('a', 'x');
    other.leave();
    const late = scene.client();
    late.submit('f', 'c', { unique: 'u' });
    client.submit('f', 'd', { unique: 'u' });
    scene.workOff();
    expect([client.heard().length, late.heard().length]).toEqual([1_000, 0]);
    worker.complete('a', 'done');
    scene.workOff();
    expect([client.heard().length, late.heard()]).toEqual([1_001, ['COMPLETE a done']]);
  });
});

describe('very many jobs that nobody wants any more', () => {
  /** A thousand of them, then one that is wanted; and what becomes of a worker that asks, turn by turn. */
  function abandoned(): EngineScene {
    const scene = new EngineScene();
    const client = scene.client();
    for (const label of numbered('job ')) client.submit('f', label);
    client.leave();
    scene.workOff();
    return scene;
  }

  it('are passed over in turns, and the worker that asked is woken for what is behind them', () => {
    const scene = abandoned();
    scene.queue('f', 'wanted');
    const worker = scene.worker('f');
    expect(worker.grab()).toBe('NO_JOB');
    worker.sleep();
    expect(worker.heard()).toEqual([]);
    const dropped = (): number => scene.events.filter((event) => event.startsWith('abandoned')).length;
    for (let before = dropped(); scene.hasMore; before = dropped()) {
      scene.nextTurn();
      expect(dropped() - before).toBeLessThanOrEqual(A_TURN);
    }
    expect(worker.heard()).toEqual(['NOOP']);
    expect(worker.grab()).toBe('wanted');
    expect(scene.status('f')).toBe('1 1 1');
  });

  it('keep no worker from what it could do of other functions', () => {
    const scene = abandoned();
    const worker = scene.worker('f', 'g');
    worker.allYours();
    expect(worker.grab()).toBe('kept');
    scene.queue('g', 'other');
    scene.workOff();
    expect(worker.heard()).toEqual(['JOB other']);
  });
});

describe('very many workers that wait', () => {
  it('are woken by one job in turns where all of them are to be woken, each once', () => {
    const scene = new EngineScene({ wakeupsPerJob: 0 });
    const workers = Array.from({ length: MANY }, () => scene.worker('f'));
    for (const worker of workers) worker.sleep();
    scene.queue('f', 'a');
    const woken = workers.map((worker) => worker.heard().length);
    const count = woken.filter((times) => times > 0).length;
    expect(count).toBeGreaterThan(0);
    // 64 and what chores may do at once.
    expect(count).toBeLessThanOrEqual(64 + A_TURN);
    scene.workOff();
    workers.forEach((worker, index) => (woken[index]! += worker.heard().length));
    expect(woken).toEqual(new Array(MANY).fill(1));
  });

  it('are woken no further once the job is taken', () => {
    const scene = new EngineScene({ wakeupsPerJob: 0 });
    const workers = Array.from({ length: MANY }, () => scene.worker('f'));
    for (const worker of workers) worker.sleep();
    scene.queue('f', 'a');
    expect(workers[0]!.grab()).toBe('a');
    scene.workOff();
    expect(workers.filter((worker) => worker.heard().length > 0).length).toBeLessThanOrEqual(64 + A_TURN);
  });

  it('are given a job each when as many come back at once', () => {
    const scene = new EngineScene();
    const labels = numbered('job ');
    scene.queue('f', ...labels);
    const lost = scene.worker('f');
    lost.grabAll();
    const workers = Array.from({ length: MANY }, () => scene.worker('f'));
    for (const worker of workers) {
      worker.allYours();
      worker.grab();
    }
    lost.leave();
    scene.workOff();
    expect(workers.flatMap((worker) => worker.heard())).toEqual(labels.map((label) => `JOB ${label}`));
  });
});

describe('very many clients of one job', () => {
  function coalesced(scene: EngineScene) {
    const clients = Array.from({ length: MANY }, () => scene.client());
    for (const client of clients) client.submit('f', 'a', { unique: 'u' });
    const worker = scene.worker('f');
    expect(worker.grab()).toBe('a');
    return { clients, worker };
  }

  it('are told in turns, and each hears everything in its order', () => {
    const scene = new EngineScene();
    const { clients, worker } = coalesced(scene);
    worker.sendData('a', 'first');
    worker.report('a', '1', '2');
    worker.sendData('a', 'second');
    worker.complete('a', 'done');
    expect(clients.filter((client) => client.heard().length > 0).length).toBeLessThanOrEqual(A_TURN);
    const heard = new Map(clients.map((client) => [client, [] as string[]]));
    while (scene.hasMore) {
      scene.nextTurn();
      for (const client of clients) heard.get(client)!.push(...client.heard());
    }
    const all = ['DATA a first', 'STATUS a 1/2', 'DATA a second', 'COMPLETE a done'];
    for (const client of clients.slice(A_TURN)) expect(heard.get(client)).toEqual(all);
  });

  it('hear everything in its order also when only few of them are left', () => {
    const scene = new EngineScene();
    const { clients, worker } = coalesced(scene);
    worker.sendData('a', 'first');
    for (const client of clients.slice(1)) client.leave();
    worker.complete('a', 'done');
    scene.workOff();
    expect(clients[0]!.heard()).toEqual(['DATA a first', 'COMPLETE a done']);
    expect(clients[999]!.heard()).toEqual([]);
  });

  it('leave, and the last one of them leaves the job to nobody', () => {
    const scene = new EngineScene({ abandonedTimeout: 1_000 });
    const clients = Array.from({ length: MANY }, () => scene.client());
    for (const client of clients) client.submit('f', 'a', { unique: 'u' });
    for (const client of clients) client.leave();
    scene.workOff();
    scene.pass(1_000);
    expect(scene.status('f')).toBe('0 0 0');
  });
});
