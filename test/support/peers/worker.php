<?php
// worker.php PORT: with the functions that all test workers have.
$worker = new GearmanWorker();
$worker->addServer('127.0.0.1', (int) $argv[1]);
$worker->addFunction('reverse', fn (GearmanJob $job) => strrev($job->workload()));
$worker->addFunction('chatty', function (GearmanJob $job) {
    $job->sendStatus(1, 2);
    $job->sendData('part');
    $job->sendWarning('hot');
    return 'end';
});
$worker->addFunction('failing', function (GearmanJob $job) {
    $job->sendFail();
});
$worker->addFunction('throwing', function (GearmanJob $job) {
    $job->sendException('boom');
});
while (true) {
    $worker->work();
}
