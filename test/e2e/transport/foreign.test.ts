import 'reflect-metadata';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { GearmanContext, type GearmanClient } from 'nestjs-gearman';
import { firstValueFrom, from, type Observable } from 'rxjs';
import { atEnd } from '../../support/cleanup.js';
import { startGearmand } from '../../support/gearmand.js';
import { startOurs } from '../../support/job-servers.js';
import { clientOf, serve } from '../../support/nest-app.js';
import { describeWith } from '../../support/peers.js';
import { RawPeer } from '../../support/raw-peer.js';

const execute = promisify(execFile);

@Controller()
class Texts {
  @MessagePattern('reverse')
  reverse(@Payload() text: string): string {
    return [...text].reverse().join('');
  }

  @MessagePattern('words')
  words(@Payload() text: string): Observable<string> {
    return from(text.split(' '));
  }

  @MessagePattern('progress')
  progress(@Ctx() context: GearmanContext): string {
    context.progress(1, 2);
    return 'done';
  }

  @MessagePattern('fail')
  fail(): never {
    throw new RpcException('out of paper');
  }
}

/** A program that runs until the test file is over. */
function start(command: string, args: string[]): ChildProcess {
  const child = spawn(command, args, { stdio: 'ignore' });
  const over = new Promise((resolve) => child.once('close', resolve));
  atEnd(async () => {
    child.kill();
    await over;
  });
  return child;
}

describeWith(['gearmand', 'gearman', 'php', 'perl'], 'programs in other languages', () => {
  let port: number;
  let client: GearmanClient;

  beforeAll(async () => {
    ({ port } = await startGearmand());
    const servers = `127.0.0.1:${port}`;
    await serve({ servers, controllers: [Texts], format: 'text' });
    client = clientOf({ servers, format: 'text' });
  });

  const gearman = (...args: string[]) => execute('gearman', ['-h', '127.0.0.1', '-p', String(port), ...args]);
  const php = (code: string) =>
    execute('php', ['-r', `$client = new GearmanClient(); $client->addServer('127.0.0.1', ${port}); ${code}`]);

  it('call a handler: gearman', async () => {
    await expect(gearman('-f', 'reverse', 'Hello world!')).resolves.toMatchObject({ stdout: '!dlrow olleH' });
    await expect(gearman('-f', 'words', 'one two three')).resolves.toMatchObject({ stdout: 'onetwothree' });
  });

  it('call a handler: PHP', async () => {
    await expect(php(`echo $client->doNormal('reverse', 'Grüße');`)).resolves.toMatchObject({ stdout: 'eßürG' });
  });

  it('call a handler: Perl', async () => {
    const program = `use Gearman::Client; my $client = Gearman::Client->new(job_servers => ['127.0.0.1:${port}']);
      print \${$client->do_task('reverse', 'Hello world!')};`;
    await expect(execute('perl', ['-e', program])).resolves.toMatchObject({ stdout: '!dlrow olleH' });
  });

  it('see a clean failure of a handler', async () => {
    await expect(gearman('-f', 'fail', 'x')).rejects.toMatchObject({ code: expect.any(Number), stdout: '' });
    const { stdout } = await php(
      `@$client->doNormal('fail', 'x'); echo $client->returnCode() == GEARMAN_WORK_FAIL ? 'failed' : 'not failed';`,
    );
    expect(stdout).toBe('failed');
  });

  it('see progress of a handler', async () => {
    const { stdout } = await php(`
      $client->setStatusCallback(function ($task) { echo $task->taskNumerator(), '/', $task->taskDenominator(), ' '; });
      $client->setCompleteCallback(function ($task) { echo $task->data(); });
      $client->addTask('progress', 'x'); $client->runTasks();`);
    expect(stdout).toBe('1/2 done');
  });

  it("are told a failure's words as a warning, for gearmand makes of an exception what they cannot read", async () => {
    const peer = await RawPeer.connect({ port });
    peer.send('SUBMIT_JOB fail··x');
    await expect(peer.next()).resolves.toMatch(/^JOB_CREATED H:/);
    const words = '{"status":"error","message":"out of paper"}';
    await expect(peer.next()).resolves.toMatch(new RegExp(`^WORK_WARNING H:\\S+·WORK_EXCEPTION: ${words}$`));
    await expect(peer.next()).resolves.toMatch(/^WORK_FAIL H:\S+[^·]$/);
  });

  it('are told them as an exception where they asked for it and the strategy says that all do', async () => {
    await serve({ servers: `127.0.0.1:${port}`, controllers: [Texts], prefix: 'php.', alwaysExceptions: true });
    const { stdout } = await php(`
      $client->setExceptionCallback(function ($task) { echo $task->data(); });
      $client->addTask('php.fail', '0'); $client->runTasks();`);
    expect(stdout).toBe('{"status":"error","message":"out of paper"}');
  });

  it('serve functions that a client of ours calls: gearman, PHP', async () => {
    start('gearman', ['-h', '127.0.0.1', '-p', String(port), '-w', '-f', 'upper', '--', 'tr', 'a-z', 'A-Z']);
    start('php', [
      '-r',
      `$worker = new GearmanWorker(); $worker->addServer('127.0.0.1', ${port});
       $worker->addFunction('php-reverse', function ($job) {
         $job->sendStatus(1, 2);
         return strrev($job->workload());
       });
       while ($worker->work());`,
    ]);
    await expect(firstValueFrom(client.send('upper', 'hello'))).resolves.toBe('HELLO');
    await expect(firstValueFrom(client.send('php-reverse', 'Hello world!'))).resolves.toBe('!dlrow olleH');
  });
});

describe('a failure, over our job server', () => {
  it('is an exception to clients who asked for it, and a failure to the others', async () => {
    const server = await startOurs();
    await serve({ servers: server, controllers: [Texts], format: 'text' });
    const [asking, other] = [new RawPeer(server.connect()), new RawPeer(server.connect())];
    asking.send('OPTION_REQ exceptions');
    await expect(asking.next()).resolves.toBe('OPTION_RES exceptions');
    for (const peer of [asking, other]) {
      peer.send('SUBMIT_JOB fail··x');
      await expect(peer.next()).resolves.toMatch(/^JOB_CREATED H:/);
    }
    await expect(asking.next()).resolves.toMatch(/^WORK_EXCEPTION H:\S+·{"status":"error","message":"out of paper"}$/);
    await expect(other.next()).resolves.toMatch(/^WORK_FAIL H:\S+[^·]$/);
  });
});
