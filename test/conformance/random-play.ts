import { Random } from '../support/random.js';
import { RawPeer } from '../support/raw-peer.js';
import { until } from '../support/until.js';

const FUNCTIONS = ['f', 'g', 'h'];
const SUBMISSIONS = ['SUBMIT_JOB', 'SUBMIT_JOB_HIGH', 'SUBMIT_JOB_LOW', 'SUBMIT_REDUCE_JOB'];
const BACKGROUND = ['SUBMIT_JOB_BG', 'SUBMIT_JOB_HIGH_BG', 'SUBMIT_JOB_LOW_BG', 'SUBMIT_REDUCE_JOB_BACKGROUND'];

/** What the generator remembers of a worker: enough to send only what makes sense, and what must be an error. */
interface WorkerState {
  readonly name: string;
  readonly abilities: Set<string>;
  isSleeping: boolean;
  /** It was told NOOP and has not asked since. */
  isWoken: boolean;
  /** Handles of jobs it was assigned and has not ended, as `$n`. */
  held: string[];
  /** It asked for a job just now, and there was none. */
  foundNothing: boolean;
}

interface ClientState {
  readonly name: string;
  /** Handles it was told, as `$n`. */
  readonly handles: string[];
  submissions: number;
}

/** One step: who does what. `leaves` ends the connection, a word in small letters is an admin's. */
interface Move {
  readonly peer: string;
  readonly packet: string;
}

/**
 * A random play of hundreds of steps by several workers and clients, made up
 * as it goes: each step depends on what was heard before, and it is played on
 * every stage at once, so the stages must have said the same so far.
 *
 * It keeps clear of what is known to differ (docs/SEMANTICS.md): nobody says
 * CAN_DO twice or while asleep, gives up a function while asleep beside a job,
 * or sleeps again after a NOOP without asking, a unique is only ever submitted in the
 * foreground or only in the background, a client stays while jobs of its
 * uniques are under way, every client asks for exceptions, and reduce jobs have
 * gearmand's five arguments.
 */
export class RandomPlay {
  private readonly random: Random;
  private readonly workers: WorkerState[] = [];
  private readonly clients: ClientState[] = [];
  private peerCount = 0;
  /** How the worker joined that does what is left in the end. */
  private finisher: Move | undefined;

  constructor(
    seed: number,
    private readonly stages: readonly RandomStage[],
  ) {
    this.random = new Random(seed);
  }

  /** Plays so many steps, then lets workers finish what is left. The transcript of each stage, step by step. */
  async play(steps: number): Promise<string[][]> {
    const transcripts: string[][] = this.stages.map(() => []);
    for (let count = 0; ; count++) {
      const move = count < steps ? this.invent() : this.finish();
      if (!move) return transcripts;
      const heard = await Promise.all(this.stages.map((stage) => stage.do(move)));
      for (const [index, lines] of heard.entries()) transcripts[index]!.push(`${move.peer}> ${move.packet}`, ...lines);
      if (heard.some((lines) => lines.join() !== heard[0]!.join())) return transcripts;
      this.learn(move, heard[0]!);
    }
  }

  /** Jobs that are held are completed, then one worker does what waits; undefined when nothing does. */
  private finish(): Move | undefined {
    for (const { name, held } of this.workers) {
      if (held.length > 0) return { peer: name, packet: `WORK_COMPLETE ${held[0]}·late` };
    }
    if (!this.finisher) return (this.finisher = this.join(this.workers, 'worker', 'CAN_DO f'));
    const worker = this.workers.find(({ name }) => name === this.finisher!.peer)!;
    const missing = FUNCTIONS.find((name) => !worker.abilities.has(name));
    if (missing !== undefined) return { peer: worker.name, packet: `CAN_DO ${missing}` };
    return worker.foundNothing ? undefined : { peer: worker.name, packet: 'GRAB_JOB' };
  }

  private invent(): Move {
    const { random } = this;
    if (this.workers.length < 3) return this.join(this.workers, 'worker', 'CAN_DO f');
    if (this.clients.length < 3) return this.join(this.clients, 'client', 'OPTION_REQ exceptions');
    return random.next() < 0.6
      ? this.workerMove(random.pick(this.workers))
      : this.clientMove(random.pick(this.clients));
  }

