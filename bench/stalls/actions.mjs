import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { each, packet, PACKET, Peer, times } from './peer.mjs';

/**
 * The actions on the job server while another connection sends ECHOs. `prepare` is
 * not measured; its result is passed to `act`, which resolves when everything was
 * answered. Each action has a job server of its own, with a storage if it is
 * `stored`. If it `restarts`, it begins when the next job server on the same folder
 * listens.
 *
 * @typedef {{ port: number, size: number, path: string }} At
 * @typedef {{ title: string, size: number, stored?: boolean, options?: object,
 *   restarts?: boolean, prepare?: (at: At) => Promise<any>, act: (at: At, prepared: any) => Promise<void> }} Action
 */

const WORKLOAD = 'x'.repeat(50);
const JOB = packet(PACKET.SUBMIT_JOB_BG, 'f', '', WORKLOAD);
const GRAB = packet(PACKET.GRAB_JOB);
const MEBIBYTE = 1024 * 1024;
/** How many submissions are in flight while jobs are prepared. */
const AHEAD = 20_000;
/** How many connections are opened at a time while they are prepared. */
const DIALED = 200;

/** @type {Record<string, Action>} */
export const ACTIONS = {
  nothing: { title: 'nothing, for two seconds', size: 1, act: () => sleep(2_000) },

  submit: {
    title: 'jobs in one write, none stored',
    size: 300_000,
    prepare: ({ port }) => Peer.dial(port),
    act: answered(({ size }) => times(size, JOB), PACKET.JOB_CREATED),
  },
  'submit-stored': {
    title: 'jobs in one write, stored',
    size: 300_000,
    stored: true,
    prepare: ({ port }) => Peer.dial(port),
    act: answered(({ size }) => times(size, JOB), PACKET.JOB_CREATED),
  },
  'submit-same': {
    title: 'submissions of one unique in one write, stored',
    size: 300_000,
    stored: true,
    prepare: ({ port }) => Peer.dial(port),
    act: answered(({ size }) => times(size, packet(PACKET.SUBMIT_JOB_BG, 'f', 'u', WORKLOAD)), PACKET.JOB_CREATED),
  },
  'show-jobs': { title: '`show jobs`, none stored', size: 300_000, prepare: withJobs, act: word('show jobs') },
  'show-unique-jobs': {
    title: '`show unique jobs`, none stored',
    size: 300_000,
    prepare: withJobs,
    act: word('show unique jobs'),
  },
  'show-jobs-stored': {
    title: '`show jobs`, stored',
    size: 200_000,
    stored: true,
    prepare: withJobs,
    act: word('show jobs'),
  },

  'can-do': {
    title: 'CAN_DO of one connection in one write',
    size: 50_000,
    prepare: ({ port }) => Peer.dial(port),
    act: obeyed(({ size }) => each(size, (index) => packet(PACKET.CAN_DO, `f${index}`))),
  },
  'cant-do': {
    title: 'CANT_DO of one connection in one write',
    size: 50_000,
    prepare: withWorker,
    act: obeyed(({ size }) => each(size, (index) => packet(PACKET.CANT_DO, `f${index}`))),
  },
  reset: {
    title: 'RESET_ABILITIES of a worker with functions',
    size: 50_000,
    prepare: withSleeper,
    act: obeyed(() => packet(PACKET.RESET_ABILITIES)),
  },
  sleep: {
    title: 'PRE_SLEEP of a worker with functions',
    size: 50_000,
    prepare: withWorker,
    act: obeyed(() => packet(PACKET.PRE_SLEEP)),
  },
  'worker-leaves': {
    title: 'a worker with functions leaves',
    size: 50_000,
    prepare: withSleeper,
    act: leaving,
  },
  'running-leave': {
    title: 'a worker that runs jobs leaves',
    size: 100_000,
    prepare: withRunning,
    act: leaving,
  },
  'client-leaves': {
    title: 'a client that waits for jobs leaves',
    size: 100_000,
    prepare: withForeground,
    act: leaving,
  },
  'dropped-at-grab': {
    title: 'one GRAB_JOB passes jobs whose client left',
    size: 100_000,
    async prepare(at) {
      const client = await withForeground(at);
      client.leave();
      const worker = await Peer.dial(at.port);
      await worker.settled();
      worker.send(packet(PACKET.CAN_DO, 'f'));
      await worker.settled();
      await sleep(1_000);
      return worker;
    },
    act: obeyed(() => GRAB),
  },

  'coalesced-clients': {
    title: 'clients of one job told its result at once',
    size: 10_000,
    prepare: withCoalesced,
    async act({ size }, { clients, complete }) {
      complete();
      await Promise.all(clients.slice(0, size).map((client) => client.told(PACKET.WORK_COMPLETE, 1)));
    },
  },
  'coalesced-client': {
    title: 'submissions of one client told the result of one job',
    size: 100_000,
    async prepare({ port, size }) {
      const client = await Peer.dial(port);
      client.send(times(size, packet(PACKET.SUBMIT_JOB, 'f', 'u', WORKLOAD)));
      await client.told(PACKET.JOB_CREATED, size);
      return { client, ...(await running(port)) };
    },
    async act({ size }, { client, complete }) {
      complete();
      await client.told(PACKET.WORK_COMPLETE, size);
    },
  },
  'coalesced-leave': {
    title: 'clients of one job leave at once',
    size: 10_000,
    prepare: withCoalesced,
    act: async ({ port }, { clients }) => leavingAll(port, clients),
  },
  'sleepers-woken': {
    title: 'sleepers woken by one job (`worker-wakeup` 0)',
    size: 10_000,
    options: { wakeupsPerJob: 0 },
    async prepare({ port, size }) {
      const workers = await dialAll(port, size);
      for (const worker of workers) worker.send(Buffer.concat([packet(PACKET.CAN_DO, 'f'), packet(PACKET.PRE_SLEEP)]));
      await Promise.all(workers.map((worker) => worker.settled()));
      return { workers, client: await Peer.dial(port) };
    },
    async act(at, { workers, client }) {
      client.send(JOB);
      await Promise.all(workers.map((worker) => worker.told(PACKET.NOOP, 1)));
    },
  },
  'due-at-once': {
    title: 'delayed jobs come due at once, none stored',
    size: 300_000,
    async prepare({ port, size }) {
      const client = await Peer.dial(port);
      const due = Math.ceil(Date.now() / 1_000) + (size > 100_000 ? 20 : 6);
      client.send(times(size, packet(PACKET.SUBMIT_JOB_EPOCH, 'f', '', String(due), WORKLOAD)));
      await client.told(PACKET.JOB_CREATED, size);
      if (Date.now() > (due - 1) * 1_000)
        throw new Error('the jobs came due before they were all there: too slow a machine');
      return due;
    },
    act: (at, due) => sleep(due * 1_000 - Date.now() + 500),
  },

  status: { title: '`status`, functions', size: 100_000, prepare: withWorker, act: word('status') },
  prioritystatus: {
    title: '`prioritystatus`, functions',
    size: 100_000,
    prepare: withWorker,
    act: word('prioritystatus'),
  },
  workers: { title: '`workers`, one with functions', size: 100_000, prepare: withWorker, act: word('workers') },
  'workers-many': {
    title: '`workers`, connections',
    size: 10_000,
    prepare: ({ port, size }) => dialAll(port, size),
    act: word('workers'),
  },
  drop: {
    title: '`drop function` in one write',
    size: 100_000,
    async prepare(at) {
      (await withWorker(at)).leave();
    },
    act: words(({ size }) => each(size, (index) => Buffer.from(`drop function f${index}\n`))),
  },
  cancel: {
    title: '`cancel job` in one write, none stored',
    size: 100_000,
    prepare: withHandles,
    act: words((at, handles) => Buffer.from(handles.map((handle) => `cancel job ${handle}\n`).join(''))),
  },
  'cancel-stored': {
    title: '`cancel job` in one write, stored',
    size: 100_000,
    stored: true,
    prepare: withHandles,
    act: words((at, handles) => Buffer.from(handles.map((handle) => `cancel job ${handle}\n`).join(''))),
  },
  'unique-status': {
    title: 'GET_STATUS_UNIQUE of nobody, as often, with as many functions',
    size: 10_000,
    prepare: withWorker,
    act: obeyed(({ size }) => times(size, packet(41, 'nobody'))),
  },
  'show-dead': {
    title: '`show dead jobs`',
    size: 100_000,
    stored: true,
    options: { policies: { '*': { retries: 0 } } },
    prepare: withDead,
    act: word('show dead jobs'),
  },
  replay: {
    title: '`replay job` of all dead letters in one write',
    size: 100_000,
    stored: true,
    options: { policies: { '*': { retries: 0 } } },
    prepare: withDead,
    act: words((at, handles) => Buffer.from(handles.map((handle) => `replay job ${handle}\n`).join(''))),
  },
  purge: {
    title: '`purge job` of all dead letters in one write',
    size: 100_000,
    stored: true,
    options: { policies: { '*': { retries: 0 } } },
    prepare: withDead,
    act: words((at, handles) => Buffer.from(handles.map((handle) => `purge job ${handle}\n`).join(''))),
  },

  start: {
    title: 'a start with stored jobs, of which a worker takes 1,000',
    size: 1_000_000,
    stored: true,
    restarts: true,
    prepare: withJobs,
    act: async ({ port }) => {
      const worker = await Peer.dial(port);
      worker.heard = (type, handle) => {
        if (type === PACKET.JOB_ASSIGN) worker.send(Buffer.concat([packet(PACKET.WORK_COMPLETE, handle, ''), GRAB]));
        else if (type === PACKET.NO_JOB) setTimeout(() => worker.send(GRAB), 1);
      };
      worker.send(Buffer.concat([packet(PACKET.CAN_DO, 'f'), times(8, GRAB)]));
      await worker.told(PACKET.JOB_ASSIGN, 1_000);
      worker.heard = undefined;
    },
  },
  export: {
    title: '`export` of stored jobs by a process beside',
    size: 200_000,
    stored: true,
    prepare: withJobs,
    act: async ({ path }) => {
      const args = ['dist/cli/main.js', 'export', '--queue-path', path];
      const command = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
      const [code] = await once(command, 'exit');
      if (code !== 0) throw new Error(`export ended with ${code}`);
    },
  },

  'workload-in': {
    title: 'a job with a workload of so many MiB comes',
    size: 60,
    prepare: ({ port }) => Peer.dial(port),
    act: answered(
      ({ size }) => packet(PACKET.SUBMIT_JOB_BG, 'f', '', Buffer.alloc(size * MEBIBYTE)),
      PACKET.JOB_CREATED,
      1,
    ),
  },
  'workload-as-unique': {
    title: 'the same with the unique `-`, which stands for the workload',
    size: 60,
    prepare: ({ port }) => Peer.dial(port),
    act: answered(
      ({ size }) => packet(PACKET.SUBMIT_JOB_BG, 'f', '-', Buffer.alloc(size * MEBIBYTE)),
      PACKET.JOB_CREATED,
      1,
    ),
  },
  'workload-stored': {
    title: 'the same, stored',
    size: 60,
    stored: true,
    prepare: ({ port }) => Peer.dial(port),
    act: answered(
      ({ size }) => packet(PACKET.SUBMIT_JOB_BG, 'f', '', Buffer.alloc(size * MEBIBYTE)),
      PACKET.JOB_CREATED,
      1,
    ),
  },
  'workload-out': {
    title: 'a job with a workload of so many MiB goes to a worker',
    size: 60,
    async prepare({ port, size }) {
      const worker = await Peer.dial(port);
      worker.send(
        Buffer.concat([
          packet(PACKET.CAN_DO, 'f'),
          packet(PACKET.SUBMIT_JOB_BG, 'f', '', Buffer.alloc(size * MEBIBYTE)),
        ]),
      );
      await worker.told(PACKET.JOB_CREATED, 1);
      return worker;
    },
    async act({ size }, worker) {
      worker.send(GRAB);
      while (worker.bytes < size * MEBIBYTE) await sleep(5);
    },
  },
  'never-reads': {
    title: 'ECHOs of 50 bytes by a peer that never reads',
    size: 1_200_000,
    prepare: ({ port }) => Peer.dial(port),
    async act({ size }, peer) {
      peer.socket.pause();
      peer.send(times(size, packet(PACKET.ECHO_REQ, WORKLOAD)));
      // The peer does not read at first, then reads everything at once: as much waits as is allowed to.
      await sleep(3_000);
      peer.socket.resume();
      await Promise.race([peer.told(PACKET.ECHO_RES, size).catch(() => undefined), sleep(20_000)]);
    },
  },
  'many-busy': {
    title: 'connections that write 64 KiB of jobs at once',
    size: 500,
    prepare: ({ port, size }) => dialAll(port, size),
    async act(at, peers) {
      const count = Math.floor(65_536 / JOB.length);
      for (const peer of peers) peer.send(times(count, JOB));
      await Promise.all(peers.map((peer) => peer.told(PACKET.JOB_CREATED, count)));
    },
  },
  connect: {
    title: 'connections made at once',
    size: 10_000,
    async act({ port, size }) {
      await Promise.all(Array.from({ length: size }, () => Peer.dial(port)));
    },
  },
  disconnect: {
    title: 'connections lost at once',
    size: 10_000,
    prepare: ({ port, size }) => dialAll(port, size),
    act: ({ port }, peers) => leavingAll(port, peers),
  },
};

