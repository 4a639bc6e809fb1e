import { defineFunction } from 'nestjs-gearman';

export const greet = defineFunction<string, string>('greet', { format: 'text' });
/** Served by PHP, or by Nest if PHP is not installed. */
export const shout = defineFunction<string, string>('shout', { format: 'text' });
