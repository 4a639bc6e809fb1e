/**
 * The transport id of every `GearmanStrategy`: in an application with several
 * transports `@MessagePattern('f', GEARMAN_TRANSPORT)` is only for Gearman. All
 * copies of this package have the same symbol.
 */
export const GEARMAN_TRANSPORT: unique symbol = Symbol.for('nestjs-gearman.transport');
