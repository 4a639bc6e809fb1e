import { cp, mkdtemp, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { requireBuild, ROOT } from '../support/built.js';
import { atEnd } from '../support/cleanup.js';
import { timesAsLong } from '../support/patience.js';
import { goRound } from '../support/page-round.js';
import { describeWith } from '../support/peers.js';
import { startProgram } from '../support/program.js';
import { mustSucceed, run } from '../support/run.js';

const FIXTURE = join(ROOT, 'test/fixtures/package');
const TOOLS = join(ROOT, 'node_modules');
/** What the fixture's app prints. */
const OUTPUT = '!dlrow olleH HELLO\nfake hello\n';

jest.setTimeout(timesAsLong(5));

interface Package {
  readonly tarball: string;
  readonly files: readonly string[];
}

/** Packs what `npm publish` would. */
async function pack(folder: string): Promise<Package> {
  requireBuild();
  const { stdout } = await mustSucceed('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]);
  const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  return { tarball: join(folder, packed.filename), files: packed.files.map(({ path }) => path) };
}

/** Makes the folder an app of the fixture with the packed package and this Nest, whichever it has had before. */
async function install(app: string, nest: string, { tarball }: Package): Promise<void> {
  const parts = ['common', 'core', 'microservices', 'testing', 'platform-express', 'platform-fastify'];
  const dependencies = {
    ...Object.fromEntries(parts.map((part) => [`@nestjs/${part}`, `^${nest}.0.0`])),
    'nestjs-gearman': `file:${tarball}`,
    '@fastify/compress': '^8.0.0',
    '@fastify/helmet': '^13.0.0',
    compression: '^1.8.0',
    helmet: '^8.0.0',
    'reflect-metadata': '^0.2.0',
    rxjs: '^7.1.0',
  };
  for (const left of ['package-lock.json', 'out']) await rm(join(app, left), { recursive: true, force: true });
  await writeFile(join(app, 'package.json'), JSON.stringify({ private: true, dependencies }));
  const quickly = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  await mustSucceed('npm', ['install', ...quickly], { cwd: app });
  const { version } = JSON.parse(await readFile(join(app, 'node_modules/@nestjs/core/package.json'), 'utf8')) as {
    version: string;
  };
  if (!version.startsWith(`${nest}.`)) throw new Error(`npm has installed Nest ${version} instead of ${nest}`);
}

/** Compiles the app for each way to resolve modules; for the older Nest with the older compiler: both read the types. */
async function compile(app: string, nest: string): Promise<void> {
  const types = join(TOOLS, '@types');
  if (nest === '11') {
    const command = [join(ROOT, 'test/support/older-compiler.mjs'), types, 'tsconfig.json', 'tsconfig.node10.json'];
    await mustSucceed('node', command, { cwd: app });
    return;
  }
  const compiler = [join(TOOLS, 'typescript-7/bin/tsc'), '--typeRoots', types, '-p'];
  for (const project of ['tsconfig.json', 'tsconfig.bundler.json']) {
    await mustSucceed('node', [...compiler, project], { cwd: app });
  }
}

/** Opens the page of an app at this address, and works on it. */
async function openPageOf(origin: string): Promise<void> {
  const [path, headers] = ['/api/gearman/', { 'x-word': 'sesame' }];
  const refused = await fetch(origin + path);
  expect(refused.status).toBe(403);
  const init = { method: 'POST', headers: { ...headers, 'Content-Type': 'text/plain' }, body: 'hello' };
  await goRound(origin, path, () => fetch(`${origin}${path}v1/functions/mail/jobs`, init), {
    extraHTTPHeaders: headers,
  });
}

/** Has a package of the repository in an app, while that is run. */
async function withLink(app: string, name: string, run: () => Promise<void>): Promise<void> {
  const link = join(app, 'node_modules', name);
  await symlink(join(TOOLS, name), link);
  await run().finally(() => unlink(link));
}

let packed: Package;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nestjs-gearman-package-'));
  atEnd(() => rm(folder, { recursive: true, force: true }));
  packed = await pack(folder);
});

