export type { Access, AccessFunction, BasicUser } from './access/access.js';
export type { Grant, Role } from './access/grant.js';
export {
  GearmanWebModule,
  type AsyncSettings,
  type GearmanWebModuleAsyncOptions,
  type GearmanWebModuleOptions,
  type GearmanWebModuleOptionsFactory,
  type GearmanWebModuleSettings,
  type GuardedAccess,
} from './nest/gearman-web.module.js';
export type { WebSource } from './source.js';
export { createWebHandler, type WebHandler, type WebHandlerOptions } from './web-handler.js';
