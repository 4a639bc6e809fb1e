import { together } from '../../support/together.js';

await together(import.meta.dirname);