// --- preparations ---

async function withJobs({ port, size }) {
  const peer = await Peer.dial(port);
  for (let sent = 0; sent < size;) {
    sent = Math.min(size, sent + AHEAD);
    peer.send(times(sent - peer.counts[PACKET.JOB_CREATED], JOB));
    await peer.told(PACKET.JOB_CREATED, sent);
  }
  return peer;
}

/** Prepares jobs, and returns their handles. */
async function withHandles({ port, size }) {
  const peer = await Peer.dial(port);
  const handles = [];
  peer.heard = (type, handle) => type === PACKET.JOB_CREATED && handles.push(handle);
  peer.send(times(size, JOB));
  await peer.told(PACKET.JOB_CREATED, size);
  return handles;
}

/** Prepares jobs that failed for good, and returns their handles. */
async function withDead(at) {
  await withJobs(at);
  const worker = await Peer.dial(at.port);
  const handles = [];
  worker.heard = (type, handle) => {
    if (type === PACKET.JOB_ASSIGN) {
      handles.push(handle);
      worker.send(Buffer.concat([packet(PACKET.WORK_FAIL, handle), GRAB]));
    } else if (type === PACKET.NO_JOB) {
      setTimeout(() => worker.send(GRAB), 5);
    }
  };
  worker.send(Buffer.concat([packet(PACKET.CAN_DO, 'f'), times(200, GRAB)]));
  await worker.told(PACKET.JOB_ASSIGN, at.size);
  worker.heard = undefined;
  await worker.settled();
  worker.leave();
  const bytes = await (await Peer.dial(at.port)).ask('show dead jobs\n');
  if (bytes < at.size) throw new Error('the jobs that failed are no dead letters');
  return handles;
}

