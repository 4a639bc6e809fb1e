import type { Command } from '../command.js';
import { EXIT, Failure, UsageFailure } from '../failure.js';
import { helpText } from '../options/help-text.js';
import { listed, toggle, valued } from '../options/option.js';
import { parseOptions } from '../options/parse-options.js';
import { port, text } from '../options/values.js';
import { connectionSettings, SERVER_OPTIONS } from '../people/connection-options.js';
import { WebListener } from './web-listener.js';

const WEB_OPTIONS = {
  port: valued('The port to answer on. Default: 4780.', port, { short: 'p', argument: 'PORT' }),
  listen: valued('The address to answer on; one that other machines reach needs --tokens. Default: 127.0.0.1.', text, {
    argument: 'ADDRESS',
  }),
  tokens: valued(
    'Who may do what, by lines of `nestjs-gearman web-token`; read again at SIGHUP. Default: everybody on this machine may do everything.',
    text,
    { argument: 'FILE' },
  ),
  host: listed('A further name that browsers may call it by, as a proxy’s, where there are no tokens.', text, {
    argument: 'NAME',
  }),
  'read-only': toggle('Let nobody change or submit anything, whatever the token.'),
  help: toggle('Show this page.'),
} as const;

const OPTIONS = { ...SERVER_OPTIONS, ...WEB_OPTIONS };

const INTRO = `nestjs-gearman web [OPTIONS]

Answers HTTP for job servers elsewhere, several too, ours or C gearmand: --server may be said several
times, and ?server=ADDRESS chooses. They are asked in Gearman's own protocol, and tell less than
job-server --web-port does: what one cannot tell is null, or answered with 501.`;

const DEFAULT_PORT = 4_780;

/** `nestjs-gearman web`. */
export const web: Command = {
  options: OPTIONS,
  help: () =>
    helpText(INTRO, [
      { title: 'Job servers', options: SERVER_OPTIONS },
      { title: 'HTTP', options: WEB_OPTIONS },
    ]),
  async run(line, { stderr, signal }) {
    const { values, words } = parseOptions(OPTIONS, line);
    if (words.length > 0) throw new UsageFailure(`web takes no words, only options: ${words.join(' ')}`);
    const { listen = '127.0.0.1', tokens, host: hosts, 'read-only': readOnly } = values;
    if (!/^(localhost|127\.[\d.]+|::1)$/.test(listen) && tokens === undefined) {
      throw new UsageFailure(
        `--listen ${listen} needs --tokens FILE: others could do everything; \`nestjs-gearman web-token\` makes one`,
      );
    }
    const { servers, ...rest } = connectionSettings({ ...values, host: undefined, port: undefined });
    const sources = servers.map((address) => ({ name: address, server: address, ...rest }));
    const settings = { port: values.port ?? DEFAULT_PORT, host: listen, hosts, readOnly };
    const tell = (level: string, message: string): void => void stderr.write(`${level.toUpperCase()} ${message}\n`);
    const listener = await open(() => new WebListener(sources, { ...settings, ...(tokens && { tokens }) }, tell));
    const reload = (): void => {
      try {
        listener.reload();
      } catch (error) {
        tell('error', `SIGHUP: --tokens: the tokens stay as they were: ${(error as Error).message}`);
      }
    };
    process.on('SIGHUP', reload);
    try {
      await listener.listen().catch((error: Error) => fail(`--port ${settings.port}`, error));
      stderr.write(`answers for ${servers.join(', ')} on ${listener.url}/v1\n`);
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    } finally {
      process.off('SIGHUP', reload);
      await listener.close();
    }
  },
};

async function open(make: () => WebListener): Promise<WebListener> {
  try {
    return make();
  } catch (error) {
    return fail('--tokens', error as Error);
  }
}

function fail(option: string, error: Error): never {
  throw new Failure(`${option}: ${error.message}`, EXIT.failed, { cause: error });
}
