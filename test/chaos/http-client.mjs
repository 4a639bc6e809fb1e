/** A client over HTTP that is killed: `http-client.mjs SOCKETS FOLDER NAME SEED`, as client.mjs. Writes down which jobs were answered with 202, both single ones and lists. */
import { Agent, request } from 'node:http';
import { httpSocketOf } from './job-server-address.mjs';
import { Ledger } from './ledger.mjs';
import { randomJob } from './random-job.mjs';
import { random } from './random.mjs';

const IN_FLIGHT = 16;

const [sockets, folder, name, seed] = process.argv.slice(2);
const ledger = new Ledger(folder, name);
const chance = random(Number(seed));
const paths = sockets.split(',').map(httpSocketOf);
const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
let count = 0;

/** The answer's JSON. Rejects if there is none, or if its status is not 202. */
function post(path, body) {
  const socketPath = paths[Math.floor(chance() * paths.length)];
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, agent, method: 'POST', path: `/v1/${path}` }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => (text += part));
      response.once('error', reject).once('end', () => {
        if (response.statusCode === 202 && response.complete) resolve(JSON.parse(text));
        else reject(new Error(`${response.statusCode}: ${text}`));
      });
    });
    asked.once('error', reject).end(body);
  });
}

async function submitOne() {
  const id = `${name}.${++count}`;
  const { function: fn, workload, unique, at, priority } = randomJob(id, chance);
  const given = Object.entries({ unique, at: at?.toISOString(), priority }).filter(([, value]) => value !== undefined);
  const { handle } = await post(`functions/${fn}/jobs?${new URLSearchParams(given)}`, workload);
  ledger.write('accepted', handle, id);
}

/** Submits a list; each of its jobs is accepted or not. */
async function submitSome() {
  const ids = Array.from({ length: 5 }, () => `${name}.${++count}`);
  const lines = ids.map((id) => {
    const { workload, ...asked } = randomJob(id, chance);
    return { ...asked, base64: workload.toString('base64') };
  });
  const { jobs } = await post('jobs', JSON.stringify({ jobs: lines }));
  jobs.forEach(({ handle, code }, index) => code === undefined && ledger.write('accepted', handle, ids[index]));
}

/** Submits one job after the other; a submission that is refused or not answered is not accepted. */
async function submitAll() {
  for (;;) {
    await (chance() < 0.2 ? submitSome() : submitOne()).catch(() => pause(20));
    await pause(chance() * 100);
  }
}

function pause(time) {
  return new Promise((resolve) => setTimeout(resolve, time));
}

for (let each = 0; each < IN_FLIGHT; each++) void submitAll();
