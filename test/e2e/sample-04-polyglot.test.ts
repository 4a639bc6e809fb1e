import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from '@jest/globals';
import { atEnd } from '../support/cleanup.js';
import { describeWith } from '../support/peers.js';
import { startProgram } from '../support/program.js';
import { mustSucceed, run } from '../support/run.js';
import { startSample } from '../support/sample.js';

const FOLDER = 'sample/04-polyglot';

/** The port of the sample's job server. */
async function startHub(): Promise<string> {
  const hub = startSample('04-polyglot', { GEARMAN_PORT: '0' });
  const [, port] = await hub.says(/listens on 127\.0\.0\.1:(\d+)/);
  return port!;
}

function askByPhp(port: string, text: string) {
  return run('php', [join(FOLDER, 'client.php'), text, port]);
}

describeWith(['php', 'perl'], 'sample 04, from PHP over Nest to Perl', () => {
  it('answers', async () => {
    const port = await startHub();
    startProgram('perl', [join(FOLDER, 'worker.pl'), port]);
    expect(await askByPhp(port, 'hello from PHP')).toEqual({
      code: 0,
      stdout: '"Hello from PHP" has 3 words\n',
      stderr: '',
    });
    expect((await askByPhp(port, 'éa ñ')).stdout).toBe('"Éa ñ" has 2 words\n');
  });
});

describeWith(['php', 'libgearman'], 'sample 04, from PHP over Nest to C', () => {
  let program: string;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nestjs-gearman-polyglot-'));
    atEnd(() => rm(folder, { recursive: true }));
    program = join(folder, 'worker');
    await mustSucceed('cc', ['-Wall', '-Wextra', '-Werror', join(FOLDER, 'worker.c'), '-lgearman', '-o', program]);
  });

  it('answers, also when the worker comes late', async () => {
    const port = await startHub();
    const asked = askByPhp(port, '  hello   from PHP ');
    startProgram(program, [port]);
    expect(await asked).toMatchObject({ code: 0, stdout: '"  hello   from PHP " has 3 words\n' });
  });
});
