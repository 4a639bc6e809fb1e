<?php
// php client.php [TEXT] [PORT]: asks the Nest worker, with PHP's own Gearman extension.
$client = new GearmanClient();
$client->addServer('127.0.0.1', (int) ($argv[2] ?? 4730));
$client->setTimeout(10000);
$answer = @$client->doNormal('describe_text', json_encode(['text' => $argv[1] ?? 'hello from PHP']));
if ($client->returnCode() !== GEARMAN_SUCCESS) {
    fwrite(STDERR, 'failed: ' . $client->error() . "\n");
    exit(1);
}
$report = json_decode($answer);
echo "\"{$report->title}\" has {$report->words} words\n";
