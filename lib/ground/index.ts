export { Alarm, SYSTEM_CLOCKS, type Clocks } from './alarm.js';
export { digestOf } from './digest.js';
export { GEARMAN_ERRORS, type ErrorDescription, type GearmanErrorCode } from './error-codes.js';
export { GearmanError } from './gearman-error.js';
export { InvalidOptionError, notAllowed } from './invalid-option-error.js';
export { MAX_CLIENT_ID_BYTES, MAX_FUNCTION_BYTES, MAX_TIMER_DELAY, MAX_UNIQUE_BYTES } from './limits.js';
export { aboutError, readableLine, type Log, type LogFields } from './log.js';
export { nearest } from './nearest.js';
export { escaped, harmlessJson, oneLine, UNSAFE } from './one-line.js';
export {
  BOOLEAN,
  checkNames,
  checkOption,
  duration,
  FUNCTION,
  number,
  oneOf,
  optionOr,
  wholeNumber,
  type OptionRule,
} from './option-rules.js';
export { hasProcess } from './process-life.js';
export { shown } from './shown.js';
export { VERSION } from './version.js';
