import 'reflect-metadata';
import { beforeAll, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { GearmanContext, type GearmanClient } from 'nestjs-gearman';
import { firstValueFrom } from 'rxjs';
import { describeJobServers } from '../support/job-servers.js';
import { clientOf, serve } from '../support/nest-app.js';

@Controller()
class Texts {
  @MessagePattern('reverse', { format: 'text' })
  reverse(@Payload() text: string): string {
    return [...text].reverse().join('');
  }

  @MessagePattern({ cmd: 'describe' })
  describe(@Payload() data: unknown, @Ctx() context: GearmanContext): unknown {
    return { data, function: context.function, handle: context.handle, unique: context.unique };
  }
}

describeJobServers('a request', (servers) => {
  let client: GearmanClient;

  beforeAll(async () => {
    await serve({ servers: servers(), controllers: [Texts] });
    client = clientOf({ servers: servers() });
  });

  it('reaches its handler, and the result its caller', async () => {
    const texts = clientOf({ servers: servers(), format: 'text' });
    await expect(firstValueFrom(texts.send('reverse', 'Hello world!'))).resolves.toBe('!dlrow olleH');
  });

  it('has a pattern that is an object, whatever the order of its keys', async () => {
    await expect(firstValueFrom(client.send({ cmd: 'describe' }, { a: [1] }))).resolves.toMatchObject({
      data: { a: [1] },
      function: '{"cmd":"describe"}',
    });
  });
});
