import { CLOSED, RawPeer } from '../support/raw-peer.js';
import { until } from '../support/until.js';
import { bytesOf } from '../support/wire.js';
import { transcript, type Answer, type Scene, type ServerName, type Step } from './scene.js';

/** How long a server that stalls a connection is given to answer after all. */
const STALL = 300;

/**
 * Plays a scene against the job server on `port` and writes down what each
 * peer heard after each step. Every peer's ECHO behind every step makes that
 * everything, without waiting for nothing.
 */
export async function play(scene: Scene, { port }: { port: number }, server: ServerName): Promise<string> {
  const stage = new Stage(port, server);
  const heard: Answer[][] = [];
  for (const step of scene.steps) heard.push(await stage.perform(step));
  return transcript(scene, (_step, index) => heard[index]!);
}

class Stage {
  private readonly peers = new Map<string, RawPeer>();
  private readonly handles: string[] = [];

  constructor(
    private readonly port: number,
    private readonly server: ServerName,
  ) {}

  async perform(step: Step): Promise<Answer[]> {
    const actor = await this.peer(step.peer);
    const answers: Answer[] = [];
    if (step.action === 'waits') {
      const awaited = step.answers.filter((answer) => this.concerns(answer)).length;
      for (const unit of await actor.nextOnes(awaited)) answers.push(this.answer(step.peer, unit));
    } else {
      await this.act(actor, step);
    }
    if (step.action === 'part') return answers;
    // The actor's ECHO first: once it is answered, the server has done what the others hear of.
    const others = [...this.peers.keys()].filter((name) => name !== step.peer);
    for (const name of [step.peer, ...others]) answers.push(...(await this.hear(name, step)));
    return answers;
  }

  private async peer(name: string): Promise<RawPeer> {
    let peer = this.peers.get(name);
    if (!peer) this.peers.set(name, (peer = await RawPeer.connect({ port: this.port })));
    return peer;
  }

  private async act(actor: RawPeer, { action, body, peer }: Step): Promise<void> {
    const line = unescape(body)
      .replace(/@\+(\d+)/g, secondsFromNow)
      .replace(/\$(\d+)/g, (_, number: string) => this.handles[Number(number) - 1] ?? `$${number}`);
    if (action === 'packet') actor.send(line);
    else if (action === 'text') actor.sendText(`${line}\n`);
    else if (action === 'leaves') await this.leave(peer, actor);
    else actor.send(Buffer.from(body.replaceAll(' ', ''), 'hex'));
  }

  /** Ends a peer's connection and waits until the job server knows: it lists every connection under `workers`. */
  private async leave(name: string, peer: RawPeer): Promise<void> {
    this.peers.delete(name);
    peer.end();
    const usher = await RawPeer.connect({ port: this.port });
    await until(`${name} has left`, async () => {
      usher.sendText('workers\n');
      return (await usher.list()).length - 1 === this.peers.size + 1;
    });
    usher.end();
  }

  private async hear(name: string, step: Step): Promise<Answer[]> {
    const peer = this.peers.get(name);
    if (!peer) return [];
    const stalls = step.answers.some(
      (answer) => this.concerns(answer) && answer.peer === name && answer.heard === 'stalled',
    );
    const units = stalls ? await this.stalled(peer) : await peer.untilEcho();
    if (stalls || units.at(-1) === CLOSED) this.peers.delete(name);
    return inOrder(units.map((unit) => this.answer(name, unit)));
  }

  /** A stalled peer does not even hear its ECHO. */
  private async stalled(peer: RawPeer): Promise<string[]> {
    try {
      return await peer.untilEcho('sync', STALL);
    } catch {
      return ['stalled'];
    }
  }

  private concerns(answer: Answer): boolean {
    return answer.server === undefined || answer.server === this.server;
  }

  private answer(peer: string, unit: string): Answer {
    const created = /^JOB_CREATED (.*)$/s.exec(unit)?.[1];
    if (created !== undefined && !this.handles.includes(created)) this.handles.push(created);
    let heard = unit.endsWith('\n') ? `<${neutral(unit.slice(0, -1))}` : unit;
    // Longer handles first: H:host:1 is the beginning of H:host:10.
    const known = [...this.handles.entries()].sort(([, a], [, b]) => b.length - a.length);
    for (const [index, handle] of known) heard = heard.replaceAll(handle, `$${index + 1}`);
    return { peer, heard: escape(heard), server: this.server };
  }
}

/** Lists of the admin protocol have no order to rely on. */
function inOrder(answers: Answer[]): Answer[] {
  const end = answers.findIndex(({ heard }) => heard === '<.');
  const lines = answers.slice(0, Math.max(end, 0)).sort((a, b) => (a.heard < b.heard ? -1 : 1));
  return [...lines, ...answers.slice(lines.length)];
}

/** What differs from run to run: file descriptors, process ids, versions, the order of a worker's functions. */
function neutral(line: string): string {
  return line
    .replace(/^\d+ 127\.0\.0\.1 (.* :)(.*)$/s, (_, id: string, names: string) => `FD IP ${id}${sorted(names)}`)
    .replace(/^OK \d+\.\d+\.\d+\S*$/, 'OK VERSION')
    .replace(/^OK \d+$/, 'OK PID')
    .replace(/^OK (ERROR|INFO)$/, 'OK LEVEL');
}

function secondsFromNow(_: string, seconds: string): string {
  return String(Math.floor(Date.now() / 1000) + Number(seconds));
}

function sorted(names: string): string {
  return names.split(' ').sort().join(' ');
}

function escape(unit: string): string {
  return unit.replace(/[^ -~·]/g, (char) => ESCAPES[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function unescape(text: string): string {
  const chars = text.replace(/\\(r|n|t)/g, (escaped) => UNESCAPES[escaped]!);
  return chars.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
    bytesOf(String.fromCharCode(parseInt(hex, 16))).toString('latin1'),
  );
}

const ESCAPES: Record<string, string> = { '\r': '\\r', '\n': '\\n', '\t': '\\t' };
const UNESCAPES = Object.fromEntries(Object.entries(ESCAPES).map(([char, escaped]) => [escaped, char]));
