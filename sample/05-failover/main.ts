import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GearmanClient, GearmanModule, GearmanStrategy } from 'nestjs-gearman';
import { JobServerProcess } from './job-server-process.js';
import { LoadService, type Outcome } from './load.service.js';
import { SquareController } from './square.controller.js';

const jobServers = await Promise.all([JobServerProcess.start(), JobServerProcess.start(), JobServerProcess.start()]);
const [first] = jobServers;
const servers = jobServers.map(({ address }) => address);

@Module({
  imports: [GearmanModule.forRoot({ servers, choose: 'round-robin' })],
  controllers: [SquareController],
  providers: [LoadService],
})
class AppModule {}

const strategy = new GearmanStrategy({ servers });
const app = await NestFactory.createMicroservice(AppModule, { strategy, logger: ['error'] });
await app.listen();
const load = app.get(LoadService);
const client = app.get(GearmanClient);
await untilAllAreConnected();

report(`all ${servers.length} job servers`, await load.run(1000));
report(
  `${first.address} is killed under way`,
  await load.run(1000, (answered) => {
    if (answered === 300) void first.kill();
  }),
);
await first.startAgain();
await untilAllAreConnected();
report(`${first.address} is back`, await load.run(1000));
console.log(`3000 requests, ${app.get(SquareController).runs} runs: a job may run again when its job server is lost`);

await app.close();
await Promise.all(jobServers.map((jobServer) => jobServer.kill()));

/** Client and worker reconnect by themselves; this waits until they have. */
async function untilAllAreConnected(): Promise<void> {
  await client.connect();
  const isComplete = (): boolean => [client, strategy].every((side) => side.health().servers.length === servers.length);
  while (!isComplete()) await new Promise((resolve) => setTimeout(resolve, 20));
}

function report(title: string, { answered, failed, by }: Outcome): void {
  const shares = Object.entries(by).map(([server, answers]) => `${answers} through ${server}`);
  console.log(`${title}: ${answered} answered, ${failed} failed; ${shares.sort().join(', ')}`);
}
