export * from './driver/index.js';
export * from './transport/index.js';