  private join(cast: (WorkerState | ClientState)[], kind: string, packet: string): Move {
    const name = `${kind}${++this.peerCount}`;
    const state = {
      name,
      abilities: new Set<string>(),
      isSleeping: false,
      isWoken: false,
      held: [],
      foundNothing: false,
      handles: [],
      submissions: 0,
    };
    cast.push(state);
    return { peer: name, packet };
  }

  private workerMove(worker: WorkerState): Move {
    const { random } = this;
    const say = (packet: string): Move => ({ peer: worker.name, packet });
    const chance = random.next();
    const held = worker.held.length > 0 ? random.pick(worker.held) : undefined;
    if (held !== undefined && chance < 0.45) return say(this.result(held));
    if (chance < 0.75) return say(random.pick(['GRAB_JOB', 'GRAB_JOB_UNIQ', 'GRAB_JOB_ALL']));
    if (chance < 0.85 && !worker.isWoken) return say('PRE_SLEEP');
    const missing = FUNCTIONS.filter((name) => !worker.abilities.has(name));
    if (chance < 0.92 && missing.length > 0 && !worker.isSleeping) return say(`CAN_DO ${random.pick(missing)}`);
    const mayGiveUp = !worker.isSleeping || worker.held.length === 0;
    if (chance < 0.94 && mayGiveUp) return say(`CANT_DO ${random.pick(FUNCTIONS)}`);
    if (chance < 0.95 && mayGiveUp) return say('RESET_ABILITIES');
    if (chance < 0.97) return say('leaves');
    return say('WORK_COMPLETE H:nobody:1·x');
  }

  private result(handle: string): string {
    const { random } = this;
    const chance = random.next();
    if (chance < 0.5) return `WORK_COMPLETE ${handle}·result ${random.below(100)}`;
    if (chance < 0.55) return `WORK_FAIL ${handle}`;
    if (chance < 0.6) return `WORK_EXCEPTION ${handle}·it broke`;
    if (chance < 0.7) return `WORK_STATUS ${handle}·${random.below(10)}·10`;
    if (chance < 0.85) return `WORK_DATA ${handle}·part·${random.below(100)}`;
    return `WORK_WARNING ${handle}·careful`;
  }

  private clientMove(client: ClientState): Move {
    const { random } = this;
    const say = (packet: string): Move => ({ peer: client.name, packet });
    const chance = random.next();
    if (chance < 0.35) return this.submission(client, random.pick(SUBMISSIONS), random.pick(['', '', 'x', 'y']));
    if (chance < 0.7) return this.submission(client, random.pick(BACKGROUND), random.pick(['', '', 'p', 'q']));
    if (chance < 0.9 && client.handles.length > 0) return say(`GET_STATUS ${random.pick(client.handles)}`);
    if (chance < 0.95) return say(`GET_STATUS_UNIQUE ${random.pick(['x', 'y', 'p', 'q', 'none'])}`);
    if (chance < 0.97) return { peer: 'admin', packet: random.pick(['status', 'prioritystatus']) };
    if (client.submissions === 0) return say('leaves');
    return say('ECHO_REQ here');
  }

  private submission(client: ClientState, packet: string, unique: string): Move {
    const { random } = this;
    // A unique names its function too: two functions with one unique are known to differ when asked for by it.
    const function_ = unique === '' ? random.pick(FUNCTIONS) : FUNCTIONS[unique.charCodeAt(0) % 3]!;
    if (SUBMISSIONS.includes(packet)) client.submissions++;
    const reducer = packet.includes('REDUCE') ? 'sum·-·' : '';
    return { peer: client.name, packet: `${packet} ${function_}·${unique}·${reducer}workload ${random.below(100)}` };
  }

  private learn({ peer, packet }: Move, heard: readonly string[]): void {
    const worker = this.workers.find(({ name }) => name === peer);
    this.learnOfWaking(heard);
    if (peer === 'admin') return;
    if (worker) this.learnOfWorker(worker, packet, heard);
    else if (packet === 'leaves')
      this.clients.splice(
        this.clients.findIndex(({ name }) => name === peer),
        1,
      );
    else
      this.learnOfClient(
        this.clients.find(({ name }) => name === peer)!,
        heard,
      );
  }

