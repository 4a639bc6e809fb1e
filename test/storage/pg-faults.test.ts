import { describeFaults } from './pg-faults.contract.js';

describeFaults('with each job in a row', Infinity);
