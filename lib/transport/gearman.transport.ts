/**
 * The transport id of every `GearmanStrategy`: `@MessagePattern('f', GEARMAN_TRANSPORT)`
 * is for Gearman alone in an application with several transports. The same
 * symbol in every copy of this package.
 */
export const GEARMAN_TRANSPORT: unique symbol = Symbol.for('nestjs-gearman.transport');
/**
 * The transport id of every `GearmanStrategy`: in an application with several
 * transports `@MessagePattern('f', GEARMAN_TRANSPORT)` is only for Gearman. All
 * copies of this package have the same symbol.
 */
