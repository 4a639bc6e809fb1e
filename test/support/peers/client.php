<?php
// client.php PORT FUNCTION do|events|background: the workload comes from stdin.
[, $port, $function, $mode] = $argv;
$workload = stream_get_contents(STDIN);
$client = new GearmanClient();
$client->addServer('127.0.0.1', (int) $port);

if ($mode === 'background') {
    echo $client->doBackground($function, $workload), "\n";
} elseif ($mode === 'events') {
    // A callback's return value is a libgearman return code: nothing means success.
    $print = fn (string $event, callable $body) => function (GearmanTask $task) use ($event, $body): void {
        echo trim("$event {$body($task)}"), "\n";
    };
    $data = fn (GearmanTask $task) => $task->data();
    $client->enableExceptionHandler();
    $client->setDataCallback($print('data', $data));
    $client->setWarningCallback($print('warning', $data));
    $client->setStatusCallback($print('status', fn ($task) => "{$task->taskNumerator()}/{$task->taskDenominator()}"));
    $client->setExceptionCallback($print('exception', $data));
    $client->setCompleteCallback($print('complete', $data));
    $client->setFailCallback($print('fail', fn () => ''));
    $client->addTask($function, $workload);
    $client->runTasks();
} else {
    do {
        $result = $client->doNormal($function, $workload);
    } while (in_array($client->returnCode(), [GEARMAN_WORK_DATA, GEARMAN_WORK_STATUS, GEARMAN_WORK_WARNING], true));
    echo $result;
}
exit($client->returnCode() === GEARMAN_SUCCESS ? 0 : 1);
