import { describe, expect, it } from '@jest/globals';
import type { GearmanClient } from 'nestjs-gearman';
import { GearmanStrategy, type GearmanDeserializer, type ResponsePacket } from 'nestjs-gearman';
import { firstValueFrom } from 'rxjs';
import { bytesOf, packetOf } from '../../../lib/transport/gearman.serializer.js';
import { startOurs } from '../../support/job-servers.js';
import { clientOf } from '../../support/nest-app.js';
import { atEnd } from '../../support/cleanup.js';

describe('what a serializer of the user returns', () => {
  it.each([
    ['text', 'grün', Buffer.from('grün')],
    ['bytes', Buffer.of(0, 1), Buffer.of(0, 1)],
  ])('is %s', (_, serialized, expected) => {
    expect(bytesOf(serialized)).toEqual(expected);
  });

  it.each([[undefined], [{ data: 1 }], [42], [Promise.resolve('late')]])('is refused where it is %p', (serialized) => {
    expect(() => bytesOf(serialized)).toThrow(
      expect.objectContaining({ code: 'GEARMAN_INVALID_OPTION', option: 'serializer' }),
    );
  });
});

describe('what a deserializer of the user returns', () => {
  it.each([[undefined], ['data'], [null], [Promise.resolve({ data: 1 })]])(
    'is refused where it is %p',
    (deserialized) => {
      expect(() => packetOf(deserialized as unknown as object)).toThrow(
        expect.objectContaining({ code: 'GEARMAN_INVALID_OPTION', option: 'deserializer' }),
      );
    },
  );
});

describe('a serializer or deserializer that throws', () => {
  const broken = (): never => {
    throw new Error('no such type');
  };

  it('fails the call, wherever it is', async () => {
    const server = await startOurs();
    for (const [prefix, options] of Object.entries({
      a: { deserializer: { deserialize: broken } },
      b: { serializer: { serialize: broken } },
    })) {
      const strategy = new GearmanStrategy({ servers: server, prefix, ...options });
      atEnd(() => strategy.close());
      strategy.addHandler('echo', async (data) => data as unknown);
      await new Promise((resolve) => strategy.listen(resolve));
      await expect(firstValueFrom(clientOf({ servers: server, prefix }).send('echo', 1))).rejects.toEqual({
        status: 'error',
        message: 'no such type',
      });
    }
    const ask = (client: GearmanClient): Promise<unknown> => firstValueFrom(client.send('echo', 1));
    await expect(ask(clientOf({ servers: server, serializer: { serialize: broken } }))).rejects.toThrow('no such type');
    const deserializer: GearmanDeserializer<ResponsePacket> = { deserialize: broken };
    const strategy = new GearmanStrategy({ servers: server });
    atEnd(() => strategy.close());
    strategy.addHandler('echo', async (data) => data as unknown);
    await new Promise((resolve) => strategy.listen(resolve));
    await expect(ask(clientOf({ servers: server, deserializer }))).rejects.toThrow('no such type');
  });
});
