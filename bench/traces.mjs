import { spawnSync } from 'node:child_process';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';

const ECHOES = 20_000;
const WARM_UP = 10_000;
const IN_FLIGHT = 64;

/** What receives the spans. */
const MODES = {
  'without @opentelemetry/api': hideApi,
  'with it, and no SDK': () => undefined,
  'with the SDK, spans thrown away': startSdk,
  'tracing: false': () => undefined,
};

/**
 * Prints what an echo through strategy and client costs, by the parts of
 * OpenTelemetry that an app has. Everything runs in one process with an embedded
 * job server.
 */
export async function benchTraces({ runs }) {
  const names = Object.keys(MODES);
  const costs = Object.fromEntries(names.map((name) => [name, []]));
  for (let run = 0; run < runs; run++) for (const name of names) costs[name].push(cpuOf(name));
  console.log('| CPU us an echo | median | least | of that without |\n| --- | ---: | ---: | ---: |');
  const least = (name) => Math.min(...costs[name]);
  for (const name of names) {
    const median = costs[name].toSorted((one, other) => one - other)[runs >> 1];
    const ratio = least(name) / least(names[0]);
    console.log(`| ${name} | ${median.toFixed(1)} | ${least(name).toFixed(1)} | ${ratio.toFixed(3)} |`);
  }
}

function cpuOf(mode) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), mode]);
  if (status !== 0) throw new Error(`${mode}: ${stderr}`);
  return Number(stdout);
}

async function echo(mode) {
  await MODES[mode]();
  await import('reflect-metadata');
  const { Controller, Module } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  const { MessagePattern } = await import('@nestjs/microservices');
  const { GearmanClient, GearmanStrategy } = await import('nestjs-gearman');
  const { JobServer } = await import('nestjs-gearman/job-server');
  const { lastValueFrom } = await import('rxjs');
  class Echo {
    echo(data) {
      return data;
    }
  }
  MessagePattern('echo')(Echo.prototype, 'echo', Object.getOwnPropertyDescriptor(Echo.prototype, 'echo'));
  Controller()(Echo);
  class App {}
  Module({ controllers: [Echo] })(App);
  const servers = new JobServer({ listeners: [] });
  await servers.start();
  const options = mode === 'tracing: false' ? { servers, tracing: false } : { servers };
  const strategy = new GearmanStrategy({ ...options, concurrency: IN_FLIGHT });
  const app = await NestFactory.createMicroservice(App, { strategy, logger: ['error'] });
  await app.listen();
  const client = new GearmanClient(options);
  await client.connect();
  const many = async (count) => {
    let left = count;
    const one = async () => {
      while (left-- > 0) await lastValueFrom(client.send('echo', { a: 1 }));
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, one));
  };
  await many(WARM_UP);
  const before = process.cpuUsage();
  await many(ECHOES);
  const { user, system } = process.cpuUsage(before);
  console.log((user + system) / ECHOES);
  process.exit();
}

/** Makes the package impossible to find, as if it were not installed. */
function hideApi() {
  const hook = `export const resolve = (name, context, next) => {
    if (name !== '@opentelemetry/api') return next(name, context);
    throw Object.assign(new Error('not installed'), { code: 'ERR_MODULE_NOT_FOUND' });
  };`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
}

async function startSdk() {
  const { trace, context, propagation } = await import('@opentelemetry/api');
  const { AsyncLocalStorageContextManager } = await import('@opentelemetry/context-async-hooks');
  const { W3CTraceContextPropagator } = await import('@opentelemetry/core');
  const { BasicTracerProvider, SimpleSpanProcessor } = await import('@opentelemetry/sdk-trace-base');
  const exporter = { export: (_spans, done) => done({ code: 0 }), shutdown: async () => undefined };
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await echo(process.argv[2]);