  private learnOfWorker(worker: WorkerState, packet: string, heard: readonly string[]): void {
    const [name, body = ''] = packet.split(' ');
    if (packet === 'leaves') this.workers.splice(this.workers.indexOf(worker), 1);
    if (name === 'CAN_DO') worker.abilities.add(body);
    if (name === 'CANT_DO') worker.abilities.delete(body);
    if (name === 'RESET_ABILITIES') worker.abilities.clear();
    if (name?.startsWith('GRAB')) worker.isSleeping = worker.isWoken = false;
    worker.foundNothing = heard.includes(`${worker.name}< NO_JOB`);
    if (name === 'PRE_SLEEP') worker.isSleeping = true;
    if (['WORK_COMPLETE', 'WORK_FAIL', 'WORK_EXCEPTION'].includes(name!)) {
      const [handle] = body.split('·');
      worker.held = worker.held.filter((held) => held !== handle);
    }
    for (const line of heard) {
      const assigned = new RegExp(`^${worker.name}< JOB_ASSIGN\\w* (\\$\\d+)·`).exec(line);
      if (assigned) worker.held.push(assigned[1]!);
    }
  }

  /** Whoever hears NOOP is woken, whoever moved. */
  private learnOfWaking(heard: readonly string[]): void {
    for (const worker of this.workers) {
      if (heard.includes(`${worker.name}< NOOP`)) worker.isWoken = true;
    }
  }

  private learnOfClient(client: ClientState, heard: readonly string[]): void {
    for (const line of heard) {
      const created = new RegExp(`^${client.name}< JOB_CREATED (\\$\\d+)$`).exec(line);
      if (created) client.handles.push(created[1]!);
    }
  }
}

/** One job server with its cast: plays a move and tells what everybody heard, handles numbered in order of creation. */
export class RandomStage {
  private readonly peers = new Map<string, RawPeer>();
  private readonly handles: string[] = [];

  constructor(private readonly server: { port: number }) {}

  async do({ peer: name, packet }: Move): Promise<string[]> {
    if (name === 'admin') return this.ask(packet);
    let peer = this.peers.get(name);
    if (!peer) this.peers.set(name, (peer = await RawPeer.connect(this.server)));
    if (packet === 'leaves') await this.leave(name, peer);
    else peer.send(packet.replace(/\$(\d+)/, (_, number) => this.handles[Number(number) - 1]!));
    const heard: string[] = [];
    // Whoever moved is asked first: when its answers are there, the others' are on their way.
    for (const other of new Set([name, ...this.peers.keys()])) {
      const units = (await this.peers.get(other)?.untilEcho()) ?? [];
      heard.push(...units.map((unit) => `${other}< ${this.numbered(unit)}`));
    }
    return heard;
  }

  /** The functions' counts, as a set: the answer to `status` or `prioritystatus`. */
  async ask(word: string): Promise<string[]> {
    const admin = await RawPeer.connect(this.server);
    admin.sendText(`${word}\n`);
    const lines = await admin.list();
    await this.leave('admin', admin);
    return lines.sort();
  }

  private async leave(name: string, peer: RawPeer): Promise<void> {
    this.peers.delete(name);
    const admin = await RawPeer.connect(this.server);
    const before = await this.connections(admin);
    peer.destroy();
    await until('it has left', async () => (await this.connections(admin)) !== before);
    admin.destroy();
  }

  private async connections(admin: RawPeer): Promise<number> {
    admin.sendText('workers\n');
    return (await admin.list()).length;
  }

  private numbered(unit: string): string {
    const created = /^JOB_CREATED (.*)$/.exec(unit);
    if (created && !this.handles.includes(created[1]!)) this.handles.push(created[1]!);
    return unit.replace(/H:[^·\s]+/, (handle) => {
      const index = this.handles.indexOf(handle);
      return index < 0 ? handle : `$${index + 1}`;
    });
  }
}
