<?php
// STAND-IN: as Drupal's installer leaves it. The database is in the file that it includes, as at many hosts.
$settings['config_sync_directory'] = '../config/sync';
$settings['hash_salt'] = 'testbed';
$settings['trusted_host_patterns'] = [];
if (file_exists($app_root . '/' . $site_path . '/settings.local.php')) {
  include $app_root . '/' . $site_path . '/settings.local.php';
}
