import type { Attributes } from '@opentelemetry/api';

/** A job server's address in the attributes of semantic conventions. */
export function serverAttributes(name: string): Attributes {
  const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(name) ?? [];
  return host === undefined ? { 'server.address': name } : { 'server.address': host, 'server.port': Number(port) };
}

/** The attributes of all our spans, named as in semantic conventions 1.44. */
export function jobAttributes(operation: 'submit' | 'process', functionName: string): Attributes {
  return {
    'messaging.system': 'gearman',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation === 'submit' ? 'send' : 'process',
    'messaging.destination.name': functionName,
  };
}
