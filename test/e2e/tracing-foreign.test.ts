import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { GearmanClient } from 'nestjs-gearman';
import { firstValueFrom } from 'rxjs';
import { FOREIGN_WORKERS, startWorker } from '../support/foreign-programs.js';
import { startListening } from '../support/job-servers.js';
import { clientOf } from '../support/nest-app.js';
import { PATIENCE } from '../support/patience.js';
import { describeWith } from '../support/peers.js';
import { reversed } from '../support/workloads.js';

const LARGEST = 64 * 1024 * 1024;

/** What a workload must not lose, gain or have changed while the client that sends it traces. */
const WORKLOADS: readonly (readonly [title: string, bytes: Buffer])[] = [
  ['JSON', Buffer.from('{"month":7}')],
  ['all 256 bytes', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
  ['bytes that look like a frame', Buffer.from('\0NGMETA1\0\0\0\x09{"a":"b"}and more', 'latin1')],
];

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const exporter = new InMemorySpanExporter();

beforeAll(() => {
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
});

/** Not `gearman -w`, which only hands a workload on to a program. */
const languages = FOREIGN_WORKERS.filter(({ peer }) => peer !== 'gearman');

describeWith(
  languages.map(({ peer }) => peer),
  'asked by a client that traces,',
  () => {
    const clients = new Map<string, GearmanClient>();
    beforeAll(async () => {
      const maxPacketBytes = LARGEST + 1024;
      for (const worker of languages) {
        const { port } = await startListening({ maxPacketBytes });
        await startWorker(worker, port);
        clients.set(worker.name, clientOf({ servers: `127.0.0.1:${port}`, format: 'raw', maxPacketBytes, timeout: 0 }));
      }
    });
    beforeEach(() => exporter.reset());

    /** Its answer is what it got, from last to first. */
    const getsExactly = async (name: string, bytes: Buffer): Promise<void> => {
      const answer = await firstValueFrom(clients.get(name)!.send<Buffer>('reverse', bytes));
      expect([name, answer.length, digest(answer)]).toEqual([name, bytes.length, digest(reversed(bytes))]);
    };

    describe.each(languages.map(({ name }) => name))('%s', (name) => {
      it.each(WORKLOADS)('gets exactly %s', async (_, bytes) => {
        await getsExactly(name, bytes);
        expect(exporter.getFinishedSpans().map((span) => span.name)).toEqual(['submit reverse']);
      });
    });

    // All of them at once: they mostly wait.
    it(
      'workers in all languages get exactly 64 MiB',
      async () => {
        const bytes = Buffer.alloc(LARGEST, 'one of very many bytes, \0 among them');
        await Promise.all(languages.map(({ name }) => getsExactly(name, bytes)));
        expect(exporter.getFinishedSpans().map((span) => span.name)).toEqual(languages.map(() => 'submit reverse'));
      },
      3 * PATIENCE,
    );
  },
);
