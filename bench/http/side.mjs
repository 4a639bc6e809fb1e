/** A process of `bench -- http`: `side.mjs SIDE PORT HTTP_PORT`. It prints `ready`; asked for `cpu`, it returns the CPU time it has used. */
import 'reflect-metadata';
import { createServer } from 'node:http';
import { Body, Controller, Inject, Logger, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientsModule, MessagePattern, Transport } from '@nestjs/microservices';
import { GearmanStrategy } from 'nestjs-gearman';
import { GearmanJobServerModule, JobServer } from 'nestjs-gearman/job-server';
import { createWebHandler, GearmanWebModule } from 'nestjs-gearman/web';

const HOST = '127.0.0.1';
const [side, port, httpPort] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const tcp = { transport: Transport.TCP, options: { host: HOST, port } };
Logger.overrideLogger(['error']);

const SIDES = {
  /** Returns what it was sent, over Gearman and over TCP. */
  worker: () =>
    serve({ strategy: new GearmanStrategy({ servers: `${HOST}:${port}`, format: 'text', concurrency: 64 }) }),
  'tcp-worker': () => serve(tcp),

  /** An app whose controller calls the worker with Nest's TCP transport. */
  async 'tcp-front'() {
    class Calls {
      constructor(client) {
        this.client = client;
      }
      run({ text }) {
        return this.client.send('echo', text);
      }
    }
    decorate(Calls, 'run', Post('run'));
    Inject('WORKER')(Calls, undefined, 0);
    Body()(Calls.prototype, 'run', 0);
    await answer({ imports: [ClientsModule.register([{ name: 'WORKER', ...tcp }])], controllers: [Calls] });
  },

  /** An app with the job server and its web module. */
  async 'module-front'() {
    const listeners = [{ host: HOST, port }];
    await answer({
      imports: [GearmanJobServerModule.forRoot({ listeners }), GearmanWebModule.forRoot({ access: 'open' })],
    });
  },

  /** The job server and its web handler, as `job-server --web-port` starts them. */
  async 'web-port'() {
    const jobServer = new JobServer({ listeners: [{ host: HOST, port }] });
    await jobServer.start();
    const handler = createWebHandler({ sources: [{ name: 'main', jobServer }], access: 'open' });
    await new Promise((resolve) => createServer(handler).listen(httpPort, HOST, resolve));
  },
};

function decorate(type, method, decorator) {
  Controller()(type);
  decorator(type.prototype, method, Object.getOwnPropertyDescriptor(type.prototype, method));
}

async function serve(options) {
  class Echo {
    echo(data) {
      return data;
    }
  }
  decorate(Echo, 'echo', MessagePattern('echo'));
  class App {}
  Module({ controllers: [Echo] })(App);
  await (await NestFactory.createMicroservice(App, { ...options, logger: ['error'] })).listen();
}

async function answer(metadata) {
  class App {}
  Module(metadata)(App);
  await (await NestFactory.create(App, { logger: ['error'] })).listen(httpPort, HOST);
}

process.on('message', () => process.send({ cpu: process.cpuUsage() }));
process.once('disconnect', () => process.exit());
await SIDES[side]();
process.send('ready');
