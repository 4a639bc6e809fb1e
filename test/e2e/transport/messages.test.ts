import 'reflect-metadata';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  Inject,
  Injectable,
  ParseIntPipe,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { CONTEXT, Ctx, MessagePattern, Payload, RpcException, type RequestContext } from '@nestjs/microservices';
import {
  defineFunction,
  GearmanContext,
  GearmanFunction,
  GearmanRecord,
  GearmanRecordBuilder,
  type GearmanClient,
  type UntypedPattern,
} from 'nestjs-gearman';
import { firstValueFrom, lastValueFrom, map, throwError, toArray, type Observable } from 'rxjs';
import { describeJobServers } from '../../support/job-servers.js';
import { clientOf, serve, type RunningApp } from '../../support/nest-app.js';

const shout = defineFunction<string, string>('shout', { format: 'text' });

class Teapot extends Error {}

@Catch(Teapot)
class TeapotFilter {
  catch(_error: Teapot, host: ArgumentsHost): Observable<never> {
    const handle = host.switchToRpc().getContext<GearmanContext>().handle;
    return throwError(() => ({ code: 418, handle }));
  }
}

class TextFilter {
  catch(error: Error): Observable<never> {
    return throwError(() => error.message);
  }
}
Catch(RpcException)(TextFilter);

class NobodyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.getType() !== 'rpc';
  }
}

