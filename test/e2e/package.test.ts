import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it, jest } from '@jest/globals';
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

/** Makes the fixture an app with the packed package and this Nest. */
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
  await mkdir(app);
  await writeFile(join(app, 'package.json'), JSON.stringify({ private: true, dependencies }));
  const quickly = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  await mustSucceed('npm', ['install', ...quickly], { cwd: app });
  await cp(FIXTURE, app, { recursive: true });
  // The same source as an ES module and as CommonJS: one compiler run checks the types as each of them sees them.
  for (const extension of ['mts', 'cts']) await cp(join(FIXTURE, 'app.ts'), join(app, `app.${extension}`));
  await compile(app, nest, 'tsconfig.json');
}

/** With the older compiler for the older Nest: both read the types. */
async function compile(app: string, nest: string, project: string): Promise<void> {
  const compiler = nest === '12' ? 'typescript-7/bin/tsc' : 'typescript/bin/tsc';
  const types = ['--typeRoots', join(TOOLS, '@types')];
  await mustSucceed('node', [join(TOOLS, compiler), '-p', project, ...types], { cwd: app });
}

/** Opens the page of an app of this folder, and works on it. */
async function openPageOf(app: string, adapter: string): Promise<void> {
  const program = startProgram('node', ['page.mjs', adapter], { cwd: app });
  const origin = `http://127.0.0.1:${(await program.says(/^port (\d+)$/m))[1]}`;
  const [path, headers] = ['/api/gearman/', { 'x-word': 'sesame' }];
  const refused = await fetch(origin + path);
  expect(refused.status).toBe(403);
  const init = { method: 'POST', headers: { ...headers, 'Content-Type': 'text/plain' }, body: 'hello' };
  await goRound(origin, path, () => fetch(`${origin}${path}v1/functions/mail/jobs`, init), {
    extraHTTPHeaders: headers,
  });
  expect(await program.end('SIGTERM')).not.toBe(1);
}

describeWith('npm registry', 'the packed package', () => {
  let packed: Package;
  let folder: string;
  const appOf = (nest: string): string => join(folder, `nest-${nest}`);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nestjs-gearman-package-'));
    atEnd(() => rm(folder, { recursive: true, force: true }));
    packed = await pack(folder);
    await Promise.all(['12', '11'].map((nest) => install(appOf(nest), nest, packed)));
  });

  it('holds what users need, and nothing else', async () => {
    expect(packed.files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.js', 'dist/index.d.ts']));
    const expected = /^(dist|docs|dashboards)\/|^(package\.json|LICENSE|README\.md|CHANGELOG\.md)$/;
    expect(packed.files.filter((file) => !expected.test(file))).toEqual([]);
  });

  it.each([
    ['import', '12', 'out/app.mjs'],
    ['require', '12', 'out/app.cjs'],
    ['import', '11', 'out/app.mjs'],
    ['require', '11', 'out/app.cjs'],
  ])('runs in an app that does `%s` it, with Nest %s', async (_how, nest, app) => {
    expect(await run('node', [app], { cwd: appOf(nest) })).toMatchObject({ code: 0, stdout: OUTPUT });
  });

  it.each(['12', '11'])('does the same by the means of Nest %s', async (nest) => {
    const { code, stdout } = await run('node', ['out/transport.mjs'], { cwd: appOf(nest) });
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

  it.each(['12', '11'])('has its web module and metrics in apps of Nest %s as they are', async (nest) => {
    const { code, stdout, stderr } = await run('node', ['web.mjs'], { cwd: appOf(nest) });
    const seen = 'without the word 403, page 200 true, ann, bytes 202 true, list 202, events';
    const lines = ['express', 'fastify'].flatMap((adapter) => [
      `${adapter}: ${seen}`,
      `${adapter}: metrics true, without the word 403`,
      `${adapter}: closed`,
    ]);
    expect([code, stderr, ...stdout.trimEnd().split('\n')]).toEqual([0, '', ...lines]);
  });

  describeWith('chromium', 'shows its page in a browser', () => {
    it.each([
      ['12', 'express'],
      ['12', 'fastify'],
      ['11', 'express'],
      ['11', 'fastify'],
    ])('in an app of Nest %s on %s', (nest, adapter) => openPageOf(appOf(nest), adapter));
  });

  it('joins spans with Nest 11, which has no dispatch hook', async () => {
    const app = appOf('11');
    // As an app that traces has it; that of Nest 12 stays without, as every other test of this file.
    await symlink(join(TOOLS, '@opentelemetry'), join(app, 'node_modules/@opentelemetry'));
    const { stdout } = await mustSucceed('node', ['tracing.mjs'], { cwd: app });
    expect(stdout).toBe('submit traced true\nprocess traced true true\n');
  });

  it.each(['12', '11'])('serves metrics and the HTTP API with Nest %s, on Express and on Fastify', async (nest) => {
    const { stdout } = await mustSucceed('node', ['metrics.mjs'], { cwd: appOf(nest) });
    expect(stdout.split('\n')).toEqual([
      'ExpressAdapter 403,403 charset=utf-8,text/plain,version=0.0.4 true true',
      'FastifyAdapter 403,403 charset=utf-8,text/plain,version=0.0.4 true true',
      '',
    ]);
  });

  it.each([
    ['a bundler resolves modules', '12', 'tsconfig.bundler.json'],
    ['an older CommonJS app resolves them', '11', 'tsconfig.node10.json'],
  ])('has its types where %s', async (_where, nest, project) => {
    await compile(appOf(nest), nest, project);
  });

  it('runs under ts-jest with Nest 11, by the transformIgnorePatterns that docs/testing.md shows', async () => {
    const app = appOf('11');
    // The repository's own Jest and ts-jest, to download less.
    await symlink(join(TOOLS, 'ts-jest'), join(app, 'node_modules/ts-jest'));
    const command = [join(TOOLS, 'jest/bin/jest.js'), '--config', 'jest/jest.config.json'];
    const { stderr } = await mustSucceed('node', command, { cwd: app });
    expect(stderr).toContain('2 passed');
  });
});
