export { Relay, type RelayHost, type RelayOptions } from './relay.js';