class DoublingInterceptor implements NestInterceptor<number, number> {
  intercept(_context: ExecutionContext, next: CallHandler<number>): Observable<number> {
    return next.handle().pipe(map((value) => value * 2));
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestLog {
  constructor(@Inject(CONTEXT) readonly request: RequestContext) {}
}

@Controller()
class Requests {
  constructor(private readonly log: RequestLog) {}

  @MessagePattern('request-scoped')
  run(@Payload() data: unknown): unknown {
    const { request } = this.log;
    return { same: request.getData() === data, pattern: request.getPattern() };
  }
}

@Controller()
class Texts {
  @MessagePattern('reverse', { format: 'text' })
  reverse(@Payload() text: string): string {
    return [...text].reverse().join('');
  }

  @GearmanFunction(shout)
  async shout(@Payload() text: string, @Ctx() context: GearmanContext): Promise<string> {
    return `${text.toUpperCase()}!${context.function === 'shout' ? '' : '?'}`;
  }

  @MessagePattern({ cmd: 'describe' })
  describe(@Payload() data: unknown, @Ctx() context: GearmanContext): unknown {
    const { handle, unique, server } = context;
    return { data, function: context.function, handle, unique, server, workload: context.workload.toString() };
  }

  @MessagePattern(['one', 'two'])
  both(@Ctx() context: GearmanContext): string {
    return context.getPattern();
  }

  @MessagePattern('1e3')
  scientific(): string {
    return 'by name, not by number';
  }

  @MessagePattern('echo')
  echo(@Payload() data: unknown): unknown {
    return data;
  }

  @MessagePattern('echo-raw', { format: 'raw' })
  echoRaw(@Payload() bytes: Buffer): Buffer {
    return Buffer.concat([bytes, Buffer.of(bytes.length)]);
  }

  @MessagePattern('nothing')
  nothing(): void {}

  @MessagePattern('nothing-text', { format: 'text' })
  nothingText(): string {
    return '';
  }

  @MessagePattern('twice')
  @UseInterceptors(DoublingInterceptor)
  twice(@Payload(ParseIntPipe) value: number): number {
    return value;
  }
}

@Controller()
class Failures {
  @MessagePattern('fail-text')
  text(): never {
    throw new RpcException('no such thing');
  }

  @MessagePattern('fail-object')
  async object(): Promise<never> {
    await Promise.resolve();
    throw new RpcException({ code: 404, detail: { id: 7 } });
  }

  @MessagePattern('fail-bare-object')
  bareObject(): never {
    // As parsers of query strings make them: without a prototype, and so without a text.
    throw new RpcException(Object.assign(Object.create(null) as object, { code: 404 }));
  }

  @MessagePattern('fail-error')
  error(): never {
    throw new Error('the password is 1234');
  }

  @MessagePattern('fail-filtered')
  @UseFilters(TeapotFilter)
  filtered(): never {
    throw new Teapot();
  }

  @MessagePattern('fail-filtered-text')
  @UseFilters(TextFilter)
  filteredText(): never {
    throw new RpcException('only text');
  }

  @MessagePattern('fail-forbidden')
  @UseGuards(NobodyGuard)
  forbidden(): string {
    return 'secret';
  }

  @MessagePattern('fail-unwritable')
  unwritable(): unknown {
    return 1n;
  }

  @MessagePattern('fail-text-format', { format: 'text' })
  notText(): unknown {
    return { a: 1 };
  }
}

describeJobServers('a request', (servers) => {
  let client: GearmanClient;
  let running: RunningApp;
  const ask = (pattern: UntypedPattern, data: unknown): Promise<unknown> => firstValueFrom(client.send(pattern, data));

  beforeAll(async () => {
    running = await serve({ servers: servers(), controllers: [Texts, Failures, Requests], providers: [RequestLog] });
    client = clientOf({ servers: servers() });
  });

  describe('reaches its handler, and the result its caller', () => {
    it('as text', async () => {
      const texts = clientOf({ servers: servers(), format: 'text' });
      await expect(firstValueFrom(texts.send('reverse', 'Hello world!'))).resolves.toBe('!dlrow olleH');
    });

    it('by a contract that both sides share, where the client is told nothing else', async () => {
      const answer: string = await firstValueFrom(client.send(shout, 'hello'));
      expect(answer).toBe('HELLO!');
    });

    it('in the format of its record', async () => {
      await expect(ask('reverse', new GearmanRecordBuilder('abc').setFormat('text').build())).resolves.toBe('cba');
    });

    it.each([[{ a: [1, 'ü', null] }], ['text'], [0], [false], ['']])('as JSON: %p', async (data) => {
      await expect(ask('echo', data)).resolves.toEqual(data);
    });

    it('as bytes, none of them changed', async () => {
      const bytes = Buffer.from([...Array(256).keys()]);
      await expect(ask('echo-raw', new GearmanRecord(bytes, { format: 'raw' }))).resolves.toEqual(
        Buffer.concat([bytes, Buffer.of(0)]),
      );
    });

    it('as a Buffer that is no JSON value but the workload', async () => {
      await expect(ask('echo', Buffer.from('[1,2]'))).resolves.toEqual([1, 2]);
    });

    it('as a megabyte', async () => {
      const data = { text: 'ü'.repeat(500_000) };
      await expect(ask('echo', data)).resolves.toEqual(data);
    });

    it('where both are nothing', async () => {
      await expect(
        lastValueFrom(client.send('nothing', new GearmanRecord(undefined)).pipe(toArray())),
      ).resolves.toEqual([]);
    });

    it('where nothing is a value of the format', async () => {
      const record = new GearmanRecord('', { format: 'text' });
      await expect(lastValueFrom(client.send('nothing-text', record).pipe(toArray()))).resolves.toEqual(['']);
    });
  });

  describe('has a pattern', () => {
    it('that is an object, whatever the order of its keys', async () => {
      await expect(ask({ cmd: 'describe' }, { a: [1] })).resolves.toMatchObject({
        data: { a: [1] },
        function: '{"cmd":"describe"}',
        handle: expect.stringMatching(/^H:.+:\d+$/),
        server: expect.any(String),
        workload: '{"a":[1]}',
      });
    });

    it('that is one of several of a handler', async () => {
      await expect(ask('one', 0)).resolves.toBe('one');
      await expect(ask('two', 0)).resolves.toBe('two');
    });

    it('that looks like a number', async () => {
      await expect(ask('1e3', 0)).resolves.toMatch(/by name/);
    });
  });

  describe('passes what Nest puts around handlers:', () => {
    it('pipes and interceptors', async () => {
      await expect(ask('twice', '21')).resolves.toBe(42);
    });

    it("a pipe's refusal", async () => {
      await expect(ask('twice', 'many')).rejects.toEqual({ status: 'error', message: 'Internal server error' });
    });

    it('guards', async () => {
      await expect(ask('fail-forbidden', 0)).rejects.toEqual({ status: 'error', message: 'Forbidden resource' });
    });

    it('request-scoped providers', async () => {
      await expect(ask('request-scoped', { a: 1 })).resolves.toEqual({ same: true, pattern: 'request-scoped' });
    });
  });

  describe('fails at its caller', () => {
    it.each<[string, string, unknown]>([
      ["with an RpcException's text", 'fail-text', { status: 'error', message: 'no such thing' }],
      ["with an RpcException's object", 'fail-object', { code: 404, detail: { id: 7 } }],
      ['with an object that has no prototype', 'fail-bare-object', { code: 404 }],
      ['with nothing of any other error', 'fail-error', { status: 'error', message: 'Internal server error' }],
      ['with what an exception filter throws', 'fail-filtered', { code: 418, handle: expect.stringMatching(/^H:/) }],
      ['with the text an exception filter throws', 'fail-filtered-text', 'only text'],
    ])('%s', async (_, pattern, expected) => {
      await expect(ask(pattern, 0)).rejects.toEqual(expected);
    });

    it('naming the format where the workload is not in it, and the worker logs that', async () => {
      const message = expect.stringMatching(/function "echo": the bytes received are not JSON.*format 'json'/);
      await expect(ask('echo', new GearmanRecord('Hello world!', { format: 'text' }))).rejects.toEqual({
        status: 'error',
        code: 'GEARMAN_INVALID_WORKLOAD',
        message,
      });
      expect(running.log.of('warn')).toContainEqual(message);
    });

    it.each([
      ['fail-unwritable', /cannot be written as JSON/],
      ['fail-text-format', /must be a string or a Buffer, not an object.*format 'text'/],
    ])('naming the format where the result is not in it: %s', async (pattern, message) => {
      await expect(ask(pattern, 0)).rejects.toMatchObject({
        code: 'GEARMAN_INVALID_WORKLOAD',
        message: expect.stringMatching(message),
      });
    });

    it('with an error of its own where the result is not in the format it asked for', async () => {
      await expect(ask('reverse', new GearmanRecord(Buffer.from('abc')))).rejects.toMatchObject({
        code: 'GEARMAN_INVALID_WORKLOAD',
        functionName: 'reverse',
        format: 'json',
      });
    });

    it('before it is sent where the data cannot be', async () => {
      await expect(ask('echo', 1n)).rejects.toMatchObject({ code: 'GEARMAN_INVALID_WORKLOAD' });
      await expect(ask('echo', undefined)).rejects.toThrow(/undefined\/null/);
      await expect(ask(/echo/, 0)).rejects.toMatchObject({ code: 'GEARMAN_INVALID_PATTERN' });
    });
  });

  it('is answered by the functions of its own prefix only', async () => {
    await serve({ servers: servers(), controllers: [Texts], prefix: 'staging.' });
    const staging = clientOf({ servers: servers(), prefix: 'staging.' });
    await expect(firstValueFrom(staging.send('one', 0))).resolves.toBe('staging.one');
    await expect(firstValueFrom(staging.send(shout, 'hello'))).resolves.toBe('HELLO!?');
    await expect(ask('one', 0)).resolves.toBe('one');
  });

  it('speaks a format of its own where both sides are given a serializer', async () => {
    const rot13 = (text: string): string =>
      text.replace(/[a-z]/g, (letter) => String.fromCharCode(((letter.charCodeAt(0) - 84) % 26) + 97));
    await serve({
      servers: servers(),
      controllers: [Texts],
      prefix: 'rot13.',
      deserializer: { deserialize: (bytes) => ({ data: rot13(bytes.toString()) }) },
      serializer: { serialize: ({ response }) => rot13(String(response)) },
    });
    const rotated = clientOf({
      servers: servers(),
      prefix: 'rot13.',
      serializer: { serialize: ({ data }) => rot13(String(data)) },
      deserializer: { deserialize: (bytes) => ({ response: rot13(bytes.toString()) }) },
    });
    await expect(firstValueFrom(rotated.send('reverse', 'hello'))).resolves.toBe('olleh');
    const bare = clientOf({ servers: servers(), prefix: 'rot13.', format: 'text' });
    await expect(firstValueFrom(bare.send('reverse', rot13('hello')))).resolves.toBe(rot13('olleh'));
  });
});
