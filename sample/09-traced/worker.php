<?php
// php worker.php [PORT]: serves "shout", with PHP's own Gearman extension. It gets the exact bytes of the workload.
$worker = new GearmanWorker();
$worker->addServer('127.0.0.1', (int) ($argv[1] ?? 4730));
$worker->addFunction('shout', fn (GearmanJob $job) => strtoupper($job->workload()));
while ($worker->work());
