import { expect, it } from '@jest/globals';
import { describeWith } from '../support/peers.js';
import { startProgram } from '../support/program.js';
import { startSample } from '../support/sample.js';

/** Starts the sample, asks it over HTTP, and returns the answer and the tree of spans that it prints. */
async function ask(env: NodeJS.ProcessEnv, beside: (port: string) => void = () => {}) {
  const app = startSample('09-traced', { GEARMAN_PORT: '0', PORT: '0', ...env });
  const [, port] = await app.says(/listens on 127\.0\.0\.1:(\d+)/);
  const [, url] = await app.says(/Ask: curl (\S+)/);
  beside(port!);
  const response = await fetch(url!);
  const answer = await response.text();
  const [tree] = await app.says(/GET \/greet\/world[^]*submit shout .*\n(?: +process shout .*\n)?/);
  return { answer, tree: tree.replaceAll(/ H:\S+/g, ' HANDLE') };
}

const UP_TO_SHOUT = `GET /greet/world (SERVER)
  submit greet (PRODUCER) HANDLE
    process greet (CONSUMER) HANDLE
      submit shout (PRODUCER) HANDLE
`;

it('sample 09 prints a request through two Nest workers as one tree', async () => {
  const { answer, tree } = await ask({});
  expect(answer).toBe('Hello WORLD');
  expect(tree).toBe(`${UP_TO_SHOUT}        process shout (CONSUMER) HANDLE\n`);
});

describeWith('php', 'sample 09 with a PHP worker', () => {
  it('gives it the exact workload, and goes on around it', async () => {
    const { answer, tree } = await ask({ SHOUT: 'php' }, (port) => {
      startProgram('php', ['sample/09-traced/worker.php', port]);
    });
    expect(answer).toBe('Hello WORLD');
    expect(tree).toBe(UP_TO_SHOUT);
  });
});
