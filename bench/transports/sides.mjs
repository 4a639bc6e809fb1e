/**
 * The two sides of a contestant, as Nest or a library makes them: `serve` returns
 * what it got (or counts it), `call` makes a function that sends one workload and
 * resolves with the answer (or when the job is accepted).
 */
import 'reflect-metadata';
import { createRequire } from 'node:module';
import { Controller, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxyFactory, MessagePattern } from '@nestjs/microservices';
import { GearmanClient, GearmanStrategy, JobClient, JobWorker } from 'nestjs-gearman';
import { lastValueFrom } from 'rxjs';

const require = createRequire(import.meta.url);
Logger.overrideLogger(['error']);

/** A Nest microservice, and Nest's client for it. */
export const nest = {
  async serve({ gearman, nest: options }, format) {
    class Echo {
      echo(data) {
        return data;
      }
    }
    Controller()(Echo);
    MessagePattern('echo')(Echo.prototype, 'echo', Object.getOwnPropertyDescriptor(Echo.prototype, 'echo'));
    class App {}
    Module({ controllers: [Echo] })(App);
    const strategy = gearman && { strategy: new GearmanStrategy({ ...gearman, format, concurrency: 64 }) };
    const app = await NestFactory.createMicroservice(App, { ...(strategy ?? options), logger: ['error'] });
    await app.listen();
  },
  async call({ gearman, nest: options }, format) {
    const client = gearman ? new GearmanClient({ ...gearman, format }) : ClientProxyFactory.create(options);
    await client.connect();
    return (data) => lastValueFrom(client.send('echo', data));
  },
};

/** Our driver without Nest, in the foreground. */
export const driver = {
  async serve({ gearman }) {
    const worker = new JobWorker({ ...gearman, concurrency: 64 });
    worker.register('echo', (job) => job.workload);
    await worker.start();
  },
  async call({ gearman }) {
    const client = new JobClient(gearman);
    await client.connect();
    return (workload) =>
      new Promise((complete, fail) => client.submit({ function: 'echo', workload }, { complete, fail }));
  },
};

/** node-gearman, in the foreground. */
export const nodeGearman = {
  async serve({ port }) {
    const Gearman = require('node-gearman');
    new Gearman('127.0.0.1', port).registerWorker('echo', (payload, worker) => worker.end(payload));
  },
  async call({ port }) {
    const Gearman = require('node-gearman');
    const gearman = new Gearman('127.0.0.1', port);
    return (data) =>
      new Promise((resolve, reject) => {
        const chunks = [];
        const job = gearman.submitJob('echo', data);
        job.on('data', (chunk) => chunks.push(chunk));
        job.on('end', () => resolve(Buffer.concat(chunks)));
        job.on('error', reject);
      });
  },
};

/** gearmanode, in the foreground. */
export const gearmanode = {
  async serve({ port }) {
    const worker = require('gearmanode').worker({ host: '127.0.0.1', port });
    worker.addFunction('echo', (job) => job.workComplete(job.payload));
  },
  async call({ port }) {
    const client = require('gearmanode').client({ host: '127.0.0.1', port });
    return (data) =>
      new Promise((resolve, reject) => {
        const job = client.submitJob('echo', data);
        job.on('complete', () => resolve(job.response));
        job.on('failed', reject).on('error', reject);
      });
  },
};

/** Our driver's background jobs. */
export const background = {
  async serve({ gearman }, _, took) {
    const worker = new JobWorker({ ...gearman, concurrency: 64 });
    worker.register('echo', () => void took());
    await worker.start();
  },
  async call({ gearman }) {
    const client = new JobClient(gearman);
    await client.connect();
    return (text) => client.submitBackground({ function: 'echo', workload: Buffer.from(text) });
  },
};

/** BullMQ's jobs. */
export const bullmq = {
  async serve({ port }, _, took) {
    const { Worker } = require('bullmq');
    const worker = new Worker('echo', async () => void took(), {
      connection: { host: '127.0.0.1', port, maxRetriesPerRequest: null },
      concurrency: 64,
      removeOnComplete: { count: 0 },
    });
    await worker.waitUntilReady();
  },
  async call({ port }) {
    const { Queue } = require('bullmq');
    const queue = new Queue('echo', { connection: { host: '127.0.0.1', port } });
    return (data) => queue.add('echo', data);
  },
};