/** Prepares a worker with so many functions. */
async function withWorker({ port, size }) {
  const worker = await Peer.dial(port);
  worker.send(each(size, (index) => packet(PACKET.CAN_DO, `f${index}`)));
  await worker.settled();
  return worker;
}

async function withSleeper(at) {
  const worker = await withWorker(at);
  worker.send(packet(PACKET.PRE_SLEEP));
  await worker.settled();
  return worker;
}

/** Prepares a worker that runs so many jobs. */
async function withRunning(at) {
  await withJobs(at);
  const worker = await Peer.dial(at.port);
  worker.send(Buffer.concat([packet(PACKET.CAN_DO, 'f'), times(at.size, GRAB)]));
  await worker.told(PACKET.JOB_ASSIGN, at.size);
  return worker;
}

/** Prepares a client that waits for so many jobs. */
async function withForeground({ port, size }) {
  const client = await Peer.dial(port);
  client.send(times(size, packet(PACKET.SUBMIT_JOB, 'f', '', WORKLOAD)));
  await client.told(PACKET.JOB_CREATED, size);
  return client;
}

/** Prepares so many clients that wait for one running job. */
async function withCoalesced({ port, size }) {
  const clients = await dialAll(port, size);
  for (const client of clients) client.send(packet(PACKET.SUBMIT_JOB, 'f', 'u', WORKLOAD));
  await Promise.all(clients.map((client) => client.told(PACKET.JOB_CREATED, 1)));
  return { clients, ...(await running(port)) };
}

