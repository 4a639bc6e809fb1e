import { describeFaults } from './pg-faults.contract.js';

describeFaults('with jobs in packs, lone ones too', 1);