it('holds what users need, and nothing else', () => {
  expect(packed.files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.js', 'dist/index.d.ts']));
  const expected = /^(dist|docs|dashboards)\/|^(package\.json|LICENSE|README\.md|CHANGELOG\.md)$/;
  expect(packed.files.filter((file) => !expected.test(file))).toEqual([]);
});

it('resolves for every kind of app, by the rules of publint and attw', async () => {
  await mustSucceed('node', [join(ROOT, 'test/package-check.mjs'), packed.tarball]);
});

// One folder, in which npm changes nothing but Nest: an app made anew would cost as much again.
describeWith('npm registry', 'the packed package', () => {
  describe.each(['12', '11'])('with Nest %s', (nest) => {
    let app: string;

    beforeAll(async () => {
      app = join(folder, 'app');
      await cp(FIXTURE, app, { recursive: true });
      // The same source as an ES module and as CommonJS: one compiler run checks the types as each of them sees them.
      for (const extension of ['mts', 'cts']) await cp(join(FIXTURE, 'app.ts'), join(app, `app.${extension}`));
      await install(app, nest, packed);
      await compile(app, nest);
    });

    it.each([
      ['import', 'out/app.mjs'],
      ['require', 'out/app.cjs'],
    ])('runs in an app that does `%s` it', async (_how, program) => {
      expect(await run('node', [program], { cwd: app })).toMatchObject({ code: 0, stdout: OUTPUT });
    });

    it('does the same by the means of this Nest', async () => {
      const { code, stdout } = await run('node', ['out/transport.mjs'], { cwd: app });
      expect(stdout.split('\n')).toEqual([
        '[{"trace":"abc"}] start metadata, end metadata',
        '[1,2,3] start stream, end stream',
        '{"error":{"code":7}} start fails, end fails',
        '{"error":{"status":"error","message":"other"}} start event, one, other, end event',
        'GEARMAN_INVALID_WORKLOAD start unwritable, end unwritable',
        '',
      ]);
      expect(code).toBe(0);
    });

    it('has its web module, metrics and HTTP API in apps as they are, on Express and on Fastify', async () => {
      // Two programs in one process, one after the other: Nest is loaded once.
      const command = ['--import', './web.mjs', 'metrics.mjs'];
      const { code, stdout, stderr } = await run('node', command, { cwd: app });
      const seen = 'without the word 403, page 200 true, ann, bytes 202 true, list 202, events';
      const lines = ['express', 'fastify'].flatMap((adapter) => [
        `${adapter}: ${seen}`,
        `${adapter}: metrics true, without the word 403`,
        `${adapter}: closed`,
      ]);
      const metrics = ['ExpressAdapter', 'FastifyAdapter'].map(
        (adapter) => `${adapter} 403,403 charset=utf-8,text/plain,version=0.0.4 true true`,
      );
      expect([code, stderr, ...stdout.trimEnd().split('\n')]).toEqual([0, '', ...lines, ...metrics]);
    });

    describeWith('chromium', 'its page in a browser', () => {
      it('is shown by apps on Express and on Fastify', async () => {
        const program = startProgram('node', ['page.mjs'], { cwd: app });
        for (const adapter of ['express', 'fastify']) {
          const [, port] = await program.says(new RegExp(`^${adapter} (\\d+)$`, 'm'));
          await openPageOf(`http://127.0.0.1:${port}`);
        }
        expect(await program.end('SIGTERM')).not.toBe(1);
      });
    });

    // Nest 12 has a dispatch hook; its app stays without OpenTelemetry, as every other test of this file.
    if (nest === '11') {
      it('joins spans without a dispatch hook', () =>
        withLink(app, '@opentelemetry', async () => {
          const { stdout } = await mustSucceed('node', ['tracing.mjs'], { cwd: app });
          expect(stdout).toBe('submit traced true\nprocess traced true true\n');
        }));

      it('runs under ts-jest, by the transformIgnorePatterns that docs/testing.md shows', () =>
        // The repository's own Jest and ts-jest, to download less.
        withLink(app, 'ts-jest', async () => {
          const command = [join(TOOLS, 'jest/bin/jest.js'), '--config', 'jest/jest.config.json'];
          const { stderr } = await mustSucceed('node', command, { cwd: app });
          expect(stderr).toContain('2 passed');
        }));
    }
  });
});