/** Prepares a worker that runs a job of `f`. */
async function running(port) {
  const worker = await Peer.dial(port);
  let handle;
  worker.heard = (type, first) => type === PACKET.JOB_ASSIGN && (handle = first);
  worker.send(Buffer.concat([packet(PACKET.CAN_DO, 'f'), GRAB]));
  await worker.told(PACKET.JOB_ASSIGN, 1);
  return { complete: () => worker.send(packet(PACKET.WORK_COMPLETE, handle, WORKLOAD)) };
}

async function dialAll(port, count) {
  const peers = [];
  while (peers.length < count) {
    const more = Math.min(DIALED, count - peers.length);
    peers.push(...(await Promise.all(Array.from({ length: more }, () => Peer.dial(port)))));
  }
  return peers;
}

// --- actions ---

/** A peer writes, and reads `count` answers; by default one for each write. */
function answered(bytesOf, type, count) {
  return async (at, peer) => {
    peer.send(bytesOf(at));
    await peer.told(type, count ?? at.size);
  };
}

/** A peer writes; when the ECHO behind it comes back, the peer knows that all was obeyed. */
function obeyed(bytesOf) {
  return async (at, peer) => {
    peer.send(bytesOf(at));
    await peer.settled();
  };
}

function word(line) {
  return async ({ port }) => {
    await (await Peer.dial(port)).ask(`${line}\n`);
  };
}

function words(linesOf) {
  return async (at, prepared) => {
    const peer = await Peer.dial(at.port);
    await peer.askAll(linesOf(at, prepared), at.size);
  };
}

async function leaving({ port }, peer) {
  await leavingAll(port, [peer]);
}

/** Peers leave; resolves when the job server has noticed it. */
async function leavingAll(port, peers) {
  for (const peer of peers) peer.leave();
  await sleep(500);
  await (await Peer.dial(port)).settled();
}
